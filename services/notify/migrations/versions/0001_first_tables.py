"""Notify's first tables: subscribers, guidance and its broadcasts, the delivery ledger; and everybody's plumbing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts only in INTEGER."""


def upgrade() -> None:
    """Make all tables in an empty database."""
    _subscribers()
    _situations()
    _guidance()
    _delivery()
    _plumbing()


def _subscribers() -> None:
    """Subscribers and what they follow."""
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("email_key", sa.String, nullable=False, unique=True),
        sa.Column("locale", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("basis", sa.String, nullable=False),
        sa.Column("consent_version", sa.String, nullable=False),
        sa.Column("consent_hash", sa.String, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("left_at", MOMENT),
    )
    op.create_index("subscriber_unconfirmed", "subscriber", ["state", "asked_at"])
    op.create_table(
        "subscription",
        sa.Column("subscriber_id", sa.Uuid, sa.ForeignKey("subscriber.id"), primary_key=True),
        sa.Column("audience", sa.String, primary_key=True),
        sa.Column("municipality", sa.String, primary_key=True),
    )
    op.create_index("subscription_matching", "subscription", ["audience", "municipality", "subscriber_id"])


def _situations() -> None:
    """Situations as status tells of them."""
    op.create_table(
        "known_situation",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
    )


def _guidance() -> None:
    """Guidance, its wordings, its broadcasts. The table itself refuses what only one person approved."""
    op.create_table(
        "revision",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("guidance_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("valid_hours", sa.Integer, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("written_by", sa.Uuid, nullable=False),
        sa.Column("writers", sa.JSON, nullable=False),
        sa.Column("submitted_at", MOMENT),
        sa.Column("approved_by", sa.Uuid),
        sa.Column("approved_at", MOMENT),
        sa.Column("expires_at", MOMENT),
        sa.UniqueConstraint("realm", "guidance_id", "number", "approved_by"),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> written_by", name="two_people"),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval_is_whole"),
        sa.CheckConstraint("(approved_by IS NULL) = (expires_at IS NULL)", name="approved_is_dated"),
        sa.CheckConstraint(
            "approved_by IS NULL OR submitted_at IS NOT NULL", name="submitted_before_approved"
        ),
    )
    op.create_table(
        "guidance",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("approved_by", sa.Uuid),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("audiences", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["realm", "id", "revision", "approved_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.approved_by"],
        ),
        sa.CheckConstraint("(state = 'published') = (approved_by IS NOT NULL)", name="published_is_approved"),
    )
    op.create_index("guidance_newest", "guidance", ["realm", "created_at"])
    op.create_table(
        "broadcast",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("guidance_id", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("letter_id", sa.Uuid, nullable=False),
        sa.Column("cursor", sa.Uuid, nullable=False),
        sa.Column("planned_at", MOMENT),
        sa.Column("finished_at", MOMENT),
    )
    op.create_index("broadcast_open", "broadcast", ["finished_at", "planned_at"])


def _delivery() -> None:
    """Letters, one row for each recipient, lanes that paused, and the rosters of exercises."""
    op.create_table(
        "letter",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("letter_id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("shared", sa.JSON, nullable=False),
        sa.Column("not_after", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("letter_id", sa.Uuid, nullable=False),
        sa.Column("recipient_id", sa.Uuid, nullable=False),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("locale", sa.String, nullable=False),
        sa.Column("personal", sa.JSON, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("ambiguous", sa.Integer, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("claimed_until", MOMENT),
        sa.Column("claimed_by", sa.String, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.UniqueConstraint("realm", "letter_id", "recipient_id"),
    )
    op.create_index("delivery_counts", "delivery", ["realm", "letter_id", "state"])
    op.create_index("delivery_due", "delivery", ["lane", "state", "due_at", "id"])
    op.create_index("delivery_leases", "delivery", ["state", "claimed_until"])
    op.create_table(
        "lane_state",
        sa.Column("lane", sa.String, primary_key=True),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("paused_at", MOMENT, nullable=False),
    )
    op.create_table(
        "roster",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("address", sa.String, primary_key=True),
    )


def _plumbing() -> None:
    """What every service has: events to publish, events applied, dead letters, job slots, ended sessions."""
    op.create_table(
        "outbox",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("applied_at", MOMENT, nullable=False),
    )
    op.create_index("ix_inbox_applied_at", "inbox", ["applied_at"])
    op.create_table(
        "dead_letter",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("consumer", sa.String, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("buried_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.Column("settled_as", sa.String),
        sa.UniqueConstraint("stream", "consumer", "sequence"),
    )
    op.create_index("dead_letter_open", "dead_letter", ["settled_at", "id"])
    op.create_table(
        "job_slot",
        sa.Column("job", sa.String, primary_key=True),
        sa.Column("slot", sa.String, primary_key=True),
        sa.Column("claimed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "ended_session",
        sa.Column("session_id", sa.Uuid, primary_key=True),
        sa.Column("valid_until", MOMENT, nullable=False),
    )
    op.create_index("ix_ended_session_valid_until", "ended_session", ["valid_until"])

"""Status's first tables: situations and rounds, who is known, and how everybody stands; and everybody's plumbing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts only in INTEGER."""


def upgrade() -> None:
    """Make all tables in an empty database."""
    _situation()
    _association()
    _readiness()
    _plumbing()


def _situation() -> None:
    """Situations and their rounds."""
    op.create_table(
        "situation",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("freshness_hours", sa.Integer, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("opened_by", sa.Uuid, nullable=False),
    )
    op.create_table(
        "round",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("sectors", sa.JSON, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("opened_by", sa.Uuid, nullable=False),
    )
    op.create_index("round_due", "round", ["closed_at", "closes_at"])
    op.create_index("round_of_situation", "round", ["realm", "situation_id"])


def _association() -> None:
    """Names and places of associations."""
    op.create_table(
        "association",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("municipality", sa.String, nullable=False),
        sa.Column("sector", sa.String, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
    )
    op.create_index("association_place", "association", ["realm", "municipality", "sector"])


def _readiness() -> None:
    """Standings, their tallies, their trend, their changes."""
    op.create_table(
        "standing",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("municipality", sa.String, nullable=False),
        sa.Column("sector", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("status", sa.String),
        sa.Column("reported_at", MOMENT),
        sa.Column("fresh_until", MOMENT),
        sa.Column("until", MOMENT),
        sa.Column("checkin_id", sa.Uuid),
        sa.Column("asked_at", MOMENT),
        sa.Column("round_id", sa.Uuid),
        sa.Column("reached", sa.Boolean, nullable=False),
    )
    op.create_index("standing_due", "standing", ["realm", "situation_id", "state", "fresh_until"])
    op.create_index("standing_newest", "standing", ["realm", "situation_id", "state", "reported_at"])
    op.create_index("standing_place", "standing", ["realm", "situation_id", "municipality", "state"])
    op.create_table(
        "tally",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("dimension", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("state", sa.String, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "trend",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("slot", MOMENT, primary_key=True),
        sa.Column("state", sa.String, primary_key=True),
        sa.Column("delta", sa.Integer, nullable=False),
    )
    op.create_table(
        "change",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("association_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("municipality", sa.String, nullable=False),
        sa.Column("before", sa.String, nullable=False),
        sa.Column("after", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("change_of_situation", "change", ["realm", "situation_id", "at"])


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

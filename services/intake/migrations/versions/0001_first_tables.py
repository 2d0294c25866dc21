"""Intake's first tables: the staff and the audit, the registry, invitations and answers; and everybody's plumbing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts only in INTEGER."""


def upgrade() -> None:
    """Make all tables in an empty database."""
    _access()
    _audit()
    _registry()
    _invitation()
    _checkin()
    _plumbing()


def _access() -> None:
    """People, their sign-in links and their sessions."""
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("email_key", sa.String, nullable=False, unique=True),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("person_id", sa.Uuid),
        sa.Column("browser_hash", sa.LargeBinary),
        sa.Column("next_path", sa.String, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT),
    )
    op.create_index("ix_sign_in_expires_at", "sign_in", ["expires_at"])
    op.create_table(
        "session",
        sa.Column("session_id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    op.create_index("ix_session_person_id", "session", ["person_id"])
    op.create_index("ix_session_valid_until", "session", ["valid_until"])


def _audit() -> None:
    """What the staff did, chained by hashes."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("act", sa.String, nullable=False),
        sa.Column("actor", sa.Uuid),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )


def _registry() -> None:
    """Associations, their contacts, and files on their way in."""
    op.create_table(
        "association",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("register_number", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("name_key", sa.String, nullable=False),
        sa.Column("municipality", sa.String, nullable=False),
        sa.Column("sector", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("realm", "register_number"),
    )
    op.create_index("association_name", "association", ["realm", "name_key"])
    op.create_index("association_place", "association", ["realm", "municipality", "sector"])
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("association_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("email", sa.String),
        sa.Column("phone", sa.String, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("state", sa.String, nullable=False),
        sa.UniqueConstraint("association_id", "position"),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("uploaded_at", MOMENT, nullable=False),
    )
    op.create_index("ix_upload_uploaded_at", "upload", ["uploaded_at"])


def _invitation() -> None:
    """Rounds, who is asked in them, and the links they got."""
    op.create_table(
        "round",
        sa.Column("round_id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("round_id", sa.Uuid, nullable=False),
        sa.Column("association_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("letter_state", sa.String, nullable=False),
        sa.Column("checkin_id", sa.Uuid),
        sa.UniqueConstraint("realm", "round_id", "association_id"),
    )
    op.create_table(
        "invitation_token",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("invitation_id", sa.Uuid, nullable=False),
        sa.Column("contact_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("recipient_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("revoked_at", MOMENT),
    )
    op.create_index("ix_invitation_token_invitation_id", "invitation_token", ["invitation_id"])


def _checkin() -> None:
    """Answers as they came."""
    op.create_table(
        "checkin",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("association_id", sa.Uuid, nullable=False),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("round_id", sa.Uuid, nullable=False),
        sa.Column("form_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("until", MOMENT),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("entered_by", sa.Uuid),
    )
    op.create_index("ix_checkin_association_id", "checkin", ["association_id"])
    op.create_index("ix_checkin_round_id", "checkin", ["round_id"])


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

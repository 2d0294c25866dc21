"""Exercise's first tables: exercises, their injects and rosters; and everybody's plumbing."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts only in INTEGER."""


def upgrade() -> None:
    """Make all tables in an empty database."""
    _exercises()
    _plumbing()


def _exercises() -> None:
    op.create_table(
        "exercise",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("scenario", sa.JSON, nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("speed", sa.Integer, nullable=False),
        sa.Column("elapsed_seconds", sa.Float, nullable=False),
        sa.Column("since", MOMENT),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Uuid, nullable=False),
        sa.Column("started_at", MOMENT),
        sa.Column("ended_at", MOMENT),
    )
    op.create_index("exercise_state", "exercise", ["state", "created_at"])
    op.create_table(
        "inject",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("due_seconds", sa.Integer),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("round_id", sa.Uuid, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.Column("settled_by", sa.Uuid),
        sa.Column("offset_seconds", sa.Integer),
    )
    op.create_table(
        "participant",
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

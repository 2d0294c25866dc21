"""The register without people, the history of clocks, what was heard in exercises, judgements and observations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables of the evaluation."""
    _register()
    _log()
    _judgements()


def _register() -> None:
    op.create_table(
        "association",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("municipality", sa.String, nullable=False),
        sa.Column("sector", sa.String, nullable=False),
        sa.Column("networks", sa.JSON, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("merged_into", sa.Uuid),
    )
    op.create_table(
        "network",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
    )


def _log() -> None:
    op.create_table(
        "clock_point",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("at", MOMENT, primary_key=True),
        sa.Column("offset_seconds", sa.Float, nullable=False),
        sa.Column("speed", sa.Integer, nullable=False),
    )
    op.create_table(
        "heard",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("fact", sa.String, primary_key=True),
        sa.Column("first_at", MOMENT, nullable=False),
    )
    op.create_table(
        "noted",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("happening", sa.String, primary_key=True),
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
    )


def _judgements() -> None:
    op.create_table(
        "action_mark",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("note", sa.String, nullable=False),
        sa.Column("marked_at", MOMENT, nullable=False),
        sa.Column("marked_by", sa.Uuid, nullable=False),
    )
    op.create_table(
        "observation",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("sort", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("objective", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("due", sa.Date),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
    )
    op.create_index("observation_open", "observation", ["open", "due"])

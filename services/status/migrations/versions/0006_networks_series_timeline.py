"""Networks by name, who declined, rounds that recur, the timeline of a situation, and partners' keys."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nobody has declined before it was heard."""
    op.create_table(
        "network",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("parent", sa.String),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
    )
    op.create_table(
        "partner_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("prefix", sa.String, nullable=False),
        sa.Column("key_hash", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("scopes", "municipalities", "networks")),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
    )
    op.create_index("ix_partner_key_prefix", "partner_key", ["prefix"])
    op.create_table(
        "situation_update",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Uuid, nullable=False),
        sa.Column("words", sa.JSON, nullable=False),
    )
    op.create_index("update_of_situation", "situation_update", ["realm", "situation_id", "at"])
    op.add_column("situation", sa.Column("closing", sa.JSON, nullable=False, server_default="{}"))
    op.create_table(
        "round_series",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("municipalities", "sectors", "networks", "capabilities")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("every", "begins", "ends", "hours", "reminders")),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("opened_by", sa.Uuid, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )
    op.create_index("series_due", "round_series", ["ended_at", "next_at"])
    op.add_column("round", sa.Column("series_id", sa.Uuid))
    op.create_index(
        "round_open_of_series",
        "round",
        ["realm", "series_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.add_column("standing", sa.Column("declined", sa.Boolean, nullable=False, server_default=sa.false()))

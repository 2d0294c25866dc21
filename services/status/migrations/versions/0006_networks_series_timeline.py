"""Networks by name, who declined, rounds that recur, the timeline of a situation, and partners' keys."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"

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
    op.add_column("standing", sa.Column("declined", sa.Boolean, nullable=False, server_default=sa.false()))

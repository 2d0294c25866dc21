"""Which situations are over, and what was removed of them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table of situations that were closed."""
    op.create_table(
        "situation_end",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("removed_at", MOMENT),
    )

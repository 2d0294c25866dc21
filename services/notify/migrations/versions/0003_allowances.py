"""All workers of an installation share how many letters the relay and each receiving domain may be given."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of the buckets; one that is not in it is full."""
    op.create_table(
        "allowance",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )

"""What associations offer and need in a situation."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A table of its own: most answers offer and need nothing."""
    op.create_table(
        "aid",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("side", sa.String, primary_key=True),
        sa.Column("capability", sa.String, primary_key=True),
        sa.Column("amount", sa.Integer),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("fresh_until", MOMENT, nullable=False),
        sa.Column("until", MOMENT),
        sa.Column("course", sa.String, nullable=False),
        sa.Column("moved_by", sa.Uuid),
        sa.Column("moved_at", MOMENT),
    )
    op.create_index("aid_by_capability", "aid", ["realm", "situation_id", "side", "course", "capability"])

"""Who takes part in an exercise, and who is simulated in it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables of rosters, and mark the invitations of associations that nobody plays."""
    op.add_column("invitation", sa.Column("simulated", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "rehearsal",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("heard", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer),
        sa.Column("ended_at", MOMENT),
    )
    op.create_table(
        "participant",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("address", sa.String, primary_key=True),
    )

"""Which exercises run is known, so that they can be ended where something real is opened."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table; an exercise that runs already is not in it."""
    op.create_table(
        "running_exercise",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("exercise_id", sa.Uuid, nullable=False),
        sa.Column("titles", sa.JSON, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    )

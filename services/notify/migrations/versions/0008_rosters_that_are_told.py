"""Who takes part in an exercise is told of its end, in the participant's language."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """A roster stays after the end of its exercise, for the letter that tells of it."""
    op.add_column("roster", sa.Column("locale", sa.String, nullable=False, server_default="fi"))
    op.add_column("roster", sa.Column("over_at", MOMENT))

"""Whoever has signed up is told when the exercise is moved or cancelled, once for each change."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing was told to those who are there: what holds now counts as told, when it is looked at first."""
    op.add_column("sign_up", sa.Column("told", sa.String))

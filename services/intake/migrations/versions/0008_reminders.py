"""Links of reminders are told from those of the letters that first asked."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Every link that there is was a first one."""
    op.add_column("invitation_token", sa.Column("reminder", sa.Integer, nullable=False, server_default="0"))

"""What associations can do and belong to: they are counted by it, and asked by it; and reminders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

def upgrade() -> None:
    """Nobody can do anything, and no round asked for it, before the registry tells otherwise."""
    for table in ("association", "standing"):
        op.add_column(table, sa.Column("networks", sa.String, nullable=False, server_default=""))
        op.add_column(table, sa.Column("capabilities", sa.String, nullable=False, server_default=""))
    op.add_column("association", sa.Column("merged_into", sa.Uuid))
    op.add_column("round", sa.Column("networks", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("round", sa.Column("capabilities", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("round", sa.Column("urgent", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("round", sa.Column("reminders", sa.Integer, nullable=False, server_default="0"))
    op.add_column("round", sa.Column("reminded", sa.Integer, nullable=False, server_default="0"))
    op.add_column("round", sa.Column("remind_at", sa.DateTime(timezone=True)))
    op.create_index("ix_round_remind_at", "round", ["remind_at"])

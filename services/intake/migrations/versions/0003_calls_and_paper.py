"""Calls, and what became of each letter."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is missing; of letters sent before it is not known when they were asked for or failed."""
    op.add_column("invitation_token", sa.Column("asked_at", MOMENT))
    op.add_column("invitation_token", sa.Column("failed_at", MOMENT))
    op.add_column("invitation_token", sa.Column("failure", sa.String, nullable=False, server_default=""))
    op.create_index("ix_invitation_token_contact_id", "invitation_token", ["contact_id"])
    op.create_table(
        "call",
        sa.Column("invitation_id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("claimed_by", sa.Uuid),
        sa.Column("claimed_until", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("tried_at", MOMENT),
        sa.Column("not_before", MOMENT),
        sa.Column("note", sa.String, nullable=False),
    )
    op.create_index("ix_call_claimed_by", "call", ["claimed_by"])

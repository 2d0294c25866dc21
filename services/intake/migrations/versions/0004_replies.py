"""Letters that answer ours."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table of letters that came."""
    op.create_table(
        "reply",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("invitation_id", sa.Uuid, nullable=False),
        sa.Column("contact_id", sa.Uuid),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("words", sa.String, nullable=False),
        sa.Column("attachments", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sa.Column("status", sa.String),
        sa.Column("checkin_id", sa.Uuid),
        sa.Column("told", sa.Boolean, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Uuid),
        sa.UniqueConstraint("realm", "invitation_id", "message_id"),
    )
    op.create_index("reply_state", "reply", ["state", "received_at"])

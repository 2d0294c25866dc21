"""Releases go to partners' systems and to messengers, each with a queue that is its ledger too."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True)
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables; no channel is there until somebody names one."""
    op.create_table(
        "channel",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("exercises", sa.Boolean, nullable=False),
        sa.Column("planned_to", MOMENT, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("claimed_by", sa.String, nullable=False),
        sa.Column("claimed_until", MOMENT),
        sa.Column("failing_since", MOMENT),
        sa.Column("stopped_at", MOMENT),
        sa.Column("stopped_because", sa.String, nullable=False),
    )
    op.create_table(
        "channel_post",
        sa.Column("id", SERIAL, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("message_id", sa.Uuid, nullable=False),
        sa.Column("happening", sa.String, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("guidance_id", sa.Uuid),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("answer", sa.String, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.UniqueConstraint("realm", "channel", "message_id"),
    )
    op.create_index("channel_post_due", "channel_post", ["state", "due_at"])
    op.create_index("channel_post_newest", "channel_post", ["channel", "sequence"])
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("label", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("exercises", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("rotated_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("made_by", sa.Uuid, nullable=False),
    )

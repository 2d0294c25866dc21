"""Warnings of authorities are kept, to suggest situations to the liaison."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; nothing is in them until a feed is named."""
    op.create_table(
        "suggestion",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("sender", sa.String, nullable=False),
        sa.Column("identifier", sa.String, nullable=False),
        sa.Column("sent", MOMENT, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("municipalities", sa.JSON, nullable=False),
        sa.Column("onset", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_at", MOMENT),
        sa.Column("situation_id", sa.Uuid),
    )
    op.create_index("suggestion_shown", "suggestion", ["realm", "state", "expires_at"])
    op.create_table(
        "suggestion_ended",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("ended_at", MOMENT, nullable=False),
    )

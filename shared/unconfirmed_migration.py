"""Unconfirmed migration: the table of what is published and not confirmed by all, the same in every service."""

import sqlalchemy as sa
from alembic import op

MOMENT = sa.DateTime(timezone=True)


def make_unconfirmed() -> None:
    """Make the table, empty. What it makes must not change any more: installations have it."""
    op.create_table(
        "unconfirmed",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("awaits", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("published_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
    )
    op.create_index("ix_unconfirmed_due_at", "unconfirmed", ["due_at"])

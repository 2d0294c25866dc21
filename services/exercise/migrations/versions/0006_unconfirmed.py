"""What is published is kept until all who hear it have confirmed it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, empty: what was published before is in the streams."""
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

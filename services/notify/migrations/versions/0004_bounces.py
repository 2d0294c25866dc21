"""Letters that come back, what became known by them, and subscribers whose address does not work."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables of bounces, and the moment from which on a subscriber is spared letters."""
    op.create_table(
        "bounce",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("delivery", sa.BigInteger, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("found", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("excerpt", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("claimed_until", MOMENT, nullable=False),
        sa.Column("settled_by", sa.Uuid),
        sa.Column("settled_at", MOMENT),
        sa.UniqueConstraint("realm", "delivery", "digest"),
    )
    op.create_index("bounce_delivery", "bounce", ["delivery"])
    op.create_index("bounce_state", "bounce", ["state", "received_at", "id"])
    op.create_index("bounce_age", "bounce", ["received_at"])
    op.create_table(
        "returned_letter",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("delivery", sa.BigInteger, primary_key=True),
        sa.Column("found", sa.String, primary_key=True),
        sa.Column("letter_id", sa.Uuid, nullable=False),
        sa.Column("recipient_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("returned_at", MOMENT, nullable=False),
    )
    op.create_index("returned_counts", "returned_letter", ["realm", "letter_id", "found"])
    op.create_index("returned_days", "returned_letter", ["recipient_id", "found", "day"])
    op.add_column("subscriber", sa.Column("suppressed_at", MOMENT))

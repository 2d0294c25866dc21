"""Whom exercises simulate, and the answers that are still to be given for them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "simulated",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("round_id", sa.Uuid, primary_key=True),
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("fate", sa.String, nullable=False),
    )
    op.create_table(
        "simulated_answer",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("round_id", sa.Uuid, nullable=False),
        sa.Column("association_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("due_seconds", sa.Float, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("needs", sa.JSON, nullable=False),
        sa.Column("offers", sa.JSON, nullable=False),
        sa.Column("sending", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("not_before", MOMENT),
    )
    op.create_index("simulated_answer_due", "simulated_answer", ["sending", "realm", "due_seconds"])
    op.create_index(
        "simulated_answer_line", "simulated_answer", ["realm", "round_id", "association_id", "number"]
    )

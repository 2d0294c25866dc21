"""Answers that are due stand in the index in the very order in which they are claimed: a crowd need not be sorted."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the index anew, with the id behind the moment."""
    op.drop_index("simulated_answer_due", "simulated_answer")
    op.create_index("simulated_answer_due", "simulated_answer", ["sending", "realm", "due_seconds", "id"])

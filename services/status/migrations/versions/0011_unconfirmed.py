"""What is published is kept until all who hear it have confirmed it."""

from shared.unconfirmed_migration import make_unconfirmed

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table, empty: what was published before is in the streams."""
    make_unconfirmed()

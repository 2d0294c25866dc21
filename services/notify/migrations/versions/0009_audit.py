"""What the staff did with guidance, subscribers and channels is written down, and nobody changes a row of it."""

from shared.audit_migration import make_audit

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the audit, empty: what was done before is in the log alone."""
    make_audit()

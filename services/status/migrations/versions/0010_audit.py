"""Who pinned which answer is written down, and nobody changes a row of it."""

from shared.audit_migration import make_audit

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the audit, empty: earlier pins stay with their standings."""
    make_audit()

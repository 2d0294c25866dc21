"""Exercises are announced, and associations sign up for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; who was on a list before was added by hand."""
    op.add_column("participant", sa.Column("locale", sa.String, nullable=False, server_default="fi"))
    op.add_column("participant", sa.Column("source", sa.String, nullable=False, server_default="hand"))
    op.create_table(
        "announcement",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("announced", sa.Boolean, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("public_since", MOMENT),
    )
    op.create_index("announcement_shown", "announcement", ["ends_at"])
    op.create_table(
        "sign_up",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("realm", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("association", sa.String, nullable=False),
        sa.Column("locale", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.UniqueConstraint("realm", "address"),
    )
    op.create_index("sign_up_unconfirmed", "sign_up", ["state", "asked_at"])
    op.create_table(
        "sign_up_link",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("sign_up_id", sa.Uuid, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
    )
    op.create_index("ix_sign_up_link_sign_up_id", "sign_up_link", ["sign_up_id"])

"""Every way of answering: offers, needs and plans; networks and capabilities; contacts in order; links on paper."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
FALSE = sa.false()


def upgrade() -> None:
    """Add what is missing; what was recorded before offered and needed nothing."""
    _registry()
    _invitation()
    _checkin()


def _registry() -> None:
    """What an association can do, its networks and its plan."""
    op.add_column("association", sa.Column("merged_into", sa.Uuid))
    op.add_column("association", sa.Column("plan", sa.String, nullable=False, server_default="unknown"))
    op.add_column("association", sa.Column("plan_year", sa.Integer))
    op.add_column("contact", sa.Column("best_time", sa.String, nullable=False, server_default=""))
    op.create_table(
        "network",
        sa.Column("code", sa.String, primary_key=True),
        sa.Column("names", sa.JSON, nullable=False),
        sa.Column("parent", sa.String),
        sa.Column("retired", sa.Boolean, nullable=False),
    )
    op.create_table(
        "association_network",
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("network", sa.String, primary_key=True),
    )
    op.create_index("ix_association_network_network", "association_network", ["network"])
    op.create_table(
        "association_capability",
        sa.Column("association_id", sa.Uuid, primary_key=True),
        sa.Column("capability", sa.String, primary_key=True),
        sa.Column("amount", sa.Integer),
        sa.Column("note", sa.String, nullable=False),
    )
    op.create_index("ix_association_capability_capability", "association_capability", ["capability"])


def _invitation() -> None:
    """When somebody was asked, and who does not want to be asked again; links that no contact was sent."""
    op.add_column("round", sa.Column("urgent", sa.Boolean, nullable=False, server_default=FALSE))
    op.add_column("invitation", sa.Column("asked_at", MOMENT))
    op.add_column("invitation", sa.Column("declined_at", MOMENT))
    with op.batch_alter_table("invitation_token") as token:
        token.alter_column("contact_id", existing_type=sa.Uuid, nullable=True)
        token.add_column(sa.Column("reply_hash", sa.LargeBinary))
        token.create_unique_constraint("invitation_token_reply", ["reply_hash"])


def _checkin() -> None:
    """What was offered, needed and planned, and who said it."""
    op.add_column("checkin", sa.Column("offers", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("checkin", sa.Column("needs", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("checkin", sa.Column("plan", sa.Boolean))
    op.add_column("checkin", sa.Column("contact_id", sa.Uuid))

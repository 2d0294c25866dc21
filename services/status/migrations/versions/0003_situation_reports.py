"""Situation reports in the forms in which they went out, and the partner links that open them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """No report and no link yet."""
    op.create_table(
        "report",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("report_version", sa.Integer, nullable=False),
        sa.Column("figures_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("compiled_by", sa.Uuid, nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.UniqueConstraint("realm", "id", name="report_once"),
    )
    op.create_table(
        "report_form",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("situation_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("form", sa.String, primary_key=True),
        sa.Column("locale", sa.String, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
    )
    op.create_table(
        "report_link",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Integer),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("made_by", sa.Uuid, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Uuid),
        sa.UniqueConstraint("token_hash", name="report_link_token"),
    )
    op.create_index("report_link_of_situation", "report_link", ["realm", "situation_id"])


"""Guidance is corrected, withdrawn and expires; in an emergency one person releases alone and says why."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
KEPT = ("guidance", "revision")
"""The one that refers to the other first: SQLite lets go of no row that is referred to."""


def upgrade() -> None:
    """Make the tables anew with their new checks, which SQLite cannot change in place, around what they held."""
    for table in KEPT:
        op.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")
        op.drop_table(table)
    _revision()
    _guidance()
    for table in reversed(KEPT):
        columns = ", ".join(_columns(table))
        op.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM kept_{table}")  # noqa: S608 - our own names
        op.drop_table(f"kept_{table}")


def _columns(table: str) -> list[str]:
    return [str(column["name"]) for column in sa.inspect(op.get_bind()).get_columns(f"kept_{table}")]


def _revision() -> None:
    op.create_table(
        "revision",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("guidance_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("valid_hours", sa.Integer, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("written_by", sa.Uuid, nullable=False),
        sa.Column("writers", sa.JSON, nullable=False),
        sa.Column("submitted_at", MOMENT),
        sa.Column("approved_by", sa.Uuid),
        sa.Column("approved_at", MOMENT),
        sa.Column("expires_at", MOMENT),
        sa.Column("alone_because", sa.String),
        sa.UniqueConstraint("realm", "guidance_id", "number", "approved_by"),
        sa.CheckConstraint(
            "approved_by IS NULL OR approved_by <> written_by OR alone_because IS NOT NULL", name="two_people"
        ),
        sa.CheckConstraint(
            "alone_because IS NULL OR (approved_by IS NOT NULL AND alone_because <> '')", name="alone_is_explained"
        ),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval_is_whole"),
        sa.CheckConstraint("(approved_by IS NULL) = (expires_at IS NULL)", name="approved_is_dated"),
        sa.CheckConstraint("approved_by IS NULL OR submitted_at IS NOT NULL", name="submitted_before_approved"),
        sa.CheckConstraint("(number = 1) = (kind = 'alert')", name="first_is_alert"),
    )


def _guidance() -> None:
    op.create_table(
        "guidance",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("situation_id", sa.Uuid),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("approved_by", sa.Uuid),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("audiences", sa.JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["realm", "id", "revision", "approved_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.approved_by"],
        ),
        sa.CheckConstraint(
            "(state IN ('published', 'cancelled', 'expired')) = (approved_by IS NOT NULL)",
            name="published_is_approved",
        ),
    )
    op.create_index("guidance_newest", "guidance", ["realm", "created_at"])
    op.create_index("guidance_state", "guidance", ["state"])

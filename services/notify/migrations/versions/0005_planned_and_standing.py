"""Guidance is approved for a later moment; models and checklists stand on the public page at any time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Plans refer to the text that was approved: to its writer and edition, which have an index for that."""
    op.create_index(
        "revision_text", "revision", ["realm", "guidance_id", "number", "edition", "written_by"], unique=True
    )
    op.create_table(
        "release_plan",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("guidance_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("holds", sa.Integer),
        sa.Column("written_by", sa.Uuid, nullable=False),
        sa.Column("planned_by", sa.Uuid, nullable=False),
        sa.Column("planned_at", MOMENT, nullable=False),
        sa.Column("release_at", MOMENT, nullable=False),
        sa.Column("expected", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_by", sa.Uuid),
        sa.Column("reached", sa.Integer),
        sa.ForeignKeyConstraint(
            ["realm", "guidance_id", "number", "holds", "written_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.edition", "revision.written_by"],
        ),
        sa.CheckConstraint("planned_by <> written_by", name="planned_by_another"),
        sa.CheckConstraint("(state = 'waiting') = (holds IS NOT NULL)", name="waiting_holds"),
        sa.CheckConstraint("holds IS NULL OR holds = edition", name="holds_what_was_read"),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="waiting_has_no_end"),
        sa.CheckConstraint("release_at > planned_at", name="released_later"),
    )
    op.create_index("release_plan_due", "release_plan", ["state", "release_at"])
    _standing()


def _standing() -> None:
    op.create_table(
        "standing",
        sa.Column("realm", sa.String, primary_key=True),
        sa.Column("standing_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("form", sa.String, nullable=False),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("areas", sa.JSON, nullable=False),
        sa.Column("withdraws", sa.Boolean, nullable=False),
        sa.Column("written_by", sa.Uuid, nullable=False),
        sa.Column("writers", sa.JSON, nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("approved_by", sa.Uuid),
        sa.Column("approved_at", MOMENT),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> written_by", name="standing_two_people"),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="standing_approval_is_whole"),
    )
    op.create_index("standing_newest", "standing", ["realm", "written_at"])

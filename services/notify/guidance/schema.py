"""Schema: the tables of guidance. What two people are needed for, the database demands too."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime

NOBODY = UUID(int=0)
"""The place before the first subscriber."""


class RevisionRow(NotifyTable, table=True):
    """One wording of guidance. Nobody approves what she wrote, unless the row says why she did it alone.

    `number` counts from 1 within the guidance: the first is an alert, all others correct it.
    """

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("realm", "guidance_id", "number", "approved_by"),
        CheckConstraint(
            "approved_by IS NULL OR approved_by <> written_by OR alone_because IS NOT NULL", name="two_people"
        ),
        CheckConstraint(
            "alone_because IS NULL OR (approved_by IS NOT NULL AND alone_because <> '')", name="alone_is_explained"
        ),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval_is_whole"),
        CheckConstraint("(approved_by IS NULL) = (expires_at IS NULL)", name="approved_is_dated"),
        CheckConstraint("approved_by IS NULL OR submitted_at IS NOT NULL", name="submitted_before_approved"),
        CheckConstraint("(number = 1) = (kind = 'alert')", name="first_is_alert"),
        Index("revision_text", "realm", "guidance_id", "number", "edition", "written_by", unique=True),
    )

    realm: str = Field(primary_key=True)
    guidance_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str
    texts: dict[str, dict[str, str]] = Field(sa_type=JSON)
    valid_hours: int
    edition: int
    written_by: UUID
    writers: list[str] = Field(sa_type=JSON)
    submitted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_by: UUID | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    alone_because: str | None = None


class GuidanceRow(NotifyTable, table=True):
    """Guidance. To be public it must name who approved which of its revisions, and that must be so.

    `revision` is the one that the public has, or the first while nothing is released.
    """

    __tablename__ = "guidance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["realm", "id", "revision", "approved_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.approved_by"],
        ),
        CheckConstraint(
            "(state IN ('published', 'cancelled', 'expired')) = (approved_by IS NOT NULL)",
            name="published_is_approved",
        ),
        Index("guidance_newest", "realm", "created_at"),
        Index("guidance_state", "state"),
    )

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    situation_id: UUID | None = None
    state: str
    revision: int
    approved_by: UUID | None = None
    areas: list[str] = Field(sa_type=JSON)
    audiences: list[str] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ReleasePlanRow(NotifyTable, table=True):
    """The last plan to release a revision at a later moment. While it waits, `holds` is the edition that was approved:
    the text cannot change under it, and whoever planned it is not the one who wrote it."""

    __tablename__ = "release_plan"
    __table_args__ = (
        ForeignKeyConstraint(
            ["realm", "guidance_id", "number", "holds", "written_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.edition", "revision.written_by"],
        ),
        CheckConstraint("planned_by <> written_by", name="planned_by_another"),
        CheckConstraint("(state = 'waiting') = (holds IS NOT NULL)", name="waiting_holds"),
        CheckConstraint("holds IS NULL OR holds = edition", name="holds_what_was_read"),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="waiting_has_no_end"),
        CheckConstraint("release_at > planned_at", name="released_later"),
        Index("release_plan_due", "state", "release_at"),
    )

    realm: str = Field(primary_key=True)
    guidance_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    edition: int
    holds: int | None = None
    written_by: UUID
    planned_by: UUID
    planned_at: datetime = Field(sa_type=UtcDateTime)
    release_at: datetime = Field(sa_type=UtcDateTime)
    expected: int
    state: str
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: UUID | None = None
    reached: int | None = None


class BroadcastRow(NotifyTable, table=True):
    """The sending of one revision: `cursor` is the last subscriber for whom a letter is in the ledger."""

    __tablename__ = "broadcast"
    __table_args__ = (Index("broadcast_open", "finished_at", "planned_at"),)

    realm: str = Field(primary_key=True)
    guidance_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    letter_id: UUID
    cursor: UUID = NOBODY
    planned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

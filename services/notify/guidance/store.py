"""Store of guidance: drafts, approvals and broadcasts. What two people are needed for, the database demands too."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.notify.delivery.store import Ledger
from services.notify.guidance.model import Approval, Draft, Kind, Progress, Refusal, Revision, State, Text
from services.notify.schema import NotifyTable
from services.notify.subscribers.model import Audience, Matching
from services.notify.subscribers.store import SubscriberStore, changed
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.i18n import Locale
from shared.ids import new_id
from shared.outbox import announce
from shared.realm import LIVE, Realm

NOBODY = UUID(int=0)
"""The place before the first subscriber."""

SHOWN = 100


class RevisionRow(NotifyTable, table=True):
    """One wording of guidance. Nobody approves what she wrote: this table refuses it as well."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("realm", "guidance_id", "number", "approved_by"),
        CheckConstraint("approved_by IS NULL OR approved_by <> written_by", name="two_people"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approval_is_whole"),
        CheckConstraint("(approved_by IS NULL) = (expires_at IS NULL)", name="approved_is_dated"),
        CheckConstraint("approved_by IS NULL OR submitted_at IS NOT NULL", name="submitted_before_approved"),
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


class GuidanceRow(NotifyTable, table=True):
    """Guidance. To be published it must name who approved which of its revisions, and that must be so."""

    __tablename__ = "guidance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["realm", "id", "revision", "approved_by"],
            ["revision.realm", "revision.guidance_id", "revision.number", "revision.approved_by"],
        ),
        CheckConstraint("(state = 'published') = (approved_by IS NOT NULL)", name="published_is_approved"),
        Index("guidance_newest", "realm", "created_at"),
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


class GuidanceStore:
    """Guidance on its way from draft to public."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger, subscribers: SubscriberStore) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._subscribers = subscribers
        self._wakers: list[Callable[[], None]] = []

    def on_release(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after a release is committed."""
        self._wakers.append(wake)

    async def write(self, draft: Draft, *, by: UUID, realm: Realm = LIVE) -> UUID:
        """Keep a new draft; its id."""
        guidance_id = new_id()
        async with self._database.write() as session:
            session.add(
                GuidanceRow(
                    realm=realm,
                    id=guidance_id,
                    state=State.DRAFT,
                    revision=1,
                    created_at=self._clock.now(),
                    **_frame(draft),
                )
            )
            session.add(
                RevisionRow(
                    realm=realm,
                    guidance_id=guidance_id,
                    number=1,
                    kind=Kind.ALERT,
                    edition=1,
                    written_by=by,
                    writers=[str(by)],
                    **_words(draft),
                )
            )
        return guidance_id

    async def rewrite(self, revision: Revision, draft: Draft, *, by: UUID) -> bool:
        """Keep the changed draft, which must be submitted again; False if somebody else changed or released it.

        `revision` is what the writer had before her when she began.
        """
        async with self._database.write() as session:
            kept = await changed(
                session,
                update(RevisionRow)
                .where(*_still(revision))
                .values(
                    edition=revision.edition + 1,
                    written_by=by,
                    writers=sorted({str(by), *map(str, revision.writers)}),
                    submitted_at=None,
                    **_words(draft),
                ),
            )
            if kept:
                await session.execute(
                    update(GuidanceRow).where(*_of(revision)).values(state=State.DRAFT, **_frame(draft))
                )
        return kept

    async def submit(self, revision: Revision) -> bool:
        """Ask for approval of exactly this edition; False if it is not a draft any more."""
        async with self._database.write() as session:
            submitted = await changed(
                session,
                update(RevisionRow)
                .where(*_still(revision), col(RevisionRow.submitted_at).is_(None))
                .values(submitted_at=self._clock.now()),
            )
            if submitted:
                await session.execute(update(GuidanceRow).where(*_of(revision)).values(state=State.IN_REVIEW))
        return submitted

    async def approve(
        self, realm: Realm, guidance_id: UUID, *, by: UUID, word: str, edition: int
    ) -> Approval | Refusal:
        """Release the revision if the model permits it: approval, publication, event and broadcast in one."""
        async with self._database.write() as session:
            revision = await load(session, realm, guidance_id)
            if revision is None:
                return Refusal.NOT_SUBMITTED
            reach = await self._subscribers.reach_now(session, revision.draft.matching)
            decided = revision.approve(by=by, word=word, edition=edition, reach=reach, now=self._clock.now())
            if isinstance(decided, Approval) and not await _release(session, revision, decided):
                decided = Refusal.CHANGED
        for wake in self._wakers:
            wake()
        return decided

    async def get(self, realm: Realm, guidance_id: UUID) -> Revision | None:
        """The newest revision of this guidance, or None."""
        async with self._database.read() as session:
            return await load(session, realm, guidance_id)

    async def progress(self, revision: Revision) -> Progress | None:
        """How far the sending of this revision is, or None if it was not released."""
        async with self._database.read() as session:
            row = await session.get(BroadcastRow, (revision.realm, revision.guidance_id, revision.number))
        if row is None:
            return None
        counts = await self._ledger.counts(revision.realm, revision.letter_id)
        return Progress(counts, planned=row.planned_at is not None, finished=row.finished_at is not None)

    async def newest(self, realm: Realm) -> list[Revision]:
        """The newest revisions of the newest guidance, at most SHOWN."""
        async with self._database.read() as session:
            return await _revisions(session, col(GuidanceRow.realm) == realm)

    async def released(self, guidance_id: UUID, realm: Realm = LIVE) -> list[Revision]:
        """All revisions of this guidance that were released, oldest first, also those that others took the place of."""
        async with self._database.read() as session:
            rows = await session.execute(
                select(GuidanceRow, RevisionRow)
                .join(
                    RevisionRow,
                    (col(RevisionRow.realm) == col(GuidanceRow.realm))
                    & (col(RevisionRow.guidance_id) == col(GuidanceRow.id)),
                )
                .where(
                    col(GuidanceRow.realm) == realm,
                    col(GuidanceRow.id) == guidance_id,
                    col(RevisionRow.approved_at).is_not(None),
                )
                .order_by(col(RevisionRow.number))
            )
            return [_revision(guidance, revision) for guidance, revision in rows]

    async def current(self, now: datetime) -> list[Revision]:
        """What is in force for the public, newest first, at most SHOWN: never anything of an exercise."""
        async with self._database.read() as session:
            found = await _revisions(
                session,
                col(GuidanceRow.realm) == LIVE,
                col(GuidanceRow.state) == State.PUBLISHED,
                col(RevisionRow.expires_at) > now,
            )
        return sorted(found, key=lambda revision: revision.approved_at or now, reverse=True)


async def _release(session: AsyncSession, revision: Revision, approval: Approval) -> bool:
    """Write the release; False if the revision is not any more what was decided upon."""
    approved = await changed(
        session,
        update(RevisionRow)
        .where(*_still(revision), col(RevisionRow.submitted_at).is_not(None))
        .values(approved_by=approval.approved_by, approved_at=approval.approved_at, expires_at=approval.expires_at),
    )
    if not approved:
        return False
    await session.execute(
        update(GuidanceRow)
        .where(*_of(revision))
        .values(state=State.PUBLISHED, revision=revision.number, approved_by=approval.approved_by)
    )
    session.add(
        BroadcastRow(
            realm=revision.realm,
            guidance_id=revision.guidance_id,
            revision=revision.number,
            letter_id=revision.letter_id,
        )
    )
    await announce(session, [approval.event])
    return True


async def load(session: AsyncSession, realm: str, guidance_id: UUID) -> Revision | None:
    """The newest revision, in the caller's transaction, or None."""
    found = await _revisions(session, col(GuidanceRow.realm) == realm, col(GuidanceRow.id) == guidance_id)
    return found[0] if found else None


async def _revisions(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Revision]:
    joined = (
        (col(RevisionRow.realm) == col(GuidanceRow.realm))
        & (col(RevisionRow.guidance_id) == col(GuidanceRow.id))
        & (col(RevisionRow.number) == col(GuidanceRow.revision))
    )
    rows = await session.execute(
        select(GuidanceRow, RevisionRow)
        .join(RevisionRow, joined)
        .where(*conditions)
        .order_by(col(GuidanceRow.created_at).desc(), col(GuidanceRow.id).desc())
        .limit(SHOWN)
    )
    return [_revision(guidance, revision) for guidance, revision in rows]


def _revision(guidance: GuidanceRow, revision: RevisionRow) -> Revision:
    texts = {Locale(name): Text(**text) for name, text in revision.texts.items()}
    audiences = frozenset(map(Audience, guidance.audiences))
    matching = Matching(audiences, frozenset(guidance.areas))
    return Revision(
        realm=Realm(guidance.realm),
        guidance_id=guidance.id,
        number=revision.number,
        kind=Kind(revision.kind),
        state=State(guidance.state),
        draft=Draft(texts, matching, revision.valid_hours, guidance.situation_id),
        edition=revision.edition,
        written_by=revision.written_by,
        writers=frozenset(map(UUID, revision.writers)),
        created_at=guidance.created_at,
        submitted_at=revision.submitted_at,
        approved_by=revision.approved_by,
        approved_at=revision.approved_at,
        expires_at=revision.expires_at,
    )


def _frame(draft: Draft) -> dict[str, Any]:
    return {
        "situation_id": draft.situation_id,
        "areas": sorted(draft.matching.areas),
        "audiences": sorted(draft.matching.audiences),
    }


def _words(draft: Draft) -> dict[str, Any]:
    texts: Mapping[str, Any] = {
        locale.value: {"headline": text.headline, "text": text.text} for locale, text in draft.texts.items()
    }
    return {"texts": texts, "valid_hours": draft.valid_hours}


def _of(revision: Revision) -> tuple[ColumnElement[bool], ...]:
    return col(GuidanceRow.realm) == revision.realm, col(GuidanceRow.id) == revision.guidance_id


def _still(revision: Revision) -> tuple[ColumnElement[bool], ...]:
    """The revision is as it was read, and nobody has approved it."""
    return (
        col(RevisionRow.realm) == revision.realm,
        col(RevisionRow.guidance_id) == revision.guidance_id,
        col(RevisionRow.number) == revision.number,
        col(RevisionRow.edition) == revision.edition,
        col(RevisionRow.approved_at).is_(None),
    )

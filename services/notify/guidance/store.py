"""Store of guidance: drafts, corrections, releases, and what is in force."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Update, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.bounce.store import returned_count
from services.notify.delivery.store import Ledger, reached
from services.notify.guidance.deeds import asked, done, released
from services.notify.guidance.model import (
    Approval,
    Draft,
    Earlier,
    Kind,
    Progress,
    Refusal,
    Revision,
    State,
    letter_of_number,
)
from services.notify.guidance.revision_rows import (
    PRESENT,
    UNRELEASED,
    earlier,
    frame,
    guidance_of,
    load,
    load_unreleased,
    revisions,
    row_of,
    still,
    words,
)
from services.notify.guidance.schema import BroadcastRow, GuidanceRow, RevisionRow
from services.notify.roster import store as roster
from services.notify.subscribers.model import Reach
from services.notify.subscribers.store import SubscriberStore, changed
from shared.clock import Clock
from shared.db import Database
from shared.ids import new_id
from shared.log import logger
from shared.outbox import announce
from shared.realm import LIVE, Realm

log = logger(__name__)


class GuidanceStore:
    """Guidance on its way from draft to public, and through its corrections to its end."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger, subscribers: SubscriberStore) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._subscribers = subscribers
        self._wakers: list[Callable[[], None]] = []

    def on_release(self, wake: Callable[[], None]) -> None:
        """Have `wake` called after a release is committed, and after something expired."""
        self._wakers.append(wake)

    async def write(self, draft: Draft, *, by: UUID, realm: Realm = LIVE) -> UUID:
        """Keep a new draft; its id."""
        first = Revision(
            realm=realm,
            guidance_id=new_id(),
            number=1,
            kind=Kind.ALERT,
            state=State.DRAFT,
            draft=draft,
            edition=1,
            written_by=by,
            writers=frozenset({by}),
            created_at=self._clock.now(),
        )
        async with self._database.write() as session:
            session.add(
                GuidanceRow(
                    realm=realm,
                    id=first.guidance_id,
                    state=State.DRAFT,
                    revision=1,
                    created_at=first.created_at,
                    **frame(draft),
                )
            )
            session.add(row_of(first))
        return first.guidance_id

    async def rewrite(self, revision: Revision, draft: Draft, *, by: UUID) -> bool:
        """Keep the changed draft, which must be submitted again; False if somebody else changed or released it.

        `revision` is what the writer had before her when she began.
        """
        writers = sorted({str(by), *map(str, revision.writers)})
        async with self._database.write() as session:
            kept = await changed(
                session,
                update(RevisionRow)
                .where(*still(revision))
                .values(
                    edition=revision.edition + 1, written_by=by, writers=writers, submitted_at=None, **words(draft)
                ),
            )
            if kept:
                await session.execute(
                    update(GuidanceRow).where(*guidance_of(revision)).values(state=State.DRAFT, **frame(draft))
                )
        return kept

    async def submit(self, revision: Revision, *, by: UUID | None = None) -> bool:
        """Ask for approval of exactly this edition; False if it is not a draft any more. `by` None is the operator."""
        now = self._clock.now()
        async with self._database.write() as session:
            submitted = await changed(
                session,
                update(RevisionRow)
                .where(*still(revision), col(RevisionRow.submitted_at).is_(None))
                .values(submitted_at=now),
            )
            if submitted:
                await session.execute(update(GuidanceRow).where(*guidance_of(revision)).values(state=State.IN_REVIEW))
                await record(session, done(Act.GUIDANCE_SUBMITTED, revision, by=by, now=now))
        return submitted

    async def correct(self, present: Revision, kind: Kind, draft: Draft, *, by: UUID, edition: int) -> bool:
        """Keep a correction of what the public has, and ask for its approval.

        `edition` is the one that the writer had before her: of the present revision, or of a correction that waits
        already and is then written anew. False if there is something newer than that.
        """
        correction = present.correction(kind, draft, by=by, now=self._clock.now())
        if edition == present.edition:
            return await self._begin(correction)
        waiting = await self.unreleased(present.realm, present.guidance_id)
        if waiting is None or waiting.edition != edition:
            return False
        async with self._database.write() as session:
            kept = await changed(
                session,
                update(RevisionRow)
                .where(*still(waiting))
                .values(
                    kind=kind,
                    edition=edition + 1,
                    written_by=by,
                    writers=sorted({str(by), *map(str, waiting.writers)}),
                    submitted_at=correction.submitted_at,
                    **words(correction.draft),
                ),
            )
            if kept:
                await record(session, asked(correction))
        return kept

    async def _begin(self, correction: Revision) -> bool:
        """Keep it, if no other follows the same revision; the key refuses a second."""
        try:
            async with self._database.write() as session:
                session.add(row_of(correction))
                await session.flush()
                await record(session, asked(correction))
        except IntegrityError:
            return False
        return True

    async def discard(self, correction: Revision, *, by: UUID | None = None) -> bool:
        """Forget a correction that was not released; False if it has changed or is no correction. `by` None is the
        operator."""
        if not correction.corrects:
            return False
        async with self._database.write() as session:
            forgotten = await session.execute(
                delete(RevisionRow).where(*still(correction)).returning(col(RevisionRow.number))
            )
            found = forgotten.scalar_one_or_none() is not None
            if found:
                await session.execute(_edition_of(correction))
                await record(session, done(Act.CORRECTION_DISCARDED, correction, by=by, now=self._clock.now()))
        return found

    async def approve(
        self, realm: Realm, guidance_id: UUID, *, by: UUID, word: str, edition: int, alone_because: str = ""
    ) -> Approval | Refusal:
        """Release what is not released yet if the model permits it: approval, publication, event, broadcast in one.

        A correction stops in the same moment what still waits to be sent of the texts before it.
        """
        async with self._database.write() as session:
            revision = await load_unreleased(session, realm, guidance_id)
            if revision is None:
                return Refusal.NOT_SUBMITTED
            reach = await self.reach_now(session, revision)
            now = self._clock.now()
            decided = revision.approve(
                by=by, word=word, edition=edition, reach=reach, now=now, alone_because=alone_because
            )
            if isinstance(decided, Approval) and not await self.release(session, revision, decided):
                decided = Refusal.CHANGED
        if isinstance(decided, Approval) and decided.alone_because:
            log.warning("one person alone wrote and released guidance", guidance_id=str(guidance_id), person=str(by))
        self.wake()
        return decided

    async def release(self, session: AsyncSession, revision: Revision, approval: Approval) -> bool:
        """Write the release in the caller's transaction; False if the revision is not any more what was decided upon.

        The caller wakes those who wait for it when the transaction is committed.
        """
        if not await _release(session, revision, approval):
            return False
        await self._ledger.supersede(session, revision.realm, _letters_before(revision))
        await record(session, released(revision, approval))
        return True

    async def reach(self, revision: Revision) -> Reach:
        """How many would get this revision: who matches, or in a correction who may have got what it corrects; in an
        exercise who takes part, whatever anybody subscribed to."""
        async with self._database.read() as session:
            return await self.reach_now(session, revision)

    async def reach_now(self, session: AsyncSession, revision: Revision) -> Reach:
        """The same within the caller's transaction."""
        before = recipients_before(revision) if revision.corrects else None
        if not revision.realm.live:
            return await roster.reach(session, revision.realm, among=before)
        if before is None:
            return await self._subscribers.reach_now(session, revision.draft.matching)
        return Reach(await self._subscribers.count_among(session, before), {})

    async def reach_of(self, realm: Realm, draft: Draft) -> Reach:
        """How many a draft that is not kept yet would reach."""
        async with self._database.read() as session:
            if not realm.live:
                return await roster.reach(session, realm)
            return await self._subscribers.reach_now(session, draft.matching)

    async def get(self, realm: Realm, guidance_id: UUID) -> Revision | None:
        """The revision that the public has, or the first while nothing is released; None for no such guidance."""
        async with self._database.read() as session:
            return await load(session, realm, guidance_id)

    async def realm_of(self, guidance_id: UUID) -> Realm:
        """The realm of this guidance; the live one where there is no such guidance."""
        async with self._database.read() as session:
            found = await session.execute(select(col(GuidanceRow.realm)).where(col(GuidanceRow.id) == guidance_id))
            return Realm(found.scalar() or LIVE)

    async def unreleased(self, realm: Realm, guidance_id: UUID) -> Revision | None:
        """The revision that nobody has released yet: the first, or a correction; None where there is none."""
        async with self._database.read() as session:
            return await load_unreleased(session, realm, guidance_id)

    async def history(self, realm: Realm, guidance_id: UUID) -> list[Revision]:
        """All released revisions of one guidance, the newest first."""
        async with self._database.read() as session:
            mine = (col(GuidanceRow.realm) == realm, col(GuidanceRow.id) == guidance_id)
            return await revisions(session, *mine, ~UNRELEASED)

    async def earlier(self, realm: Realm, ids: Collection[UUID]) -> dict[UUID, list[Earlier]]:
        """The released revisions before the present ones of these guidances, in their order."""
        async with self._database.read() as session:
            return await earlier(session, realm, ids)

    async def progress(self, revision: Revision) -> Progress | None:
        """How far the sending of this revision is, or None if it was not released."""
        async with self._database.read() as session:
            row = await session.get(BroadcastRow, (revision.realm, revision.guidance_id, revision.number))
            if row is None:
                return None
            counts = await self._ledger.counts_now(session, revision.realm, revision.letter_id)
            returned = await returned_count(session, revision.realm, revision.letter_id)
        return Progress(counts, row.planned_at is not None, finished=row.finished_at is not None, returned=returned)

    async def newest(self, realm: Realm) -> list[Revision]:
        """What the public has of the newest guidance, or its draft; at most SHOWN."""
        async with self._database.read() as session:
            return await revisions(session, col(GuidanceRow.realm) == realm, PRESENT)

    async def rehearsed(self) -> list[Revision]:
        """The same of all exercises."""
        async with self._database.read() as session:
            return await revisions(session, col(GuidanceRow.realm) != LIVE, PRESENT)

    async def corrections(self, realm: Realm) -> dict[UUID, Revision]:
        """The corrections that are not released, by guidance; at most SHOWN."""
        async with self._database.read() as session:
            found = (col(GuidanceRow.realm) == realm, UNRELEASED, col(RevisionRow.number) > 1)
            return {revision.guidance_id: revision for revision in await revisions(session, *found)}

    async def current(self, now: datetime) -> list[Revision]:
        """What is in force for the public, newest first, at most SHOWN: never anything of an exercise."""
        return await self._public(State.PUBLISHED, now)

    async def withdrawn(self, now: datetime) -> list[Revision]:
        """What was withdrawn within CANCEL_SHOWN, for the public, newest first: never anything of an exercise."""
        return await self._public(State.CANCELLED, now)

    async def _public(self, state: State, now: datetime) -> list[Revision]:
        async with self._database.read() as session:
            found = await revisions(
                session,
                col(GuidanceRow.realm) == LIVE,
                col(GuidanceRow.state) == state,
                col(RevisionRow.expires_at) > now,
                PRESENT,
            )
        return sorted(found, key=lambda revision: revision.approved_at or now, reverse=True)

    async def expire(self) -> bool:
        """Mark the guidance whose time is over. Never asks to be called again."""
        over = exists().where(
            col(RevisionRow.realm) == col(GuidanceRow.realm),
            col(RevisionRow.guidance_id) == col(GuidanceRow.id),
            PRESENT,
            col(RevisionRow.expires_at) <= self._clock.now(),
        )
        async with self._database.write() as session:
            ended = await changed(
                session,
                update(GuidanceRow).where(col(GuidanceRow.state) == State.PUBLISHED, over).values(state=State.EXPIRED),
            )
        if ended:
            self.wake()
        return False

    def wake(self) -> None:
        """Tell those who wait that the public is told something else."""
        for wake in self._wakers:
            wake()


async def _release(session: AsyncSession, revision: Revision, approval: Approval) -> bool:
    """Write the release; False if the revision is not any more what was decided upon."""
    approved = await changed(
        session,
        update(RevisionRow)
        .where(*still(revision), col(RevisionRow.submitted_at).is_not(None))
        .values(
            approved_by=approval.approved_by,
            approved_at=approval.approved_at,
            expires_at=approval.expires_at,
            alone_because=approval.alone_because,
        ),
    )
    if not approved:
        return False
    await session.execute(
        update(GuidanceRow)
        .where(*guidance_of(revision))
        .values(state=approval.state, revision=revision.number, approved_by=approval.approved_by)
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


def _edition_of(forgotten: Revision) -> Update:
    """Have the revision before a forgotten one take over its edition: no later text has one that somebody has read."""
    return (
        update(RevisionRow)
        .where(
            col(RevisionRow.realm) == forgotten.realm,
            col(RevisionRow.guidance_id) == forgotten.guidance_id,
            col(RevisionRow.number) == forgotten.number - 1,
        )
        .values(edition=forgotten.edition)
    )


def recipients_before(revision: Revision) -> Select[UUID]:
    """To whom a correction goes. An update: all who were to get the texts before it, but those whom mail did not
    reach. A withdrawal: only who may have got one of them; the others need not hear of it."""
    return reached(revision.realm, _letters_before(revision), also_waiting=revision.kind is Kind.UPDATE)


def _letters_before(revision: Revision) -> list[UUID]:
    return [letter_of_number(revision.guidance_id, number) for number in range(1, revision.number)]

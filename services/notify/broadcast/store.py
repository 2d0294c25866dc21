"""Store of broadcasts: page by page into the ledger, each page and its cursor in one transaction."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.broadcast.model import TRIALS, NotReleasedError, Trial, letter_of, trial_of
from services.notify.delivery.model import Recipient, address_key, permit
from services.notify.delivery.store import Ledger
from services.notify.guidance.model import Revision, State
from services.notify.guidance.revision_rows import load, load_number
from services.notify.guidance.schema import BroadcastRow
from services.notify.guidance.store import recipients_before
from services.notify.roster import store as roster
from services.notify.subscribers.model import read_email
from services.notify.subscribers.store import SubscriberStore, changed
from shared.clock import Clock
from shared.db import Database
from shared.events.notify import BroadcastFinished
from shared.i18n import Locale
from shared.outbox import announce
from shared.realm import Realm

NEWEST = (col(BroadcastRow.revision).desc(), col(BroadcastRow.letter_id))
"""Corrections before all else."""

TRIAL_HOLDS = timedelta(minutes=15)
PAGE = 1000
"""Recipients planned in one transaction."""


class BroadcastStore:
    """Broadcasts, from their approval until every recipient has a final state."""

    def __init__(
        self, database: Database, *, clock: Clock, ledger: Ledger, subscribers: SubscriberStore, public_url: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._subscribers = subscribers
        self._public_url = public_url

    async def plan_page(self) -> bool:
        """Write the next page of recipients of one broadcast into the ledger; True if there was one to write.

        The cursor moves in the same transaction: a process that dies anywhere in it has neither skipped nor doubled.
        """
        unplanned = await self._some(col(BroadcastRow.planned_at).is_(None))
        if unplanned:
            await self._plan(await self._first_of(unplanned[0]))
        return bool(unplanned)

    async def _first_of(self, broadcast: BroadcastRow) -> BroadcastRow:
        """What is to be planned before it: a correction goes to the recipients of all revisions before it."""
        same = (col(BroadcastRow.realm) == broadcast.realm, col(BroadcastRow.guidance_id) == broadcast.guidance_id)
        unplanned = await self._some(*same, col(BroadcastRow.planned_at).is_(None))
        return min([broadcast, *unplanned], key=lambda row: row.revision)

    async def _plan(self, broadcast: BroadcastRow) -> None:
        async with self._database.write() as session:
            revision = await load_number(session, broadcast.realm, broadcast.guidance_id, broadcast.revision)
            if revision is None or revision.approved_at is None:
                raise NotReleasedError(str(broadcast.guidance_id))
            recipients = await self._recipients(session, revision, approved_at=revision.approved_at, after=broadcast)
            mine = await changed(
                session,
                update(BroadcastRow)
                .where(*_of(broadcast), col(BroadcastRow.cursor) == broadcast.cursor)
                .where(col(BroadcastRow.planned_at).is_(None))
                .values(
                    cursor=_last(recipients, broadcast.cursor),
                    planned_at=None if len(recipients) == PAGE and revision.realm.live else self._clock.now(),
                ),
            )
            if mine:
                letter = letter_of(revision, page=f"{self._public_url}/g/{revision.guidance_id}")
                await self._ledger.add(session, letter, recipients=recipients)
            if mine and revision.state is State.UPDATED:
                await self._ledger.supersede(session, revision.realm, [revision.letter_id])

    async def _recipients(
        self, session: AsyncSession, revision: Revision, *, approved_at: datetime, after: BroadcastRow
    ) -> list[Recipient]:
        """The next page: who matches, or in a correction who was to get the revisions before it. In an exercise all of
        its roster at once, and none of the subscribers."""
        before = recipients_before(revision) if revision.corrects else None
        if not revision.realm.live:
            return await roster.recipients(session, revision.realm, among=before)
        if before is not None:
            return await self._subscribers.recipients_among(session, before, after=after.cursor, limit=PAGE)
        return await self._subscribers.recipients(
            session, revision.draft.matching, after=after.cursor, confirmed_by=approved_at, limit=PAGE
        )

    async def send_trial(self, revision: Revision, *, by: UUID, address: str, locale: Locale) -> Trial:
        """Send a text that is not released to one address, marked as a test; the same to the same only once."""
        if revision.state.released:
            return Trial.RELEASED
        email = read_email(address)
        if email is None:
            return Trial.NO_ADDRESS
        letter = trial_of(revision, by=by, not_after=self._clock.now() + TRIAL_HOLDS)
        recipient = Recipient(uuid5(letter.letter_id, address_key(email)), email, locale)
        if not permit(revision.realm, email, await self._ledger.roster([(revision.realm.id, email)])).permitted:
            return Trial.NOT_TAKING_PART
        async with self._database.write() as session:
            await self._ledger.add(session, letter, recipients=[recipient])
            if (await self._ledger.counts_now(session, letter.realm, letter.letter_id)).total > TRIALS:
                await session.rollback()
                return Trial.TOO_MANY
        return Trial.SENT

    async def finish(self) -> bool:
        """Close the broadcasts whose recipients all have a final state, and tell it. Never asks to be called again."""
        planned = (col(BroadcastRow.planned_at).is_not(None), col(BroadcastRow.finished_at).is_(None))
        for broadcast in await self._some(*planned):
            await self._hold_back(broadcast)
            counts = await self._ledger.counts(Realm(broadcast.realm), broadcast.letter_id)
            if not counts.open:
                await self._finish(broadcast, sent=counts.sent, failed=counts.not_sent)
        return False

    async def _hold_back(self, broadcast: BroadcastRow) -> None:
        """End what came back of a text that has been corrected since: the lanes must not send it any more."""
        realm = Realm(broadcast.realm)
        async with self._database.read() as session:
            newest = await load(session, realm, broadcast.guidance_id)
        if newest is not None and newest.number > broadcast.revision:
            async with self._database.write() as session:
                await self._ledger.supersede(session, realm, [broadcast.letter_id])

    async def _finish(self, broadcast: BroadcastRow, *, sent: int, failed: int) -> None:
        now = self._clock.now()
        event = BroadcastFinished(
            happened_at=now,
            realm=Realm(broadcast.realm),
            guidance_id=broadcast.guidance_id,
            revision=broadcast.revision,
            sent=sent,
            failed=failed,
        )
        async with self._database.write() as session:
            closes = update(BroadcastRow).where(*_of(broadcast), col(BroadcastRow.finished_at).is_(None))
            if await changed(session, closes.values(finished_at=now)):
                await announce(session, [event])

    async def _some(self, *conditions: ColumnElement[bool]) -> list[BroadcastRow]:
        async with self._database.read() as session:
            rows = await session.execute(select(BroadcastRow).where(*conditions).order_by(*NEWEST).limit(20))
            return list(rows.scalars())


def _last(recipients: list[Recipient], cursor: UUID) -> UUID:
    return recipients[-1].recipient_id if recipients else cursor


def _of(broadcast: BroadcastRow) -> tuple[ColumnElement[bool], ...]:
    return (
        col(BroadcastRow.realm) == broadcast.realm,
        col(BroadcastRow.guidance_id) == broadcast.guidance_id,
        col(BroadcastRow.revision) == broadcast.revision,
    )

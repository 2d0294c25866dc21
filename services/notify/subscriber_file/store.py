"""Subscriber file store: lists are read into the subscribers in batches, and all subscribers are written out."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.forgotten.store import Forgotten
from services.notify.subscriber_file.batch import apply, plan
from services.notify.subscriber_file.columns import VOCABULARY
from services.notify.subscriber_file.model import Exported, Listed, Standing
from services.notify.subscriber_file.schema import UPLOADS, Upload
from services.notify.subscriber_file.table_file import read_table
from services.notify.subscribers.model import Audience
from services.notify.subscribers.store import Subscriber, Subscription
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.list_report import Bad, ImportReport, Tally
from shared.list_work import BATCH, ListWork, bad_rows
from shared.uploads import Task, Uploads


class SubscriberFileStore(ListWork[Listed]):
    """Lists of subscribers on their way in and out."""

    def __init__(self, database: Database, *, clock: Clock, secret: str) -> None:
        super().__init__(Uploads(database, clock=clock, tables=UPLOADS), VOCABULARY)
        self._database = database
        self._clock = clock
        self._forgotten = Forgotten(secret)

    async def stated(self, name: str) -> tuple[str, str]:
        """The group and the basis that were stated for a list; empty if it is not kept any more."""
        async with self._database.read() as session:
            row = await session.get(Upload, name)
        return (row.audience, row.basis) if row else ("", "")

    async def standing(self) -> Standing:
        """The numbers."""
        followed = select(col(Subscription.audience), func.count(func.distinct(col(Subscription.subscriber_id))))
        confirmed = followed.join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id)).where(
            col(Subscriber.state) == "confirmed"
        )
        async with self._database.read() as session:
            by_state = await session.execute(
                select(col(Subscriber.state), func.count()).group_by(col(Subscriber.state))
            )
            states = {state: int(count) for state, count in by_state}
            by_basis = await session.execute(
                select(col(Subscriber.basis), func.count())
                .where(col(Subscriber.state) == "confirmed")
                .group_by(col(Subscriber.basis))
            )
            bases = {basis: int(count) for basis, count in by_basis}
            by_audience = await session.execute(confirmed.group_by(col(Subscription.audience)))
            return Standing(states, bases, {audience: int(count) for audience, count in by_audience})

    async def export(self, *, by: UUID | None) -> AsyncIterator[list[Exported]]:
        """All subscribers, by the order in which they came, BATCH at a time; those who left too. `by` None is the
        operator. That it was taken is written to the audit first, with how many there are."""
        async with self._database.write() as session:
            count = int((await session.execute(select(func.count()).select_from(Subscriber))).scalar_one())
            deed = Deed(self._clock.now(), Act.SUBSCRIBERS_EXPORTED, by, "subscribers", {"rows": count})
            await record(session, deed)
        last: UUID | None = None
        while True:
            async with self._database.read() as session:
                page = await _page(session, last)
            if not page:
                break
            last = page[-1][0]
            yield [exported for _, exported in page]

    def _rows(self, file: BinaryIO, task: Task) -> Iterator[Listed | Bad]:
        return read_table(file, task.columns)

    async def _try(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        async with self._database.write() as session:
            decisions = await plan(session, batch, forgotten=self._forgotten, now=self._clock.now())
            for decision in decisions:
                tally.add(decision)
            await self.uploads.advance(session, task, tally.report(), bad_rows(decisions))
        return tally.report()

    async def _take(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        async with self._database.write() as session:
            now = self._clock.now()
            stated = await session.get(Upload, task.name)
            decisions = await plan(session, batch, forgotten=self._forgotten, now=now, locked=True)
            for decision in decisions:
                tally.add(decision)
            await self.uploads.advance(session, task, tally.report(), bad_rows(decisions))
            if stated is not None:  # `advance` has raised otherwise
                audience = Audience(stated.audience)
                await apply(session, decisions, audience=audience, basis=stated.basis, by=task.person_id, now=now)
        return tally.report()


async def _page(session: AsyncSession, last: UUID | None) -> list[tuple[UUID, Exported]]:
    """The next subscribers after this one, with what each follows."""
    some = select(Subscriber).order_by(col(Subscriber.id)).limit(BATCH)
    rows = list((await session.execute(some.where(col(Subscriber.id) > last) if last else some)).scalars())
    columns = (col(Subscription.subscriber_id), col(Subscription.audience), col(Subscription.municipality))
    ids = [row.id for row in rows]
    groups: dict[UUID, set[str]] = {each: set() for each in ids}
    places: dict[UUID, set[str]] = {each: set() for each in ids}
    for subscriber_id, audience, place in await session.execute(select(*columns).where(columns[0].in_(ids))):
        groups[subscriber_id].add(audience)
        places[subscriber_id].add(place)
    return [(row.id, _exported(row, groups[row.id], places[row.id])) for row in rows]


def _exported(row: Subscriber, audiences: set[str], municipalities: set[str]) -> Exported:
    return Exported(
        email=row.email,
        name=row.name,
        state=row.state,
        locale=row.locale,
        basis=row.basis,
        stated_basis=row.stated_basis,
        consent_version=row.consent_version,
        consent_hash=row.consent_hash,
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
        left_at=row.left_at,
        audiences=tuple(sorted(audiences)),
        municipalities=tuple(sorted(municipalities)),
    )

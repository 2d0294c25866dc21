"""Store of the subscribers: who asked, who confirmed, who left; and whom guidance reaches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Index, Select, Update, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from services.notify.subscribers.model import (
    UNCONFIRMED_KEPT,
    WHOLE_REGION,
    Audience,
    Basis,
    Consent,
    ImportedSubscriber,
    Links,
    Matching,
    Reach,
    State,
    Wishes,
    email_key,
    merged,
)
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE

BATCH = 500


class Subscriber(NotifyTable, table=True):
    """A person who asked for guidance. A subscriber belongs to no realm: the gate keeps exercises from her."""

    __tablename__ = "subscriber"
    __table_args__ = (Index("subscriber_unconfirmed", "state", "asked_at"),)

    id: UUID = Field(primary_key=True)
    email: str
    email_key: str = Field(unique=True)
    locale: str
    state: str
    basis: str
    consent_version: str
    consent_hash: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    suppressed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Subscription(NotifyTable, table=True):
    """One group in one municipality (or `*`) that a subscriber follows."""

    __tablename__ = "subscription"
    __table_args__ = (Index("subscription_matching", "audience", "municipality", "subscriber_id"),)

    subscriber_id: UUID = Field(primary_key=True, foreign_key="subscriber.id")
    audience: str = Field(primary_key=True)
    municipality: str = Field(primary_key=True)


@dataclass(frozen=True)
class Known:
    """A subscriber as the pages show her."""

    subscriber_id: UUID
    state: State
    wishes: Wishes


@dataclass(frozen=True)
class Imported:
    """How many addresses of a list were new, and how many were known already and stay as they were."""

    new: int
    known: int


class SubscriberStore:
    """All that is asked of the subscribers."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger, links: Links) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._links = links

    async def ask(self, email: str, wishes: Wishes, *, consent: Consent) -> None:
        """Take a request to subscribe and write the letter that answers it, all in one transaction.

        Who has confirmed before is led to her preferences; what she chose then stays untouched.
        """
        now = self._clock.now()
        asked = {
            "email": email,
            "locale": wishes.locale.value,
            "state": State.PENDING,
            "basis": Basis.CONSENT,
            "consent_version": consent.version,
            "consent_hash": consent.text_hash,
            "asked_at": now,
        }
        async with self._database.write() as session:
            statement = insert_into(self._database.dialect, Subscriber).on_conflict_do_nothing()
            await session.execute(statement, {"id": new_id(), "email_key": email_key(email), **asked})
            row = await _locked(session, email_key(email))
            if row.state == State.CONFIRMED:
                await self._answer(session, row, {"purpose": "preferences"}, link=self._links.preferences(row.id))
                return
            await session.execute(update(Subscriber).where(col(Subscriber.id) == row.id).values(**asked))
            await _replace(session, [(row.id, wishes)])
            asking = row.model_copy(update=asked)
            await self._answer(session, asking, {"purpose": "confirm"}, link=self._links.confirm(row.id))

    async def _answer(self, session: AsyncSession, row: Subscriber, shared: Mapping[str, str], *, link: str) -> None:
        letter = Letter(
            realm=LIVE,
            letter_id=new_id(),
            kind=Kind.CONFIRM,
            lane=Lane.URGENT,
            not_after=self._clock.now() + UNCONFIRMED_KEPT,
            shared=shared,
        )
        await self._ledger.add(session, letter, recipients=[Recipient(row.id, row.email, row.locale, {"link": link})])

    async def get(self, subscriber_id: UUID) -> Known | None:
        """The subscriber with this id, or None."""
        async with self._database.read() as session:
            row = await session.get(Subscriber, subscriber_id)
            if row is None:
                return None
            followed = select(Subscription).where(col(Subscription.subscriber_id) == subscriber_id)
            rows = (await session.execute(followed)).scalars().all()
        places = frozenset(subscription.municipality for subscription in rows) - {WHOLE_REGION}
        audiences = frozenset(Audience(subscription.audience) for subscription in rows)
        return Known(row.id, State(row.state), Wishes(audiences, places, Locale(row.locale)))

    async def confirm(self, subscriber_id: UUID) -> bool:
        """Begin the subscription; False if nothing waits for confirmation, or not any more."""
        now = self._clock.now()
        async with self._database.write() as session:
            return await changed(
                session,
                update(Subscriber)
                .where(
                    col(Subscriber.id) == subscriber_id,
                    col(Subscriber.state) == State.PENDING,
                    col(Subscriber.asked_at) > now - UNCONFIRMED_KEPT,
                )
                .values(state=State.CONFIRMED, confirmed_at=now, left_at=None, suppressed_at=None),
            )

    async def change(self, subscriber_id: UUID, wishes: Wishes) -> bool:
        """Follow these groups and places from now on; False if there is no confirmed subscription."""
        async with self._database.write() as session:
            confirmed = await changed(
                session,
                update(Subscriber)
                .where(col(Subscriber.id) == subscriber_id, col(Subscriber.state) == State.CONFIRMED)
                .values(locale=wishes.locale.value),
            )
            if confirmed:
                await _replace(session, [(subscriber_id, wishes)])
        return confirmed

    async def leave(self, subscriber_id: UUID) -> bool:
        """End the subscription and take back what was not sent yet; False if it had ended already.

        The address is kept, so that no list of addresses brings it back.
        """
        async with self._database.write() as session:
            left = await changed(
                session,
                update(Subscriber)
                .where(col(Subscriber.id) == subscriber_id, col(Subscriber.state) != State.LEFT)
                .values(state=State.LEFT, left_at=self._clock.now()),
            )
            await self._take_back(session, [subscriber_id])
        return left

    async def expel(self, session: AsyncSession, subscriber_ids: Sequence[UUID]) -> None:
        """End these subscriptions as `leave` does, in the caller's transaction."""
        still = (col(Subscriber.id).in_(subscriber_ids), col(Subscriber.state) != State.LEFT)
        await session.execute(update(Subscriber).where(*still).values(state=State.LEFT, left_at=self._clock.now()))
        await self._take_back(session, subscriber_ids)

    async def suppress(self, session: AsyncSession, sent: Mapping[UUID, datetime]) -> list[UUID]:
        """Spare these subscribers further guidance, in the caller's transaction; whom it befell.

        `sent` is when the letter went out that came back: whoever has confirmed her address since then stays.
        """
        confirmed = (
            select(col(Subscriber.id), col(Subscriber.confirmed_at))
            .where(col(Subscriber.id).in_(sorted(sent)), col(Subscriber.state) == State.CONFIRMED)
            .with_for_update()
        )
        found = (await session.execute(confirmed)).all()
        hit = [own for own, confirmed_at in found if confirmed_at is None or confirmed_at <= sent[own]]
        values = {"state": State.SUPPRESSED, "suppressed_at": self._clock.now()}
        await session.execute(update(Subscriber).where(col(Subscriber.id).in_(hit)).values(values))
        await self._ledger.withdraw(session, hit)
        return hit

    async def suppressed_count(self) -> int:
        """How many subscribers get no guidance because their letters come back."""
        suppressed = select(func.count()).where(col(Subscriber.state) == State.SUPPRESSED)
        async with self._database.read() as session:
            return int((await session.execute(suppressed)).scalar_one())

    async def _take_back(self, session: AsyncSession, subscriber_ids: Sequence[UUID]) -> None:
        await _replace(session, [(subscriber_id, None) for subscriber_id in subscriber_ids])
        await self._ledger.withdraw(session, subscriber_ids)

    async def forget_unconfirmed(self) -> bool:
        """Delete a batch of those who did not confirm in time; True if there may be more.

        Who had left before she asked again has left still, and whose letters came back is suppressed still: that is
        not forgotten.
        """
        late = (
            select(col(Subscriber.id), col(Subscriber.left_at), col(Subscriber.suppressed_at))
            .where(
                col(Subscriber.state) == State.PENDING,
                col(Subscriber.asked_at) <= self._clock.now() - UNCONFIRMED_KEPT,
            )
            .limit(BATCH)
            .with_for_update()
        )
        async with self._database.write() as session:
            found = (await session.execute(late)).all()
            await _replace(session, [(row.id, None) for row in found])
            gone = [row.id for row in found if row.left_at is None and row.suppressed_at is None]
            await session.execute(delete(Subscriber).where(col(Subscriber.id).in_(gone)))
            left = [row.id for row in found if row.left_at is not None]
            await session.execute(update(Subscriber).where(col(Subscriber.id).in_(left)).values(state=State.LEFT))
            hit = [row.id for row in found if row.left_at is None and row.suppressed_at is not None]
            await session.execute(update(Subscriber).where(col(Subscriber.id).in_(hit)).values(state=State.SUPPRESSED))
        return len(found) == BATCH

    async def import_many(self, rows: Sequence[ImportedSubscriber]) -> Imported:
        """Add the addresses that are not known yet, confirmed on the basis that is stated; again changes nothing.

        A known address keeps what it chose, also to have left; but what only waits for confirmation is confirmed.
        """
        new = 0
        entries = merged(rows)
        keys = sorted(entries)
        for start in range(0, len(keys), BATCH):
            batch = {key: entries[key] for key in keys[start : start + BATCH]}
            async with self._database.write() as session:
                new += await self._import(session, batch)
        return Imported(new=new, known=len(entries) - new)

    async def _import(self, session: AsyncSession, entries: dict[str, tuple[ImportedSubscriber, Wishes]]) -> int:
        now = self._clock.now()
        known = select(Subscriber).where(col(Subscriber.email_key).in_(entries)).with_for_update()
        present = {row.email_key: row for row in (await session.execute(known)).scalars()}
        waiting = [
            key
            for key, row in present.items()
            if row.state == State.PENDING and row.left_at is None and row.suppressed_at is None
        ]
        ids = {key: new_id() for key in entries if key not in present}
        ids |= {key: present[key].id for key in waiting}
        await _replace(session, [(present[key].id, None) for key in waiting])
        await session.execute(delete(Subscriber).where(col(Subscriber.email_key).in_(waiting)))
        if ids:
            await session.execute(
                insert(Subscriber), [_values(ids[key], key, entries[key], now) for key in sorted(ids)]
            )
        await _replace(session, [(ids[key], entries[key][1]) for key in sorted(ids)])
        return len(ids)

    async def reach(self, matching: Matching) -> Reach:
        """How many confirmed subscribers match."""
        async with self._database.read() as session:
            return await self.reach_now(session, matching)

    async def reach_now(self, session: AsyncSession, matching: Matching) -> Reach:
        """The same inside the caller's transaction."""
        people = func.count(func.distinct(col(Subscription.subscriber_id)))
        followed = (
            select(col(Subscription.audience), people)
            .join(Subscriber, col(Subscriber.id) == col(Subscription.subscriber_id))
            .where(col(Subscriber.state) == State.CONFIRMED, *_followed(matching))
        )
        counts = (await session.execute(followed.group_by(col(Subscription.audience)))).all()
        total = await session.execute(followed.with_only_columns(people))
        by_audience = dict.fromkeys(matching.audiences, 0) | {Audience(name): count for name, count in counts}
        return Reach(total=int(total.scalar_one()), by_audience=by_audience)

    async def recipients(
        self, session: AsyncSession, matching: Matching, *, after: UUID, confirmed_by: datetime, limit: int
    ) -> list[Recipient]:
        """The next confirmed subscribers who match, each once, in the order of their ids."""
        follows = (
            select(col(Subscription.subscriber_id))
            .where(col(Subscription.subscriber_id) == col(Subscriber.id), *_followed(matching))
            .exists()
        )
        wanted = (col(Subscriber.confirmed_at) <= confirmed_by, follows)
        return await self._confirmed(session, *wanted, after=after, limit=limit)

    async def recipients_among(
        self, session: AsyncSession, ids: Select[UUID], *, after: UUID, limit: int
    ) -> list[Recipient]:
        """The next confirmed subscribers among these, whatever they follow, in the order of their ids."""
        return await self._confirmed(session, col(Subscriber.id).in_(ids), after=after, limit=limit)

    async def count_among(self, session: AsyncSession, ids: Select[UUID]) -> int:
        """How many of these are confirmed subscribers."""
        among = (col(Subscriber.state) == State.CONFIRMED, col(Subscriber.id).in_(ids))
        return int((await session.execute(select(func.count()).select_from(Subscriber).where(*among))).scalar_one())

    async def _confirmed(
        self, session: AsyncSession, *conditions: ColumnElement[bool], after: UUID, limit: int
    ) -> list[Recipient]:
        rows = await session.execute(
            select(col(Subscriber.id), col(Subscriber.email), col(Subscriber.locale))
            .where(col(Subscriber.state) == State.CONFIRMED, col(Subscriber.id) > after, *conditions)
            .order_by(col(Subscriber.id))
            .limit(limit)
        )
        return [Recipient(subscriber_id, email, locale) for subscriber_id, email, locale in rows]


def _followed(matching: Matching) -> Iterable[ColumnElement[bool]]:
    """The rule of `Matching.reaches`, as conditions on a subscription's row."""
    yield col(Subscription.audience).in_(sorted(matching.audiences))
    if matching.areas:
        yield col(Subscription.municipality).in_([*sorted(matching.areas), WHOLE_REGION])


def _values(
    subscriber_id: UUID, key: str, entry: tuple[ImportedSubscriber, Wishes], now: datetime
) -> dict[str, object]:
    row, wishes = entry
    return {
        "id": subscriber_id,
        "email": row.email.strip(),
        "email_key": key,
        "locale": wishes.locale.value,
        "state": State.CONFIRMED,
        "basis": row.basis,
        "consent_version": "",
        "consent_hash": "",
        "asked_at": now,
        "confirmed_at": now,
    }


async def _locked(session: AsyncSession, key: str) -> Subscriber:
    row = await session.execute(select(Subscriber).where(col(Subscriber.email_key) == key).with_for_update())
    return row.scalar_one()


async def changed(session: AsyncSession, statement: Update) -> bool:
    """Carry out a conditional update; whether it found its row."""
    result = await session.execute(statement)
    return bool(cast("CursorResult[Any]", result).rowcount)


async def _replace(session: AsyncSession, followed: Sequence[tuple[UUID, Wishes | None]]) -> None:
    """Have these subscribers follow what they wish and nothing else."""
    ids = [subscriber_id for subscriber_id, _ in followed]
    await session.execute(delete(Subscription).where(col(Subscription.subscriber_id).in_(ids)))
    values = [
        {"subscriber_id": subscriber_id, "audience": audience, "municipality": place}
        for subscriber_id, wishes in followed
        if wishes is not None
        for audience, place in wishes.pairs()
    ]
    if values:
        await session.execute(insert(Subscription), values)

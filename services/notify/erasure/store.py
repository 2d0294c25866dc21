"""Store of the erasure: what is held of a person, and its removal from every table of notify."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.bounce.schema import BounceRow
from services.notify.delivery.ledger_rows import end_rows
from services.notify.delivery.model import Lane, address_key
from services.notify.delivery.model import State as DeliveryState
from services.notify.delivery.schema import DeliveryRow, LetterRow, RosterRow
from services.notify.erasure.model import OF_A_SUBSCRIPTION, SETTLED_AFTER, Erased, Held, HeldLetter, Scope
from services.notify.forgotten.store import ErasedAddress, Forgotten
from services.notify.subscriber_file.model import GONE_AFTER
from services.notify.subscriber_file.schema import Upload, UploadPart, UploadProblem
from services.notify.subscribers.model import email_key
from services.notify.subscribers.store import Subscriber, Subscription
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.erased import canonical, spellings
from shared.events.notify import PersonErased
from shared.log import logger
from shared.outbox import announce
from shared.plumbing import DeadLetter
from shared.realm import LIVE

log = logger(__name__)

ERASED = "the recipient was erased"
LETTERS_TOLD = 1000
AT_ONCE = 100
MAILS_AT_ONCE = 10
"""Letters that came back may be of 5 MB each."""
WAITING = (DeliveryState.WAITING, DeliveryState.DEFERRED)


class Erasure:
    """Tells a person what is held of her, and forgets her."""

    def __init__(self, database: Database, *, clock: Clock, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._forgotten = Forgotten(secret)

    async def held(self, address: str) -> Held:
        """All that is held of the person with this address; of her letters the newest LETTERS_TOLD."""
        async with self._database.read() as session:
            row = await _subscriber(session, address)
            hers = _hers(row.id if row else None, spellings(address))
            held = asdict(_of_subscriber(row, address) if row else Held(address))
            if row:
                held["follows"] = await _follows(session, row.id)
            held["letters"] = await _letters(session, hers)
            held["rosters"] = tuple((await session.execute(_rosters(address))).scalars())
            held["erased_before"] = bool(await self._forgotten.among(session, [address]))
        return Held(**held)

    async def erase(self, address: str, *, by: UUID | None) -> Erased:
        """Erase the person with this address, as the administrator does (None: at the command line)."""
        return await self._erase(address, Scope.PERSON, by=by)

    async def erase_subscriber(self, subscriber_id: UUID) -> Erased:
        """Erase a subscriber, as she does herself; again is harmless."""
        address = await self._address(subscriber_id)
        return await self._erase(address, Scope.SUBSCRIPTION) if address else Erased()

    async def scrub(self, *, ahead: timedelta = timedelta(0)) -> bool:
        """Clean the files of the database of those for whom that is due, or will be so soon; True if there may be more.

        A broadcast that was planned during an erasure is ended here. Files that cannot be cleaned now are left to the
        next call.
        """
        due = (
            select(ErasedAddress)
            .where(col(ErasedAddress.scrub_at) <= self._clock.now() + ahead)
            .order_by(col(ErasedAddress.hash))
            .limit(AT_ONCE)
        )
        async with self._database.write() as session:
            rows = list((await session.execute(due)).scalars())
            ids = [row.subscriber_id for row in rows if row.subscriber_id]
            if ids:
                await self._end_letters(session, col(DeliveryRow.recipient_id).in_(ids))
        if not rows:
            return False
        if not await self._database.compact():
            log.warning("the database is busy; what was erased is cleaned out of its files later")
            return False
        async with self._database.write() as session:
            kept = (await session.execute(select(col(UploadPart.upload_id)).limit(1))).first() is not None
            again = self._clock.now() + GONE_AFTER if kept else None  # a list that came since may name them
            done = update(ErasedAddress).where(col(ErasedAddress.hash).in_([row.hash for row in rows]))
            await session.execute(done.values(scrub_at=again, subscriber_id=None))
        return len(rows) == AT_ONCE

    async def unscrubbed(self) -> int:
        """How many were erased of whom the files of the database may still hold something."""
        left = select(func.count()).select_from(ErasedAddress).where(col(ErasedAddress.scrub_at).is_not(None))
        async with self._database.read() as session:
            return int((await session.execute(left)).scalar_one())

    async def _address(self, subscriber_id: UUID) -> str:
        async with self._database.read() as session:
            row = await session.get(Subscriber, subscriber_id)
            return row.email if row else ""

    async def _erase(self, address: str, scope: Scope, *, by: UUID | None = None) -> Erased:
        now = self._clock.now()
        async with self._database.write() as session:
            row = await _subscriber(session, address, locked=True)
            hers = _hers(row.id if row else None, spellings(address))
            if scope is Scope.SUBSCRIPTION:
                hers = and_(hers, _of_kinds())
            letters, on_their_way = await self._end_letters(session, hers)
            erased = Erased(
                returned=await _forget_returned(session, hers, address if scope is Scope.PERSON else ""),
                subscribers=await _forget_subscriber(session, row),
                letters=letters,
                on_their_way=on_their_way,
                rosters=await _forget_rosters(session, address) if scope is Scope.PERSON else 0,
                dead_letters=await _empty_dead_letters(session, address, now) if scope is Scope.PERSON else 0,
                files=await _forget_files(session),
            )
            subscriber_id = row.id if row else None
            await self._forgotten.add(
                session, address, subscriber_id=subscriber_id, now=now, scrub_at=now + SETTLED_AFTER
            )
            if scope is Scope.PERSON:
                told: dict[str, str | int] = {"letters": erased.letters}
                await record(session, Deed(now, Act.PERSON_ERASED, by, "subscribers", told))
                key = self._forgotten.key(address)
                await announce(session, [PersonErased(happened_at=now, realm=LIVE, key=key)])
        log.info("a person was erased", scope=scope.value, **asdict(erased))
        return erased

    async def _end_letters(self, session: AsyncSession, hers: ColumnElement[bool]) -> tuple[int, int]:
        """End what waits, and empty what is on its way: how many of each. What comes back of those cannot be sent."""
        now = self._clock.now()
        in_lanes = col(DeliveryRow.lane).in_(list(Lane))
        waiting = and_(in_lanes, col(DeliveryRow.state).in_(WAITING), hers)
        claimed = and_(in_lanes, col(DeliveryRow.state) == DeliveryState.CLAIMED, col(DeliveryRow.address) != "", hers)
        connection = await session.connection()
        ended = await connection.run_sync(
            lambda sync: end_rows(sync, waiting, state=DeliveryState.REFUSED, reason=ERASED, now=now)
        )
        emptied = update(DeliveryRow).where(claimed).values(address="", personal={}).returning(col(DeliveryRow.id))
        return ended, len((await session.execute(emptied)).scalars().all())


def _hers(subscriber_id: UUID | None, written: list[str]) -> ColumnElement[bool]:
    """The deliveries to this person. Ended ones know her by her id alone."""
    by_address = func.lower(col(DeliveryRow.address)).in_(written)
    return or_(col(DeliveryRow.recipient_id) == subscriber_id, by_address) if subscriber_id else by_address


def _of_kinds() -> ColumnElement[bool]:
    """Deliveries of the letters that somebody gets as a subscriber."""
    return (
        select(col(LetterRow.letter_id))
        .where(
            col(LetterRow.realm) == col(DeliveryRow.realm),
            col(LetterRow.letter_id) == col(DeliveryRow.letter_id),
            col(LetterRow.kind).in_(sorted(OF_A_SUBSCRIPTION)),
        )
        .exists()
    )


async def _subscriber(session: AsyncSession, address: str, *, locked: bool = False) -> Subscriber | None:
    keys = sorted({email_key(address), *spellings(address)})
    found = select(Subscriber).where(col(Subscriber.email_key).in_(keys)).limit(1)
    return (await session.execute(found.with_for_update() if locked else found)).scalar_one_or_none()


async def _follows(session: AsyncSession, subscriber_id: UUID) -> tuple[tuple[str, str], ...]:
    columns = (col(Subscription.audience), col(Subscription.municipality))
    rows = select(*columns).where(col(Subscription.subscriber_id) == subscriber_id).order_by(*columns)
    return tuple((audience, place) for audience, place in await session.execute(rows))


async def _letters(session: AsyncSession, hers: ColumnElement[bool]) -> tuple[HeldLetter, ...]:
    same = and_(col(LetterRow.realm) == col(DeliveryRow.realm), col(LetterRow.letter_id) == col(DeliveryRow.letter_id))
    columns = (col(LetterRow.kind), col(LetterRow.realm), col(LetterRow.created_at))
    rows = await session.execute(
        select(*columns, col(DeliveryRow.state), col(DeliveryRow.settled_at))
        .join(DeliveryRow, same)
        .where(hers)
        .order_by(col(DeliveryRow.id).desc())
        .limit(LETTERS_TOLD)
    )
    return tuple(
        HeldLetter(kind, realm, written_at, state, settled_at) for kind, realm, written_at, state, settled_at in rows
    )


def _rosters(address: str) -> Any:
    return select(col(RosterRow.realm)).where(_enrolled(address)).order_by(col(RosterRow.realm))


def _enrolled(address: str) -> ColumnElement[bool]:
    return col(RosterRow.address).in_(sorted({address_key(address), *spellings(address)}))


async def _forget_subscriber(session: AsyncSession, row: Subscriber | None) -> int:
    if row is None:
        return 0
    await session.execute(delete(Subscription).where(col(Subscription.subscriber_id) == row.id))
    return await _deleted(session, delete(Subscriber).where(col(Subscriber.id) == row.id), col(Subscriber.id))


async def _forget_returned(session: AsyncSession, hers: ColumnElement[bool], address: str) -> int:
    """Letters that came back: for her deliveries, and, with an address, all others in which it can be read."""
    theirs = col(BounceRow.delivery).in_(select(col(DeliveryRow.id)).where(hers))
    gone = await _deleted(session, delete(BounceRow).where(theirs), col(BounceRow.id))
    wanted, last = _wanted(address) if address else set(), UUID(int=0)
    while wanted:
        page = select(col(BounceRow.id), col(BounceRow.raw)).where(col(BounceRow.id) > last)
        rows = (await session.execute(page.order_by(col(BounceRow.id)).limit(MAILS_AT_ONCE))).all()
        named = [id_ for id_, raw in rows if _names(raw, wanted)]
        gone += await _deleted(session, delete(BounceRow).where(col(BounceRow.id).in_(named)), col(BounceRow.id))
        if len(rows) < MAILS_AT_ONCE:
            break
        last = rows[-1].id
    return gone


async def _forget_rosters(session: AsyncSession, address: str) -> int:
    return await _deleted(session, delete(RosterRow).where(_enrolled(address)), col(RosterRow.realm))


async def _forget_files(session: AsyncSession) -> int:
    """Lists that wait or are being read may name her, in any encoding: they must be brought again without her."""
    for table in (UploadPart, UploadProblem):
        await session.execute(delete(table))
    return await _deleted(session, delete(Upload), col(Upload.id))


async def _deleted(session: AsyncSession, statement: Delete, key: Any) -> int:
    return len((await session.execute(statement.returning(key))).all())


async def _empty_dead_letters(session: AsyncSession, address: str, now: datetime) -> int:
    """Empty the messages that could not be handled and hold her address, also those that a person has settled."""
    wanted, last, emptied = _wanted(address), 0, 0
    while True:
        page = select(DeadLetter).where(col(DeadLetter.id) > last).order_by(col(DeadLetter.id)).limit(AT_ONCE)
        rows = list((await session.execute(page)).scalars())
        hers = [row.id for row in rows if _names(row.body, wanted)]
        gone = {"body": b"", "headers": {}, "settled_at": now, "settled_as": "erased"}
        if hers:
            await session.execute(update(DeadLetter).where(col(DeadLetter.id).in_(hers)).values(gone))
        emptied += len(hers)
        if len(rows) < AT_ONCE:
            return emptied
        last = rows[-1].id or last


def _wanted(address: str) -> set[bytes]:
    return {canonical(address).encode(), *(one.encode() for one in spellings(address))}


def _names(body: bytes, wanted: set[bytes]) -> bool:
    """True if the message holds one of these addresses, also where its JSON hides letters behind escapes."""
    plain = body.decode("utf-8", "replace").casefold().encode()
    try:
        read = json.dumps(json.loads(body), ensure_ascii=False).casefold().encode("utf-8", "replace")
    except (ValueError, RecursionError):
        read = b""
    return any(one in plain or one in read for one in wanted)


def _of_subscriber(row: Subscriber, address: str) -> Held:
    return Held(
        address=row.email or address,
        name=row.name,
        language=row.locale,
        state=row.state,
        basis=row.basis,
        stated_basis=row.stated_basis,
        consent_version=row.consent_version,
        consent_hash=row.consent_hash,
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
        left_at=row.left_at,
    )

"""Store: who has signed up for an exercise and who is on its list, until it begins; and that it is forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.exercise.announcement.model import Stage
from services.exercise.announcement.store import AnnouncementStore, never_begun_since, public_one
from services.exercise.enrolment.model import (
    FORGOTTEN,
    KEPT_AFTER,
    MOST_LINKS,
    UNCONFIRMED_KEPT,
    Asked,
    Participant,
    Refusal,
    SignUp,
    SignUpState,
    Source,
    expired,
    letter,
    standing,
    to_be_told,
)
from services.exercise.enrolment.notice_rows import AT_ONCE as TOLD_AT_ONCE
from services.exercise.enrolment.notice_rows import tell_of
from services.exercise.enrolment.schema import SignUpLink, SignUpRow
from services.exercise.exercise.model import MOST_PARTICIPANTS, State
from services.exercise.exercise.store import ExerciseRow, ParticipantRow, locked
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.erased import keyed_hash
from shared.i18n import Locale
from shared.ids import digest, new_id, new_token
from shared.outbox import announce
from shared.realm import Realm

PAGE = 100
MOST_SIGN_UPS = 2 * MOST_PARTICIPANTS
AT_ONCE = 500


@dataclass(frozen=True)
class Enrolled:
    """A page of those on the list, how many there are, and how many have not confirmed yet."""

    participants: Sequence[Participant]
    total: int
    waiting: int


class EnrolmentStore:
    """Takes sign-ups, and keeps the list until the exercise begins."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str, secret: str) -> None:
        self._database = database
        self._announcements = AnnouncementStore(database, clock=clock)
        self._secret = secret
        self._clock = clock
        self._public_url = public_url

    async def ask(self, exercise_id: UUID, asked: Asked) -> Refusal | None:
        """Take a request and have a letter sent that answers it, all in one transaction.

        It gives the same whether the address is known or not. Raises NoSuchExerciseError for one that is not public.
        """
        now, token = self._clock.now(), new_token()
        async with self._database.write() as session:
            announced = await public_one(session, exercise_id)
            realm = announced.exercise.realm
            if announced.stage is not Stage.OPEN:
                return Refusal.BEGUN
            if await _count(session, SignUpRow, col(SignUpRow.realm) == realm) >= MOST_SIGN_UPS:
                return Refusal.FULL
            row = await self._asked(session, realm, asked)
            if await _count(session, SignUpLink, col(SignUpLink.sign_up_id) == row.id) >= MOST_LINKS:
                return None
            link = {"token_hash": digest(token), "sign_up_id": row.id, "made_at": now}
            await session.execute(insert_into(self._database.dialect, SignUpLink), [link])
            known = row.state == SignUpState.CONFIRMED
            whom = {"address": row.address, "locale": row.locale if known else asked.locale.value}
            wish = letter(announced, whom, sign_up_id=row.id, link=self._link(token), known=known, now=now)
            await announce(session, [wish])
            return None

    async def opened(self, token: str) -> SignUp | None:
        """What this link leads to; None if it leads nowhere, or not any more."""
        async with self._database.read() as session:
            return await self._behind(session, token)

    async def confirm(self, token: str) -> Refusal | None:
        """Put whoever has this link on the list; again is harmless."""
        async with self._database.write() as session:
            sign_up = await self._behind(session, token)
            if sign_up is None or sign_up.state is SignUpState.CONFIRMED:
                return None
            exercise = await locked(session, sign_up.announced.exercise.id)
            if exercise.state is not State.PLANNED:
                return Refusal.BEGUN
            if await _count(session, ParticipantRow, col(ParticipantRow.realm) == exercise.realm) >= MOST_PARTICIPANTS:
                return Refusal.FULL
            known = {"confirmed_at": self._clock.now(), "told": standing(sign_up.announced)}
            confirmed = {"state": SignUpState.CONFIRMED.value, **known}
            await session.execute(update(SignUpRow).where(col(SignUpRow.id) == sign_up.id).values(confirmed))
            await self._enrol(session, exercise.realm, [sign_up.address], sign_up.locale, source=Source.SIGN_UP)
            return None

    async def leave(self, token: str) -> Refusal | None:
        """Take whoever has this link off the list, and forget the sign-up with all its links."""
        async with self._database.write() as session:
            sign_up = await self._behind(session, token)
            if sign_up is None:
                return None
            exercise = await locked(session, sign_up.announced.exercise.id)
            if exercise.started_at is not None:
                return Refusal.BEGUN
            await _remove(session, exercise.realm, sign_up.address)
            return None

    async def enrolled(self, realm: Realm, *, page: int) -> Enrolled:
        """A page of PAGE of those on the list, by address; the first is 1."""
        here = col(ParticipantRow.realm) == realm
        same = and_(
            col(SignUpRow.realm) == col(ParticipantRow.realm), col(SignUpRow.address) == col(ParticipantRow.address)
        )
        rows = (
            select(ParticipantRow, col(SignUpRow.association))
            .outerjoin(SignUpRow, same)
            .where(here)
            .order_by(col(ParticipantRow.address))
            .offset((page - 1) * PAGE)
            .limit(PAGE)
        )
        waiting = and_(
            col(SignUpRow.realm) == realm,
            col(SignUpRow.state) == SignUpState.ASKED,
            col(SignUpRow.asked_at) > self._clock.now() - UNCONFIRMED_KEPT,
        )
        async with self._database.read() as session:
            participants = [
                Participant(row.address, Locale(row.locale), Source(row.source), association or "")
                for row, association in await session.execute(rows)
            ]
            total, unconfirmed = await _count(session, ParticipantRow, here), await _count(session, SignUpRow, waiting)
        return Enrolled(participants, total, unconfirmed)

    async def add(self, exercise_id: UUID, addresses: Sequence[str], locale: Locale) -> Refusal | None:
        """Put these addresses on the list by hand; those that stand there stay as they are."""
        async with self._database.write() as session:
            exercise = await locked(session, exercise_id)
            if exercise.state is not State.PLANNED:
                return Refusal.BEGUN
            here = col(ParticipantRow.realm) == exercise.realm
            known = await _count(session, ParticipantRow, here)
            if len(addresses) > MOST_PARTICIPANTS:
                return Refusal.FULL
            there = and_(here, col(ParticipantRow.address).in_(list(addresses)))
            if known + len(addresses) - await _count(session, ParticipantRow, there) > MOST_PARTICIPANTS:
                return Refusal.FULL
            await self._enrol(session, exercise.realm, addresses, locale, source=Source.HAND)
            return None

    async def remove(self, exercise_id: UUID, address: str) -> Refusal | None:
        """Take this address off the list, and forget its sign-up."""
        async with self._database.write() as session:
            exercise = await locked(session, exercise_id)
            if exercise.state is not State.PLANNED:
                return Refusal.BEGUN
            await _remove(session, exercise.realm, address)
            return None

    async def tell_changes(self) -> bool:
        """Tell some of those who have signed up that their exercise was moved or cancelled; True if there may be
        more."""
        now, more = self._clock.now(), False
        for announced in await self._announcements.list_public():
            if to_be_told(announced, now):
                async with self._database.write() as session:
                    told = await tell_of(session, announced, public_url=self._public_url, now=now)
                more = more or told == TOLD_AT_ONCE
        return more

    async def forget(self) -> bool:
        """Remove a batch of sign-ups that were never confirmed; True if there may be more."""
        due = and_(
            col(SignUpRow.state) == SignUpState.ASKED,
            col(SignUpRow.asked_at) <= self._clock.now() - UNCONFIRMED_KEPT,
        )
        async with self._database.write() as session:
            return await _forget_sign_ups(session, due) == AT_ONCE

    async def forget_past(self) -> bool:
        """Forget who took part in one exercise that was over long ago, or was never begun; True if there may be more.

        How many they were stays known.
        """
        limit = self._clock.now() - KEPT_AFTER
        over = or_(
            col(ExerciseRow.ended_at) <= limit,
            and_(
                col(ExerciseRow.state) == State.PLANNED,
                col(ExerciseRow.realm).in_(never_begun_since(self._clock.now(), KEPT_AFTER)),
            ),
        )
        kept = or_(
            select(col(SignUpRow.id)).where(col(SignUpRow.realm) == col(ExerciseRow.realm)).exists(),
            select(col(ParticipantRow.address))
            .where(col(ParticipantRow.realm) == col(ExerciseRow.realm), _known())
            .exists(),
        )
        async with self._database.write() as session:
            found = select(col(ExerciseRow.realm)).where(over, kept).order_by(col(ExerciseRow.realm)).limit(1)
            realm = (await session.execute(found)).scalars().first()
            if realm is None:
                return False
            await _forget_sign_ups(session, col(SignUpRow.realm) == realm)
            await _forget_addresses(session, realm)
        return True

    async def erase(self, key: str) -> None:
        """Forget whoever has the address with this keyed hash, and soon out of the bytes.

        She is off the list of what has not begun. On the list of what has, something stands in her place that tells
        nothing, and counts.
        """
        found = {*await self._with_key(SignUpRow, key), *await self._with_key(ParticipantRow, key)}
        for address in sorted(found):
            hers = col(ParticipantRow.address) == address
            begun = select(col(ExerciseRow.realm)).where(col(ExerciseRow.state) != State.PLANNED)
            async with self._database.write() as session:
                await _forget_sign_ups(session, col(SignUpRow.address) == address)
                await session.execute(delete(ParticipantRow).where(hers, col(ParticipantRow.realm).not_in(begun)))
                nobody = update(ParticipantRow).where(hers).values(address=f"{FORGOTTEN}{new_id()}")
                await session.execute(nobody)
                await self._database.out_of_the_bytes(session)
        await self._database.compact_if_noted()

    async def _with_key(self, table: type[SignUpRow | ParticipantRow], key: str) -> Sequence[str]:
        """The address with this key, however it is written in this table."""
        found: list[str] = []
        after = ""
        address = col(table.address)
        async with self._database.read() as session:
            rows = select(address).distinct().order_by(address).limit(AT_ONCE)
            while page := list((await session.execute(rows.where(address > after))).scalars()):
                found += [one for one in page if keyed_hash(self._secret, one) == key]
                after = page[-1]
        return found

    async def _behind(self, session: AsyncSession, token: str) -> SignUp | None:
        row = (
            await session.execute(
                select(SignUpRow, col(ExerciseRow.id))
                .join(SignUpLink, col(SignUpLink.sign_up_id) == col(SignUpRow.id))
                .join(ExerciseRow, col(ExerciseRow.realm) == col(SignUpRow.realm))
                .where(col(SignUpLink.token_hash) == digest(token))
            )
        ).first()
        if row is None or expired(SignUpState(row[0].state), row[0].asked_at, self._clock.now()):
            return None
        kept: SignUpRow = row[0]
        return SignUp(
            id=kept.id,
            address=kept.address,
            association=kept.association,
            locale=Locale(kept.locale),
            state=SignUpState(kept.state),
            asked_at=kept.asked_at,
            announced=await public_one(session, row[1]),
        )

    async def _asked(self, session: AsyncSession, realm: Realm, asked: Asked) -> SignUpRow:
        """The row of this address, with what was asked now unless it was confirmed."""
        values: Mapping[str, Any] = {
            "association": asked.association,
            "locale": asked.locale.value,
            "state": SignUpState.ASKED.value,
            "asked_at": self._clock.now(),
        }
        statement = insert_into(self._database.dialect, SignUpRow).on_conflict_do_nothing()
        await session.execute(statement, {"id": new_id(), "realm": realm.id, "address": asked.address, **values})
        hers = and_(col(SignUpRow.realm) == realm, col(SignUpRow.address) == asked.address)
        row = (await session.execute(select(SignUpRow).where(hers).with_for_update())).scalar_one()
        if row.state == SignUpState.ASKED:
            await session.execute(update(SignUpRow).where(hers).values(**values))
        return row

    async def _enrol(
        self, session: AsyncSession, realm: Realm, addresses: Sequence[str], locale: Locale, *, source: Source
    ) -> None:
        rows = [
            {"realm": realm.id, "address": address, "locale": locale.value, "source": source.value}
            for address in sorted(addresses)
        ]
        if rows:
            await session.execute(insert_into(self._database.dialect, ParticipantRow).on_conflict_do_nothing(), rows)

    def _link(self, token: str) -> str:
        return f"{self._public_url}/exercise/join/{token}"


async def _remove(session: AsyncSession, realm: Realm, address: str) -> None:
    hers = and_(col(ParticipantRow.realm) == realm, col(ParticipantRow.address) == address)
    await session.execute(delete(ParticipantRow).where(hers))
    await _forget_sign_ups(session, and_(col(SignUpRow.realm) == realm, col(SignUpRow.address) == address))


async def _forget_sign_ups(session: AsyncSession, which: ColumnElement[bool]) -> int:
    """Remove AT_ONCE of these sign-ups with their links; how many."""
    found = select(col(SignUpRow.id)).where(which).order_by(col(SignUpRow.id)).limit(AT_ONCE)
    ids = list((await session.execute(found)).scalars())
    if ids:
        await session.execute(delete(SignUpLink).where(col(SignUpLink.sign_up_id).in_(ids)))
        await session.execute(delete(SignUpRow).where(col(SignUpRow.id).in_(ids)))
    return len(ids)


async def _forget_addresses(session: AsyncSession, realm: str) -> None:
    """Put something in place of AT_ONCE addresses that tells nothing, so that they still count."""
    found = select(col(ParticipantRow.address)).where(col(ParticipantRow.realm) == realm, _known())
    for address in list((await session.execute(found.limit(AT_ONCE))).scalars()):
        hers = and_(col(ParticipantRow.realm) == realm, col(ParticipantRow.address) == address)
        await session.execute(update(ParticipantRow).where(hers).values(address=f"{FORGOTTEN}{new_id()}"))


def _known() -> ColumnElement[bool]:
    return ~col(ParticipantRow.address).startswith(FORGOTTEN)


async def _count(session: AsyncSession, table: type[Any], *where: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(table).where(*where)
    return int((await session.execute(counted)).scalar_one())

"""Consequences: the rows that letters which came back change, as functions within a transaction of the store."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.bounce.model import SOFT_WINDOW, Found, Report, Returned
from services.notify.bounce.schema import ReturnedRow
from services.notify.delivery.model import Kind, State
from services.notify.delivery.schema import DeliveryRow, LetterRow
from shared.db import insert_into
from shared.realm import LIVE, Realm

DID_NOT_ARRIVE = tuple(found.value for found in Found if found.returned)
KNOWN_BY = (*DID_NOT_ARRIVE, Found.COMPLAINT.value)
"""What is kept of a delivery: all else changes nothing."""


@dataclass(frozen=True)
class Delivered:
    """A delivery to which something came back, and when the relay took it."""

    realm: str
    letter_id: UUID
    recipient_id: UUID
    kind: Kind
    sent_at: datetime | None

    def returned(self, delivery: int, report: Report) -> Returned:
        """With what came back."""
        return Returned(delivery, self.realm, self.letter_id, self.recipient_id, self.kind, report)


async def deliveries(session: AsyncSession, numbers: Collection[int]) -> dict[int, Delivered]:
    """These deliveries by number."""
    same = (col(LetterRow.realm) == col(DeliveryRow.realm)) & (col(LetterRow.letter_id) == col(DeliveryRow.letter_id))
    found = await session.execute(
        select(
            col(DeliveryRow.id),
            col(DeliveryRow.realm),
            col(DeliveryRow.letter_id),
            col(DeliveryRow.recipient_id),
            col(LetterRow.kind),
            col(DeliveryRow.settled_at),
        )
        .join(LetterRow, same)
        .where(col(DeliveryRow.id).in_(sorted(numbers)))
    )
    return {
        number: Delivered(realm, letter_id, recipient_id, Kind(kind), sent_at)
        for number, realm, letter_id, recipient_id, kind, sent_at in found
        if number is not None
    }


async def write_returned(
    session: AsyncSession, returned: Iterable[Returned], *, dialect: str, now: datetime
) -> list[Returned]:
    """Write what became known; that of it which was not known before, and of each delivery once that it is lost."""
    wanted = {(one.delivery, one.report.found): one for one in returned if one.report.found in KNOWN_BY}
    if not wanted:
        return []
    lost_before = select(col(ReturnedRow.delivery)).where(
        col(ReturnedRow.delivery).in_(sorted({delivery for delivery, _ in wanted})),
        col(ReturnedRow.found).in_(DID_NOT_ARRIVE),
    )
    lost = set((await session.execute(lost_before)).scalars())
    statement = insert_into(dialect, ReturnedRow).on_conflict_do_nothing()
    made = await session.execute(
        statement.returning(col(ReturnedRow.delivery), col(ReturnedRow.found)),
        [_values(wanted[key], now) for key in sorted(wanted)],
    )
    new = [wanted[delivery, Found(found)] for delivery, found in made]
    return [one for one in new if one.delivery not in lost or not _only_lost_again(one)]


def _only_lost_again(one: Returned) -> bool:
    """True for what adds nothing to knowing that the letter is lost: a hard reason and a complaint do."""
    return one.report.found in {Found.SOFT, Found.POLICY}


def _values(one: Returned, now: datetime) -> dict[str, object]:
    return {
        "realm": one.realm,
        "delivery": one.delivery,
        "found": one.report.found.value,
        "letter_id": one.letter_id,
        "recipient_id": one.recipient_id,
        "kind": one.kind.value,
        "status": one.report.status,
        "day": now.date(),
        "returned_at": now,
    }


async def soft_days(session: AsyncSession, recipients: Collection[UUID], now: datetime) -> Mapping[UUID, int]:
    """On how many days of SOFT_WINDOW letters to these came back for a passing reason, in the real world."""
    counted = await session.execute(
        select(col(ReturnedRow.recipient_id), func.count(func.distinct(col(ReturnedRow.day))))
        .where(
            col(ReturnedRow.recipient_id).in_(sorted(recipients)),
            col(ReturnedRow.realm) == LIVE.id,
            col(ReturnedRow.found) == Found.SOFT.value,
            col(ReturnedRow.day) > (now - SOFT_WINDOW).date(),
        )
        .group_by(col(ReturnedRow.recipient_id))
    )
    return {recipient_id: int(days) for recipient_id, days in counted}


async def note_in_ledger(session: AsyncSession, returned: Sequence[Returned]) -> None:
    """Write the reason to the delivery, which was sent all the same: the relay took it."""
    reasons = [{"number": one.delivery, "why": one.report.reason} for one in returned if one.report.found.returned]
    if reasons:
        connection = await session.connection()
        await connection.execute(_NOTE, reasons)


_NOTE = (
    update(DeliveryRow)
    .where(col(DeliveryRow.id) == bindparam("number"), col(DeliveryRow.state) == State.SENT)
    .values(reason=bindparam("why"))
)


async def returned_count(session: AsyncSession, realm: Realm, letter_id: UUID) -> int:
    """How many copies of the letter came back."""
    counted = select(func.count(func.distinct(col(ReturnedRow.delivery)))).where(
        col(ReturnedRow.realm) == realm,
        col(ReturnedRow.letter_id) == letter_id,
        col(ReturnedRow.found).in_(DID_NOT_ARRIVE),
    )
    return int((await session.execute(counted)).scalar_one())

"""Retention store: the texts of letters that are still kept, and those that wait to be confirmed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, tuple_, update
from sqlmodel import col

from services.notify.delivery.schema import DeliveryRow, LetterRow
from services.notify.retention.model import LETTERS_KEPT, PATIENCE, Keeping
from services.notify.subscribers.model import UNCONFIRMED_KEPT, State
from services.notify.subscribers.store import Subscriber
from shared.clock import Clock
from shared.db import Database

BATCH = 500


class RetentionStore:
    """Forgets the texts of letters; that there was a letter, and what became of it, stays."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def empty_letters(self) -> bool:
        """Remove the texts of a batch of letters that ended long ago; True if there may be more."""
        now = self._clock.now()
        key = (col(LetterRow.realm), col(LetterRow.letter_id))
        due = (
            select(*key)
            .where(_with_text(), col(LetterRow.not_after) <= now - LETTERS_KEPT, ~_open())
            .order_by(col(LetterRow.not_after))
            .limit(BATCH)
        )
        async with self._database.write() as session:
            found = [tuple(row) for row in await session.execute(due)]
            if found:
                emptied = update(LetterRow).where(tuple_(*key).in_(sorted(found)))
                await session.execute(emptied.values(shared={}, emptied_at=now))
        return len(found) == BATCH

    async def report(self) -> Mapping[str, Keeping]:
        """How it is with the texts of letters, and with addresses that were never confirmed."""
        now = self._clock.now()
        overdue = and_(_with_text(), col(LetterRow.not_after) <= now - LETTERS_KEPT - PATIENCE, ~_open())
        pending = col(Subscriber.state) == State.PENDING
        late = and_(pending, col(Subscriber.asked_at) <= now - UNCONFIRMED_KEPT - PATIENCE)
        async with self._database.read() as session:

            async def count(table: type[Any], *where: ColumnElement[bool]) -> int:
                counted = select(func.count()).select_from(table).where(*where)
                return int((await session.execute(counted)).scalar_one())

            newest = (await session.execute(select(func.max(col(LetterRow.emptied_at))))).scalar_one()
            return {
                "unconfirmed": Keeping(
                    int(UNCONFIRMED_KEPT.total_seconds() // 3600),
                    present=await count(Subscriber, pending),
                    due=await count(Subscriber, late),
                ),
                "letters": Keeping(
                    int(LETTERS_KEPT.total_seconds() // 3600),
                    present=await count(LetterRow, _with_text()),
                    due=await count(LetterRow, overdue),
                    removed=await count(LetterRow, col(LetterRow.emptied_at).is_not(None)),
                    removed_at=newest,
                ),
            }


def _with_text() -> ColumnElement[bool]:
    return col(LetterRow.emptied_at).is_(None)


def _open() -> ColumnElement[bool]:
    """Something of the letter may still happen: its rows end soon after it, and are waited for."""
    same = (col(DeliveryRow.realm) == col(LetterRow.realm), col(DeliveryRow.letter_id) == col(LetterRow.letter_id))
    return select(col(DeliveryRow.id)).where(*same, col(DeliveryRow.settled_at).is_(None)).exists()

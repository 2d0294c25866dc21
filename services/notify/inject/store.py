"""Store of injects: their letters, to each of the roster once."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.notify.delivery.model import Kind, Letter
from services.notify.delivery.schema import LetterRow
from services.notify.delivery.store import Ledger
from services.notify.roster import store as roster
from shared.clock import Clock
from shared.db import Database
from shared.realm import Realm

MOST = 200
"""Injects of one exercise that are written to whoever is enrolled late: more than a scenario has."""


class InjectLetters:
    """Letters of injects. Roster and injects are heard in any order: each is saved first, then both are looked at."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def keep(self, letter: Letter) -> None:
        """Keep the letter, to nobody yet; keeping it again changes nothing."""
        async with self._database.write() as session:
            await self._ledger.add(session, letter, recipients=[])

    async def address(self, realm: Realm) -> None:
        """Have each of the roster get each letter that is kept and in time; who has it already gets no other."""
        for letter in await self._ledger.letters(await self._in_time(realm)):
            async with self._database.write() as session:
                everybody = await roster.recipients(session, realm)
                await self._ledger.add(session, letter, recipients=everybody)

    async def _in_time(self, realm: Realm) -> list[tuple[str, UUID]]:
        kept = select(col(LetterRow.letter_id)).where(
            col(LetterRow.realm) == realm.id,
            col(LetterRow.kind) == Kind.INJECT,
            col(LetterRow.not_after) > self._clock.now(),
        )
        async with self._database.read() as session:
            rows = await session.execute(kept.order_by(col(LetterRow.created_at)).limit(MOST))
            return [(realm.id, letter_id) for letter_id in rows.scalars()]

"""Store: the letters that tell a roster of the beginning and the end, and how long a roster is kept."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.delivery.model import Kind, Letter, Recipient
from services.notify.delivery.schema import LetterRow, RosterRow
from services.notify.delivery.store import Ledger
from services.notify.rehearsal.model import ROSTER_KEPT
from shared.clock import Clock
from shared.db import Database
from shared.i18n import locale_or
from shared.realm import Realm

AT_ONCE = 500


class Rosters:
    """Writes to those who take part. Saying it again writes no second letter to anybody."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def tell(self, letter: Letter) -> None:
        """Write this letter to everybody on the roster of its realm.

        The letter is there before the roster is read: whoever enrols somebody afterwards finds it (`tell_late`).
        """
        async with self._database.write() as session:
            await self._ledger.add(session, letter, recipients=[])
        await self._tell_all(letter)

    async def tell_late(self, realm: Realm) -> None:
        """Write the letter that tells of the end to those who were enrolled after it was written, if it was."""
        ending = select(col(LetterRow.letter_id)).where(
            col(LetterRow.realm) == realm, col(LetterRow.kind) == Kind.EXERCISE_ENDED
        )
        async with self._database.read() as session:
            found = (await session.execute(ending)).scalars().first()
        if found is not None:
            [letter] = await self._ledger.letters([(realm.id, found)])
            await self._tell_all(letter)

    async def forget(self) -> bool:
        """Remove a page of those whose exercise was over ROSTER_KEPT ago; True if there may be more."""
        key = (col(RosterRow.realm), col(RosterRow.address))
        due = select(*key).where(col(RosterRow.over_at) <= self._clock.now() - ROSTER_KEPT).order_by(*key)
        async with self._database.write() as session:
            found = (await session.execute(due.limit(AT_ONCE))).all()
            for realm in sorted({realm for realm, _ in found}):
                addresses = [address for of, address in found if of == realm]
                gone = delete(RosterRow).where(col(RosterRow.realm) == realm)
                await session.execute(gone.where(col(RosterRow.address).in_(addresses)))
        return len(found) == AT_ONCE

    async def _tell_all(self, letter: Letter) -> None:
        after = ""
        while True:
            async with self._database.write() as session:
                page = await self._page(session, letter.realm, after=after)
                await self._ledger.add(session, letter, recipients=page)
            if len(page) < AT_ONCE:
                return
            after = page[-1].address

    async def _page(self, session: AsyncSession, realm: Realm, *, after: str) -> Sequence[Recipient]:
        rows = select(RosterRow).where(col(RosterRow.realm) == realm, col(RosterRow.address) > after)
        found = (await session.execute(rows.order_by(col(RosterRow.address)).limit(AT_ONCE))).scalars()
        return [Recipient(row.recipient_id, row.address, locale_or(row.locale)) for row in found]

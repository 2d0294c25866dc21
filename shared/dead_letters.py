"""Dead letters: messages that cannot be handled are kept with their reason, to be replayed or discarded by a person."""

from datetime import datetime

from nats.aio.msg import Msg
from sqlalchemy import func, select, update
from sqlmodel import col

from shared.clock import Clock
from shared.db import Database, insert_into
from shared.plumbing import DeadLetter

PAGE = 50


class DeadLetters:
    """The dead letters of one service."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def bury(self, message: Msg, reason: str) -> None:
        """Keep the message; burying the same delivery again changes nothing."""
        data = message.metadata
        async with self._database.write() as session:
            statement = insert_into(self._database.dialect, DeadLetter).on_conflict_do_nothing()
            await session.execute(
                statement,
                {
                    "stream": data.stream,
                    "consumer": data.consumer,
                    "sequence": data.sequence.stream,
                    "subject": _printable(message.subject),
                    "headers": {_printable(name): _printable(value) for name, value in (message.headers or {}).items()},
                    "body": message.data,
                    "reason": _printable(reason[:500]),
                    "buried_at": self._clock.now(),
                },
            )

    async def page(self, number: int) -> list[DeadLetter]:
        """The open ones, newest first, PAGE to a page; `number` counts from 1."""
        async with self._database.read() as session:
            rows = await session.execute(
                select(DeadLetter)
                .where(col(DeadLetter.settled_at).is_(None))
                .order_by(col(DeadLetter.id).desc())
                .offset((number - 1) * PAGE)
                .limit(PAGE)
            )
            return list(rows.scalars())

    async def count(self) -> int:
        """How many are open."""
        async with self._database.read() as session:
            open_ones = select(func.count()).select_from(DeadLetter).where(col(DeadLetter.settled_at).is_(None))
            return int((await session.execute(open_ones)).scalar_one())

    async def get(self, letter_id: int) -> DeadLetter | None:
        """One that is still open, or None."""
        async with self._database.read() as session:
            letter = await session.get(DeadLetter, letter_id)
            return letter if letter is not None and letter.settled_at is None else None

    async def settle(self, letter_id: int, outcome: str) -> datetime:
        """Close it as `replayed` or `discarded`; the row stays as a record."""
        now = self._clock.now()
        async with self._database.write() as session:
            await session.execute(
                update(DeadLetter)
                .where(col(DeadLetter.id) == letter_id, col(DeadLetter.settled_at).is_(None))
                .values(settled_at=now, settled_as=outcome)
            )
        return now

    async def still_dead(self, letter_id: int, reason: str) -> None:
        """A replay failed: note the new reason."""
        async with self._database.write() as session:
            await session.execute(
                update(DeadLetter).where(col(DeadLetter.id) == letter_id).values(reason=_printable(reason[:500]))
            )


def _printable(text: str) -> str:
    """The text as every database takes it: a poison that could not even be buried would come back for ever."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)

"""Letters to intake: what a test writes, and the address to which it was asked to write."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from services.intake.checkin.store import CheckInRow
from services.intake.reply.grammar import read_words
from services.intake.reply.mail_text import read_letter
from services.intake.reply.model import Arrived, Standing
from services.intake.reply.schema import ReplyRow
from shared.ids import digest, new_id
from tests.intake.house import Intake


def written(words: str, *head: str, name: str = "") -> bytes:
    """A reply with these words; `name` is its Message-ID."""
    lines = [
        "From: aino@example.org",
        "Subject: Re: Tilannekysely",
        f"Message-ID: <{name or new_id()}@example.org>",
        *head,
    ]
    return "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", words]).encode()


async def keys(intake: Intake, fact: str = "bulk") -> list[str]:
    """The keys of the reply addresses that stand in letters so far, oldest first."""
    return [str(letter["personal"]["reply"]) for letter in await intake.said(fact)]


async def arrive(intake: Intake, raw: bytes, *, key: str, at: datetime | None = None) -> Standing | None:
    """Have a letter come to the address with this key."""
    letter = read_letter(raw, sender="aino@example.org")
    received_at = at or intake.clock.now()
    arrived = Arrived(new_id(), digest(key), letter, received_at, read_words(letter.words))
    standing: Standing | None = await intake.app.state.reply.take(arrived)
    return standing


async def replies(intake: Intake) -> Sequence[ReplyRow]:
    """All letters that are kept, oldest first."""
    async with intake.database.read() as session:
        return list((await session.execute(select(ReplyRow).order_by(col(ReplyRow.id)))).scalars())


async def answers(intake: Intake) -> list[tuple[str, str, UUID | None]]:
    """Status, channel and who entered it, of all answers, oldest first."""
    async with intake.database.read() as session:
        rows = (await session.execute(select(CheckInRow).order_by(col(CheckInRow.reported_at)))).scalars()
        return [(row.status, row.channel, row.entered_by) for row in rows]

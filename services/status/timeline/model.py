"""Model: what is written of a situation's course, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.status.situation.model import Situation, Words, plain

TEXT_LENGTH = 600


class Flaw(StrEnum):
    """Why something was not written."""

    TEXT_MISSING = "text missing"
    TEXT_TOO_LONG = "text too long"
    SITUATION_CLOSED = "situation closed"


@dataclass(frozen=True)
class Refused:
    """It was not done, for these reasons."""

    flaws: tuple[Flaw, ...]


@dataclass(frozen=True)
class Update:
    """Something of the situation's course. `by` is an id; whose it is stands in intake alone."""

    id: UUID
    at: datetime
    by: UUID
    words: Words


def write_update(situation: Situation, words: Words, *, update_id: UUID, by: UUID, now: datetime) -> Update | Refused:
    """An update of an open situation in at least one language, or every reason why not."""
    words = cleaned(words)
    checks = (
        (situation.closed_at is None, Flaw.SITUATION_CLOSED),
        (any(vars(words).values()), Flaw.TEXT_MISSING),
        (_short(words), Flaw.TEXT_TOO_LONG),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    return Refused(flaws) if flaws else Update(update_id, now, by, words)


def write_closing(words: Words) -> Words | Refused:
    """How the situation ended, in the languages in which somebody wrote it: it may be none. Refused if too long."""
    words = cleaned(words)
    return words if _short(words) else Refused((Flaw.TEXT_TOO_LONG,))


def cleaned(words: Words) -> Words:
    """The same as plain text."""
    return Words(plain(words.fi), plain(words.sv), plain(words.en))


def _short(words: Words) -> bool:
    return all(len(text) <= TEXT_LENGTH for text in vars(words).values())

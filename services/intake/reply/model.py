"""Reply model: what becomes of a letter that answers one of ours. What is not plain is never guessed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.intake.checkin.model import NOTE_LIMIT, Said
from services.intake.invitation.model import AskedRound
from shared.events.intake import OperatingStatus

BOX = "vastaus"
"""The mailbox to which answers come, each with a key after a plus sign."""

KEY_LENGTH = 32
TOLD_AT_MOST = 3
TOLD_WITHIN = timedelta(days=1)
"""How often one association's mail is answered in a day: a mail program that answers by itself cannot make us loop."""


class ReplyState(StrEnum):
    """What has become of a letter that came. Only `waiting` can still change."""

    READ = "read"
    WAITING = "waiting"
    INTERPRETED = "interpreted"
    SET_ASIDE = "set_aside"
    AUTOMATIC = "automatic"


class Why(StrEnum):
    """Why a letter is where it is."""

    PLAIN = "plain"
    UNCLEAR = "unclear"
    NO_WORDS = "no_words"
    UNREADABLE = "unreadable"
    CLOSED = "closed"
    OVERTAKEN = "overtaken"
    AUTO_REPLY = "auto_reply"
    REPORT = "report"
    LIST = "list"


class Aside(StrEnum):
    """Why a letter sets nothing, as the person says who read it."""

    NO_ANSWER = "no_answer"
    HANDLED = "handled"
    SPAM = "spam"


@dataclass(frozen=True)
class Attachment:
    """What came with a letter and was not kept: its type and its size in bytes."""

    type: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter as it was read: all of its text, and in `words` only what its writer wrote anew. `author` is the address
    that it names as its writer's, in small letters: anybody can write any there, so it opens nothing.

    `automatic` says why nobody wrote it; None for what a person did. `written_at` is its own date, where it has one.
    """

    message_id: str
    author: str = ""
    subject: str = ""
    text: str = ""
    words: str = ""
    attachments: tuple[Attachment, ...] = ()
    size: int = 0
    written_at: datetime | None = None
    automatic: Why | None = None
    unreadable: bool = False


@dataclass(frozen=True)
class Asked:
    """The invitation that a letter answers, and when its association answered last."""

    invitation_id: UUID
    asked: AskedRound
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """What becomes of a letter: its state, why, and how the association operates where that is plain."""

    state: ReplyState
    why: Why
    said: Said | None = None


@dataclass(frozen=True)
class Arrived:
    """A letter that has come to the address with this key's hash."""

    reply_id: UUID
    door: bytes
    letter: Letter
    received_at: datetime
    status: OperatingStatus | None = None
    """What its words say plainly."""


@dataclass(frozen=True)
class Interpretation:
    """What a person of the staff made of a letter: a status, or the reason for which it sets none."""

    by: UUID
    status: OperatingStatus | None = None
    aside: Aside | None = None


def standing(arrived: Arrived, asked: Asked) -> Standing:
    """What becomes of a letter that came just now."""
    letter = arrived.letter
    if letter.automatic is not None:
        return Standing(ReplyState.AUTOMATIC, letter.automatic)
    if letter.unreadable:
        return Standing(ReplyState.WAITING, Why.UNREADABLE)
    if not asked.asked.open(arrived.received_at):
        return Standing(ReplyState.WAITING, Why.CLOSED)
    if arrived.status is None:
        return Standing(ReplyState.WAITING, Why.UNCLEAR if letter.words else Why.NO_WORDS)
    if letter.written_at and asked.answered_at and letter.written_at < asked.answered_at:
        return Standing(ReplyState.WAITING, Why.OVERTAKEN)
    return Standing(ReplyState.READ, Why.PLAIN, said(arrived.status, letter.words))


def said(status: OperatingStatus, words: str) -> Said:
    """The answer that is recorded: the status, and the writer's own words as its note."""
    note = " ".join(words.split())
    return Said(status=status, note=note if len(note) <= NOTE_LIMIT else note[: NOTE_LIMIT - 1].rstrip() + "…")


def key_of(address: str, *, domain: str) -> str | None:
    """The key in an address to which answers come; None for any other address. Case is of no account."""
    local, _, host = address.lower().rpartition("@")
    box, _, key = local.partition("+")
    whole = box == BOX and host == domain.lower() and len(key) == KEY_LENGTH
    return key if whole and key.isascii() and key.isalnum() else None

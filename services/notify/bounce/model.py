"""Model of bounces: what a letter says that came back, and what follows from it. Pure: time is passed in."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from services.notify.delivery.model import REPORTED, Kind
from shared.realm import LIVE

SOFT_DAYS = 5
SOFT_WINDOW = timedelta(days=30)
"""A subscriber whose letters came back for a passing reason on so many distinct days (UTC) of the last 30 gets no more
broadcasts. Relays try for days before they give up: five such days are no bad evening."""

KEPT = timedelta(days=30)
"""So long a letter that came back is kept as it is; what was read from it stays."""

MOST_OF_ONE = 20
"""Letters that are taken back for one delivery. No honest mail server needs as many."""

TRIES = 3
"""How often reading a letter is begun; one that ends its reader each time waits for a person."""


class Found(StrEnum):
    """What a letter that came back says."""

    HARD = "hard"
    """The address does not work."""
    SOFT = "soft"
    """The letter did not arrive, for a reason that may pass: a full mailbox, a server that was away for days."""
    POLICY = "policy"
    """The letter was refused for what it is or where it comes from: that says nothing of the address."""
    COMPLAINT = "complaint"
    """The recipient marked the letter as unwanted."""
    DELAYED = "delayed"
    """It is still being tried."""
    AUTOMATIC = "automatic"
    """It arrived: an absence note, a receipt, a report of success."""
    UNCLEAR = "unclear"
    """No program can tell."""

    @property
    def returned(self) -> bool:
        """True if the letter did not arrive."""
        return self in {Found.HARD, Found.SOFT, Found.POLICY}


class State(StrEnum):
    """What has become of a letter that came back."""

    NEW = "new"
    READ = "read"
    UNCLEAR = "unclear"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Report:
    """What was read; `status` is the code that says why (RFC 3463, or three digits), empty where there is none."""

    found: Found
    status: str = ""
    subject: str = ""
    excerpt: str = ""

    @property
    def reason(self) -> str:
        """For the ledger: what happened, without any person."""
        return " ".join(part for part in ("returned:", self.found, self.status) if part)


@dataclass(frozen=True)
class Returned:
    """What came back, and of which delivery."""

    delivery: int
    realm: str
    letter_id: UUID
    recipient_id: UUID
    kind: Kind
    report: Report


@dataclass(frozen=True)
class Follows:
    """What follows for somebody."""

    suppress: bool = False
    unsubscribe: bool = False
    tell: bool = False
    """Others learn that their letter did not arrive: the next contact is asked."""


TO_SUBSCRIBERS = frozenset({Kind.GUIDANCE, Kind.CONFIRM})


def follows(returned: Returned, *, soft_days: int) -> Follows:
    """What follows from a letter that came back; `soft_days` are the days on which hers did in SOFT_WINDOW, this one
    included.

    A subscriber is spared further letters. A contact of an association is never blocked: whoever asked is told. What
    comes back in an exercise says nothing in the real world, where the subscribers are.
    """
    found = returned.report.found
    if returned.kind in REPORTED:
        return Follows(tell=found.returned)
    if returned.kind not in TO_SUBSCRIBERS or returned.realm != LIVE:
        return Follows()
    worn_out = found is Found.SOFT and soft_days >= SOFT_DAYS
    return Follows(suppress=found is Found.HARD or worn_out, unsubscribe=found is Found.COMPLAINT)


_CODE = re.compile(r"(?<![\d.])([245])\.[0-7]\.\d{1,3}(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.])[45][0-5]\d(?=[ -]\D)")

_PASSING = frozenset(
    {"5.2.2", "5.2.3", "5.2.121", "5.2.122", "5.3.1", "5.3.2", "5.3.4", "5.4.6", "5.4.7", "5.4.14", "5.4.300", "552"}
)
"""Full, too large, out of room, going round in circles, out of time: codes that some give for good though they pass."""

_OURS = frozenset({"5.1.7", "5.1.8", "5.1.9", "554"})
"""The sender's address, and a refusal without a reason."""

_GONE = frozenset({"5.7.13", "5.7.17"})
"""Policies that mean: nobody is there any more (RFC 7293 and the registry of codes)."""


def meaning(code: str) -> Found:
    """What a status code means for the address: class 4 passes; class 5 does not, but for those that say otherwise.

    The conversation (5.5), content (5.6) and policy (5.7) are refusals of the letter, often of all our letters: to
    count them against the address would lose every subscriber of a provider that blocks us for a day.
    """
    if code.startswith("4") or code in _PASSING:
        return Found.SOFT
    if code in _GONE:
        return Found.HARD
    if code in _OURS or code.startswith(("5.5.", "5.6.", "5.7.")):
        return Found.POLICY
    return Found.HARD


def code_in(text: str) -> str:
    """The code that a text names as the reason: the first that says something, else the first at all, else none.

    Codes of RFC 3463 come before the three digits of SMTP, whose meaning depends on the command; 2 is no reason.
    """
    codes = [found.group() for found in _CODE.finditer(text) if found[1] != "2"]
    return next((code for code in codes if not vague(code)), "") or _reply_in(text) or next(iter(codes), "")


def vague(code: str) -> bool:
    """True for a code that says nothing but its class."""
    return code in {"", "5.0.0", "4.0.0", "5.3.0", "5.5.0"}


def _reply_in(text: str) -> str:
    return next((found.group() for found in _REPLY.finditer(text)), "")


def worst(found: Iterable[Found]) -> Found | None:
    """Of several, the one that counts: the first in the order in which they are declared."""
    order = list(Found)
    return min(found, key=order.index, default=None)

"""Audit: each row's hash covers the one before it, so that a changed, missing or added row shows."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

BEGINNING = bytes(32)
"""What stands for the previous hash of the first row."""


@dataclass(frozen=True)
class Deed:
    """One act: who (nobody named: the operator at the command line), when, what, and to whom or what it was done.

    Which acts there are is said by the service.
    """

    at: datetime
    act: str
    actor: UUID | None
    subject: str
    details: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Book:
    """What differs between the audits of services: where the pages are, how each act is told after the name of the one
    who did it, and the names of its details."""

    path: str
    sentences: Mapping[str, str]
    details: Mapping[str, str]


@dataclass(frozen=True)
class Link:
    """A deed in its place in the chain; `number` counts from 1 without gaps."""

    number: int
    deed: Deed
    previous: bytes
    hash: bytes


@dataclass(frozen=True)
class Head:
    """The number and the hash of the last row."""

    number: int = 0
    hash: bytes = BEGINNING


@dataclass(frozen=True)
class Wanted:
    """Which rows are looked for: by whom (`operator`: at the command line), which act, about what, and when."""

    actor: UUID | None = None
    operator: bool = False
    act: str | None = None
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        """True if nothing narrows, so that rows which follow one another must have numbers which do."""
        return self == Wanted()


@dataclass(frozen=True)
class Checked:
    """How the chain was found: whole from the first row to `whole_to` at `whole_at`, or broken at a row."""

    whole_to: int = 0
    whole_at: datetime | None = None
    broken_at: int | None = None


def link(head: Head, deed: Deed) -> Link:
    """The next row after the head."""
    number = head.number + 1
    return Link(number, deed, head.hash, chain_hash(head.hash, number, deed))


def chain_hash(previous: bytes, number: int, deed: Deed) -> bytes:
    """SHA-256 over the previous hash and the row as JSON with sorted keys, 32 bytes."""
    told = {
        "number": number,
        "at": deed.at.astimezone(UTC).isoformat(),
        "act": str(deed.act),
        "actor": str(deed.actor) if deed.actor else None,
        "subject": deed.subject,
        "details": deed.details,
    }
    return hashlib.sha256(previous + json.dumps(told, sort_keys=True).encode()).digest()


def unchanged(row: Link) -> bool:
    """True if the row is as it was written, whatever stands before and after it."""
    return row.hash == chain_hash(row.previous, row.number, row.deed)


def follow(last: Head, links: Iterable[Link]) -> tuple[Head, int | None]:
    """Go on from `last`: how far these rows, in order, are whole, and the number of the first that is missing, moved
    or not as it was written."""
    for row in links:
        if row.number != last.number + 1 or row.previous != last.hash or not unchanged(row):
            return last, last.number + 1
        last = Head(row.number, row.hash)
    return last, None


def first_break(links: Iterable[Link], head: Head) -> int | None:
    """The number of the first row that is missing, moved or not as it was written; None when all is whole."""
    last, broken = follow(Head(), links)
    return broken if broken or last == head else last.number + 1


def first_wrong(rows: Sequence[Link], *, gaps: bool) -> int | None:
    """The lowest number among these rows, newest first, that is changed; with `gaps` also one that is missing."""
    wrong = None
    for newer, row in zip((None, *rows), rows, strict=False):
        if gaps and newer is not None and (newer.number != row.number + 1 or newer.previous != row.hash):
            wrong = row.number + 1
        if not unchanged(row):
            wrong = row.number
    return wrong

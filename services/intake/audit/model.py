"""Audit model: each row's hash covers the one before it, so that a changed, missing or added row shows."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

BEGINNING = bytes(32)
"""What stands for the previous hash of the first row."""


class Act(StrEnum):
    """What the staff can do that is written down."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    LINK_MADE = "sign_in_link_made"
    PERSON_ADDED = "person_added"
    PERSON_CHANGED = "person_changed"
    REGISTRY_IMPORTED = "registry_imported"
    ASSOCIATION_ADDED = "association_added"
    ASSOCIATION_CHANGED = "association_changed"
    ASSOCIATION_MERGED = "association_merged"
    ASSOCIATION_RETIRED = "association_retired"
    ASSOCIATION_RESTORED = "association_restored"
    CONTACT_ADDED = "contact_added"
    CONTACT_CHANGED = "contact_changed"
    CONTACT_MOVED = "contact_moved"
    CONTACT_REMOVED = "contact_removed"
    PROPOSAL_DECIDED = "proposal_decided"
    NETWORK_CHANGED = "network_changed"
    MEMBERS_ADDED = "network_members_added"
    MEMBERS_REMOVED = "network_members_removed"
    CONFIRMATION_ASKED = "confirmation_asked"
    ANSWER_ENTERED = "answer_entered"
    CALL_TRIED = "call_tried"
    SHEETS_MADE = "sheets_made"
    REPLY_INTERPRETED = "reply_interpreted"
    REPLY_SET_ASIDE = "reply_set_aside"
    REGISTRY_EXPORTED = "registry_exported"


@dataclass(frozen=True)
class Deed:
    """One act: who (nobody named: the operator at the command line), when, what, and to whom or what it was done."""

    at: datetime
    act: Act
    actor: UUID | None
    subject: str
    details: dict[str, str | int] = field(default_factory=dict)


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


def link(head: Head, deed: Deed) -> Link:
    """The next row after the head."""
    number = head.number + 1
    return Link(number, deed, head.hash, chain_hash(head.hash, number, deed))


def chain_hash(previous: bytes, number: int, deed: Deed) -> bytes:
    """SHA-256 over the previous hash and the row as JSON with sorted keys, 32 bytes."""
    told = {
        "number": number,
        "at": deed.at.astimezone(UTC).isoformat(),
        "act": deed.act,
        "actor": str(deed.actor) if deed.actor else None,
        "subject": deed.subject,
        "details": deed.details,
    }
    return hashlib.sha256(previous + json.dumps(told, sort_keys=True).encode()).digest()


def first_break(links: Iterable[Link], head: Head) -> int | None:
    """The number of the first row that is missing, moved or not as it was written; None when all is whole."""
    last = Head()
    for row in links:
        expected = last.number + 1
        whole = row.number == expected and row.previous == last.hash
        if not whole or row.hash != chain_hash(row.previous, row.number, row.deed):
            return expected
        last = Head(row.number, row.hash)
    return None if last == head else last.number + 1

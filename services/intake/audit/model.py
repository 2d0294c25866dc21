"""Audit model: each row's hash covers the one before it, so that a changed, missing or added row shows."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from shared.i18n import N_

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
    SESSIONS_ENDED = "sessions_ended"
    KEY_MADE = "api_key_made"
    KEY_REVOKED = "api_key_revoked"
    AUDIT_EXPORTED = "audit_exported"
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


SENTENCES = {
    Act.SIGNED_IN: N_("signed in"),
    Act.SIGNED_OUT: N_("signed out"),
    Act.LINK_MADE: N_("made a sign-in link for a person"),
    Act.PERSON_ADDED: N_("added a person"),
    Act.PERSON_CHANGED: N_("changed a person's details or rights"),
    Act.REGISTRY_IMPORTED: N_("imported a list into the registry"),
    Act.REGISTRY_EXPORTED: N_("exported associations from the registry"),
    Act.SESSIONS_ENDED: N_("ended a person's sessions"),
    Act.KEY_MADE: N_("made a key for a partner"),
    Act.KEY_REVOKED: N_("revoked a partner's key"),
    Act.AUDIT_EXPORTED: N_("exported the audit"),
    Act.ASSOCIATION_ADDED: N_("added an association"),
    Act.ASSOCIATION_CHANGED: N_("changed an association"),
    Act.ASSOCIATION_MERGED: N_("merged two associations"),
    Act.ASSOCIATION_RETIRED: N_("retired an association"),
    Act.ASSOCIATION_RESTORED: N_("restored an association"),
    Act.CONTACT_ADDED: N_("added a contact"),
    Act.CONTACT_CHANGED: N_("changed a contact"),
    Act.CONTACT_MOVED: N_("changed the order of contacts"),
    Act.CONTACT_REMOVED: N_("removed a contact"),
    Act.PROPOSAL_DECIDED: N_("decided on a contact's proposal"),
    Act.NETWORK_CHANGED: N_("changed a network"),
    Act.MEMBERS_ADDED: N_("added associations to a network"),
    Act.MEMBERS_REMOVED: N_("removed associations from a network"),
    Act.CONFIRMATION_ASKED: N_("asked contacts to confirm their details"),
    Act.ANSWER_ENTERED: N_("entered an answer for an association"),
    Act.CALL_TRIED: N_("tried to call an association"),
    Act.SHEETS_MADE: N_("made sheets of paper"),
    Act.REPLY_INTERPRETED: N_("interpreted a reply by mail"),
    Act.REPLY_SET_ASIDE: N_("set a reply by mail aside"),
}
"""Each act as the page tells it after the name of the one who did it."""


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


@dataclass(frozen=True)
class Wanted:
    """Which rows are looked for: by whom (`operator`: at the command line), which act, about what, and when."""

    actor: UUID | None = None
    operator: bool = False
    act: Act | None = None
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
        "act": deed.act,
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

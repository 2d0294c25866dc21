"""People model: which change of a person is refused, and why."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from services.intake.access.model import PersonEntry
from shared.identity import Role


class Refusal(StrEnum):
    """Why a change is not made. Nothing of it is."""

    GONE = "there is no such person"
    ADDRESS_TAKEN = "somebody else has this address"
    CHANGED_MEANWHILE = "somebody else changed the person meanwhile"
    OWN_ROLE = "nobody takes away one's own administrator role"
    LAST_ADMINISTRATOR = "somebody must remain to do this"


@dataclass(frozen=True)
class Known:
    """A person of the list, and how many sessions of theirs hold now."""

    person_id: UUID
    entry: PersonEntry
    sessions: int = 0


def administers(entry: PersonEntry) -> bool:
    """True if the person may change the list of people."""
    limited = entry.municipalities or entry.networks
    return Role.ADMINISTRATOR in entry.roles and not entry.retired and not limited


def refusal(before: PersonEntry, after: PersonEntry, *, own: bool, others: int) -> Refusal | None:
    """Whether this change may be made; `own` if to oneself, `others` are the administrators beside this person."""
    if not administers(before) or administers(after):
        return None
    if others == 0:
        return Refusal.LAST_ADMINISTRATOR
    return Refusal.OWN_ROLE if own and not after.retired else None


def fingerprint(entry: PersonEntry) -> str:
    """What a form remembers of the person that it showed, so that a change made meanwhile is noticed."""
    told = (
        entry.name,
        entry.email,
        sorted(entry.roles),
        sorted(entry.municipalities),
        sorted(entry.networks),
        entry.language,
        entry.retired,
    )
    return sha256(repr(told).encode()).hexdigest()[:16]

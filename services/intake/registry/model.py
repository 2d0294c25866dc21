"""Registry model: what the register knows of an association and of those who answer for it."""

from dataclasses import dataclass
from enum import StrEnum


class ContactState(StrEnum):
    """What is known of a contact's address."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"
    FAILED = "failed"


class Plan(StrEnum):
    """Whether an association has a preparedness plan; of which year a made one is, is told beside it."""

    UNKNOWN = "unknown"
    NONE = "none"
    DRAFT = "draft"
    MADE = "made"


@dataclass(frozen=True)
class Entry:
    """An association as the register tells it; municipality and sector are codes, language a locale's name."""

    register_number: str
    name: str
    municipality: str
    sector: str
    language: str


@dataclass(frozen=True)
class Person:
    """A contact as the register tells it; what is not known is empty."""

    name: str = ""
    email: str | None = None
    phone: str = ""
    language: str = "fi"


def name_key(name: str) -> str:
    """What two spellings of a name share: one case, single spaces."""
    return " ".join(name.casefold().split())

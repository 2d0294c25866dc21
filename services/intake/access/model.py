"""Access model: how long a link and a session hold, and where one may be led after signing in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.identity import Role

LINK_VALID = timedelta(minutes=15)
SESSION_VALID = timedelta(hours=12)
START_PAGE = "/situations"


@dataclass(frozen=True)
class PersonEntry:
    """A member of the staff as an administrator tells it; `municipalities` limit what may be seen, empty means all."""

    name: str
    email: str
    roles: frozenset[Role]
    municipalities: frozenset[str] = frozenset()
    language: str = "fi"
    retired: bool = False


@dataclass(frozen=True)
class SignedIn:
    """What a used link leads to."""

    session_id: UUID
    person_id: UUID
    roles: frozenset[Role]
    municipalities: frozenset[str]
    valid_until: datetime
    next_path: str


def email_key(email: str) -> str:
    """What two spellings of one address share."""
    return email.strip().casefold()


def local_path(path: str) -> str:
    """The path if it leads to a page of this very site, else the page on which the staff start."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else START_PAGE


def limits_less(before: PersonEntry, after: PersonEntry) -> bool:
    """True if sessions opened under `before` hold more than, or other than, `after` gives: they must end."""
    return after.retired or (before.roles, before.municipalities) != (after.roles, after.municipalities)

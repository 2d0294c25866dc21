"""Access model: how long a link and a session hold, and where one may be led after signing in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.identity import Role

LINK_VALID = timedelta(minutes=15)
SESSION_VALID = timedelta(hours=12)
START_PAGE = "/situations"

_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrom", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class PersonEntry:
    """A member of the staff as an administrator tells it; `municipalities` and `networks` limit what may be seen,
    both empty means all."""

    name: str
    email: str
    roles: frozenset[Role]
    municipalities: frozenset[str] = frozenset()
    language: str = "fi"
    retired: bool = False
    networks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SignedIn:
    """What a used link leads to."""

    session_id: UUID
    person_id: UUID
    roles: frozenset[Role]
    municipalities: frozenset[str]
    networks: frozenset[str]
    valid_until: datetime
    next_path: str


@dataclass(frozen=True)
class OpenSession:
    """A session that still holds; `browser` is its family in words, empty where that is not known."""

    session_id: UUID
    signed_in_at: datetime | None
    valid_until: datetime
    browser: str


def email_key(email: str) -> str:
    """What two spellings of one address share."""
    return email.strip().casefold()


def local_path(path: str) -> str:
    """The path if it leads to a page of this very site, else the page on which the staff start."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else START_PAGE


def limits_less(before: PersonEntry, after: PersonEntry) -> bool:
    """True if sessions opened under `before` hold more than, or other than, `after` gives: they must end."""
    return after.retired or _rights(before) != _rights(after)


def browser_family(user_agent: str) -> str:
    """The browser's and the system's names, all that is kept of a User-Agent: `Firefox, Windows`; else empty."""
    known = (_first(user_agent, _BROWSERS), _first(user_agent, _SYSTEMS))
    return ", ".join(name for name in known if name)


def _first(user_agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in names if mark in user_agent), "")


def _rights(entry: PersonEntry) -> tuple[frozenset[Role], frozenset[str], frozenset[str]]:
    return entry.roles, entry.municipalities, entry.networks

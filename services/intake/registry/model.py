"""Registry model: what the register knows of an association and of those who answer for it."""

import re
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from enum import StrEnum

from shared.i18n import N_, Locale
from shared.identity import Staff

NAME_LIMIT = 100
PHONE_LIMIT = 40
EMAIL_LIMIT = 254
BEST_TIME_LIMIT = 100

_EMAIL = re.compile(r"[^\s<>()\[\]\\,;:\"@]{1,64}@([\w-]+\.)+[\w-]{2,}")


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


class ProposalKind(StrEnum):
    """What a contact asks the clerk to do: it is never done on the word of whoever holds a link."""

    LEAVES = "leaves"
    ADDRESS = "address"


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


@dataclass(frozen=True)
class Card:
    """A contact as a person writes it down: a Person, and when to call. What is not known is empty."""

    name: str = ""
    email: str = ""
    phone: str = ""
    best_time: str = ""
    language: str = "fi"

    @property
    def flaws(self) -> dict[str, str]:
        """What must be mended, by field."""
        limits = {"name": NAME_LIMIT, "phone": PHONE_LIMIT, "best_time": BEST_TIME_LIMIT, "email": EMAIL_LIMIT}
        written = asdict(self)
        found = {
            name: N_("This is too long. Please shorten it.")
            for name, most in limits.items()
            if len(written[name]) > most
        }
        if self.email and "email" not in found and not is_email(self.email):
            found["email"] = N_("Write the address as name@example.org, or leave it empty.")
        if self.language not in Locale._value2member_map_:
            found["language"] = N_("Choose one of these.")
        if not (self.name or self.email or self.phone):
            found["name"] = N_("Write a name, an address or a phone number.")
        return found


@dataclass(frozen=True, order=True)
class Ability:
    """What an association can do for others; `amount` None where nobody counted."""

    capability: str
    amount: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which associations are looked for. Codes; what is empty is no condition.

    `contact` is a ContactState that one of the contacts has, or `none`; `retired` is empty (in use), `retired` or
    `all`. `within` and `of` are the municipalities and networks that may be seen: one is enough, both empty mean all.
    """

    text: str = ""
    municipality: str = ""
    sub_region: str = ""
    sector: str = ""
    network: str = ""
    capability: str = ""
    plan: str = ""
    contact: str = ""
    retired: str = ""
    within: Set[str] = frozenset()
    of: Set[str] = frozenset()

    @classmethod
    def asked(cls, asked: Mapping[str, str], *, staff: Staff) -> "Wanted":
        """What an address asks for, of what this person may see."""

        def code(name: str) -> str:
            return asked.get(name, "")[:60].replace("\0", "")

        return cls(
            text=asked.get("q", "")[:200].replace("\0", ""),
            municipality=code("municipality"),
            sub_region=code("sub_region"),
            sector=code("sector"),
            network=code("network"),
            capability=code("capability"),
            plan=code("plan"),
            contact=code("contact"),
            retired=code("retired"),
            within=staff.municipalities,
            of=staff.networks,
        )

    @property
    def query(self) -> dict[str, str]:
        """The same as parameters of an address; what is empty is left out."""
        written = {name: value for name, value in asdict(self).items() if name not in {"within", "of", "text"}}
        return {name: value for name, value in {"q": self.text, **written}.items() if value}


def name_key(name: str) -> str:
    """What two spellings of a name share: one case, single spaces."""
    return " ".join(name.casefold().split())


def register_key(number: str) -> str:
    """A register number as it is kept: without the full stops and spaces of its grouping."""
    return "".join(number.replace(".", "").split())


def is_email(text: str) -> bool:
    """True if a letter can be addressed so."""
    return _EMAIL.fullmatch(text) is not None


def network_name(names: Mapping[str, str], locale: Locale) -> str:
    """A network's name in a reader's language, else in Finnish, else in any."""
    return names.get(locale.lang) or names.get(Locale.FI) or next(iter(names.values()), "")

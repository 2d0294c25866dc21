"""Model of the subscribers: what a person asks for, whom guidance reaches, and what was consented to."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from shared import region
from shared.i18n import N_, Gettext, Locale
from shared.ids import derived_token

UNCONFIRMED_KEPT = timedelta(hours=48)
"""So long a subscription waits for its confirmation; then it is forgotten."""

WHOLE_REGION = "*"
"""In place of a municipality: all of them, those that join later too."""

CONSENT_VERSION = "2026-1"
CONSENT_TEXT = N_(
    "The association council of Kanta-Häme may send guidance for exceptional situations to this address. "
    "It is used for nothing else. You can leave at any time by the link in every message."
)
"""What a person agrees to. A changed text needs a new version: the record names both."""

EVERYWHERE = frozenset(place.code for place in region.MUNICIPALITIES)
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])")


class Audience(StrEnum):
    """The group for which a person reads."""

    MEMBERS = "members"
    PROFESSIONALS = "professionals"
    RESIDENTS = "residents"


AUDIENCE_NAMES = {
    Audience.MEMBERS: N_("members"),
    Audience.PROFESSIONALS: N_("professionals"),
    Audience.RESIDENTS: N_("residents"),
}


class State(StrEnum):
    """Where a subscription stands. `left` is kept, so that no list of addresses can bring a person back; `suppressed`,
    whose letters come back, likewise. Both begin anew when the person asks and confirms."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SUPPRESSED = "suppressed"
    LEFT = "left"


class Basis(StrEnum):
    """Why we may write: the person's own consent, or the work or office that she holds."""

    CONSENT = "consent"
    OPERATIONAL = "operational"


@dataclass(frozen=True)
class Wishes:
    """What a subscriber wants to get. No municipality means the whole region."""

    audiences: frozenset[Audience]
    municipalities: frozenset[str]
    locale: Locale

    def pairs(self) -> list[tuple[Audience, str]]:
        """The rows that planning searches: each audience in each municipality, sorted."""
        places = self.municipalities or {WHOLE_REGION}
        return sorted((audience, place) for audience in self.audiences for place in places)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a form, in words to be translated."""

    field: str
    message: str


@dataclass(frozen=True)
class Consent:
    """The record of what a person was shown when she asked."""

    version: str
    text_hash: str


@dataclass(frozen=True)
class Matching:
    """Whom a revision of guidance is for. No area means the whole region."""

    audiences: frozenset[Audience]
    areas: frozenset[str]

    def reaches(self, wishes: Wishes) -> bool:
        """The rule: a shared audience, and a shared place where both sides name places."""
        near = not self.areas or not wishes.municipalities or not self.areas.isdisjoint(wishes.municipalities)
        return near and not self.audiences.isdisjoint(wishes.audiences)


@dataclass(frozen=True)
class ImportedSubscriber:
    """A subscriber from a list whose keeper stands for the basis. No municipality means the whole region."""

    email: str
    audience: Audience
    municipalities: tuple[str, ...]
    locale: Locale
    basis: Basis = Basis.OPERATIONAL


@dataclass(frozen=True)
class Reach:
    """How many people a revision would reach: each counted once in `total`, once in each of her audiences.

    `over`: it is of an exercise that has ended, and cannot be released any more.
    """

    total: int
    by_audience: dict[Audience, int]
    over: bool = False


@dataclass(frozen=True)
class Links:
    """The addresses that belong to one subscriber alone; whoever holds one may change that subscription."""

    secret: str
    public_url: str

    def token(self, subscriber_id: UUID) -> str:
        """The token that stands in every link to this person."""
        return derived_token(self.secret, "subscription", subscriber_id)

    def genuine(self, subscriber_id: UUID, token: str) -> bool:
        """True for the very token of this subscriber."""
        return hmac.compare_digest(self.token(subscriber_id).encode(), token.encode())

    def preferences(self, subscriber_id: UUID) -> str:
        """The page on which to change or leave."""
        return f"{self.public_url}/s/{subscriber_id}/{self.token(subscriber_id)}"

    def confirm(self, subscriber_id: UUID) -> str:
        """The page on which to confirm."""
        return f"{self.preferences(subscriber_id)}/confirm"


def email_key(email: str) -> str:
    """One key for all spellings of an address in capitals and small letters."""
    return email.strip().casefold()


def read_email(text: str) -> str | None:
    """The address as it can be sent to (a Finnish domain in its ASCII form), or None if it is none."""
    local, _, domain = text.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode().lower()
    except UnicodeError:
        return None
    if len(local) > 64 or len(domain) > 188 or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return None
    return f"{local}@{domain}"


def read_wishes(
    audiences: Iterable[str], municipalities: Iterable[str], locale: str
) -> tuple[Wishes | None, list[Problem]]:
    """What a form asks for, or what is missing in it. All municipalities are the whole region."""
    chosen = frozenset(Audience(name) for name in audiences if name in Audience._value2member_map_)
    places = frozenset(municipalities) & EVERYWHERE
    problems = []
    if not chosen:
        problems.append(Problem("audience", N_("Choose at least one group.")))
    if locale not in Locale._value2member_map_:
        problems.append(Problem("language", N_("Choose a language.")))
    if problems:
        return None, problems
    return Wishes(chosen, frozenset() if places == EVERYWHERE else places, Locale(locale)), []


def consent(_: Gettext) -> Consent:
    """The consent that is shown in the language of `_`: the form's version and SHA-256 of the very text."""
    return Consent(CONSENT_VERSION, hashlib.sha256(_(CONSENT_TEXT).encode()).hexdigest())


def merged(rows: Sequence[ImportedSubscriber]) -> dict[str, tuple[ImportedSubscriber, Wishes]]:
    """One entry for each address, by its key: groups and places of all its rows, the rest of the first."""
    entries: dict[str, tuple[ImportedSubscriber, Wishes]] = {}
    for row in rows:
        key = email_key(row.email)
        places = frozenset(row.municipalities)
        wishes = Wishes(frozenset({row.audience}), frozenset() if places >= EVERYWHERE else places, row.locale)
        if key in entries:
            first, before = entries[key]
            entries[key] = first, _joined(before, wishes)
        else:
            entries[key] = row, wishes
    return entries


def _joined(one: Wishes, other: Wishes) -> Wishes:
    whole = not one.municipalities or not other.municipalities
    places = frozenset() if whole else one.municipalities | other.municipalities
    return Wishes(one.audiences | other.audiences, places, one.locale)

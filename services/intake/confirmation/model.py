"""Confirmation model: who is asked whether the details are right, when, and with which letter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.events.notify import LetterRequested
from shared.i18n import HELSINKI
from shared.realm import LIVE

HALF_A_YEAR = timedelta(days=182)
LINK_VALID = timedelta(days=60)
LETTER_VALID = timedelta(days=7)
FIRST_HOUR, LAST_HOUR = 9, 17
SATURDAY = 5


class Reason(StrEnum):
    """Why nobody is asked just now."""

    NONE = ""
    ROUND_OPEN = "a round is open"
    OUT_OF_HOURS = "it is not office time"


@dataclass(frozen=True)
class Asking:
    """A contact who is due, and the association for which the contact answers."""

    contact_id: UUID
    address: str
    language: str
    association_name: str


def half_year(now: datetime) -> str:
    """The half-year in Finland, `2027-1` from January and `2027-2` from July: a campaign begins by itself in each."""
    today = now.astimezone(HELSINKI)
    return f"{today.year}-{1 if today.month < 7 else 2}"


def due_before(now: datetime) -> datetime:
    """Whoever was asked or confirmed before this moment, or never, is due."""
    return now - HALF_A_YEAR


def wait(now: datetime, *, by_itself: bool, round_open: bool) -> Reason:
    """Why to wait. While associations are asked how they are, nobody gets another letter; a campaign that began by
    itself keeps to office time, Monday to Friday."""
    if round_open:
        return Reason.ROUND_OPEN
    today = now.astimezone(HELSINKI)
    office = today.weekday() < SATURDAY and FIRST_HOUR <= today.hour < LAST_HOUR
    return Reason.OUT_OF_HOURS if by_itself and not office else Reason.NONE


def letter(asking: Asking, *, campaign_id: UUID, confirmation_id: UUID, link: str, now: datetime) -> LetterRequested:
    """The wish for the letter that asks this contact. The register is the live one: so is every such letter."""
    return LetterRequested(
        happened_at=now,
        realm=LIVE,
        letter_id=campaign_id,
        recipient_id=confirmation_id,
        kind="details",
        address=asking.address,
        locale=asking.language,
        not_after=now + LETTER_VALID,
        personal={"association": asking.association_name, "link": link},
    )

"""Model: signing up for an exercise, who is on its list, and how long that is kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.exercise.announcement.model import Announced, Problem, Stage
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.i18n import N_, Locale
from shared.ids import new_id
from shared.realm import LIVE

UNCONFIRMED_KEPT: Final = timedelta(hours=48)
KEPT_AFTER: Final = timedelta(days=30)
"""So long after an exercise is over its addresses are kept."""

TOLD_AFTER: Final = timedelta(minutes=10)
"""So long a change must stand until those who have signed up are told of it: a slip of the hand tells nobody."""

MOST_LINKS: Final = 10
"""Letters with a link that one address gets for one exercise, whoever asks for them."""

ASSOCIATION_LENGTH: Final = 200
FORGOTTEN: Final = "forgotten:"
"""With what stands in place of an address that was forgotten, so that it still counts."""

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@.{{4,190}}$){_ATOM}(\.{_ATOM})*@([a-z0-9-]+\.)+[a-z0-9-]{{2,63}}")


class SignUpState(StrEnum):
    """Whether whoever has the address has confirmed."""

    ASKED = "asked"
    CONFIRMED = "confirmed"


class Source(StrEnum):
    """How an address came on the list."""

    HAND = "hand"
    SIGN_UP = "sign_up"


SOURCE_NAMES = {Source.HAND: N_("Added by hand"), Source.SIGN_UP: N_("Signed up")}


class Refusal(StrEnum):
    """Why something could not be done any more."""

    BEGUN = "begun"
    FULL = "full"


@dataclass(frozen=True)
class Asked:
    """What somebody wrote who wants to take part."""

    address: str
    association: str
    locale: Locale


@dataclass(frozen=True)
class SignUp:
    """What a link leads to: somebody's sign-up for an exercise."""

    id: UUID
    address: str
    association: str
    locale: Locale
    state: SignUpState
    asked_at: datetime
    announced: Announced


@dataclass(frozen=True)
class Participant:
    """Somebody on the list; `association` is empty for those who were added by hand."""

    address: str
    locale: Locale
    source: Source
    association: str = ""

    @property
    def forgotten(self) -> bool:
        """True if the address is not known any more."""
        return self.address.startswith(FORGOTTEN)


def read_address(text: str) -> str | None:
    """The address as it can be sent to, in small letters, its domain in ASCII; None if it is none."""
    local, _, domain = text.strip().lower().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return None
    return address if _ADDRESS.fullmatch(address) else None


def read_sign_up(email: str, association: str, language: str) -> Asked | Sequence[Problem]:
    """What a form asks for, or everything that is wrong with it."""
    address, named = read_address(email), " ".join(association.split())
    problems = []
    if address is None:
        problems.append(Problem("email", N_("Write an email address, for example name@example.org.")))
    if not named or not named.isprintable():
        problems.append(Problem("association", N_("Write the name of your association.")))
    elif len(named) > ASSOCIATION_LENGTH:
        problems.append(Problem("association", N_("The name can have at most 200 characters.")))
    if language not in Locale._value2member_map_:
        problems.append(Problem("language", N_("Choose a language.")))
    if problems or address is None:
        return problems
    return Asked(address, named, Locale(language))


def read_addresses(text: str) -> tuple[str, ...] | Problem:
    """The addresses of a text, one to a line, each once, sorted; or the first that is none."""
    lines = [line for line in text.splitlines() if line.strip()]
    read = [(line, read_address(line)) for line in lines]
    wrong = next((line.strip() for line, address in read if address is None), None)
    if wrong is not None:
        return Problem("participants", wrong)
    return tuple(sorted({address for _, address in read if address}))


def expired(state: SignUpState, asked_at: datetime, now: datetime) -> bool:
    """True for a sign-up that waited too long for its confirmation."""
    return state is SignUpState.ASKED and asked_at <= now - UNCONFIRMED_KEPT


def standing(announced: Announced) -> str:
    """What somebody who has signed up must know of an exercise: when it begins, or that it was cancelled."""
    if announced.stage is Stage.CANCELLED:
        return Stage.CANCELLED.value
    return announced.announcement.starts_at.isoformat()


def to_be_told(announced: Announced, now: datetime) -> bool:
    """True if what holds now stands long enough, and still matters: whoever takes part knows of a beginning."""
    matters = announced.stage in {Stage.OPEN, Stage.CANCELLED} and announced.announcement.ends_at > now
    return matters and announced.changed_at <= now - TOLD_AFTER


def notice(
    announced: Announced,
    sign_up: Mapping[str, str],
    *,
    letter_id: UUID,
    sign_up_id: UUID,
    link: str,
    now: datetime,
) -> LetterRequested:
    """The wish for the letter that tells of a new time, or that it was cancelled; `sign_up` as for `letter`."""
    return LetterRequested(
        happened_at=now,
        realm=LIVE,
        letter_id=letter_id,
        recipient_id=sign_up_id,
        kind="sign_up",
        address=sign_up["address"],
        locale=sign_up["locale"],
        not_after=now + UNCONFIRMED_KEPT,
        shared=_shared(announced, "cancelled" if announced.stage is Stage.CANCELLED else "moved"),
        personal={"link": link},
    )


def letter(
    announced: Announced, sign_up: Mapping[str, str], *, sign_up_id: UUID, link: str, known: bool, now: datetime
) -> UrgentLetterRequested:
    """The wish for the letter with the link: an ordinary one, of the real world. `sign_up` has address and locale."""
    return UrgentLetterRequested(
        happened_at=now,
        realm=LIVE,
        letter_id=new_id(),
        recipient_id=sign_up_id,
        kind="sign_up",
        address=sign_up["address"],
        locale=sign_up["locale"],
        not_after=now + UNCONFIRMED_KEPT,
        shared=_shared(announced, "known" if known else ""),
        personal={"link": link},
    )


def _shared(announced: Announced, purpose: str) -> dict[str, str]:
    """What is the same in all letters of this purpose about an exercise."""
    return {
        **{f"name.{locale}": name for locale, name in announced.exercise.names.items()},
        "purpose": purpose,
        "closes_at": announced.announcement.starts_at.isoformat(),
    }

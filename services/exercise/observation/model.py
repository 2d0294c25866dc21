"""Model: an observation of an exercise, in the words of HSEEP: a strength, or an area for improvement with its
corrective action, who is responsible for it, and by when."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.i18n import N_
from shared.realm import Realm

LONGEST_TEXT: Final = 2000
LONGEST_OWNER: Final = 100
_PRIVATE = re.compile(r"@|\d{5}")


class Sort(StrEnum):
    """What an observation is about."""

    STRENGTH = "strength"
    TO_IMPROVE = "to-improve"


SORT_NAMES = {Sort.STRENGTH: N_("Strength"), Sort.TO_IMPROVE: N_("To improve")}


class Flaw(StrEnum):
    """Why an observation was not kept."""

    NO_SORT = "no sort"
    NO_TEXT = "no text"
    TEXT_TOO_LONG = "text too long"
    OBJECTIVE_UNKNOWN = "objective unknown"
    ACTION_TOO_LONG = "action too long"
    NO_OWNER = "no owner"
    OWNER_TOO_LONG = "owner too long"
    OWNER_PRIVATE = "owner private"
    NO_DUE = "no due date"
    DUE_UNREADABLE = "due date unreadable"


@dataclass(frozen=True)
class Observation:
    """What was seen. `action` is empty unless something is to be done, by `owner`, until `due`. `objective` is the key
    of an objective of the scenario, or empty."""

    id: UUID
    realm: Realm
    sort: Sort
    text: str
    objective: str
    action: str
    owner: str
    due: date | None
    written_at: datetime
    closed_at: datetime | None = None

    @property
    def open_action(self) -> bool:
        """True if its corrective action is still to be done."""
        return bool(self.action) and self.closed_at is None

    def late(self, today: date) -> bool:
        """True if its corrective action should have been done by now."""
        return self.open_action and self.due is not None and self.due < today


@dataclass(frozen=True)
class Draft:
    """An observation as it stands in the form; nothing in it is checked yet."""

    sort: str
    text: str
    objective: str = ""
    action: str = ""
    owner: str = ""
    due: str = ""


@dataclass(frozen=True)
class Refused:
    """It was not kept, for these reasons."""

    flaws: tuple[Flaw, ...]


def write_observation(
    draft: Draft, *, observation_id: UUID, realm: Realm, objectives: Collection[str], now: datetime
) -> Observation | Refused:
    """The observation, or every reason why not. Only what is to improve has a corrective action, and that has somebody
    responsible, who is no private person, and a day."""
    sort = next((one for one in Sort if one == draft.sort), None)
    text, objective = _plain(draft.text), draft.objective.strip()
    asks = sort is Sort.TO_IMPROVE
    action, owner = (_plain(draft.action), " ".join(draft.owner.split())) if asks else ("", "")
    due, readable = _day(draft.due.strip()) if asks else (None, True)
    checks = (
        (sort is not None, Flaw.NO_SORT),
        (bool(text), Flaw.NO_TEXT),
        (len(text) <= LONGEST_TEXT, Flaw.TEXT_TOO_LONG),
        (not objective or objective in objectives, Flaw.OBJECTIVE_UNKNOWN),
        (len(action) <= LONGEST_TEXT, Flaw.ACTION_TOO_LONG),
        (not action or bool(owner), Flaw.NO_OWNER),
        (len(owner) <= LONGEST_OWNER, Flaw.OWNER_TOO_LONG),
        (not _PRIVATE.search(owner), Flaw.OWNER_PRIVATE),
        (not action or due is not None or not readable, Flaw.NO_DUE),
        (readable, Flaw.DUE_UNREADABLE),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws or sort is None:
        return Refused(flaws)
    return Observation(observation_id, realm, sort, text, objective, action, owner, due, now)


def closed(observation: Observation, now: datetime) -> Observation:
    """The same with its corrective action done."""
    return replace(observation, closed_at=observation.closed_at or now)


def reopened(observation: Observation) -> Observation:
    """The same with its corrective action still to be done."""
    return replace(observation, closed_at=None)


def _plain(text: str) -> str:
    """The text with single spaces, and its line breaks."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _day(text: str) -> tuple[date | None, bool]:
    """The day, and whether it could be read."""
    if not text:
        return None, True
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, False
    return (day, True) if 2000 <= day.year < 2200 else (None, False)

"""Editing model: what a clerk may write of an association, and what a change of it changes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from uuid import UUID

from services.intake.registry.model import Ability, Plan
from shared import region
from shared.i18n import N_, Locale

NAME_LIMIT = 200
NUMBER_LIMIT = 20
NOTE_LIMIT = 200
MOST = 1_000_000
FIRST_YEAR, LAST_YEAR = 1980, 2100

_REGISTER_NUMBER = re.compile(r"[0-9A-Za-z/-]+")


@dataclass(frozen=True, kw_only=True)
class Details:
    """An association as a clerk writes it down; codes, abilities by capability. `plan_year` is for a made plan."""

    register_number: str
    name: str
    municipality: str
    sector: str
    language: str
    plan: Plan = Plan.UNKNOWN
    plan_year: int | None = None
    networks: frozenset[str] = frozenset()
    abilities: tuple[Ability, ...] = ()

    @property
    def flaws(self) -> dict[str, str]:
        """What must be mended, by field."""
        found = {}
        if not self.name or len(self.name) > NAME_LIMIT:
            found["name"] = N_("Write the name, at most 200 characters.")
        if not _REGISTER_NUMBER.fullmatch(self.register_number) or len(self.register_number) > NUMBER_LIMIT:
            found["register_number"] = N_("This is not a register number: digits, letters, - and / only.")
        known = {
            "municipality": {place.code for place in region.MUNICIPALITIES},
            "sector": {sector.code for sector in region.SECTORS},
            "language": set(Locale._value2member_map_),
        }
        found |= {name: N_("Choose one of these.") for name, codes in known.items() if getattr(self, name) not in codes}
        if self.plan_year is not None and not FIRST_YEAR <= self.plan_year <= LAST_YEAR:
            found["plan_year"] = N_("Write the year with four digits, or leave it empty.")
        return found | self._flaws_of_abilities()

    def _flaws_of_abilities(self) -> dict[str, str]:
        found = {}
        for one in self.abilities:
            if one.amount is not None and not 1 <= one.amount <= MOST:
                found[f"amount-{one.capability}"] = N_("Write a whole number, or leave it empty.")
            if len(one.note) > NOTE_LIMIT:
                found[f"note-{one.capability}"] = N_("This is too long. Please shorten it.")
        return found


class Verdict(StrEnum):
    """What became of an edit."""

    SAVED = "saved"
    SAME = "same"
    GONE = "gone"
    CONFLICT = "conflict"
    NUMBER_TAKEN = "number taken"
    NAMESAKE = "namesake"


@dataclass(frozen=True)
class Outcome:
    """The verdict; `association_id` is the one that was saved, or the other one that stands in the way."""

    verdict: Verdict
    association_id: UUID


def changed_fields(before: Details, after: Details) -> tuple[str, ...]:
    """The names of the fields in which the two differ; never what stands in them."""
    names = [field.name for field in fields(Details)]
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def judge(
    present: Details | None, wanted: Details, *, seen: bool, holder: UUID | None, namesakes: Sequence[UUID], own: UUID
) -> Outcome:
    """Decide on an edit (`present` is None for a new association).

    `seen` is whether the present state is the one that the clerk looked at, `holder` who has the register number,
    `namesakes` who else bears the name in the municipality: a clerk who says so may save beside them (then none is
    given). A form sent again, which wants what is there already, is never a conflict.
    """
    if present == wanted:
        return Outcome(Verdict.SAME, own)
    if not seen:
        return Outcome(Verdict.CONFLICT, own)
    if holder is not None and holder != own:
        return Outcome(Verdict.NUMBER_TAKEN, holder)
    others = [one for one in namesakes if one != own]
    if others:
        return Outcome(Verdict.NAMESAKE, others[0])
    return Outcome(Verdict.SAVED, own)

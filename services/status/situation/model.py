"""Model: what a situation and a round are, and under which conditions they may be opened."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.status.association.model import Filter
from shared import region
from shared.events.status import (
    ASKED_PER_EVENT,
    RoundClosed,
    RoundOpened,
    SituationChanged,
    SituationClosed,
    SituationOpened,
)
from shared.i18n import N_
from shared.realm import Realm

NAME_LENGTH = 120
FRESHNESS_HOURS = range(1, 7 * 24 + 1)
DEADLINE_HOURS = range(1, 14 * 24 + 1)
REMINDERS = range(4)

ALL_MUNICIPALITIES = tuple(place.code for place in region.MUNICIPALITIES)
ALL_SECTORS = tuple(field.code for field in region.SECTORS)
ALL_CAPABILITIES = tuple(capability.code for capability in region.CAPABILITIES)


class Kind(StrEnum):
    """What has happened."""

    STORM = "storm"
    POWER_CUT = "power-cut"
    WATER = "water"
    PANDEMIC = "pandemic"
    EVACUATION = "evacuation"
    CYBER = "cyber"
    WILDFIRE = "wildfire"
    OTHER = "other"


KIND_NAMES = {
    Kind.STORM: N_("Storm"),
    Kind.POWER_CUT: N_("Power cut"),
    Kind.WATER: N_("Disturbed water supply"),
    Kind.PANDEMIC: N_("Pandemic"),
    Kind.EVACUATION: N_("Evacuation"),
    Kind.CYBER: N_("Cyber disturbance"),
    Kind.WILDFIRE: N_("Wildfire"),
    Kind.OTHER: N_("Other situation"),
}


class Flaw(StrEnum):
    """Why something was not opened, changed or closed."""

    NAME_MISSING = "name missing"
    NAME_TOO_LONG = "name too long"
    KIND_UNKNOWN = "kind unknown"
    NO_MUNICIPALITY = "no municipality"
    NO_SECTOR = "no sector"
    FRESHNESS_OUT_OF_RANGE = "freshness out of range"
    DEADLINE_OUT_OF_RANGE = "deadline out of range"
    REMINDERS_OUT_OF_RANGE = "reminders out of range"
    RECURRENCE_OUT_OF_RANGE = "recurrence out of range"
    NOBODY_ASKED = "nobody asked"
    SITUATION_CLOSED = "situation closed"


@dataclass(frozen=True)
class Refused:
    """It was not done, for these reasons."""

    flaws: tuple[Flaw, ...]


@dataclass(frozen=True)
class Names:
    """A situation's name by language; only the Finnish one must be there."""

    fi: str
    sv: str = ""
    en: str = ""

    def of(self, locale: str) -> str:
        """The name for a locale; the Finnish one where there is none."""
        return {"sv": self.sv, "en": self.en}.get(locale, self.fi) or self.fi

    def told(self) -> dict[str, str]:
        """The names as events carry them: complete, the Finnish one standing in for what is missing."""
        return {locale: self.of(locale) for locale in ("fi", "sv", "en")}


@dataclass(frozen=True)
class Words:
    """A text by language; one is enough, and stands in for those that are missing."""

    fi: str = ""
    sv: str = ""
    en: str = ""

    def of(self, locale: str) -> str:
        """The text for a locale, or the first there is in the order Finnish, Swedish, English; "" if there is none."""
        return {"sv": self.sv, "en": self.en}.get(locale, self.fi) or self.fi or self.sv or self.en


def plain(text: str) -> str:
    """The text with its lines and without anything else that cannot be seen: no control characters, no blank ends."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    kept = ("".join(c for c in line if unicodedata.category(c) not in {"Cc", "Cs"}).rstrip() for line in lines)
    return "\n".join(kept).strip()


@dataclass(frozen=True)
class Situation:
    """A named exceptional situation. An answer is out of date after `freshness_hours`; `closing` is how it ended."""

    realm: Realm
    id: UUID
    kind: Kind
    names: Names
    municipalities: tuple[str, ...]
    freshness_hours: int
    opened_at: datetime
    opened_by: UUID
    closed_at: datetime | None = None
    closing: Words = Words()


@dataclass(frozen=True)
class SituationDraft:
    """A situation as a person wrote it into the form: nothing in it is checked yet."""

    names: Names
    kind: str
    municipalities: tuple[str, ...]
    freshness_hours: int | None


@dataclass(frozen=True)
class Opened:
    """A situation that may be opened, with the event that tells it."""

    situation: Situation
    event: SituationOpened


@dataclass(frozen=True)
class Changed:
    """A situation as it is from now on, with the event that tells it."""

    situation: Situation
    event: SituationChanged


def open_situation(
    draft: SituationDraft, *, situation_id: UUID, realm: Realm, opened_by: UUID, now: datetime
) -> Opened | Refused:
    """Open a situation, or say every reason why not."""
    flaws = _flaws(draft)
    if flaws or draft.freshness_hours is None:
        return Refused(flaws)
    situation = Situation(
        realm=realm,
        id=situation_id,
        kind=Kind(draft.kind),
        names=draft.names,
        municipalities=known(draft.municipalities, ALL_MUNICIPALITIES),
        freshness_hours=draft.freshness_hours,
        opened_at=now,
        opened_by=opened_by,
    )
    event = SituationOpened(
        happened_at=now,
        realm=realm,
        situation_id=situation_id,
        kind=situation.kind,
        names=situation.names.told(),
        municipalities=situation.municipalities,
    )
    return Opened(situation, event)


def change_situation(situation: Situation, draft: SituationDraft, *, now: datetime) -> Changed | Refused:
    """Change name, kind, area or freshness of an open situation, or say every reason why not.

    A new freshness holds for the answers that come from then on.
    """
    flaws = _flaws(draft)
    if situation.closed_at is not None:
        flaws = (Flaw.SITUATION_CLOSED, *flaws)
    if flaws or draft.freshness_hours is None:
        return Refused(flaws)
    changed = replace(
        situation,
        kind=Kind(draft.kind),
        names=draft.names,
        municipalities=known(draft.municipalities, ALL_MUNICIPALITIES),
        freshness_hours=draft.freshness_hours,
    )
    event = SituationChanged(
        happened_at=now,
        realm=changed.realm,
        situation_id=changed.id,
        kind=changed.kind,
        names=changed.names.told(),
        municipalities=changed.municipalities,
    )
    return Changed(changed, event)


def situation_closed(situation: Situation, now: datetime) -> SituationClosed:
    """The event that tells the situation's end."""
    return SituationClosed(happened_at=now, realm=situation.realm, situation_id=situation.id)


@dataclass(frozen=True)
class Round:
    """One request to check in, to all associations that the filter finds when it is opened. An urgent one is asked at
    night too; one of a series is opened anew by itself."""

    realm: Realm
    id: UUID
    situation_id: UUID
    asks: Filter
    opened_at: datetime
    closes_at: datetime
    opened_by: UUID
    asked: int = 0
    urgent: bool = False
    reminders: int = 0
    reminded: int = 0
    closed_at: datetime | None = None
    series_id: UUID | None = None


@dataclass(frozen=True)
class RoundDraft:
    """A round as a person wrote it into the form."""

    asks: Filter
    hours: int | None
    urgent: bool = False
    reminders: int = 0


def open_round(
    situation: Situation, draft: RoundDraft, *, round_id: UUID, opened_by: UUID, now: datetime
) -> Round | Refused:
    """A round of this situation that may be opened, or every reason why not. Whom it asks is counted elsewhere."""
    asks = Filter(
        known(draft.asks.municipalities, ALL_MUNICIPALITIES),
        known(draft.asks.sectors, ALL_SECTORS),
        draft.asks.networks,
        known(draft.asks.capabilities, ALL_CAPABILITIES),
    )
    checks = (
        (situation.closed_at is None, Flaw.SITUATION_CLOSED),
        (bool(asks.municipalities), Flaw.NO_MUNICIPALITY),
        (bool(asks.sectors), Flaw.NO_SECTOR),
        (draft.hours in DEADLINE_HOURS, Flaw.DEADLINE_OUT_OF_RANGE),
        (draft.reminders in REMINDERS, Flaw.REMINDERS_OUT_OF_RANGE),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws or draft.hours is None:
        return Refused(flaws)
    return Round(
        realm=situation.realm,
        id=round_id,
        situation_id=situation.id,
        asks=asks,
        opened_at=now,
        closes_at=now + timedelta(hours=draft.hours),
        opened_by=opened_by,
        urgent=draft.urgent,
        reminders=draft.reminders,
    )


def parts_of(asked: int) -> int:
    """In how many events a round that asks so many is told."""
    return -(-asked // ASKED_PER_EVENT)


def round_opened(round_: Round, names: Names, association_ids: Sequence[UUID], *, part: int, parts: int) -> RoundOpened:
    """One part of the telling of a round; at most ASKED_PER_EVENT associations."""
    return RoundOpened(
        happened_at=round_.opened_at,
        realm=round_.realm,
        situation_id=round_.situation_id,
        round_id=round_.id,
        names=names.told(),
        closes_at=round_.closes_at,
        urgent=round_.urgent,
        association_ids=tuple(association_ids),
        part=part,
        parts=parts,
    )


def round_closed(round_: Round, now: datetime) -> RoundClosed:
    """The event that tells the round's end."""
    return RoundClosed(happened_at=now, realm=round_.realm, situation_id=round_.situation_id, round_id=round_.id)


def known(codes: Iterable[str], all_of_them: Sequence[str]) -> tuple[str, ...]:
    """Those of the codes that exist, once each, in the region's own order."""
    wanted = set(codes)
    return tuple(code for code in all_of_them if code in wanted)


def _flaws(draft: SituationDraft) -> tuple[Flaw, ...]:
    checks = (
        (bool(draft.names.fi), Flaw.NAME_MISSING),
        (all(len(name) <= NAME_LENGTH for name in draft.names.told().values()), Flaw.NAME_TOO_LONG),
        (draft.kind in Kind._value2member_map_, Flaw.KIND_UNKNOWN),
        (bool(known(draft.municipalities, ALL_MUNICIPALITIES)), Flaw.NO_MUNICIPALITY),
        (draft.freshness_hours in FRESHNESS_HOURS, Flaw.FRESHNESS_OUT_OF_RANGE),
    )
    return tuple(flaw for holds, flaw in checks if not holds)

"""JSON values: what the API of the picture tells, as its document describes it; names in every language there is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.status.aid.model import Aid, Course, Side
from services.status.capability.model import Able, Answer, answer
from services.status.picture.model import Line
from services.status.readiness.model import Dimension, Face, State
from services.status.report.store import Listed
from services.status.round.model import Phase, phase
from services.status.situation.model import Kind, Round, Situation
from services.status.timeline.model import Update
from shared import region


class Value(BaseModel):
    """A value of the API."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SituationValue(Value):
    """An exceptional situation. `realm` is `live`, or the id of an exercise: show it. `closing` tells how it ended."""

    id: UUID
    realm: str
    kind: Kind
    names: Mapping[str, str]
    municipalities: tuple[str, ...]
    freshness_hours: int
    opened_at: datetime
    closed_at: datetime | None
    closing: Mapping[str, str]


class SituationList(Value):
    """Situations, the open ones first, the newest first among each."""

    items: tuple[SituationValue, ...]


class RoundValue(Value):
    """A round, and what it means in it that somebody has not answered yet."""

    id: UUID
    opened_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    asked: int
    urgent: bool
    recurs: bool
    phase: Phase


class UpdateValue(Value):
    """What somebody wrote of the situation's course, by language."""

    at: datetime
    text: Mapping[str, str]


class CourseValue(Value):
    """The course of a situation: its rounds and its updates, newest first."""

    situation: SituationValue
    rounds: tuple[RoundValue, ...]
    updates: tuple[UpdateValue, ...]


class CoverageValue(Value):
    """How much is known: of those asked, `answered` ever did, `stale` of them too long ago; the others did not."""

    asked: int
    answered: int
    fresh: int
    stale: int
    silent: int
    undeliverable: int
    not_asked: int


class LineValue(Value):
    """The figures of one place or group. `glance` is what may be said of it in one word: silence never improves it."""

    code: str
    names: Mapping[str, str]
    glance: Face
    counts: Mapping[State, int]
    coverage: CoverageValue


class PictureValue(Value):
    """The figures of a situation at a moment; of one that is over, as it was at its end. `newest` is, by state, when
    the newest answer was given. Who has several networks or capabilities is counted in each."""

    situation: SituationValue
    figures_at: datetime
    newest: Mapping[State, datetime]
    declined: int
    region: LineValue
    municipalities: tuple[LineValue, ...]
    sub_regions: tuple[LineValue, ...]
    sectors: tuple[LineValue, ...]
    capabilities: tuple[LineValue, ...]
    networks: tuple[LineValue, ...]


class CellValue(Value):
    """The figures of one pair of keys that occurs."""

    row: str
    column: str
    counts: Mapping[State, int]
    coverage: CoverageValue


class CrossedValue(Value):
    """Two dimensions crossed."""

    rows: Dimension
    columns: Dimension
    figures_at: datetime
    cells: tuple[CellValue, ...]


class AbleValue(Value):
    """An association that has a capability, and whether it can use it now: only a fresh answer says so."""

    association_id: UUID
    name: str
    municipality: str
    networks: tuple[str, ...]
    now: Answer
    state: State
    reported_at: datetime | None
    until: datetime | None
    amount: int | None
    registered: bool
    offered: bool


class AbleList(Value):
    """One page of them, those who can first, and how many there are in all that the key may see."""

    figures_at: datetime
    can: int
    cannot: int
    not_known: int
    page: int
    items: tuple[AbleValue, ...]


class AidValue(Value):
    """One association's need or offer."""

    association_id: UUID
    name: str
    municipality: str
    side: Side
    capability: str
    amount: int | None
    reported_at: datetime
    until: datetime | None
    fresh: bool
    course: Course


class AidList(Value):
    """One page of needs or offers, newest first, and how many there are in all that the key may see."""

    total: int
    page: int
    items: tuple[AidValue, ...]


class ReportValue(Value):
    """A situation report that was made."""

    number: int
    figures_at: datetime
    next_at: datetime | None


class ReportList(Value):
    """Reports, newest first."""

    items: tuple[ReportValue, ...]


class FeatureValue(Value):
    """A municipality. Its geometry is null where the installation has no boundaries."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: Mapping[str, Any] | None
    properties: LineValue


class FeatureCollection(Value):
    """The municipalities with their figures (RFC 7946)."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: tuple[FeatureValue, ...]


def situation_value(situation: Situation) -> SituationValue:
    """The situation as it is told."""
    return SituationValue(
        id=situation.id,
        realm=str(situation.realm),
        kind=situation.kind,
        names=situation.names.told(),
        municipalities=situation.municipalities,
        freshness_hours=situation.freshness_hours,
        opened_at=situation.opened_at,
        closed_at=situation.closed_at,
        closing=_texts(vars(situation.closing)),
    )


def round_value(round_: Round, now: datetime) -> RoundValue:
    """The round as it is told."""
    return RoundValue(
        id=round_.id,
        opened_at=round_.opened_at,
        closes_at=round_.closes_at,
        closed_at=round_.closed_at,
        asked=round_.asked,
        urgent=round_.urgent,
        recurs=round_.series_id is not None,
        phase=phase(round_, now),
    )


def update_value(update: Update) -> UpdateValue:
    """The update as it is told: when and what, never who."""
    return UpdateValue(at=update.at, text=_texts(vars(update.words)))


def coverage_value(line: Line) -> CoverageValue:
    """How much is known of a line."""
    known = line.coverage
    return CoverageValue(**vars(known), fresh=known.fresh)


def counts_value(line: Line) -> dict[State, int]:
    """The count in every state, also those that are nothing."""
    return {state: line.count(state) for state in State}


def line_value(line: Line, names: Mapping[str, str]) -> LineValue:
    """The line as it is told."""
    return LineValue(
        code=line.code, names=names, glance=line.face, counts=counts_value(line), coverage=coverage_value(line)
    )


def names_of(thing: region.Named) -> dict[str, str]:
    """The names of something of the region."""
    return {"fi": thing.fi, "sv": thing.sv, "en": thing.en}


def able_value(one: Able) -> AbleValue:
    """Who can do it, as it is told."""
    return AbleValue(**vars(one), now=answer(one.state))


def aid_value(one: Aid) -> AidValue:
    """A need or an offer, as it is told."""
    return AidValue(**vars(one))


def report_value(one: Listed) -> ReportValue:
    """A report, as it is told."""
    return ReportValue(**vars(one))


def _texts(words: Mapping[str, str]) -> dict[str, str]:
    return {locale: text for locale, text in words.items() if text}

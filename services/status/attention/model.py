"""Model: when a figure is too low for long enough there is a call; calls come in groups, and seldom."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.status.readiness.model import Dimension, State, Tallies, TallyKey, capability_area, coverage
from shared import region
from shared.realm import Realm

MOST_RULES = 20
"""Rules of one situation at most: so many figures are looked at in one look."""
NUMBERS = range(1, 1001)
PERCENTS = range(1, 101)
HOURS = range(169)
QUIET_HOURS = (1, 2, 4, 8, 12)
"""For how long an acknowledged call may keep quiet."""
AREAS = (region.REGION.code, *(place.code for place in region.SUB_REGIONS))


class Subject(StrEnum):
    """What a rule is about."""

    CAPABILITY = "capability"
    COVERAGE = "coverage"


class Flaw(StrEnum):
    """Why a rule was not set."""

    CAPABILITY_UNKNOWN = "capability unknown"
    AREA_UNKNOWN = "area unknown"
    NUMBER_OUT_OF_RANGE = "number out of range"
    PERCENT_OUT_OF_RANGE = "percent out of range"
    HOURS_OUT_OF_RANGE = "hours out of range"
    TOO_MANY = "too many"
    SITUATION_CLOSED = "situation closed"


@dataclass(frozen=True)
class Refused:
    """It was not set, for these reasons."""

    flaws: tuple[Flaw, ...]


@dataclass(frozen=True)
class RuleDraft:
    """A rule as a person wrote it into the form: nothing in it is checked yet."""

    subject: Subject
    area: str
    capability: str
    wanted: int | None
    hours: int | None


@dataclass(frozen=True)
class Rule:
    """Too low is less than `wanted` able associations, or less than `wanted` per cent of fresh answers `hours` after
    the first round was opened; in a sub-region, or in the whole region."""

    realm: Realm
    situation_id: UUID
    id: UUID
    subject: Subject
    area: str
    capability: str
    wanted: int
    hours: int
    made_at: datetime
    made_by: UUID


@dataclass(frozen=True)
class Pace:
    """A figure is too low for `wait` before there is a call. Calls of one situation are told together, `interval`
    apart at least; one that stays is told again after `repeat`."""

    wait: timedelta = timedelta(minutes=5)
    interval: timedelta = timedelta(minutes=10)
    repeat: timedelta = timedelta(hours=1)


PACE = Pace()


@dataclass(frozen=True)
class Watch:
    """What is known of a rule's figure. There is a call while `opened_at` is set."""

    value: int | None = None
    low_since: datetime | None = None
    opened_at: datetime | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: UUID | None = None
    acknowledged_until: datetime | None = None

    def quiet(self, now: datetime) -> bool:
        """True while an acknowledgement holds."""
        return self.acknowledged_until is not None and now < self.acknowledged_until


@dataclass(frozen=True)
class Watched:
    """A rule with what is known of its figure."""

    rule: Rule
    watch: Watch


@dataclass(frozen=True)
class Looked:
    """What a look at all figures of a situation found: every watch, and the rules that are told now, together."""

    watches: Mapping[UUID, Watch]
    told: frozenset[UUID] = field(default_factory=frozenset)


def set_rule(
    draft: RuleDraft, *, realm: Realm, situation_id: UUID, rule_id: UUID, by: UUID, now: datetime
) -> Rule | Refused:
    """A rule that may be set, or every reason why not."""
    able = draft.subject is Subject.CAPABILITY
    known = {one.code for one in region.CAPABILITIES}
    checks = (
        (not able or draft.capability in known, Flaw.CAPABILITY_UNKNOWN),
        (draft.area in AREAS, Flaw.AREA_UNKNOWN),
        (not able or draft.wanted in NUMBERS, Flaw.NUMBER_OUT_OF_RANGE),
        (able or draft.wanted in PERCENTS, Flaw.PERCENT_OUT_OF_RANGE),
        (able or draft.hours in HOURS, Flaw.HOURS_OUT_OF_RANGE),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws or draft.wanted is None:
        return Refused(flaws)
    return Rule(
        realm=realm,
        situation_id=situation_id,
        id=rule_id,
        subject=draft.subject,
        area=draft.area,
        capability=draft.capability if able else "",
        wanted=draft.wanted,
        hours=0 if able else draft.hours or 0,
        made_at=now,
        made_by=by,
    )


def rule_names(locale: str) -> dict[str, str]:
    """What rules name, by code: capabilities, sub-regions and the region."""
    return {**region.names(locale), region.REGION.code: region.REGION.name(locale)}


def figures_of(rule: Rule) -> tuple[Dimension, str]:
    """The dimension and the key whose tallies the rule is about."""
    whole = rule.area == region.REGION.code
    if rule.subject is Subject.COVERAGE:
        return (Dimension.REGION if whole else Dimension.SUB_REGION), rule.area
    if whole:
        return Dimension.CAPABILITY, rule.capability
    return Dimension.CAPABILITY_AREA, capability_area(rule.capability, rule.area)


def read(rule: Rule, tallies: Tallies, *, asked_since: datetime | None, now: datetime) -> int | None:
    """The rule's figure: associations that operate by a fresh answer, or the per cent of fresh answers, rounded down.

    None where there is nothing to say yet: nobody was asked, or not long enough ago.
    """
    if asked_since is None or now < asked_since + timedelta(hours=rule.hours):
        return None
    counts = {state: tallies[TallyKey(*figures_of(rule), state)] for state in State}
    if rule.subject is Subject.CAPABILITY:
        return counts[State.NORMAL] + counts[State.LIMITED]
    known = coverage(counts)
    return 100 * known.fresh // known.asked if known.asked else None


def look(
    watched: Mapping[UUID, Watched],
    values: Mapping[UUID, int | None],
    *,
    told_at: datetime | None,
    now: datetime,
    pace: Pace = PACE,
) -> Looked:
    """Look at all figures of a situation, whose calls were last told at `told_at`.

    A figure that is back ends its call at once. New calls, and those that are told again, are told together, and never
    sooner than `pace.interval` after the last time, whatever the figures do. What was acknowledged is not told.
    """
    watches = {
        rule_id: _seen(one.watch, values[rule_id], wanted=one.rule.wanted, now=now, pace=pace)
        for rule_id, one in watched.items()
    }
    due = {rule_id for rule_id, watch in watches.items() if _due(watch, now, pace)}
    if not due or (told_at is not None and now < told_at + pace.interval):
        return Looked(watches)
    told = {
        rule_id: replace(watches[rule_id], opened_at=watches[rule_id].opened_at or now, told_at=now) for rule_id in due
    }
    return Looked({**watches, **told}, frozenset(due))


def _seen(watch: Watch, value: int | None, *, wanted: int, now: datetime, pace: Pace) -> Watch:
    """The watch after its figure was read. Of what cannot be read nothing new is known."""
    if value is None:
        return watch
    if value >= wanted:
        ended_at = now if watch.opened_at else watch.ended_at
        return replace(watch, value=value, low_since=None, opened_at=None, told_at=None, ended_at=ended_at)
    low_since = watch.low_since or now
    opened_at = watch.opened_at
    if opened_at is None and watch.quiet(now) and now - low_since >= pace.wait:
        opened_at = now
    return replace(watch, value=value, low_since=low_since, opened_at=opened_at)


def _due(watch: Watch, now: datetime, pace: Pace) -> bool:
    if watch.low_since is None or watch.quiet(now):
        return False
    if watch.opened_at is None:
        return now - watch.low_since >= pace.wait
    lapsed = watch.acknowledged_until is not None and (
        watch.told_at is None or watch.told_at < watch.acknowledged_until
    )
    return lapsed or watch.told_at is None or now - watch.told_at >= pace.repeat

"""Model: what a check-in does to an association's standing, and what the tallies of standings say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.status.association.model import Traits
from shared import region
from shared.events.intake import AssociationDeclined, AssociationNotReached, CheckInReceived, OperatingStatus
from shared.realm import Realm

SLOT = timedelta(minutes=5)
"""The steps of the trend."""

THIN = 0.20
"""Below this share of fresh answers among those asked, nothing is said of an area's condition."""

MARKED = 0.25
"""From this share of the fresh answers on, a condition marks the whole area."""


class State(StrEnum):
    """How an association stands in a situation. Silence, old news and bad addresses are never a condition."""

    NORMAL = "normal"
    LIMITED = "limited"
    SUSPENDED = "suspended"
    STALE = "stale"
    NOT_ANSWERED = "not_answered"
    UNDELIVERABLE = "undeliverable"
    NOT_ASKED = "not_asked"


FRESH = frozenset({State.NORMAL, State.LIMITED, State.SUSPENDED})


class Dimension(StrEnum):
    """What tallies are kept by.

    DECLINED counts those among the others who said that they will not answer this time, by municipality and region and
    by the state in which they are all the same: it is a count of its own and takes from no other.
    """

    MUNICIPALITY = "municipality"
    SUB_REGION = "sub_region"
    REGION = "region"
    SECTOR = "sector"
    NETWORK = "network"
    CAPABILITY = "capability"
    CAPABILITY_AREA = "capability_area"
    DECLINED = "declined"


class Face(StrEnum):
    """What one tile says of its municipality."""

    NORMAL = "normal"
    LIMITED = "limited"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What became of something heard: it counted, or the reason why it did not."""

    HEARD = "heard"
    OLDER = "an answer as new is known"
    REPEATED = "already applied"
    ANSWERED = "answered since it was asked"
    OTHER_ROUND = "about another round"
    SITUATION_UNKNOWN = "situation unknown"
    ASSOCIATION_UNKNOWN = "association unknown"
    LEFT = "the association has left the registry"


@dataclass(frozen=True)
class Standing:
    """How one association stands in one situation. `state` follows from the newest answer, and from time."""

    realm: Realm
    situation_id: UUID
    association_id: UUID
    municipality: str
    sector: str
    networks: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    state: State = State.NOT_ASKED
    status: OperatingStatus | None = None
    reported_at: datetime | None = None
    fresh_until: datetime | None = None
    until: datetime | None = None
    checkin_id: UUID | None = None
    asked_at: datetime | None = None
    round_id: UUID | None = None
    reached: bool = True
    declined: bool = False

    @property
    def traits(self) -> Traits:
        """What it is counted by."""
        return Traits(self.municipality, self.sector, self.networks, self.capabilities)

    def counted_by(self, traits: Traits) -> "Standing":
        """The same, counted by these."""
        return replace(self, **traits._asdict())


class TallyKey(NamedTuple):
    """One figure: how many, by which dimension, under which key, are in which state."""

    dimension: Dimension
    key: str
    state: State


Tallies = Counter[TallyKey]


def hear(standing: Standing, checkin: CheckInReceived, *, freshness: timedelta, now: datetime) -> Standing | Verdict:
    """The standing after a check-in, or the reason why it stays as it is.

    The newest report counts (`reported_at`, then `checkin_id`), in whichever order reports come. It is fresh for
    `freshness`, or to the moment up to which the association itself expected it to hold, whichever is sooner.
    """
    if standing.reported_at is not None and standing.checkin_id is not None:
        if checkin.checkin_id == standing.checkin_id:
            return Verdict.REPEATED
        if (checkin.reported_at, checkin.checkin_id) < (standing.reported_at, standing.checkin_id):
            return Verdict.OLDER
    fresh_until = checkin.reported_at + freshness
    if checkin.until is not None and checkin.until > checkin.reported_at:
        fresh_until = min(fresh_until, checkin.until)
    since_asked = standing.asked_at is None or checkin.reported_at >= standing.asked_at
    return replace(
        standing,
        state=State(checkin.status) if fresh_until > now else State.STALE,
        status=checkin.status,
        reported_at=checkin.reported_at,
        fresh_until=fresh_until,
        until=checkin.until,
        checkin_id=checkin.checkin_id,
        reached=standing.reached or since_asked,
        declined=standing.declined and not since_asked,
    )


def not_reached(standing: Standing, event: AssociationNotReached) -> Standing | Verdict:
    """The standing when a round's letter found nobody. Answers known from before stay what they are."""
    hindrance = _says_nothing(standing, event.round_id)
    if hindrance is not None:
        return hindrance
    silent = standing.state in {State.NOT_ANSWERED, State.UNDELIVERABLE}
    return replace(standing, reached=False, state=State.UNDELIVERABLE if silent else standing.state)


def declined(standing: Standing, event: AssociationDeclined) -> Standing | Verdict:
    """The standing when an association said "not this time": as before, and counted among those who said so until it
    answers or is asked anew. Whoever will not answer is no less silent for it."""
    return _says_nothing(standing, event.round_id) or replace(standing, declined=True)


def _says_nothing(standing: Standing, round_id: UUID) -> Verdict | None:
    """Why something that is said of silence in a round is of no account; None where it is."""
    if round_id != standing.round_id:
        return Verdict.OTHER_ROUND
    if standing.reported_at and standing.asked_at and standing.reported_at >= standing.asked_at:
        return Verdict.ANSWERED
    return None


def expire(standing: Standing, now: datetime) -> Standing:
    """The standing at a later time: a condition whose freshness has ended is stale."""
    if standing.state in FRESH and standing.fresh_until is not None and standing.fresh_until <= now:
        return replace(standing, state=State.STALE)
    return standing


def asked_again(state: State) -> State:
    """The state when a new round asks: who could not be reached is only silent until that is known again."""
    return State.NOT_ANSWERED if state in {State.NOT_ASKED, State.UNDELIVERABLE} else state


def absorb(heir: Standing | None, gone: Standing, *, heir_id: UUID, traits: Traits) -> Standing:
    """The standing of an association into which another was merged: the newer of the two answers is its answer.

    Without a standing of its own it takes that of the other as it is.
    """
    if heir is None:
        return replace(gone, association_id=heir_id).counted_by(traits)
    heir = heir.counted_by(traits)
    if gone.reported_at is None or gone.checkin_id is None:
        return heir
    own = (heir.reported_at, heir.checkin_id) if heir.reported_at and heir.checkin_id else None
    if own is not None and own >= (gone.reported_at, gone.checkin_id):
        return heir
    return replace(
        heir,
        state=gone.state,
        status=gone.status,
        reported_at=gone.reported_at,
        fresh_until=gone.fresh_until,
        until=gone.until,
        checkin_id=gone.checkin_id,
        reached=heir.reached or gone.reached,
        declined=heir.declined and not (heir.asked_at is None or gone.reported_at >= heir.asked_at),
    )


def tally_keys(traits: Traits, *, declined: bool = False) -> list[tuple[Dimension, str]]:
    """Where an association is counted."""
    keys = [
        (Dimension.MUNICIPALITY, traits.municipality),
        (Dimension.REGION, region.REGION.code),
        (Dimension.SECTOR, traits.sector),
        *((Dimension.NETWORK, code) for code in traits.networks),
        *((Dimension.CAPABILITY, code) for code in traits.capabilities),
    ]
    if traits.municipality in MUNICIPALITY_CODES:
        area = region.sub_region_of(traits.municipality).code
        keys.append((Dimension.SUB_REGION, area))
        keys.extend((Dimension.CAPABILITY_AREA, capability_area(code, area)) for code in traits.capabilities)
    if declined:
        keys += [(Dimension.DECLINED, traits.municipality), (Dimension.DECLINED, region.REGION.code)]
    return keys


def capability_area(capability: str, area: str) -> str:
    """The key under which a capability is counted in a sub-region."""
    return f"{capability}@{area}"


MUNICIPALITY_CODES = frozenset(place.code for place in region.MUNICIPALITIES)


def tally_deltas(before: Standing | None, after: Standing | None) -> Tallies:
    """How the figures change when a standing becomes another; None: there is none, and nothing is counted."""
    deltas: Tallies = Counter()
    for standing, one in ((after, 1), (before, -1)):
        if standing is not None:
            for dimension, key in tally_keys(standing.traits, declined=standing.declined):
                deltas[TallyKey(dimension, key, standing.state)] += one
    return nonzero(deltas)


def recounted(counts: Iterable[tuple[Traits, State, bool, int]]) -> Tallies:
    """The figures from scratch, from (traits, state, declined, count) of the standings themselves."""
    tallies: Tallies = Counter()
    for traits, state, has_declined, count in counts:
        for dimension, key in tally_keys(traits, declined=has_declined):
            tallies[TallyKey(dimension, key, state)] += count
    return nonzero(tallies)


def nonzero(tallies: Tallies) -> Tallies:
    """Without the figures that are nothing; negative ones stay."""
    return Counter({key: count for key, count in tallies.items() if count})


def difference(after: Tallies, before: Tallies) -> Tallies:
    """What must be added to `before` to get `after`."""
    deltas = Counter(after)
    deltas.subtract(before)
    return nonzero(deltas)


@dataclass(frozen=True)
class Coverage:
    """How much is known: of those asked, `answered` ever did (`stale` of them too long ago), the rest did not."""

    asked: int
    answered: int
    stale: int
    silent: int
    undeliverable: int
    not_asked: int

    @property
    def fresh(self) -> int:
        """Answers that still hold."""
        return self.answered - self.stale

    @property
    def share(self) -> float:
        """Fresh answers as a share of those asked; 0 when nobody was asked."""
        return self.fresh / self.asked if self.asked else 0.0


def coverage(counts: Mapping[State, int]) -> Coverage:
    """The coverage of one key's counts by state. An answer that was not asked for counts as asked."""
    stale, silent = counts.get(State.STALE, 0), counts.get(State.NOT_ANSWERED, 0)
    undeliverable = counts.get(State.UNDELIVERABLE, 0)
    answered = stale + sum(counts.get(state, 0) for state in FRESH)
    return Coverage(
        asked=answered + silent + undeliverable,
        answered=answered,
        stale=stale,
        silent=silent,
        undeliverable=undeliverable,
        not_asked=counts.get(State.NOT_ASKED, 0),
    )


def face(counts: Mapping[State, int]) -> Face:
    """What a tile, a municipality on the map, or a row says. Unknown if fewer than THIN of those asked have a fresh
    answer, so that empty is never green, and if the answers that are out of date could change what the fresh ones say.

    Otherwise of the fresh answers: suspended from MARKED suspended on, limited from MARKED limited or suspended on.
    Silence, and answers that grow old, lead to unknown or change nothing: they never lead to a better face.
    """
    known = coverage(counts)
    if known.asked == 0 or known.share < THIN:
        return Face.UNKNOWN
    suspended, limited = counts.get(State.SUSPENDED, 0), counts.get(State.LIMITED, 0)
    said = _marked(suspended, limited, of=known.fresh)
    at_worst = _marked(suspended + known.stale, limited, of=known.answered)
    return said if said is at_worst else Face.UNKNOWN


def _marked(suspended: int, limited: int, *, of: int) -> Face:
    if suspended >= MARKED * of:
        return Face.SUSPENDED
    return Face.LIMITED if suspended + limited >= MARKED * of else Face.NORMAL


def slot_of(moment: datetime) -> datetime:
    """The beginning of the five minutes in which a moment lies."""
    return moment - timedelta(
        minutes=moment.minute % (SLOT.seconds // 60), seconds=moment.second, microseconds=moment.microsecond
    )

"""Model: what a check-in does to an association's standing, and what the tallies of standings say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from services.status.answer.model import Answer, Choice, Flaw, Pin, answer_of, choose, kept
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
    by the state in which they are all the same: it is a count of its own and takes from no other. So is DISPUTED, of
    those whose answers disagree.
    """

    MUNICIPALITY = "municipality"
    SUB_REGION = "sub_region"
    REGION = "region"
    SECTOR = "sector"
    NETWORK = "network"
    CAPABILITY = "capability"
    CAPABILITY_AREA = "capability_area"
    DECLINED = "declined"
    DISPUTED = "disputed"


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
    """How one association stands in one situation.

    `state` follows from the answer that counts, and from time. That is the newest of `answers`, or the one in `pin`.
    It is disputed while there are several answers and no pin.
    """

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
    answers: tuple[Answer, ...] = ()
    pin: Pin | None = None
    disputed: bool = False

    @property
    def newest(self) -> Answer | None:
        """The newest answer, whether it counts or not."""
        return self.answers[-1] if self.answers else None

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

    The newest report counts (`reported_at`, then `checkin_id`), in whichever order reports come; others that differ
    are kept as `kept` says. It is fresh for `freshness`, or to the moment up to which the association itself expected
    it to hold, whichever is sooner.
    """
    if checkin.checkin_id in {one.checkin_id for one in standing.answers}:
        return Verdict.REPEATED
    answers = kept((*standing.answers, answer_of(checkin, freshness)))
    if answers == standing.answers:
        return Verdict.OLDER
    since_asked = standing.asked_at is None or checkin.reported_at >= standing.asked_at
    return _settled(
        replace(
            standing,
            answers=answers,
            reached=standing.reached or since_asked,
            declined=standing.declined and not since_asked,
        ),
        now,
    )


def pinned(standing: Standing, choice: Choice, now: datetime) -> Standing | tuple[Flaw, ...]:
    """The standing in which the chosen answer counts, until a newer answer than those that were seen comes; or every
    reason why not."""
    chosen, flaws = choose(choice, standing.answers)
    if flaws or chosen is None:
        return flaws
    pin = Pin(answer=chosen, over=standing.answers[-1].place, reason=choice.reason, by=choice.by, at=now)
    return _settled(replace(standing, pin=pin), now)


def _settled(standing: Standing, now: datetime) -> Standing:
    """The standing as its answers and its pin make it."""
    pin = standing.pin if standing.pin and standing.pin.holds(standing.answers) else None
    counts = pin.answer if pin else standing.answers[-1]
    return replace(
        standing,
        state=State(counts.status) if counts.fresh_until > now else State.STALE,
        status=counts.status,
        reported_at=counts.reported_at,
        fresh_until=counts.fresh_until,
        until=counts.until,
        checkin_id=counts.checkin_id,
        pin=pin,
        disputed=pin is None and len(standing.answers) > 1,
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
    if standing.newest and standing.asked_at and standing.newest.reported_at >= standing.asked_at:
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
    """The standing of an association into which another was merged: the newer of the two answers is its answer, those
    that differ are kept as if they were one's, and a pin stays that no answer of the two is newer than.

    Without a standing of its own it takes that of the other as it is.
    """
    if heir is None:
        return replace(gone, association_id=heir_id).counted_by(traits)
    heir = heir.counted_by(traits)
    if gone.newest is None:
        return heir
    newer = heir.newest is None or heir.newest.place < gone.newest.place
    answers = kept((*heir.answers, *gone.answers))
    leads = gone if newer else heir
    pins = [one for one in (heir, gone) if one.pin and one.pin.holds(answers)]
    counts = max(pins, key=lambda one: (one.pin and one.pin.at, one is heir), default=leads)
    return replace(
        heir,
        state=counts.state,
        status=counts.status,
        reported_at=counts.reported_at,
        fresh_until=counts.fresh_until,
        until=counts.until,
        checkin_id=counts.checkin_id,
        answers=answers,
        pin=counts.pin if pins else None,
        disputed=not pins and len(answers) > 1,
        reached=heir.reached or (newer and gone.reached),
        declined=heir.declined and not (newer and (heir.asked_at is None or gone.newest.reported_at >= heir.asked_at)),
    )


def tally_keys(traits: Traits, *, declined: bool = False, disputed: bool = False) -> list[tuple[Dimension, str]]:
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
    for apart, dimension in ((declined, Dimension.DECLINED), (disputed, Dimension.DISPUTED)):
        if apart:
            keys += [(dimension, traits.municipality), (dimension, region.REGION.code)]
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
            keys = tally_keys(standing.traits, declined=standing.declined, disputed=standing.disputed)
            for dimension, key in keys:
                deltas[TallyKey(dimension, key, standing.state)] += one
    return nonzero(deltas)


class Group(NamedTuple):
    """So many standings that are counted alike."""

    traits: Traits
    state: State
    many: int = 1
    declined: bool = False
    disputed: bool = False


def recounted(groups: Iterable[Group]) -> Tallies:
    """The figures from scratch, from the standings themselves."""
    tallies: Tallies = Counter()
    for group in groups:
        for dimension, key in tally_keys(group.traits, declined=group.declined, disputed=group.disputed):
            tallies[TallyKey(dimension, key, group.state)] += group.many
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

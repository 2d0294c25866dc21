"""Standings for the tests of the readiness model: one who was asked, what is heard of it, and what may become of it."""

from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from services.status.answer.model import Choice
from services.status.association.model import Traits
from services.status.readiness.model import (
    Standing,
    State,
    absorb,
    declined,
    expire,
    hear,
    not_reached,
    pinned,
)
from shared.events.intake import AssociationDeclined, AssociationNotReached, Channel, CheckInReceived, OperatingStatus
from shared.realm import LIVE
from tests.fakes import STORM_EVENING

FRESHNESS = timedelta(hours=12)
SITUATION, ROUND, OTHER_ROUND, PERSON = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
TRAITS = (
    Traits("834", "village", ("silta",), ("first-aid", "transport")),
    Traits("433", "sports", (), ("transport",)),
    Traits("061", "village", ("silta", "silta-youth")),
    Traits("000", "unheard of"),
)

News = CheckInReceived | AssociationNotReached | AssociationDeclined


def standing(number: int = 0) -> Standing:
    return Standing(
        realm=LIVE,
        situation_id=SITUATION,
        association_id=UUID(int=100 + number),
        **TRAITS[number % len(TRAITS)]._asdict(),
        state=State.NOT_ANSWERED,
        asked_at=STORM_EVENING,
        round_id=ROUND,
    )


def report(
    number: int = 0,
    *,
    minutes: int = 10,
    seconds: int = 0,
    status: OperatingStatus = OperatingStatus.NORMAL,
    until: int | None = None,
    checkin_id: int | None = None,
) -> CheckInReceived:
    at = STORM_EVENING + timedelta(minutes=minutes, seconds=seconds)
    return CheckInReceived(
        happened_at=at,
        realm=LIVE,
        checkin_id=UUID(int=1000 + (60 * minutes + seconds + 100_000 if checkin_id is None else checkin_id)),
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=ROUND,
        status=status,
        reported_at=at,
        channel=Channel.LINK,
        until=None if until is None else STORM_EVENING + timedelta(minutes=until),
    )


def nobody(number: int = 0, round_id: UUID = ROUND) -> AssociationNotReached:
    return AssociationNotReached(
        happened_at=STORM_EVENING,
        realm=LIVE,
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=round_id,
        reason="no address",
    )


def not_this_time(number: int = 0, *, round_id: UUID = ROUND) -> AssociationDeclined:
    return AssociationDeclined(
        happened_at=STORM_EVENING,
        realm=LIVE,
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=round_id,
    )


def told(before: Standing, news: News, *, minutes: int = 30) -> Standing:
    """The standing after the news, changed or not."""
    now = STORM_EVENING + timedelta(minutes=minutes)
    if isinstance(news, CheckInReceived):
        after = hear(before, news, freshness=FRESHNESS, now=now)
    elif isinstance(news, AssociationDeclined):
        after = declined(before, news)
    else:
        after = not_reached(before, news)
    return after if isinstance(after, Standing) else before


def doubted(*, apart: int = 30) -> Standing:
    """Two answers that differ, so many seconds apart; the newer says that all is well."""
    first = told(standing(), report(status=OperatingStatus.SUSPENDED))
    return told(first, report(seconds=apart))


def chosen(of: Standing, *, place: int = 0, minutes: int = 30) -> Standing:
    """The standing after the answer at this place was pinned; as it is if there is nothing to choose."""
    ids = [one.checkin_id for one in of.answers]
    choice = Choice(ids[place] if ids else None, frozenset(ids), "They called.", PERSON)
    outcome = pinned(of, choice, STORM_EVENING + timedelta(minutes=minutes))
    return outcome if isinstance(outcome, Standing) else of


numbers = st.integers(0, 7)
steps = st.tuples(
    numbers,
    st.one_of(
        st.builds(report, minutes=st.integers(-900, 900), status=st.sampled_from(OperatingStatus)),
        st.builds(report, seconds=st.integers(0, 90), status=st.sampled_from(OperatingStatus)),
        st.just("an answer is pinned"),
        st.just(nobody()),
        st.just(not_this_time()),
        st.integers(0, 2000),
        st.sampled_from(TRAITS),
        st.just("leaves"),
        st.tuples(st.just("merges into"), numbers),
    ),
)


def after(rows: dict[int, Standing], number: int, step: object) -> dict[int, Standing | None]:
    """What becomes of whom: news, a pin, so many minutes, other traits, leaving, or merging into another."""
    present = rows.get(number)
    if present is None:
        return {}
    match step:
        case int():
            becomes: Standing | None = expire(present, STORM_EVENING + timedelta(minutes=step))
        case Traits():
            becomes = present.counted_by(step)
        case "an answer is pinned":
            becomes = chosen(present)
        case "leaves":
            becomes = None
        case ("merges into", int(other)):
            traits = TRAITS[other % len(TRAITS)]
            heir = absorb(rows.get(other), present, heir_id=UUID(int=100 + other), traits=traits)
            return {number: None, other: heir} if other != number else {}
        case CheckInReceived() | AssociationNotReached() | AssociationDeclined():
            becomes = told(present, step, minutes=900)
        case _:
            raise AssertionError(step)
    return {number: becomes}

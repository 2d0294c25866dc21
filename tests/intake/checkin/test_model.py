"""Accepting an answer: while the round is open, again and again, and the same form once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.checkin.model import (
    Accepted,
    Answer,
    Invited,
    Reason,
    Refused,
    Repeated,
    Said,
    Until,
    accept,
    decline,
    in_words,
    plan_after,
    rehearsed,
)
from services.intake.invitation.model import AskedRound
from services.intake.registry.model import Plan
from shared.events.intake import REHEARSED_PER_EVENT, Amount, Channel, CheckInReceived, OperatingStatus
from shared.i18n import Locale
from shared.ids import digest, new_id
from shared.realm import Realm
from tests.fakes import STORM_EVENING

ROUND = AskedRound(new_id(), new_id(), Realm("ex-1"), {}, STORM_EVENING + timedelta(hours=24))
INVITED = Invited(new_id(), ROUND, new_id(), "Hattulan Martat", "fi", revoked=False)
ANSWER = Answer(door=digest("token"), form_id=new_id(), said=Said(status=OperatingStatus.LIMITED), at=STORM_EVENING)

answers = st.builds(
    replace,
    st.just(ANSWER),
    form_id=st.sampled_from([new_id(), new_id()]),
    said=st.builds(Said, status=st.sampled_from(OperatingStatus), note=st.sampled_from(["", "x"])),
)


def take(answer: Answer, invited: Invited) -> tuple[Invited, bool]:
    """The invitation after the answer, and whether a new check-in was recorded."""
    decision = accept(answer, invited)
    assert isinstance(decision, Accepted | Repeated)
    return replace(invited, present=decision.checkin), isinstance(decision, Accepted)


def test_an_answer_is_recorded_and_told_without_its_words() -> None:
    decision = accept(replace(ANSWER, said=replace(ANSWER.said, note="words")), INVITED)

    assert isinstance(decision, Accepted)
    assert decision.checkin.said.note == "words"
    assert "words" not in decision.event.model_dump_json()
    assert decision.event.checkin_id == decision.checkin.checkin_id
    assert (decision.event.realm, decision.event.channel) == (ROUND.realm, Channel.LINK)
    assert decision.event.status is OperatingStatus.LIMITED
    assert decision.event.reported_at == STORM_EVENING


@pytest.mark.parametrize(
    ("invited", "reason"),
    [
        (None, Reason.UNKNOWN),
        (replace(INVITED, revoked=True), Reason.REVOKED),
        (replace(INVITED, asked=replace(ROUND, closes_at=STORM_EVENING)), Reason.CLOSED),
        (replace(INVITED, asked=replace(ROUND, closed_at=STORM_EVENING)), Reason.CLOSED),
    ],
)
def test_a_link_that_is_no_longer_good_is_refused_with_the_reason(invited: Invited | None, reason: Reason) -> None:
    assert accept(ANSWER, invited) == Refused(reason)


def test_one_who_goes_back_and_chooses_otherwise_is_heard_each_time() -> None:
    invited, first = take(ANSWER, INVITED)
    invited, second = take(replace(ANSWER, said=Said(status=OperatingStatus.NORMAL)), invited)
    invited, third = take(ANSWER, invited)

    assert (first, second, third) == (True, True, True)
    assert invited.present is not None
    assert invited.present.said.status is OperatingStatus.LIMITED


@given(st.lists(answers, min_size=1))
def test_the_present_answer_is_always_the_last_one_sent(sent: list[Answer]) -> None:
    invited = INVITED
    for answer in sent:
        invited, _ = take(answer, invited)

    assert invited.present is not None
    assert invited.present.said == sent[-1].said


@given(answers, st.integers(1, 5))
def test_the_same_form_sent_again_changes_nothing(answer: Answer, times: int) -> None:
    once, _ = take(answer, INVITED)

    again = once
    for minutes in range(times):
        again, new = take(replace(answer, at=STORM_EVENING + timedelta(minutes=minutes)), again)
        assert not new

    assert again == once


@given(st.lists(answers, unique=True, min_size=2, max_size=6))
def test_each_recorded_answer_has_an_id_of_its_own(sent: list[Answer]) -> None:
    invited, ids = INVITED, []
    for answer in sent:
        invited, new = take(answer, invited)
        if new and invited.present is not None:
            ids.append(invited.present.checkin_id)

    assert len(ids) == len(set(ids))


def test_two_replicas_that_get_one_form_at_once_record_it_under_one_id() -> None:
    here, there = accept(ANSWER, INVITED), accept(replace(ANSWER, at=STORM_EVENING + timedelta(seconds=1)), INVITED)

    assert isinstance(here, Accepted)
    assert isinstance(there, Accepted)
    assert here.checkin.checkin_id == there.checkin.checkin_id


def test_one_form_id_in_two_links_makes_two_answers() -> None:
    mine, yours = accept(ANSWER, INVITED), accept(ANSWER, replace(INVITED, invitation_id=new_id()))

    assert isinstance(mine, Accepted)
    assert isinstance(yours, Accepted)
    assert mine.checkin.checkin_id != yours.checkin.checkin_id


@pytest.mark.parametrize(
    ("known", "has_one", "after"),
    [
        (Plan.UNKNOWN, True, Plan.MADE),
        (Plan.NONE, True, Plan.MADE),
        (Plan.DRAFT, True, Plan.MADE),
        (Plan.MADE, True, Plan.MADE),
        (Plan.UNKNOWN, False, Plan.NONE),
        (Plan.NONE, False, Plan.NONE),
        (Plan.DRAFT, False, Plan.DRAFT),
        (Plan.MADE, False, Plan.MADE),
    ],
)
def test_a_plan_that_the_register_knows_is_not_taken_from_it(known: Plan, has_one: bool, after: Plan) -> None:
    assert plan_after(known, has_one=has_one) is after


def test_not_this_time_is_told_once_while_it_says_something_new() -> None:
    answered, _ = take(ANSWER, INVITED)
    closed = replace(INVITED, asked=replace(ROUND, closed_at=STORM_EVENING))
    told = decline(INVITED, STORM_EVENING)

    assert told is not None
    assert (told.realm, told.round_id) == (ROUND.realm, ROUND.round_id)
    for settled in (answered, closed, replace(INVITED, declined=True), replace(INVITED, revoked=True)):
        assert decline(settled, STORM_EVENING) is None


@pytest.mark.parametrize(
    ("locale", "words"),
    [(Locale.FI, "ensiapu (1\u00a0000), kuljetus, zz"), (Locale.SV, "första hjälpen (1\u00a0000), transport, zz")],
)
def test_capabilities_are_named_in_the_readers_language(locale: Locale, words: str) -> None:
    said = (Amount(capability="first-aid", amount=1000), Amount(capability="transport"), Amount(capability="zz"))

    assert in_words(said, locale) == words


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (Until.NOT_KNOWN, None),
        (Until.TODAY, datetime(2026, 11, 21, 21, 59, tzinfo=UTC)),
        (Until.TOMORROW, datetime(2026, 11, 22, 21, 59, tzinfo=UTC)),
        (Until.THIS_WEEK, datetime(2026, 11, 22, 21, 59, tzinfo=UTC)),
    ],
)
def test_days_end_in_finland(until: Until, expected: datetime | None) -> None:
    assert until.moment(STORM_EVENING) == expected


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_the_end_is_never_in_the_past_but_for_its_last_minute(now: datetime) -> None:
    moments = [until.moment(now) for until in Until]

    assert all(moment is None or moment > now - timedelta(minutes=1) for moment in moments)


def test_a_brief_answer_takes_back_nothing_that_its_way_cannot_say() -> None:
    full = Said(
        status=OperatingStatus.LIMITED,
        until=STORM_EVENING + timedelta(days=1),
        note="long",
        offers=(Amount(capability="transport", amount=2),),
        needs=(Amount(capability="search"),),
    )
    invited, _ = take(replace(ANSWER, said=full), INVITED)
    brief = replace(ANSWER, form_id=new_id(), brief=True)

    same = accept(replace(brief, said=Said(status=OperatingStatus.LIMITED, note="short")), invited)
    other = accept(replace(brief, said=Said(status=OperatingStatus.SUSPENDED)), invited)

    assert isinstance(same, Accepted)
    assert same.checkin.said == replace(full, note="short")
    assert (same.event.offers, same.event.needs) == (full.offers, full.needs)
    assert isinstance(other, Accepted)
    assert other.checkin.said == replace(full, status=OperatingStatus.SUSPENDED, note="", until=None)


def test_a_brief_answer_sent_twice_is_one() -> None:
    invited, _ = take(replace(ANSWER, said=replace(ANSWER.said, offers=(Amount(capability="search"),))), INVITED)
    brief = replace(ANSWER, form_id=new_id(), brief=True, said=Said(status=OperatingStatus.NORMAL))

    invited, first = take(brief, invited)
    _, second = take(brief, invited)

    assert (first, second) == (True, False)


def test_who_gave_an_answer_is_told_with_it_or_by_its_door() -> None:
    owner, writer = new_id(), new_id()
    invited = replace(INVITED, contact_id=owner)

    named, unnamed = accept(replace(ANSWER, contact_id=writer), invited), accept(ANSWER, invited)

    assert isinstance(named, Accepted)
    assert isinstance(unnamed, Accepted)
    assert (named.checkin.contact_id, unnamed.checkin.contact_id) == (writer, owner)


told = st.builds(
    CheckInReceived,
    happened_at=st.just(STORM_EVENING),
    realm=st.sampled_from([Realm("live"), Realm("ex-1"), Realm("ex-2")]),
    reported_at=st.datetimes(timezones=st.just(UTC)),
    status=st.just(OperatingStatus.NORMAL),
    channel=st.just(Channel.LINK),
)


@given(st.lists(told, max_size=5), st.integers(0, 2 * REHEARSED_PER_EVENT + 1))
def test_whoever_counts_exercises_hears_of_each_answer_in_one_and_of_no_live_one(
    few: list[CheckInReceived], crowd: int
) -> None:
    answered = [*few, *(received(Realm("ex-9")) for _ in range(crowd))]

    events = list(rehearsed(answered))

    heard = [(event.realm, one.association_id, one.reported_at) for event in events for one in event.answers]
    wanted = [(one.realm, one.association_id, one.reported_at) for one in answered if not one.realm.live]
    assert sorted(heard) == sorted(wanted)
    assert len(events) == len({one.realm for one in answered if not one.realm.live} - {"ex-9"}) + -(
        -crowd // REHEARSED_PER_EVENT
    )


def received(realm: Realm) -> CheckInReceived:
    decision = accept(ANSWER, replace(INVITED, association_id=new_id(), asked=replace(ROUND, realm=realm)))
    assert isinstance(decision, Accepted)
    return decision.event

"""The gate lets nothing of an exercise out; the rules of sending wait, give up and pause where they should."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.delivery.model import (
    Breaker,
    Claimed,
    Fault,
    Kind,
    Lane,
    Letter,
    Recipient,
    Stage,
    State,
    address_key,
    after,
    backoff,
    interrupted,
    permit,
    refusal,
    should_pause,
    too_late,
)
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import STORM_EVENING

WAITS = [1, 5, 10, 20, 40]


def delivery(*, attempts: int = 0, ambiguous: int = 0) -> Claimed:
    aino = Recipient(new_id(), "aino@example.org", locale="fi")
    return Claimed(
        1, "a claim", realm="live", letter_id=new_id(), recipient=aino, attempts=attempts, ambiguous=ambiguous
    )


LETTER = Letter(LIVE, new_id(), Kind.CHECKIN, lane=Lane.BULK, not_after=STORM_EVENING + timedelta(hours=6))

addresses = st.sampled_from(["aino@example.org", "bertta@example.org", "straße@example.org", "cecilia@example.org"])
disguises = st.sampled_from([str.upper, str.title, str.casefold, lambda a: f" {a}\t", lambda a: a.replace("a", "ａ")])
realms = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["live", "LIVE", " live", "live\n", "", "ex-", "ex-1", "ex-2", "EX-1", "ex-1\n", "ex-1 ", "livе"]),
)


@given(realm=realms, address=st.one_of(addresses, st.text(max_size=30)), disguise=disguises, data=st.data())
def test_nothing_of_an_exercise_passes_to_an_address_off_its_roster(realm, address, disguise, data):  # type: ignore[no-untyped-def]
    roster = data.draw(st.frozensets(st.tuples(st.sampled_from(["ex-1", "ex-2", "live"]), addresses.map(address_key))))

    verdict = permit(realm, disguise(address), roster)

    if realm != "live" and verdict.permitted:
        assert disguise(address).strip().lower() in {rostered for where, rostered in roster if where == realm}
        assert realm in {"ex-1", "ex-2"}
    assert verdict.permitted != bool(verdict.reason)


def test_the_roster_is_read_without_regard_to_case_and_space() -> None:
    roster = {("ex-1", address_key(" Aino@Example.org "))}

    assert permit("ex-1", "AINO@example.ORG", roster).permitted
    assert not permit("ex-2", "aino@example.org", roster).permitted


def test_two_addresses_that_fold_to_one_are_not_taken_for_each_other() -> None:
    assert not permit("ex-1", "straße@example.org", {("ex-1", "strasse@example.org")}).permitted


@pytest.mark.parametrize(
    ("stage", "code", "text", "expected"),
    [
        (Stage.RCPT, 550, "5.1.1 <aino@example.org> unknown", {"permanent", "hard"}),
        (Stage.RCPT, 551, "not here", {"permanent", "hard"}),
        (Stage.RCPT, 553, "5.1.3 bad", {"permanent", "hard"}),
        (Stage.RCPT, 450, "4.2.0 greylisted", set()),
        (Stage.RCPT, 451, "later", set()),
        (Stage.RCPT, 452, "4.5.3 too many", set()),
        (Stage.RCPT, 552, "5.2.2 full", set()),
        (Stage.RCPT, 550, "5.2.2 full", set()),
        (Stage.RCPT, 550, "5.7.515 unauthenticated", {"hard"}),
        (Stage.BODY, 554, "spam", {"permanent", "hard"}),
        (Stage.MAIL, 550, "sender unknown", {"relay"}),
        (Stage.MAIL, 530, "5.7.0 sign in", {"relay"}),
        (Stage.CONNECT, 535, "5.7.8 wrong", {"relay"}),
        (Stage.CONNECT, 554, "no service", {"relay"}),
        (Stage.RCPT, 421, "4.3.2 going down", {"relay"}),
        (Stage.BODY, 421, "going down", {"relay"}),
        (Stage.BODY, -1, "nonsense", {"relay", "ambiguous"}),
    ],
)
def test_what_a_reply_means(stage: Stage, code: int, text: str, expected: set[str]) -> None:
    fault = refusal(stage, code, text)

    assert {bit for bit in ("permanent", "ambiguous", "relay", "hard") if getattr(fault, bit)} == expected
    assert "@" not in fault.reason
    assert str(code) in fault.reason


@pytest.mark.parametrize("stage", list(Stage))
def test_a_lost_connection_is_ambiguous_only_within_the_body(stage: Stage) -> None:
    assert interrupted(stage, "connection lost").ambiguous == (stage is Stage.BODY)


def test_retries_come_after_1_5_10_20_40_minutes_and_then_hourly() -> None:
    assert [backoff(attempts, 0).total_seconds() / 60 for attempts in range(5)] == WAITS
    assert [backoff(9, jitter).total_seconds() / 60 for jitter in (0, 0.5, 1)] == [48, 60, 72]


@given(attempts=st.integers(0, 100), jitter=st.floats(0, 1))
def test_no_retry_comes_earlier_than_its_step(attempts: int, jitter: float) -> None:
    floor = timedelta(minutes=WAITS[attempts]) if attempts < 5 else timedelta(minutes=48)

    assert floor <= backoff(attempts, jitter) <= floor * 1.5


def test_nothing_is_put_off_beyond_not_after() -> None:
    at = LETTER.not_after - timedelta(seconds=10)

    outcome = after(Fault("450 at rcpt"), delivery(attempts=4), letter=LETTER, at=at, jitter=0)

    assert (outcome.state, outcome.due_at, outcome.spent) == (State.DEFERRED, LETTER.not_after, True)


def test_a_fault_of_the_relay_spends_no_attempt() -> None:
    outcome = after(Fault("421 at connect", relay=True), delivery(), letter=LETTER, at=STORM_EVENING, jitter=0)

    assert (outcome.state, outcome.spent) == (State.DEFERRED, False)


@pytest.mark.parametrize(
    ("before", "state"), [(0, State.DEFERRED), (1, State.DEFERRED), (2, State.UNKNOWN), (3, State.UNKNOWN)]
)
def test_an_ambiguous_letter_is_sent_again_twice_at_most(before: int, state: State) -> None:
    fault = interrupted(Stage.BODY, "connection lost")

    assert after(fault, delivery(ambiguous=before), letter=LETTER, at=STORM_EVENING, jitter=0).state is state


def test_a_letter_out_of_time_is_expired_or_unknown_if_a_copy_may_have_gone() -> None:
    assert too_late(delivery(), LETTER, at=LETTER.not_after).state is State.EXPIRED
    assert too_late(delivery(ambiguous=1), LETTER, at=LETTER.not_after).state is State.UNKNOWN


def test_the_breaker_opens_after_five_faults_and_doubles_its_pause_to_five_minutes() -> None:
    now, breaker, pauses = STORM_EVENING, Breaker(), []
    for _ in range(4):
        breaker = breaker.failed(now)
        assert breaker.closed(now)

    for _ in range(6):
        breaker = breaker.failed(now)
        assert breaker.open_until is not None
        assert breaker.failed(now).open_until == breaker.open_until
        pauses.append((breaker.open_until - now).total_seconds())
        now = breaker.open_until
        breaker = breaker.probing(now)
        assert not breaker.closed(now)

    assert pauses == [30, 60, 120, 240, 300, 300]
    assert breaker.worked() == Breaker()


def test_a_lane_pauses_when_more_than_five_per_cent_of_the_last_200_fail_hard() -> None:
    assert not should_pause([True] * 10 + [False] * 190)
    assert should_pause([True] * 11 + [False] * 189)

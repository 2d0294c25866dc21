"""What is told over which channel, and how often it is tried."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channel.model import (
    STOPS_AFTER,
    TRIED_FOR,
    ChannelError,
    Happening,
    Kind,
    News,
    Post,
    State,
    Wishes,
    delay,
    failed,
)
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING

EXERCISE = Realm("ex-myrsky")
NEWS = News(LIVE, new_id(), 1, Happening.RELEASED, STORM_EVENING)
POST = Post(
    id=1,
    realm=LIVE,
    channel="webhook:1",
    sequence=1,
    message_id=new_id(),
    happening=Happening.RELEASED,
    at=STORM_EVENING,
    guidance_id=new_id(),
    number=1,
    state=State.WAITING,
    attempts=0,
    answer="",
    due_at=STORM_EVENING,
    until=STORM_EVENING + TRIED_FOR,
    settled_at=None,
)


@pytest.mark.parametrize("realm", [EXERCISE, Realm("unknown"), Realm("")])
@pytest.mark.parametrize("happening", list(Happening))
def test_nothing_but_the_real_world_reaches_people_or_whoever_did_not_ask(realm: Realm, happening: Happening) -> None:
    news = replace(NEWS, realm=realm, happening=happening)

    assert not Wishes(Kind.MESSENGER, exercises=True).takes(news, STORM_EVENING)
    assert not Wishes(Kind.MESSENGER).takes(news, STORM_EVENING)
    assert not Wishes(Kind.WEBHOOK).takes(news, STORM_EVENING)
    assert Wishes(Kind.WEBHOOK, exercises=True).takes(news, STORM_EVENING) is (realm is EXERCISE)


def test_people_are_told_neither_of_time_passing_nor_of_yesterday() -> None:
    people, programs = Wishes(Kind.MESSENGER), Wishes(Kind.WEBHOOK)
    ended = replace(NEWS, happening=Happening.EXPIRED)
    later = STORM_EVENING + timedelta(hours=25)

    assert [people.takes(NEWS, STORM_EVENING), people.takes(ended, STORM_EVENING)] == [True, False]
    assert [people.takes(NEWS, later), programs.takes(NEWS, later), programs.takes(ended, later)] == [False, True, True]


def test_one_happening_has_one_id_on_each_channel() -> None:
    again = replace(NEWS, at=STORM_EVENING + timedelta(seconds=1))
    others = {replace(NEWS, number=2), replace(NEWS, happening=Happening.EXPIRED)}

    assert NEWS.message_id("a") == again.message_id("a")
    assert len({NEWS.message_id("a"), NEWS.message_id("b"), *(news.message_id("a") for news in others)}) == 4


@given(jitter=st.floats(-1, 1))
def test_it_is_tried_for_a_day_and_never_after(jitter: float) -> None:
    post, now, tries = POST, STORM_EVENING, 0
    while post.state is State.WAITING:
        outcome = failed(post, ChannelError("500"), now=now, jitter=jitter)
        post = replace(post, state=outcome.state, attempts=post.attempts + 1)
        assert outcome.due_at >= now
        now, tries = outcome.due_at, tries + 1

    assert 15 <= tries <= 25
    assert now <= POST.until
    assert now >= POST.until - delay(tries, 1) * 1.01


def test_delays_grow_and_are_spread() -> None:
    seconds = [delay(attempts, 0).total_seconds() for attempts in range(9)]

    assert seconds == [5, 30, 120, 300, 900, 1800, 3600, 7200, 7200]
    assert (delay(2, -1).total_seconds(), delay(2, 1).total_seconds()) == (96, 144)


def test_a_channel_stops_when_it_is_gone_or_has_failed_for_long() -> None:
    end = POST.until
    fails = ChannelError("500")
    long_ago, of_late = end - STOPS_AFTER, end - TRIED_FOR

    assert failed(POST, ChannelError("410", gone=True), now=STORM_EVENING, jitter=0).stops
    assert failed(POST, fails, now=end, jitter=0, failing_since=long_ago).stops
    assert not failed(POST, fails, now=end, jitter=0, failing_since=of_late).stops
    assert not failed(POST, fails, now=STORM_EVENING, jitter=0, failing_since=long_ago).stops

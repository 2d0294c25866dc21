"""Releases on their way to partners' systems: signed, once, tried again, given up for all to see."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import pytest
from fastapi import FastAPI

from services.notify.channel.jobs import Courier
from services.notify.channel.model import Kind, Message, State
from services.notify.channel.store import ChannelStore, Standing
from services.notify.feeds.addresses import Addresses
from services.notify.guidance.model import Approval
from services.notify.guidance.model import Kind as Correction
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from services.notify.webhook import sending
from services.notify.webhook.event_json import event_json
from services.notify.webhook.model import Endpoint, Wanted
from services.notify.webhook.store import EndpointStore
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, in_exercise, present, published, resident
from tests.notify.webhook.receiver import DIE, ENDLESS, HANG, Receiver, receiving


@dataclass(frozen=True)
class Post:
    """The post office of one installation, and the receiver to which it sends."""

    courier: Courier
    channels: ChannelStore
    endpoints: EndpointStore
    receiver: Receiver
    endpoint_id: UUID

    async def round(self) -> None:
        """Plan and send until nothing is due."""
        await self.courier.plan()
        more = True
        while more:
            more = await self.courier.unit()

    async def standing(self) -> Standing:
        [standing] = await self.channels.standings(Kind.WEBHOOK)
        return standing

    async def endpoint(self) -> Endpoint:
        found = await self.endpoints.get(self.endpoint_id)
        assert found is not None
        return found

    async def states(self) -> list[tuple[State, str]]:
        """State and answer of each message, oldest first."""
        posts, _ = await self.channels.results(f"webhook:{self.endpoint_id}", 1)
        return [(post.state, post.answer) for post in reversed(posts)]


async def post_of(app: FastAPI, receiver: Receiver, *, exercises: bool = False) -> Post:
    endpoints: EndpointStore = app.state.endpoints
    endpoint_id = new_id()
    await endpoints.add(endpoint_id, Wanted("Pelastuslaitos", receiver.url, exercises), by=new_id())
    return Post(app.state.courier, app.state.channels, endpoints, receiver, endpoint_id)


@pytest.fixture
async def somebody(subscribers: SubscriberStore) -> None:
    await resident(subscribers)


@pytest.mark.usefixtures("somebody")
async def test_a_release_and_its_end_are_told_once_in_order(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver)
        released = await published(guidance, draft(ALL_LANGUAGES, valid_hours=3))
        await post.round()
        await post.round()
        clock.move(hours=3)
        await post.round()

    assert receiver.types == ["guidance.released", "guidance.expired"]
    assert [one.sequence for one in receiver.received] == [1, 2]
    told = receiver.received[0].event["data"]
    assert told["guidance_id"] == str(released.guidance_id)
    assert (told["realm"], told["exercise"], told["revision"]) == ("live", False, 1)
    assert list(told["items"]) == ["fi", "selko", "sv", "en"]
    assert told["items"]["sv"]["title"] == "Strömavbrott i Forssa"
    assert await post.states() == [(State.SENT, "200")] * 2


@pytest.mark.usefixtures("somebody")
async def test_a_correction_and_a_withdrawal_are_told(app: FastAPI, guidance: GuidanceStore) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver)
        released = await published(guidance)
        await post.round()
        for kind in (Correction.UPDATE, Correction.CANCEL):
            now = await present(guidance, released.guidance_id)
            assert await guidance.correct(now, kind, now.draft, by=new_id(), edition=now.edition)
            waits = await guidance.unreleased(LIVE, released.guidance_id)
            assert waits is not None
            decided = await guidance.approve(
                LIVE, released.guidance_id, by=new_id(), word="TOSI", edition=waits.edition
            )
            assert isinstance(decided, Approval)
            await post.round()

    assert receiver.types == ["guidance.released", "guidance.corrected", "guidance.withdrawn"]
    assert [one.event["data"]["revision"] for one in receiver.received] == [1, 2, 3]


@pytest.mark.usefixtures("somebody")
async def test_what_was_released_before_the_webhook_was_made_is_not_told(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    await published(guidance)
    clock.move(seconds=1)
    async with receiving() as receiver:
        post = await post_of(app, receiver)

        await post.round()

    assert receiver.received == []


@pytest.mark.usefixtures("somebody")
async def test_what_fails_is_tried_again_with_the_same_id(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    async with receiving("500") as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await post.round()
        await post.round()
        tried = len(receiver.received)
        failing = await post.standing()
        receiver.manner = "204"
        clock.move(seconds=7)
        await post.round()

    first, second = receiver.received
    assert tried == 1
    assert failing.failing_since is not None
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.body == second.body
    assert await post.states() == [(State.SENT, "204")]
    assert (await post.standing()).failing_since is None


@pytest.mark.usefixtures("somebody")
async def test_a_message_that_is_refused_does_not_hold_up_the_next(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    async with receiving("500") as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await post.round()
        receiver.manner = "200"
        await published(guidance)
        await post.round()

        assert [one.sequence for one in receiver.received] == [1, 2]
        assert await post.states() == [(State.WAITING, "500"), (State.SENT, "200")]
        clock.move(seconds=7)
        await post.round()

    assert [one.sequence for one in receiver.received] == [1, 2, 1]


@pytest.mark.usefixtures("somebody")
async def test_it_is_given_up_after_a_day_and_the_channel_stops_after_three(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    async with receiving("503") as receiver:
        post = await post_of(app, receiver)
        stopped = []
        for _ in range(4):
            await published(guidance, draft(valid_hours=168))
            await post.round()
            clock.move(hours=24)
            await post.round()
            stopped.append((await post.standing()).stopped_at is not None)
        tries = len(receiver.received)
        await published(guidance)
        await post.round()

    assert stopped == [False, False, True, True]
    assert {state for state, _ in (await post.states())[:3]} == {State.GIVEN_UP}
    assert (await post.standing()).stopped_because == "503"
    assert len(receiver.received) == tries


@pytest.mark.usefixtures("somebody")
async def test_a_receiver_that_is_gone_stops_the_channel_until_somebody_resumes_it(
    app: FastAPI, guidance: GuidanceStore, clock: FakeClock
) -> None:
    async with receiving("410") as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await post.round()
        standing = await post.standing()
        receiver.manner = "200"
        clock.move(minutes=1)
        assert not await post.channels.ping(standing.name)

        assert await post.channels.resume(standing.name)
        assert await post.channels.ping(standing.name)
        await post.round()

    assert (standing.stopped_because, standing.waiting) == ("410", 0)
    assert receiver.types == ["guidance.released", "ping"]
    assert (await post.standing()).stopped_at is None


@pytest.mark.parametrize(
    ("manner", "answer", "within"),
    [(HANG, "timeout", 0.3), (DIE, "RemoteProtocolError", 10.0), ("301 http://127.0.0.1:1/", "301", 10.0)],
)
@pytest.mark.usefixtures("somebody")
async def test_whatever_the_receiver_does_it_is_tried_again(
    app: FastAPI,
    guidance: GuidanceStore,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    manner: str,
    answer: str,
    within: float,
) -> None:
    monkeypatch.setattr(sending, "WITHIN", within)
    async with receiving(manner) as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await post.round()

        assert await post.states() == [(State.WAITING, answer)]
        monkeypatch.setattr(sending, "WITHIN", 10.0)
        receiver.manner = "200"
        clock.move(minutes=1)
        await post.round()

    assert await post.states() == [(State.SENT, "200")]


@pytest.mark.usefixtures("somebody")
async def test_an_endless_answer_is_not_read(app: FastAPI, guidance: GuidanceStore) -> None:
    async with receiving(ENDLESS) as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await asyncio.wait_for(post.round(), 5)

    assert await post.states() == [(State.SENT, "200")]


@pytest.mark.usefixtures("somebody")
async def test_an_exercise_never_leaves_by_a_webhook_that_does_not_ask_for_it(
    app: FastAPI,
) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver)
        await in_exercise(app, Realm("ex-myrsky"), draft(ALL_LANGUAGES))

        await post.round()

    assert receiver.received == []


@pytest.mark.usefixtures("somebody")
async def test_an_exercise_is_marked_in_every_text(app: FastAPI) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver, exercises=True)
        await in_exercise(app, Realm("ex-myrsky"), draft(ALL_LANGUAGES))
        await post.round()

    [told] = receiver.received
    items = told.event["data"]["items"]
    assert told.event["type"] == "exercise.guidance.released"
    assert (told.event["data"]["realm"], told.event["data"]["exercise"]) == ("ex-myrsky", True)
    for language, word in (("fi", "HARJOITUS"), ("selko", "HARJOITUS"), ("sv", "ÖVNING"), ("en", "EXERCISE")):
        assert items[language]["title"].startswith(f"{word}:")
        assert items[language]["content_text"].startswith(word)
        assert items[language]["content_html"].startswith(f"<p>{word}")
        assert "url" not in items[language]


@pytest.mark.usefixtures("somebody")
async def test_a_webhook_that_wants_no_exercises_any_more_gets_none_that_waits(app: FastAPI) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver, exercises=True)
        await in_exercise(app, Realm("ex-myrsky"), draft(ALL_LANGUAGES))
        await post.courier.plan()
        endpoint = await post.endpoint()
        await post.endpoints.change(endpoint.endpoint_id, Wanted(endpoint.label, endpoint.url))

        await post.round()

    assert receiver.received == []
    assert await post.states() == [(State.REFUSED, "exercise")]


@pytest.mark.usefixtures("somebody")
async def test_a_fault_of_ours_in_one_message_does_not_hold_up_the_next(
    app: FastAPI, guidance: GuidanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(message: Message, addresses: Addresses) -> bytes:
        if message.sequence == 1:
            raise ValueError("broken")
        return event_json(message, addresses)

    monkeypatch.setattr(sending, "event_json", broken)
    async with receiving() as receiver:
        post = await post_of(app, receiver)
        await published(guidance)
        await published(guidance)
        await post.round()

    assert await post.states() == [(State.WAITING, "our fault"), (State.SENT, "200")]


@pytest.mark.usefixtures("somebody")
async def test_nothing_is_missed_while_no_planner_runs(app: FastAPI, guidance: GuidanceStore, clock: FakeClock) -> None:
    async with receiving() as receiver:
        post = await post_of(app, receiver)
        await post.round()
        for _ in range(3):
            await published(guidance, draft(valid_hours=3))
            clock.move(hours=20)
        await post.round()
        clock.move(hours=5)
        await post.round()

    assert receiver.types == ["guidance.released", "guidance.expired"] * 3

"""The service on a real nats-server: what is heard becomes figures, once, whatever the bus does meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import nats

from services.status import VOICE
from services.status.aid.store import AidStore
from services.status.app import make_app
from services.status.association.model import Filter
from services.status.picture.store import PictureStore
from services.status.readiness.model import Dimension, State
from services.status.readiness.store import ReadinessStore
from services.status.situation.model import Changed, Round, SituationDraft, change_situation
from shared.clock import SystemClock
from shared.events import Event
from shared.events.intake import OperatingStatus
from shared.ids import new_id
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.fakes import STORM_EVENING, FakeClock
from tests.servers import NatsServer, eventually
from tests.status.conftest import Stores, stores_on
from tests.status.people import association, checkin, not_reached_event, round_of, storm

NAMES = [f"Yhdistys {number}" for number in range(40)]


async def say(server: NatsServer, events: Sequence[Event]) -> None:
    connection = await nats.connect(server.url)
    js = connection.jetstream()
    for event in events:
        await js.publish(event.subject, event.body(), headers=event.headers("cause"))
    await connection.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Stores]:
    """The service, and its stores beside it on the same database."""
    clock = SystemClock()
    app = make_app(settings, clock=clock)
    async with app.router.lifespan_context(app):
        house = app.state.house
        yield Stores(
            house.database,
            app.state.situations,
            app.state.associations,
            app.state.rounds,
            ReadinessStore(house.database, clock=clock),
            AidStore(house.database, clock=clock),
        )


async def test_check_ins_from_the_bus_become_figures_whatever_their_order_and_repeats(
    nats_server: NatsServer, bus_settings: Settings
) -> None:
    await provision_voices(nats_server, VOICE)
    rng = random.Random(1)  # noqa: S311 - a repeatable story, no secret
    now = SystemClock().now()
    opened = storm(now=now)
    round_ = round_of(opened.situation, now=now)
    reports = [
        checkin(name, round_, rng.choice(list(OperatingStatus))).model_copy(
            update={"reported_at": now, "checkin_id": new_id()}
        )
        for name in NAMES
        for _ in range(3)
    ]
    lost = not_reached_event("Tavoittamaton", round_)
    newest = {report.association_id: report for report in sorted(reports, key=lambda report: report.checkin_id)}
    early = checkin("Myöhäinen", round_).model_copy(update={"reported_at": now})

    async with running(bus_settings) as stores:
        await say(nats_server, [association(name) for name in [*NAMES, "Tavoittamaton"]])

        async def all_known() -> bool:
            return await stores.associations.count(Filter(("834",), ("village",))) == len(NAMES) + 1

        await eventually(all_known)
        await stores.situations.open(opened)
        assert isinstance(await stores.rounds.open(opened.situation, round_), Round)
        shuffled = [*reports, lost, early]
        rng.shuffle(shuffled)
        await say(nats_server, shuffled)
        await say(nats_server, [association("Myöhäinen")])

        async def all_heard() -> bool:
            region = await stores.region(opened.situation)
            return sum(region.values()) == len(NAMES) + 2 and "not_answered" not in region

        await eventually(all_heard, within=30)
        region = await stores.region(opened.situation)
        differences = await stores.readiness.recount(opened.situation.realm, opened.situation.id)

    assert not differences
    for status in OperatingStatus:
        expected = [report for report in [*newest.values(), early] if report.status is status]
        assert region.get(status, 0) == len(expected)  # type: ignore[call-overload]
    assert region["undeliverable"] == 1  # type: ignore[index]


async def test_what_was_said_while_the_server_was_away_is_heard_when_it_is_back(
    nats_server: NatsServer, bus_settings: Settings
) -> None:
    await provision_voices(nats_server, VOICE)

    async with running(bus_settings) as stores:
        await say(nats_server, [association("Aino")])

        async def known(number: int) -> bool:
            return await stores.associations.count(Filter(("834",), ("village",))) == number

        await eventually(lambda: known(1))
        nats_server.kill()
        nats_server.start()
        await say(nats_server, [association("Bertta")])
        await eventually(lambda: known(2), within=30)


async def test_two_replicas_on_one_database_keep_the_figures_true(each_database: str, clock: FakeClock) -> None:
    async with stores_on(each_database, clock) as one, stores_on(each_database, clock) as other:
        round_ = await one.ask(*NAMES)
        situation = await one.situation_of(round_)
        rng = random.Random(2)  # noqa: S311 - a repeatable story, no secret
        reports = [
            checkin(rng.choice(NAMES), round_, rng.choice(list(OperatingStatus)), after=rng.uniform(-600, 0))
            for _ in range(600)
        ]
        for name in ("Uusi", "Uudempi"):
            await one.readiness.know(association(name))
            reports += [checkin(name, round_, after=minute) for minute in range(5)]

        await asyncio.gather(
            *(stores.readiness.hear(report) for report in reports for stores in (one, other)),
            *(stores.readiness.hear(not_reached_event(name, round_)) for name in NAMES for stores in (one, other)),
            one.rounds.open(situation, round_of(situation, now=clock.now())),
        )
        clock.move(hours=6)
        while await one.readiness.expire_due() + await other.readiness.expire_due():
            continue

        assert not await one.readiness.recount(situation.realm, situation.id)
        tallies = await one.tallies(situation)
        by_region = sum(count for key, count in tallies.items() if key.dimension is Dimension.REGION)
        assert by_region == len(NAMES) + 2


async def test_the_story_of_a_situation_is_the_same_on_either_database(each_database: str, clock: FakeClock) -> None:
    async with stores_on(each_database, clock) as stores:
        round_ = await stores.ask("Aino", "Bertta", "Cecilia")
        situation = await stores.situation_of(round_)
        pictures = PictureStore(stores.database)
        clock.move(minutes=20)
        await stores.readiness.hear(checkin("Aino", round_, OperatingStatus.LIMITED, after=11))
        await stores.readiness.hear(not_reached_event("Bertta", round_))
        glance = await pictures.glance(situation, since=STORM_EVENING)
        listed, total = await pictures.listed(situation, "834", state=None, page=1)
        draft = SituationDraft(situation.names, "storm", ("834",), 6)
        changed = change_situation(situation, draft, now=clock.now())
        assert isinstance(changed, Changed)
        assert await stores.situations.change(changed)
        clock.move(hours=24)
        expired, due = await stores.readiness.expire_due(), await stores.situations.close_due_rounds()
        closed = await stores.situations.close(situation)

        assert glance.newest == {State.LIMITED: STORM_EVENING + timedelta(minutes=11)}
        assert [change.name for change in glance.changes] == ["Bertta", "Aino"]
        assert ([one.name for one in listed], total) == (["Aino", "Bertta", "Cecilia"], 3)
        assert (expired, due, closed) == (1, 1, True)
        assert await stores.region(situation) == {State.STALE: 1, State.UNDELIVERABLE: 1, State.NOT_ANSWERED: 1}
        assert len((await stores.situations.list_all())[0].municipalities) == 1

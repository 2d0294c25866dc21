"""Nothing of an exercise is public: every public door, the copy as plain files, and all channels are looked through."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import AsyncClient
from starlette.routing import Route

from services.notify.channel.model import Kind as ChannelKind
from services.notify.channel.model import Wishes
from services.notify.channel.store import ChannelStore
from services.notify.feeds.addresses import ALERTS, ATOM, CALENDAR, JSON, LOCALES, WHOLE_REGION
from services.notify.feeds.store import Copies
from services.notify.guidance.model import Kind, Revision
from services.notify.guidance.store import GuidanceStore
from services.notify.standing.store import StandingStore
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.house.test_doors import flat
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import FORSSA
from tests.notify.mirror.test_copy import holding
from tests.notify.rehearsal.play import REALM, TOLD, begun, released
from tests.notify.standing.test_standing import SUPPLIES

PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


@pytest.fixture
async def played(app: FastAPI, guidance: GuidanceStore, clock: FakeClock) -> list[Revision]:
    """Guidance of an exercise that is in force, corrected, and withdrawn; and a model that was written in one."""
    await begun(app, "aino@example.org")
    told = [await released(guidance)]
    clock.move(minutes=1)
    told.append(await released(guidance, Kind.UPDATE, told[0]))
    clock.move(minutes=1)
    other = await released(guidance)
    clock.move(minutes=1)
    return [*told, await released(guidance, Kind.CANCEL, other)]


def addresses(app: FastAPI, revision: Revision) -> list[str]:
    """All that can be read at this service without a body, each with everything that its address may hold."""
    places = [FORSSA, WHOLE_REGION]
    values = {
        "code": [FORSSA],
        "guidance_id": [str(revision.guidance_id)],
        "identifier": [f"{revision.guidance_id}.{revision.number}"],
        "place": places,
        "language": list(LOCALES),
        "file": [ATOM, JSON, CALENDAR, ALERTS],
        "standing_id": [str(revision.guidance_id)],
        "endpoint_id": [str(new_id())],
        "subscriber_id": [str(new_id())],
        "token": ["x"],
        "letter_id": ["1"],
        "lane": ["bulk"],
        "name": ["a-list"],
    }
    found = []
    for route in flat(app.routes):
        if isinstance(route, APIRoute | Route) and "GET" in (route.methods or ()):
            paths = [route.path]
            for name in PARAMETER.findall(route.path):
                paths = [PARAMETER.sub(value, path, count=1) for path in paths for value in values[name]]
            found += paths
    return found


async def test_no_door_without_a_role_shows_anything_of_an_exercise(
    app: FastAPI, browser: AsyncClient, played: list[Revision]
) -> None:
    doors = sorted({path for revision in played for path in addresses(app, revision)})

    shown = [path for path in doors for answer in [await browser.get(path)] if TOLD in answer.text]

    assert len(doors) > 60
    assert shown == []


async def test_the_pages_of_the_staff_show_it_marked_and_apart(
    app: FastAPI, clock: FakeClock, played: list[Revision]
) -> None:
    editor = signed_in(app, staff(clock, Role.EDITOR))

    live = await editor.get("/guidance?lang=en")
    apart = await editor.get("/guidance/exercises?lang=en")
    one = await editor.get(f"/guidance/{played[0].guidance_id}?lang=en")

    assert TOLD not in live.text
    assert 'href="/guidance/exercises"' in live.text
    assert apart.text.count("EXERCISE</span>") == apart.text.count(f"{TOLD} en") == 2
    assert "EXERCISE – this is not a real situation" in one.text
    assert "<title>EXERCISE:" in one.text


async def test_the_copy_as_plain_files_holds_nothing_of_it(
    app: FastAPI, played: list[Revision], tmp_path: Path
) -> None:
    copies: Copies = app.state.copies
    assert len(played) == 3

    folder = tmp_path / "copy"
    await copies.write(folder, await copies.told())

    assert len(holding(folder, b"")) > 10
    assert holding(folder, TOLD.encode()) == []


async def test_no_channel_is_told_of_it_unless_its_receiver_asked_for_exercises(
    app: FastAPI, played: list[Revision], clock: FakeClock
) -> None:
    channels: ChannelStore = app.state.channels
    asked = {f"{kind} {exercises}": Wishes(kind, exercises) for kind in ChannelKind for exercises in (True, False)}
    async with app.state.house.database.write() as session:
        for name, wishes in asked.items():
            await channels.open(session, name, wishes)
    clock.move(minutes=1)
    await released(app.state.guidance, Kind.UPDATE, played[1])

    await channels.plan()

    told = {name for name in asked if (await channels.results(name, 1))[1]}
    assert told == {f"{ChannelKind.WEBHOOK} True"}


async def test_a_model_that_was_written_in_an_exercise_stands_nowhere(app: FastAPI, browser: AsyncClient) -> None:
    standing: StandingStore = app.state.standing
    await standing.write(SUPPLIES, by=new_id(), realm=REALM)
    [waiting] = await standing.all(REALM)

    assert await standing.approve(waiting, by=new_id(), edition=waiting.edition) is None

    assert await standing.current() == await standing.all(LIVE) == []
    assert "Kotivara kerhotilaan" not in (await browser.get("/prepare?lang=fi")).text


async def test_who_leads_downloads_the_alert_and_nobody_else(
    app: FastAPI, clock: FakeClock, played: list[Revision], guidance: GuidanceStore
) -> None:
    leader, editor = (signed_in(app, staff(clock, role)) for role in (Role.EXERCISE_LEADER, Role.EDITOR))
    path = f"/guidance/exercises/{played[0].guidance_id}.1.xml"

    alert = await leader.get(path)
    listed = await leader.get("/guidance/exercises")

    assert alert.status_code == 200
    assert "<status>Exercise</status>" in alert.text
    assert f"<note>{REALM}</note>" in alert.text
    assert "<scope>Restricted</scope>" in alert.text
    assert "<headline>HARJOITUS: " in alert.text
    assert "<web>" not in alert.text
    assert f"{played[0].guidance_id}.2.xml" in listed.text
    assert (await editor.get(path)).status_code == 403
    assert (await leader.get(path.replace(".1.xml", ".9.xml"))).status_code == 404
    assert (await leader.get(f"/feeds/alerts/{played[0].guidance_id}.1.xml")).status_code == 404
    assert await guidance.realm_of(new_id()) == LIVE
    assert Realm(played[0].realm) == REALM

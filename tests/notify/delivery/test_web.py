"""A broadcast that stopped itself: everybody at the guidance desk sees it, and whoever may lets it go on."""

from fastapi import FastAPI

from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff

STOPPED = "Lähetys on pysähtynyt itsestään"


async def test_a_liaison_sees_that_sending_stopped_and_lets_it_go_on(app: FastAPI, clock: FakeClock) -> None:
    ledger: Ledger = app.state.ledger
    liaison = signed_in(app, staff(clock, Role.LIAISON))
    quiet = await liaison.get("/guidance?lang=fi")
    await ledger.pause(Lane.BULK, "11 of the last 200 letters failed")

    told = await liaison.get("/guidance?lang=fi")
    resumed = await liaison.post("/guidance/sending/resume")
    again = await liaison.post("/guidance/sending/resume")

    assert STOPPED not in quiet.text
    assert STOPPED in told.text
    assert "Jatka lähetystä" in told.text
    assert (resumed.status_code, resumed.headers["location"]) == (303, "/guidance")
    assert again.status_code == 303
    assert await ledger.paused(Lane.BULK) is None


async def test_an_editor_sees_it_and_whom_to_ask(app: FastAPI, clock: FakeClock) -> None:
    ledger: Ledger = app.state.ledger
    editor = signed_in(app, staff(clock, Role.EDITOR))
    await ledger.pause(Lane.BULK, "11 of the last 200 letters failed")

    told = await editor.get("/guidance?lang=fi")
    refused = await editor.post("/guidance/sending/resume")

    assert STOPPED in told.text
    assert "Jatka lähetystä" not in told.text
    assert refused.status_code == 403
    assert await ledger.paused(Lane.BULK) is not None

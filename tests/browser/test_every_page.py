"""Every page that intake has for the staff: accessible, whole and reachable by keyboard on a phone and on a desk, in
light and in dark. The pages come from the table of roles, so that a new one is looked at from its first day."""

from io import BytesIO
from typing import Any

import pytest

from services.intake import SERVES
from shared.settings import Settings
from tests.browser.page_check import wrong_on
from tests.browser.test_registry import desk
from tests.house.role_table import MAY_PASS
from tests.intake.calling.people import invitation_of
from tests.intake.desk import record_of
from tests.intake.house import HEADING, Intake
from tests.intake.register_file.files import store_of
from tests.intake.reply.post import arrive, keys, replies, written

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1200)]

NO_PAGE = (".csv", ".pdf", "/live", ".{form}")
OF_ALL = "/{service}/dead-letters"


def pages_of_intake() -> list[str]:
    """The paths of the table that intake serves as pages, with their parameters unfilled."""
    paths = [door.removeprefix("GET ") for door in MAY_PASS if door.startswith("GET ")]
    return [path for path in paths if path.startswith((*SERVES, OF_ALL)) and not path.endswith(NO_PAGE)]


async def something_on_each_page(intake: Intake) -> dict[str, Any]:
    """A round with a call, an answer, sheets and a letter that waits; a file with a bad row; what fills the paths."""
    aino, bertta, _ = await intake.ids()
    opened = await intake.open_round([aino, bertta])
    await intake.browser.post(await intake.link(1), data={"status": "limited", "note": "Ovi on auki"})
    await arrive(intake, written("Vähän niin ja näin"), key=(await keys(intake))[0])
    [ylva] = await intake.app.state.people.everybody()
    calls = intake.app.state.calls
    martat = await invitation_of(intake, "Hattulan Martat")
    assert await calls.take(martat, person_id=ylva.person_id)
    files = store_of(intake)
    bad = BytesIO(f"{HEADING}\nUusi Seura;9;Turku;Muut;;;;".encode())
    name = await files.receive(bad, file_name="lista.csv", sheet="", person_id=ylva.person_id)
    await files.work()
    return {
        "service": "intake",
        "association_id": aino,
        "contact_id": (await record_of(intake, aino)).contacts[0].id,
        "other_id": bertta,
        "code": "silta",
        "name": name,
        "round_id": opened.round_id,
        "municipality": "082",
        "invitation_id": martat,
        "reply_id": (await replies(intake))[0].id,
        "person_id": ylva.person_id,
    }


async def test_every_page_of_the_staff_is_accessible_on_phone_and_desk(settings: Settings) -> None:
    found = []
    async with desk(settings) as (intake, page, address):
        values = await something_on_each_page(intake)
        for path in pages_of_intake():
            filled = path.replace(":uuid}", "}").format(**values)
            reply = await page.goto(f"{address}{filled}")
            assert reply is not None
            assert reply.status == 200, path
            found += await wrong_on(page, path)

    assert len(pages_of_intake()) > 35
    assert found == []

"""Importing a list by its pages, in two steps."""

import asyncio
from datetime import timedelta
from io import BytesIO

import pytest
from httpx import Response

from services.intake.registry.store import Association
from shared import list_pages
from shared.identity import Role
from shared.progress import progress_frames
from shared.uploads import Kept
from tests.intake.house import AINO, BERTTA, HEADING, Intake
from tests.intake.register_file.files import store_of, upload, workbook


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for a small file as long as it takes, so that a busy machine shows the same page."""
    monkeypatch.setattr(list_pages, "AT_ONCE", 60.0)


async def send_file(intake: Intake, text: str, name: str = "lista.csv") -> Response:
    return await intake.browser.post("/registry/import?lang=en", files={"file": (name, BytesIO(text.encode()))})


@pytest.mark.parametrize("role", [Role.LIAISON, Role.CLERK])
async def test_only_administrators_import(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/registry")).status_code == 200
    assert (await intake.browser.get("/registry/import")).status_code == 403
    assert (await send_file(intake, f"{HEADING}\n{AINO}")).status_code == 403


async def test_a_list_is_imported_in_two_steps(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    sent = await send_file(intake, f"{HEADING}\n{AINO}\n{BERTTA}")
    path = sent.headers["location"]
    report = await intake.browser.get(path)
    assert await intake.count(Association) == 0

    confirmed = await intake.browser.post(path)
    result = await intake.browser.get(f"{path}?lang=en")

    assert report.status_code == 200
    assert confirmed.headers["location"] == path
    assert "Imported" in result.text
    assert await intake.count(Association) == 2
    assert {event["kind"] for event in await intake.said() if "kind" in event} == set()


async def test_confirming_twice_imports_once(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    path = (await send_file(intake, f"{HEADING}\n{AINO}")).headers["location"]

    await intake.browser.post(path)
    await intake.forget_said()
    again = await intake.browser.post(path)

    assert again.status_code == 303
    assert await intake.said() == []


async def test_columns_that_are_not_read_are_named_and_can_be_chosen(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    path = (await send_file(intake, f"{HEADING};Oma huomio\n{AINO};x")).headers["location"]

    report = await intake.browser.get(f"{path}?lang=en")

    assert "Oma huomio" in report.text
    assert f'href="{path}/columns"' in report.text


async def test_a_workbook_is_imported_like_any_list(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    body = workbook(("Nimi", "Rekisterinumero", "Kotipaikka"), ("Hattulan Martat", 1001.0, "Hattula"))

    sent = await intake.browser.post("/registry/import", files={"file": ("lista.xlsx", BytesIO(body))})
    await intake.browser.post(sent.headers["location"])

    assert await intake.count(Association) == 1


async def test_bad_rows_are_downloaded_mended_and_imported(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    path = (await send_file(intake, f"{HEADING}\n{AINO}\nPaha;7;Turku;;;=cmd")).headers["location"]

    answer = await intake.browser.get(f"{path}/problems.csv?lang=en")
    mended = answer.text.replace("Turku", "Loppi").replace("'=cmd", "", 1)
    again = (await send_file(intake, mended)).headers["location"]
    await intake.browser.post(again)

    heading, row = answer.text.removeprefix("\ufeff").splitlines()
    assert heading.endswith(";Row in the file;What is wrong")
    assert row.startswith("Paha;7;Turku;;;'=cmd;;;3;")
    assert "Turku is not a municipality of the region." in row
    assert await intake.count(Association) == 1


async def test_while_a_file_is_read_its_page_is_live_and_can_be_refreshed(intake: Intake) -> None:
    person_id = await intake.sign_in(Role.ADMINISTRATOR)
    name = await upload(intake, f"{HEADING}\n{AINO}".encode(), person_id=person_id)
    assert await store_of(intake).uploads.claim() is not None

    page = await intake.browser.get(f"/registry/import/{name}?lang=en")
    again = await intake.browser.post(f"/registry/import/{name}")

    assert f'data-live="/registry/import/{name}/live?lang=en"' in page.text
    assert f'class="live-off" href="/registry/import/{name}"' in page.text
    assert "Nothing is imported yet." in page.text
    assert again.status_code == 303


async def test_the_live_line_tells_each_change_and_ends_with_the_session(intake: Intake) -> None:
    name = await upload(intake, f"{HEADING}\n{AINO}".encode())
    uploads, seen = store_of(intake).uploads, []

    async def look() -> Kept | None:
        return await uploads.get(name, person_id=None)

    async for told in progress_frames(
        look,
        lambda kept: kept.state,
        ended=lambda kept: not kept.at_work,
        clock=intake.clock,
        ends_at=intake.clock.now() + timedelta(seconds=2),
    ):
        seen.append(told)
        if len(seen) == 1:
            await store_of(intake).work()
        asyncio.get_running_loop().call_later(0.001, lambda: intake.clock.move(seconds=1))

    assert seen == [b"data: trying\n\n", b"data: waiting\n\n"]


async def test_whoever_sees_a_part_of_the_region_imports_no_list(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR, municipalities=frozenset({"082"}))

    assert (await intake.browser.get("/registry/import")).status_code == 403
    assert (await send_file(intake, f"{HEADING}\n{AINO}")).status_code == 403


async def test_what_stands_in_the_file_is_shown_as_text(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    path = (await send_file(intake, f"{HEADING}\nA;1;<script>%(x)s%")).headers["location"]
    report = await intake.browser.get(path)

    assert "<script>%" not in report.text
    assert "&lt;script&gt;%(x)s%" in report.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Choose a file that is not empty."),
        (HEADING, "There are no rows below the heading."),
    ],
)
async def test_a_file_that_cannot_be_taken_is_said_so_beside_the_field(
    intake: Intake, text: str, sentence: str
) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    answer = await send_file(intake, text)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'href="#f-file"' in answer.text

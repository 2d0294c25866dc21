"""Importing a list by its pages, in two steps."""

from io import BytesIO

import pytest
from httpx import Response

from services.intake.registry.store import Association
from shared.identity import Role
from tests.intake.house import AINO, BERTTA, CECILIA, HEADING, Intake


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


async def test_bad_rows_hold_up_the_import_until_somebody_says_anyway(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    path = (await send_file(intake, f"{HEADING}\n{AINO}\nPaha;7;Turku")).headers["location"]

    report = await intake.browser.get(f"{path}?lang=en")
    refused = await intake.browser.post(path)
    assert await intake.count(Association) == 0
    taken = await intake.browser.post(path, data={"anyway": "yes"})

    assert "Turku is not a municipality of the region." in report.text
    assert refused.status_code == 422
    assert 'href="#f-anyway-yes"' in refused.text
    assert taken.status_code == 303
    assert await intake.count(Association) == 1


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


async def test_a_form_without_a_file_is_said_so(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    assert (await intake.browser.post("/registry/import", data={"file": "text"})).status_code == 422


async def test_another_administrator_does_not_see_the_file(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    path = (await send_file(intake, f"{HEADING}\n{CECILIA}")).headers["location"]

    await intake.sign_in(Role.ADMINISTRATOR, email="bertta@example.org")

    assert (await intake.browser.get(path)).status_code == 404
    assert (await intake.browser.post(path)).status_code == 404

"""The registry's pages: looking up associations and their contacts."""

import re

import pytest

from shared.identity import Role
from tests.intake.house import AINO, BERTTA, Intake


@pytest.mark.parametrize("path", ["/registry", "/registry/import", "/registry/import/x"])
async def test_nobody_sees_the_registry_without_signing_in(intake: Intake, path: str) -> None:
    answer = await intake.browser.get(path)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.EXERCISE_LEADER])
async def test_other_roles_do_not_see_the_registry(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/registry")).status_code == 403


async def test_an_association_is_found_and_opened_with_its_contacts(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    await intake.sign_in(Role.LIAISON)

    listing = await intake.browser.get("/registry?q=martat&municipality=082&lang=en")
    [path] = re.findall(r'href="(/registry/[0-9a-f-]{36})"', listing.text)
    page = await intake.browser.get(path)

    assert "Forssa Byalag" not in listing.text
    assert "Aino Kuura" in page.text
    assert "aino@example.org" in page.text


async def test_a_limited_role_sees_its_municipalities_only(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, bertta = await intake.ids()
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"061"}))

    assert "Hattulan Martat" not in (await intake.browser.get("/registry")).text
    assert (await intake.browser.get(f"/registry/{aino}")).status_code == 404
    assert (await intake.browser.get(f"/registry/{bertta}")).status_code == 200


@pytest.mark.parametrize("path", ["/registry/nothing", "/registry/00000000-0000-7000-8000-000000000000"])
async def test_an_association_that_is_not_there_is_said_so(intake: Intake, path: str) -> None:
    await intake.sign_in(Role.CLERK)

    assert (await intake.browser.get(path)).status_code == 404


async def test_the_list_is_paged_and_bears_any_page_number(intake: Intake) -> None:
    await intake.take_in(*(f"Seura {number:03};{number};Hattula" for number in range(1, 121)))
    await intake.sign_in(Role.CLERK)

    third = await intake.browser.get("/registry?page=3&q=seura")

    assert third.text.count('<th scope="row">') == 20
    assert "Seura 101" in third.text
    for odd in ("0", "-1", "x", "99999999999999", "7"):
        assert (await intake.browser.get(f"/registry?page={odd}")).status_code == 200

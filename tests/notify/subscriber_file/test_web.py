"""Importing and exporting subscribers by the pages, in the steps in which the staff do it."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.store import SubscriberStore
from shared import list_pages
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import row_of, signed_in, staff

LIST = "Sähköposti;Nimi\naino@example.org;Aino\nbertta@example.org;Bertta\n"
BASIS = "contacts of the member associations, annual meeting 2026"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page waits for the job: the test does its work by hand."""
    monkeypatch.setattr(list_pages, "AT_ONCE", 0.0)


@pytest.fixture
async def editor(app: FastAPI, clock: FakeClock) -> AsyncIterator[AsyncClient]:
    async with signed_in(app, staff(clock, Role.EDITOR)) as client:
        yield client


async def sent(browser: AsyncClient, text: str = LIST, **fields: str) -> Response:
    given = {"audience": "members", "basis": BASIS, **fields}
    return await browser.post(
        "/subscribers/import?lang=en", data=given, files={"file": ("lista.csv", text.encode())} if text else None
    )


async def worked(app: FastAPI) -> None:
    lists: SubscriberFileStore = app.state.subscriber_files
    while await lists.work():
        continue


async def test_a_list_is_imported_in_two_steps(app: FastAPI, editor: AsyncClient) -> None:
    path = (await sent(editor)).headers["location"]
    reading = await editor.get(f"{path}?lang=en")
    await worked(app)
    report = await editor.get(f"{path}?lang=en")
    await editor.post(path)
    await worked(app)
    done = await editor.get(f"{path}?lang=en")

    assert "being looked over" in reading.text
    assert BASIS in report.text
    assert "What would change" in report.text
    assert '<h1 id="title">Imported</h1>' in done.text
    assert (await row_of(app, "aino@example.org")).stated_basis == BASIS


async def test_without_a_group_or_a_basis_nothing_is_taken_and_what_was_typed_stays(editor: AsyncClient) -> None:
    no_basis, no_group = await sent(editor, basis="because"), await sent(editor, audience="residents")
    no_file = await sent(editor, text="")

    assert [answer.status_code for answer in (no_basis, no_group, no_file)] == [422, 422, 422]
    assert "Say in 10 to 500 characters" in no_basis.text
    assert "because</textarea>" in no_basis.text
    assert "Choose the group" in no_group.text
    assert "Choose a file that is not empty" in no_file.text
    assert BASIS in no_file.text


async def test_only_an_administrator_exports(app: FastAPI, editor: AsyncClient, clock: FakeClock) -> None:
    await sent(editor)
    refused = await editor.post("/subscribers/export.csv")
    overview = await editor.get("/subscribers?lang=en")
    async with signed_in(app, staff(clock, Role.ADMINISTRATOR)) as administrator:
        seen = await administrator.get("/subscribers?lang=en")
        exported = await administrator.post("/subscribers/export.csv")

    assert refused.status_code == 403
    assert "export.csv" not in overview.text
    assert "export.csv" in seen.text
    assert exported.headers["content-disposition"].startswith('attachment; filename="tilaajat-2026-')
    assert exported.text.startswith("\ufeffSähköposti;Nimi;Kohderyhmä;Kunnat;Kieli;Tila;")


async def test_the_overview_counts_and_names_nobody(
    app: FastAPI, editor: AsyncClient, subscribers: SubscriberStore
) -> None:
    path = (await sent(editor)).headers["location"]
    await worked(app)
    await editor.post(path)
    await worked(app)
    await subscribers.leave((await row_of(app, "aino@example.org")).id)

    page = await editor.get("/subscribers?lang=en")

    assert "By their work or office</dt><dd>1<" in page.text
    assert "Have left</dt><dd>1<" in page.text
    assert "@" not in page.text

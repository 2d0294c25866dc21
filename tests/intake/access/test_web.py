"""Signing in and out: once, in time, in the browser that asked; and nobody learns who works here."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import event
from starlette.requests import Request

from services.intake.access.model import PersonEntry, browser_family
from services.intake.access.store import SignInLink
from services.intake.app import make_app
from shared.identity import Role
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, Intake

AINO = PersonEntry("Aino Kuura", "Aino@example.org", frozenset({Role.LIAISON}), language="sv")


async def ask(intake: Intake, email: str = "aino@example.org", next_path: str = "") -> Response:
    return await intake.browser.post("/sign-in?lang=en", data={"email": email, "next": next_path})


async def letter_path(intake: Intake, number: int = -1) -> str:
    return str((await intake.said("urgent"))[number]["personal"]["link"]).removeprefix(ADDRESS)


def another_browser(intake: Intake) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS)


@pytest.fixture(autouse=True)
async def aino(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)


async def test_a_person_asks_for_a_link_opens_it_and_is_in(intake: Intake) -> None:
    sent = await ask(intake, "AINO@Example.org", "/registry?q=x")
    path = await letter_path(intake)
    opened = await intake.browser.get(path)
    entered = await intake.browser.post(path)

    assert (sent.status_code, opened.status_code, entered.status_code) == (200, 200, 303)
    assert entered.headers["location"] == "/registry?q=x"
    assert (await intake.browser.get("/registry")).status_code == 200


async def test_the_letter_goes_to_the_known_address_in_the_persons_language(intake: Intake) -> None:
    await ask(intake)

    [letter] = await intake.said("urgent")
    assert (letter["address"], letter["locale"], letter["kind"]) == ("Aino@example.org", "sv", "sign_in")
    assert letter["personal"]["name"] == "Aino Kuura"
    assert letter["not_after"] == (intake.clock.now() + timedelta(minutes=15)).isoformat().replace("+00:00", "Z")


async def test_an_unknown_address_gets_the_same_page_and_no_letter(intake: Intake) -> None:
    known = await ask(intake)
    unknown = await ask(intake, "nobody@example.org")

    assert known.text == unknown.text
    assert known.status_code == unknown.status_code
    assert len(await intake.said("urgent")) == 1
    assert await intake.count(SignInLink) == 2


async def test_somebody_who_left_gets_no_letter(intake: Intake) -> None:
    await intake.app.state.access.add_person(PersonEntry("Aino", "aino@example.org", frozenset(), retired=True))

    await ask(intake)

    assert await intake.said("urgent") == []


async def test_opening_a_link_does_not_use_it(intake: Intake) -> None:
    await ask(intake)
    path = await letter_path(intake)

    for _ in range(20):
        assert (await intake.browser.get(path)).status_code == 200
        assert (await intake.browser.head(path)).status_code == 200

    assert (await intake.browser.post(path)).status_code == 303


async def test_a_link_works_once(intake: Intake) -> None:
    await ask(intake)
    path = await letter_path(intake)
    await intake.browser.post(path)

    assert (await intake.browser.post(path)).status_code == 403


async def test_a_link_works_in_the_browser_that_asked_only(intake: Intake) -> None:
    await ask(intake)
    path = await letter_path(intake)

    async with another_browser(intake) as thief:
        stolen = await thief.post(path)
        await thief.post("/sign-in", data={"email": "other@example.org"})
        stolen_again = await thief.post(path)

    assert stolen.status_code == stolen_again.status_code == 403
    assert "set-cookie" not in stolen.headers
    assert (await intake.browser.post(path)).status_code == 303


async def test_asking_twice_in_one_browser_leaves_both_links_good(intake: Intake) -> None:
    await ask(intake)
    await ask(intake)

    assert (await intake.browser.post(await letter_path(intake, 0))).status_code == 303


async def test_a_late_and_a_wrong_link_are_refused_alike(intake: Intake) -> None:
    await ask(intake)
    path = await letter_path(intake)
    intake.clock.move(minutes=15)

    late = await intake.browser.post(path)
    wrong = await intake.browser.post("/sign-in/nothing")

    assert late.status_code == wrong.status_code == 403
    assert late.text == wrong.text


async def refusals(intake: Intake) -> dict[str, Response]:
    """One answer for each way in which a link can be wrong."""
    paths = []
    for _ in range(4):
        await ask(intake)
        paths.append(await letter_path(intake))
    tampered = paths[0][:-1] + ("A" if paths[0][-1] != "A" else "B")
    async with another_browser(intake) as thief:
        await thief.post("/sign-in", data={"email": "other@example.org"})
        elsewhere = await thief.post(paths[0])
    await intake.browser.post(paths[1])
    await intake.browser.post("/sign-in", data={"email": "other@example.org"})
    intake.browser.cookies.delete("valmius")
    second = await intake.browser.post(paths[1])
    changed = await intake.browser.post(tampered)
    nothing = await intake.browser.post("/sign-in/nothing")
    intake.clock.move(minutes=15)
    late = await intake.browser.post(paths[2])
    return {"elsewhere": elsewhere, "second": second, "tampered": changed, "nothing": nothing, "late": late}


async def test_every_refusal_is_the_same_to_the_last_byte(intake: Intake) -> None:
    answers = await refusals(intake)

    told = {
        name: (answer.status_code, answer.content, sorted(answer.headers.items())) for name, answer in answers.items()
    }
    assert set(told) == {"elsewhere", "second", "tampered", "nothing", "late"}
    assert len({repr(one) for one in told.values()}) == 1
    assert answers["late"].status_code == 403
    assert b"/sign-in?lang=" in answers["late"].content


async def test_asking_and_refusing_is_the_same_work_whoever_asks(intake: Intake) -> None:
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement.partition("(")[0].replace("ROLLBACK TO", "RELEASE"))

    await ask(intake, "first@example.org")  # by then the jobs have looked at what is due
    event.listen(intake.database.engine.sync_engine, "before_cursor_execute", note)
    work = []
    for email in ("aino@example.org", "nobody@example.org"):
        said.clear()
        await ask(intake, email)
        work.append(list(said))
    refused = []
    for path in ("/sign-in/nothing", f"/sign-in/{'x' * 43}"):
        said.clear()
        await intake.browser.post(path)
        refused.append(list(said))

    assert work[0] == work[1]
    assert any("outbox" in statement for statement in work[0])
    assert refused[0] == refused[1]
    assert len(await intake.said("urgent")) == 1


@pytest.mark.parametrize(
    "next_path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "", "/a\r\nx: y", "/ä"],
)
async def test_one_is_never_led_to_another_site(intake: Intake, next_path: str) -> None:
    await ask(intake, next_path=next_path)

    entered = await intake.browser.post(await letter_path(intake))

    assert entered.headers["location"] == "/situations"


@pytest.mark.parametrize("email", ["", "nobody", "x" * 250 + "@example.org"])
async def test_what_is_no_address_is_said_beside_the_field(intake: Intake, email: str) -> None:
    answer = await ask(intake, email, "/registry")

    assert answer.status_code == 422
    assert 'href="#f-email"' in answer.text
    assert 'value="/registry"' in answer.text


async def test_an_address_gets_five_links_an_hour_and_the_answer_does_not_tell(intake: Intake) -> None:
    answers = [await ask(intake) for _ in range(7)]

    assert len({answer.text for answer in answers}) == 1
    assert len(await intake.said("urgent")) == 5


async def test_a_client_asks_thirty_times_an_hour(intake: Intake) -> None:
    answers = [await ask(intake, f"nobody-{number}@example.org") for number in range(32)]

    assert await intake.count(SignInLink) == 30
    assert [answer.status_code for answer in answers[-3:]] == [200, 429, 429]
    assert answers[-1].headers["retry-after"] == "3600"
    assert "tried too often" in answers[-1].text


async def test_a_client_tries_sixty_links_a_minute(intake: Intake) -> None:
    answers = [await intake.browser.post("/sign-in/nothing?lang=sv") for _ in range(61)]

    assert [answer.status_code for answer in answers[-2:]] == [403, 429]
    assert answers[-1].headers["content-language"] == "sv"
    assert "Försök igen om 1 min." in answers[-1].text


async def test_limits_to_municipalities_and_networks_come_along(intake: Intake) -> None:
    limited = PersonEntry(
        "Aino", "aino@example.org", frozenset({Role.LIAISON}), frozenset({"082"}), networks=frozenset({"silta"})
    )
    await intake.app.state.access.add_person(limited)
    await ask(intake)
    await intake.browser.post(await letter_path(intake))

    request = Request(
        {"type": "http", "headers": [(b"cookie", f"valmius={intake.browser.cookies['valmius']}".encode())]}
    )
    staff = await intake.app.state.sessions.who(request)

    assert staff is not None
    assert (staff.municipalities, staff.networks) == ({"082"}, {"silta"})


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19 Safari/604",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("python-httpx/0.28", ""),
        ("", ""),
    ],
)
def test_of_a_browser_only_its_family_is_kept(agent: str, family: str) -> None:
    assert browser_family(agent) == family


async def test_who_signs_out_is_out_with_every_copy_of_the_cookie(intake: Intake) -> None:
    await intake.sign_in(Role.LIAISON)
    copy = dict(intake.browser.cookies)

    answer = await intake.browser.post("/sign-out")

    async with another_browser(intake) as other:
        other.cookies.update(copy)
        assert (await other.get("/registry")).status_code == 303
    assert answer.headers["location"] == "/sign-in?said=out"
    assert (await intake.browser.get("/registry")).status_code == 303
    assert len(await intake.said("session_ended")) == 1


async def test_signing_out_without_a_session_is_no_fault(intake: Intake) -> None:
    assert (await intake.browser.post("/sign-out")).status_code == 303
    assert await intake.said("session_ended") == []


async def test_a_session_ends_after_twelve_hours(intake: Intake) -> None:
    await intake.sign_in(Role.LIAISON)

    intake.clock.move(hours=12)

    assert (await intake.browser.get("/registry")).status_code == 303


async def test_cookies_are_closed_to_scripts_and_other_sites(settings: Settings, clock: FakeClock) -> None:
    app = make_app(settings.model_copy(update={"public_url": "https://valmius.example.org"}), clock=clock)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url="https://valmius.example.org") as browser,
    ):
        answer = await browser.post("/sign-in", data={"email": "nobody@example.org"})

    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-valmius-asked=")
    assert all(part in cookie for part in ("httponly", "samesite=lax", "secure", "path=/", "max-age=1200"))


async def test_no_link_and_no_address_reaches_the_log(intake: Intake, logged: Callable[[], str]) -> None:
    await ask(intake)
    path = await letter_path(intake)
    await intake.browser.post(path)
    await intake.browser.post(path)

    assert path.rsplit("/", 1)[1].casefold() not in logged()
    assert "aino@example.org" not in logged()

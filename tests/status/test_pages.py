"""The pages: a situation opened, asked about, seen and closed, by the right roles, without any script."""

import re
from html import unescape
from uuid import UUID

import pytest

from services.status.situation.model import Round
from shared import region
from shared.events.intake import OperatingStatus
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from tests.fakes import FakeClock
from tests.status.people import FORSSA, TAMMELA, Desk, association, checkin, round_of, storm

FORM = {"name_fi": "Marrasmyrsky", "kind": "storm", "freshness_hours": "12", "municipalities": ["05"]}


@pytest.fixture
async def open_desk(open_desk: Desk) -> Desk:
    """The service with three associations in its registry, and nobody signed in."""
    for name, municipality in (("Aino ry", TAMMELA), ("Bertta ry", TAMMELA), ("Cecilia rf", FORSSA)):
        await open_desk.app.state.readiness.know(association(name, municipality))
    return open_desk


BOTH = {"Aino ry", "Cecilia rf"}


async def asked(one: Desk) -> Round:
    """A storm is open and everybody is asked."""
    opened = storm()
    await one.app.state.situations.open(opened)
    round_ = await one.app.state.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    return round_


def text_of(html: str) -> str:
    """What is read on the page, in one line."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def test_a_liaison_opens_a_situation_and_asks_the_whole_region(open_desk: Desk) -> None:
    browser = open_desk.browser
    open_desk.sign_in(Role.LIAISON)

    opened = await browser.post("/situations/new", data=FORM)
    picture = opened.headers["location"].partition("?")[0]
    round_form = await browser.get(f"{picture}/rounds/new?lang=en")
    round_id = re.search(r'name="round_id" value="([^"]+)"', round_form.text)
    assert round_id
    choice = {"round_id": round_id[1], "municipalities": ["05"], "sectors": ["all"], "hours": "24"}
    counted = await browser.post(f"{picture}/rounds/new?lang=en", data={**choice, "step": "count"})
    confirm = await browser.post(f"{picture}/rounds/new?lang=en", data={**choice, "step": "confirm"})
    done = await browser.post(f"{picture}/rounds/new", data={**choice, "step": "open"})
    twice = await browser.post(f"{picture}/rounds/new", data={**choice, "step": "open"})
    shown = await browser.get(f"{done.headers['location']}&lang=en")

    assert opened.status_code == done.status_code == twice.status_code == 303
    assert "3 associations would be asked" in text_of(counted.text)
    assert "Ask 3 associations?" in text_of(confirm.text)
    assert "0 of 3 answered, 0 out of date" in text_of(shown.text)
    assert "3 associations were asked" in text_of(shown.text)
    assert len(await open_desk.app.state.situations.rounds(await _situation(open_desk, picture))) == 1


async def test_a_bad_situation_form_comes_back_with_what_was_written(open_desk: Desk) -> None:
    open_desk.sign_in(Role.ADMINISTRATOR)

    answer = await open_desk.browser.post(
        "/situations/new?lang=en", data={"name_sv": "Stormen", "kind": "comet", "freshness_hours": "9999"}
    )

    assert answer.status_code == 422
    for field in ("name_fi", "kind", "municipalities", "freshness_hours"):
        assert f'href="#f-{field}"' in answer.text
        assert f'id="f-{field}"' in answer.text
    assert 'value="Stormen"' in answer.text
    assert 'value="9999"' in answer.text


async def test_a_round_to_nobody_comes_back_with_the_choice_kept(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.LIAISON)
    path = f"/situations/{round_.situation_id}/rounds/new?lang=en"

    nobody = await open_desk.browser.post(
        path, data={"municipalities": ["082"], "sectors": ["all"], "hours": "24", "step": "confirm"}
    )
    empty = await open_desk.browser.post(path, data={"hours": "x", "step": "open"})

    assert nobody.status_code == empty.status_code == 422
    assert re.search(r'value="082"[^>]*checked', nobody.text)
    assert "Nobody was asked" in nobody.text
    assert empty.text.count('<li><a href="#f-') == 3


async def test_the_picture_is_complete_without_a_script(open_desk: Desk, clock: FakeClock) -> None:
    round_ = await asked(open_desk)
    clock.move(minutes=10)
    await open_desk.app.state.readiness.hear(checkin("Aino ry", round_, after=4))
    await open_desk.app.state.readiness.hear(checkin("Aino ry", round_, OperatingStatus.SUSPENDED, after=5))
    open_desk.sign_in(Role.VIEWER)

    page = (await open_desk.browser.get(f"/situations/{round_.situation_id}?lang=en")).text
    words = text_of(page)

    assert "1 of 3 answered, 0 out of date" in words
    assert page.count('class="tile tile-') == len(region.MUNICIPALITIES)
    assert 'class="tile tile-suspended" href="/situations/' in page
    assert "Aino ry" in words
    assert "was: Operates normally" in words
    assert "The same as a table" in words
    assert f'data-live="/situations/{round_.situation_id}/live?lang=en"' in page
    assert "style=" not in page
    assert "http-equiv" not in page


async def test_the_refresh_link_shows_what_changed_since_and_says_when_nothing_did(
    open_desk: Desk, clock: FakeClock
) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{round_.situation_id}"
    first = await open_desk.browser.get(f"{path}?lang=en")
    link = re.search(r'href="(\?since=[^"]+)"', first.text)
    assert link

    nothing = await open_desk.browser.get(path + link[1])
    clock.move(minutes=3)
    await open_desk.app.state.readiness.hear(checkin("Bertta ry", round_, after=2))
    something = await open_desk.browser.get(path + link[1])

    assert "Changes since you last looked" in nothing.text
    assert "No change." in nothing.text
    since = something.text.partition('<h2 id="since-title">')[2].partition("</section>")[0]
    assert "Bertta ry" in since


@pytest.mark.parametrize(
    ("limits", "named", "opened"),
    [
        ({}, {"Aino ry", "Cecilia rf"}, [200, 200]),
        ({"municipalities": frozenset({FORSSA})}, {"Cecilia rf"}, [403, 200]),
        ({"networks": frozenset({"silta"})}, {"Aino ry"}, [200, 200]),
        ({"networks": frozenset({"silta"}), "municipalities": frozenset({FORSSA})}, BOTH, [200, 200]),
        ({"networks": frozenset({"sil"})}, set(), [200, 200]),
    ],
)
async def test_associations_are_named_to_those_who_may_see_them(
    open_desk: Desk, limits: dict[str, frozenset[str]], named: set[str], opened: list[int]
) -> None:
    state = open_desk.app.state
    networks, able = ("silta", "silta-arki"), ("transport",)
    await state.readiness.know(association("Aino ry", version=2, networks=networks, capabilities=able))
    await state.readiness.know(association("Cecilia rf", FORSSA, version=2, capabilities=("transport",)))
    round_ = await asked(open_desk)
    for name in ("Aino ry", "Cecilia rf"):
        await state.readiness.hear(checkin(name, round_, after=2, needs={"transport": 1}))
    open_desk.sign_in(Role.VIEWER, **limits)
    path = f"/situations/{round_.situation_id}"

    picture = (await open_desk.browser.get(f"{path}?since=2020-01-01")).text
    lists = [await open_desk.browser.get(f"{path}/{place}") for place in (TAMMELA, FORSSA)]

    pages = [picture, "".join(page.text for page in lists)]
    others = ("aid", "aid?side=offer", "who-can?capability=transport", "who-can.csv?capability=transport")
    pages += [(await open_desk.browser.get(f"{path}/{page}")).text for page in others]
    for page in (page for page in pages if "ry" in page):
        assert {name for name in BOTH if name in page} <= named
    assert {name for name in BOTH if name in picture} == named
    assert {name for name in BOTH if name in pages[2]} == named
    assert {name for name in BOTH if name in pages[5]} == named
    assert [page.status_code for page in lists] == opened
    assert "2/3" in picture.replace("\N{NO-BREAK SPACE}", "")


async def test_any_since_is_survived(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.VIEWER)

    for since in ("", "yesterday", "2026-13-01", "0001-01-01T00:00:00+14:00", "2026-11-21T18:00"):
        answer = await open_desk.browser.get(
            f"/situations/{round_.situation_id}", params={"since": since, "said": since}
        )
        assert answer.status_code == 200


async def test_a_municipality_lists_its_associations_by_state(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    await open_desk.app.state.readiness.hear(checkin("Aino ry", round_, OperatingStatus.LIMITED))
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{round_.situation_id}/{TAMMELA}?lang=en"

    everybody = text_of((await open_desk.browser.get(path)).text)
    limited = text_of((await open_desk.browser.get(f"{path}&state=limited")).text)
    nonsense = await open_desk.browser.get(f"{path}&state=fine&page=-7")

    assert "Aino ry" in everybody
    assert "Bertta ry" in everybody
    assert "Cecilia rf" not in everybody
    assert "Aino ry" in limited
    assert "Bertta ry" not in limited
    assert nonsense.status_code == 200


async def test_closing_ends_the_rounds_and_leaves_the_picture(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.LIAISON)
    path = f"/situations/{round_.situation_id}"

    confirm = await open_desk.browser.get(f"{path}/close?lang=en")
    closed = await open_desk.browser.post(f"{path}/close")
    again = await open_desk.browser.post(f"{path}/close")
    shown = await open_desk.browser.get(f"{path}?lang=en")
    late = await open_desk.browser.get(f"{path}/rounds/new")

    assert "1 round is still open" in text_of(confirm.text)
    assert closed.status_code == again.status_code == 303
    assert "data-live=" not in shown.text
    assert "Ended" in shown.text
    assert late.status_code == 409


async def test_a_changed_situation_is_told_again_as_a_whole(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.LIAISON)
    path = f"/situations/{round_.situation_id}"

    form = await open_desk.browser.get(f"{path}/edit")
    bad = await open_desk.browser.post(f"{path}/edit", data={**FORM, "kind": ""})
    done = await open_desk.browser.post(f"{path}/edit", data={**FORM, "name_fi": "Talvimyrsky"})
    shown = await open_desk.browser.get(f"{path}?lang=fi")

    assert 'value="Marrasmyrsky"' in form.text
    assert bad.status_code == 422
    assert done.status_code == 303
    assert "Talvimyrsky" in shown.text


WRITING = ("/situations/new", "{one}/edit", "{one}/close", "{one}/rounds/new")


async def test_every_role_sees_the_picture_and_only_some_may_act(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    one = f"/situations/{round_.situation_id}"
    may = {Role.LIAISON: [200] * 4, Role.ADMINISTRATOR: [200, 200, 200, 403]}

    for role in Role:
        open_desk.sign_in(role)
        read = [(await open_desk.browser.get(path)).status_code for path in ("/situations", one, f"{one}/{TAMMELA}")]
        wrote = [(await open_desk.browser.get(path.format(one=one))).status_code for path in WRITING]
        posted = [(await open_desk.browser.post(path.format(one=one))).status_code for path in WRITING[3:]]

        assert read == [200] * 3
        assert wrote == may.get(role, [403] * 4)
        assert posted == ([422] if role is Role.LIAISON else [403])


async def test_nobody_unknown_sees_anything(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    one = f"/situations/{round_.situation_id}"

    for path in ("/situations", one, f"{one}/{TAMMELA}", *WRITING):
        answer = await open_desk.browser.get(path.format(one=one))
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    assert (await open_desk.browser.get(f"{one}/live")).status_code == 401


async def test_what_does_not_exist_is_said_in_plain_words(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.LIAISON)

    for path in (f"/situations/{new_id()}", f"/situations/{round_.situation_id}/091", "/situations/unheard-of"):
        assert (await open_desk.browser.get(path)).status_code == 404


async def test_every_page_is_there_in_every_language(open_desk: Desk) -> None:
    round_ = await asked(open_desk)
    open_desk.sign_in(Role.LIAISON)
    one = f"/situations/{round_.situation_id}"

    for path in ("/situations", one, f"{one}/{TAMMELA}", *WRITING):
        for locale in Locale:
            answer = await open_desk.browser.get(path.format(one=one), params={"lang": locale})
            assert answer.status_code == 200
            assert answer.headers["content-language"] == locale.lang


async def _situation(one: Desk, path: str) -> object:
    return await one.app.state.situations.get(UUID(path.rsplit("/", 1)[1]))

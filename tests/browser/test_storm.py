"""The storm evening, sixty times faster than time, with the pictures of three liaisons open from before its beginning.

How soon an answer is seen is measured in `benchmarks/`; here it counts that what is seen is true.
"""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from services.status.picture.picture_html import FIGURES
from tests.browser.test_walk import first_of_tammela
from tests.browser.walk import ASKED, DESK, Walk
from tests.system import ROOT, System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

Figures = dict[tuple[str, str], int]
"""How many associations of a municipality are in a state, where there are any."""

NOTE_ANSWERED = """
window.sameDocument = true;
window.answered = [];
const note = () => window.answered.push(
  Number(document.querySelector("#picture tfoot td:last-child").textContent.split("/")[0].replace(/\\D/g, "")));
new MutationObserver(note).observe(document.querySelector("#picture"), {childList: true});
note();
"""
TABLE = """
() => [...document.querySelectorAll("#area-scroll tbody tr:not(.sum)")].map((row) => [
  row.querySelector("a").pathname.split("/").pop(),
  ...[...row.querySelectorAll("td")].map((cell) => cell.textContent.replace(/\\s/g, "")),
])
"""


def test_three_open_pictures_tell_the_truth_from_the_first_answer_to_the_last(system: System, browser: Browser) -> None:
    walk = Walk(system, browser, lambda _page, _name: None)
    walk.sign_in("Liisa")
    walk.open_situation()
    walk.ask_everybody()
    pages = _watch(walk, 3)

    played = subprocess.run(
        [
            *(sys.executable, "-m", "services.cli", "demo", "storm", "--speed", "60"),
            *("--url", system.url, "--mail-url", system.mail_url),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    [accepted] = map(int, re.findall(r"(\d+) answers recorded, 0 refused", played.stdout))

    recounted = _recount(system)
    assert sum(recounted.values()) == ASKED
    answered = sum(count for (_place, state), count in recounted.items() if state in {"normal", "limited", "suspended"})
    assert ASKED / 2 < answered <= accepted
    for page in pages:
        expect(page.locator("#picture tfoot").first).to_contain_text(_spaced(answered), timeout=10_000)
        assert _shown(page) == recounted
        seen = cast("list[int]", page.evaluate("window.answered"))
        assert seen == sorted(seen), "what has been answered does not become unanswered"
        assert len(set(seen)) > 100, "the picture moved all evening"


def test_after_a_power_cut_the_open_pictures_go_on_without_being_opened_again(system: System, browser: Browser) -> None:
    system.stop()
    system.start()  # it prints new links to sign in
    walk = Walk(system, browser, lambda _page, _name: None)
    walk.sign_in("Liisa")
    walk.open_situation()
    walk.ask_everybody()
    pages = _watch(walk, 3)
    newest = max(walk.letters(to=first_of_tammela(walk), count=2), key=lambda letter: int(letter["id"]))
    link = next(link for link in newest["links"] if "/c/" in link)

    system.kill()
    system.start()
    phone = walk.page_of(DESK)
    phone.goto(link)
    phone.click('label:has-text("rajoitetusti")')
    phone.click("main button")

    for page in pages:
        expect(page.locator("#picture tfoot").first).to_contain_text(f"1/{_spaced(ASKED)}", timeout=60_000)
        assert page.evaluate("window.sameDocument") is True
        assert _shown(page) == _recount(system)


def _watch(walk: Walk, number: int) -> list[Page]:
    """So many browsers of people of their own, each with the picture open; each notes what it shows."""
    state = walk.pages["Liisa"].context.storage_state()
    pages = [walk.page_of(DESK, storage_state=state) for _ in range(number)]
    for page in pages:
        page.goto(walk.situation)
        page.evaluate(NOTE_ANSWERED)
    return pages


def _shown(page: Page) -> Figures:
    rows = cast("list[list[str]]", page.evaluate(TABLE))
    return {
        (place, state.value): int(cell)
        for place, *cells in rows
        for state, cell in zip(FIGURES, cells, strict=False)
        if int(cell)
    }


def _recount(system: System) -> Figures:
    """The newest situation's standings, counted one by one where they are kept."""
    [path] = system.folder.rglob("status.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT municipality, state, count(*) FROM standing"
            " WHERE situation_id = (SELECT id FROM situation ORDER BY opened_at DESC LIMIT 1) GROUP BY 1, 2"
        )
        return {(place, state): count for place, state, count in rows}


def _spaced(number: int) -> str:
    """A number as the Finnish page writes it."""
    return f"{number:,}".replace(",", "\u00a0")

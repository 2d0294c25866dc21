"""The whole evening in Chromium, every page accessible on phone and desk, in light and in dark."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.page_check import DESK, PHONE, wrong_here
from tests.browser.walk import Walk
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


class Eyes:
    """Look at each page on the way, and remember what is wrong on it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.looked: list[str] = []

    def __call__(self, page: Page, name: str) -> None:
        self.found += wrong_here(page, name, widths=(PHONE, DESK))
        self.looked.append(name)


def test_the_storm_evening(system: System, browser: Browser) -> None:
    eyes = Eyes()
    walk = Walk(system, browser, eyes)

    walk.ask_for_a_link()
    for name in ("Liisa", "Eero", "Aino", "Ylva"):
        walk.sign_in(name)
    walk.open_situation()
    walk.ask_everybody()
    walk.answer_in_two_taps(first_of_tammela(walk))
    walk.write_guidance()
    walk.approve_guidance()
    walk.read_public_page()
    walk.subscribe_and_leave()
    walk.look_around()

    assert eyes.found == []
    assert len(eyes.looked) >= 25


def first_of_tammela(walk: Walk) -> str:
    """The address of an association of Tammela that was asked."""
    return next(str(letter["to"]) for letter in walk.read_mail(limit="200") if letter["to"].startswith("tammela-"))

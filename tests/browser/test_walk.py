"""The whole evening in Chromium, every page accessible on phone and desk, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.walk import DESK, PHONE, Walk
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


class Accessibility:
    """Runs axe on a page at both widths, light and dark, and remembers what it found."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.looked: list[str] = []

    def __call__(self, page: Page, name: str) -> None:
        before = page.viewport_size
        for viewport in (PHONE, DESK):
            page.set_viewport_size(viewport)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                self._check(page, f"{name} {viewport['width']} {scheme}")
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                self.found.append(f"{name} {viewport['width']}: {wide} px wider than the screen")
        page.emulate_media(color_scheme="light")
        if before:
            page.set_viewport_size(before)
        self.looked.append(name)

    def _check(self, page: Page, where: str) -> None:
        for violation in Axe().run(page, options=RULES).response["violations"]:
            nodes = [node["target"] for node in violation["nodes"][:3]]
            self.found.append(f"{where}: {violation['id']} {nodes}")


def test_the_storm_evening(system: System, browser: Browser) -> None:
    eyes = Accessibility()
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

"""A leader who has never seen it starts the storm in a few presses; the board moves by itself after a power cut too."""

import time

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.exercise_walk import ExerciseWalk
from tests.browser.test_walk import Eyes
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

TWO_MINUTES = 120.0


def test_a_leader_starts_leads_and_ends_a_storm_from_the_pages(system: System, browser: Browser) -> None:
    eyes = Eyes()
    walk = ExerciseWalk(system, browser, lambda _page, _name: None)
    walk.sign_in("Helga")

    began = time.monotonic()
    walk.plan_a_storm()
    walk.start()
    took, presses = time.monotonic() - began, walk.presses
    walk.look = eyes
    walk.lead()
    walk.see_it_end()

    assert presses == 4
    assert took < TWO_MINUTES
    assert eyes.found == []


def test_an_open_board_goes_on_after_a_power_cut_without_being_loaded_again(system: System, browser: Browser) -> None:
    walk = ExerciseWalk(system, browser, lambda _page, _name: None)
    system.stop()
    system.start()  # it prints new links to sign in
    walk.sign_in("Helga")
    walk.plan_a_storm()
    walk.start()
    page = walk.pages["Helga"]
    walk.press(page, "#speed-600")
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#inject-2")).to_contain_text("Annettu", timeout=15_000)

    system.kill()
    system.start()

    expect(page.locator("#board")).to_contain_text("Käsikirjoitus on lopussa", timeout=120_000)
    assert page.evaluate("window.sameDocument") is True
    assert page.locator("#board li .badge-success").count() == 13

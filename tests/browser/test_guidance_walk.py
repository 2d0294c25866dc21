"""Guidance from the desk to the mailbox in Chromium: approved for later, corrected, withdrawn, all agreeing."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.guidance_walk import CORRECTED, HEADLINE, NOTE, REASON, GuidanceWalk
from tests.browser.test_walk import Eyes
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


class Desk(Eyes):
    """Looks at pages of ours; letters are for mail programs, and are read by the walk itself."""

    def __call__(self, page: Page, name: str) -> None:
        if not name.startswith("letter"):
            super().__call__(page, name)


def test_guidance_is_approved_for_later_corrected_and_withdrawn(system: System, browser: Browser) -> None:
    eyes = Desk()
    walk = GuidanceWalk(system, browser, eyes)
    for name in ("Eero", "Aino"):
        walk.sign_in(name)

    walk.write_with_help()
    moment = walk.approve_for_the_next_minute()
    first = walk.wait_for_the_broadcast()
    released = walk.headlines()
    began = datetime.now(UTC)
    walk.read_letter(first[0], "letter-first")
    walk.correct("update", NOTE, headline=CORRECTED)
    second = walk.wait_for_the_broadcast()
    corrected = walk.headlines()
    walk.correct("cancel", REASON)
    third = walk.wait_for_the_broadcast()
    withdrawn = walk.headlines()
    walk.read_letter(second[0], "letter-corrected")
    walk.read_letter(third[0], "letter-withdrawn")
    walk.read_checklists()

    assert began >= moment
    assert released == ([HEADLINE],) * 4
    assert corrected == ([CORRECTED],) * 4
    assert withdrawn == ([f"Peruttu: {CORRECTED}"],) * 4
    recipients = [letter["to"] for letter in first]
    assert len(recipients) == len(set(recipients)) > 1
    assert {letter["to"] for letter in second} == {letter["to"] for letter in third} == set(recipients)
    ids = {letter["to"]: walk.mail(letter)["message-id"] for letter in first}
    for letter in (*second, *third):
        assert ids[letter["to"]] in walk.mail(letter)["references"]
    assert eyes.found == []

"""The import of a list in Chromium: from the file to the report, every page accessible, with and without scripts."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from services.intake.register_file.cells import HEADING
from tests.browser.test_walk import RULES
from tests.browser.walk import DESK, Walk
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

NARROW: ViewportSize = {"width": 320, "height": 800}
KNOWN = "\n".join(
    [
        f"{';'.join(HEADING[:8])};Oma huomio",
        "Hattulan uusi seura;7001;Hattula;Muut;fi;;ensiapu: 3;2024;x",
        "Paha;7002;Turku",
    ]
)
UNKNOWN = "Järjestö;Numero;Paikka\nLopen uusi seura;7003;Loppi\n"


def faults(page: Page) -> list[str]:
    """What axe finds on a narrow screen and a wide one, and what is wider than its screen."""
    found = []
    for viewport in (NARROW, DESK):
        page.set_viewport_size(viewport)
        found += [f"{page.url} {one['id']}" for one in Axe().run(page, options=RULES).response["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{page.url}: {wide} px too wide at {viewport['width']}"] if wide > 0 else []
    return found


def chosen(page: Page, system: System, file: Path) -> None:
    page.goto(f"{system.url}/registry/import")
    page.set_input_files("[name=file]", file)
    page.click("main form button")


def test_a_list_is_imported_step_by_step(system: System, browser: Browser, tmp_path: Path) -> None:
    found: list[str] = []
    walk = Walk(system, browser, lambda _page, _name: None)
    page = walk.sign_in("Ylva")
    known, unknown = tmp_path / "lista.csv", tmp_path / "vieras.csv"
    known.write_text(KNOWN, encoding="utf-8")
    unknown.write_text(UNKNOWN, encoding="utf-8")

    page.goto(f"{system.url}/registry")
    expect(page.locator('a[href^="/registry/export.xlsx"]')).to_be_visible()
    page.goto(f"{system.url}/registry/import")
    found += faults(page)
    chosen(page, system, known)
    expect(page.locator("#errors")).to_be_visible()
    found += faults(page)
    page.click("main form button")
    found += faults(page)
    page.check("[name=anyway]")
    page.click("main form button")
    expect(page.locator("main form")).to_have_count(0)
    found += faults(page)

    chosen(page, system, unknown)
    page.wait_for_url("**/columns")
    found += faults(page)
    page.click("main form button")
    found += faults(page)
    for place, name in enumerate(("name", "register_number", "municipality")):
        page.select_option(f"[name={name}]", str(place))
    page.click("main form button")
    expect(page.locator("main form button")).to_have_count(1)
    found += faults(page)

    assert found == []

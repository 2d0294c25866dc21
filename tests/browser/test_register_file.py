"""The import of a list in Chromium: from the file to the report, every page accessible, with and without scripts."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from services.intake.register_file.cells import HEADING
from tests.browser.page_check import wrong_here
from tests.browser.walk import Walk
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

KNOWN = "\n".join(
    [
        f"{';'.join(HEADING[:8])};Oma huomio",
        "Hattulan uusi seura;7001;Hattula;Muut;fi;;ensiapu: 3;2024;x",
        "Paha;7002;Turku",
    ]
)
UNKNOWN = "Järjestö;Numero;Paikka\nLopen uusi seura;7003;Loppi\n"


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
    found += wrong_here(page, page.url)
    chosen(page, system, known)
    expect(page.locator("#errors")).to_be_visible()
    found += wrong_here(page, page.url)
    page.click("main form button")
    found += wrong_here(page, page.url)
    page.check("[name=anyway]")
    page.click("main form button")
    expect(page.locator("main form")).to_have_count(0)
    found += wrong_here(page, page.url)

    chosen(page, system, unknown)
    page.wait_for_url("**/columns")
    found += wrong_here(page, page.url)
    page.click("main form button")
    found += wrong_here(page, page.url)
    for place, name in enumerate(("name", "register_number", "municipality")):
        page.select_option(f"[name={name}]", str(place))
    page.click("main form button")
    expect(page.locator("main form button")).to_have_count(1)
    found += wrong_here(page, page.url)

    assert found == []

"""People, partners, the audit and one's own page in Chromium: accessible, and complete by keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.browser.page_check import wrong_here
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

DESK: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def page(system: System, browser: Browser) -> Iterator[Page]:
    """The administrator's browser, signed in."""
    context = browser.new_context(locale="fi-FI", viewport=DESK)
    page = context.new_page()
    page.goto(system.sign_in_links()["Ylva"])
    page.click("main button")
    page.wait_for_url("**/situations")
    yield page
    context.close()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def test_a_person_is_added_by_keyboard_alone(system: System, page: Page) -> None:
    page.goto(f"{system.url}/people")
    tab_to(page, 'main a[href="/people/new"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/new")
    tab_to(page, "[name=name]")
    page.keyboard.type("Cecilia Tuuli")
    tab_to(page, "main form .actions button")
    page.evaluate("document.querySelectorAll('[required]').forEach(field => field.required = false)")
    page.keyboard.press("Enter")
    expect(page.locator("#error")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    tab_to(page, "[name=roles][value=clerk]")
    page.keyboard.press("Space")
    tab_to(page, '[name=municipalities][value="834"]')
    page.keyboard.press("Space")
    page.locator("[name=email]").focus()
    page.keyboard.type("cecilia.tuuli@example.org")
    page.keyboard.press("Enter")
    page.wait_for_url("**/people?said=added*")

    expect(page.locator("main table")).to_contain_text("Cecilia Tuuli")
    expect(page.locator("main table")).to_contain_text("Tammela")


@pytest.mark.parametrize("path", ["/people", "/people/new", "/partners", "/partners/new", "/audit", "/me"])
def test_the_page_is_accessible(system: System, page: Page, path: str) -> None:
    page.goto(f"{system.url}{path}")

    assert wrong_here(page, page.url) == []


def test_a_person_s_page_a_new_key_and_the_list_of_keys_are_accessible(system: System, page: Page) -> None:
    page.goto(f"{system.url}/people")
    page.locator("main table a").first.click()
    found = wrong_here(page, page.url)
    page.goto(f"{system.url}/partners/new")
    page.fill("[name=name]", "Pelastuslaitos")
    page.check('[name=scopes][value="registry:read"]')
    page.click("main form .actions button")
    found += wrong_here(page, page.url)
    page.goto(f"{system.url}/partners")
    page.click("main summary")
    found += wrong_here(page, page.url)

    assert found == []

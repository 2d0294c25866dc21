"""An exercise as its leader walks it who has never seen one: planned, started, led, ended."""

from playwright.sync_api import Page, expect

from tests.browser.walk import Walk

STORM = "Talvimyrsky"


class ExerciseWalk(Walk):
    """What Helga does, page by page; every press of hers is counted."""

    presses = 0
    board = ""

    def press(self, page: Page, what: str) -> None:
        """Press it, and count that."""
        page.locator(what).first.click()
        self.presses += 1

    def plan_a_storm(self) -> None:
        """From the first page to a board: the form is filled in already."""
        page = self.pages["Helga"]
        self.press(page, "nav a[href='/exercises']")
        self.look(page, "exercises-none")
        self.press(page, "main a[href='/exercises/new']")
        self.look(page, "exercise-form")
        self.press(page, "main form button:not([name])")
        page.wait_for_selector("form[action$='/start']")
        self.board = page.url.split("?")[0]
        self.look(page, "exercise-planned")

    def start(self) -> None:
        """The clock goes, and the first inject is there, without the page being loaded again."""
        page = self.pages["Helga"]
        self.press(page, "form[action$='/start'] button")
        page.evaluate("window.sameDocument = true")
        expect(page.locator("#inject-1")).to_contain_text("Annettu", timeout=15_000)

    def lead(self) -> None:
        """Faster by one press; then the board moves by itself."""
        page = self.pages["Helga"]
        self.press(page, "#speed-600")
        page.evaluate("window.sameDocument = true")
        expect(page.locator("#inject-3")).to_contain_text("Annettu", timeout=30_000)
        assert page.evaluate("window.sameDocument") is True
        self.press(page, "form[action$='/pause'] button")
        self.look(page, "exercise-board")
        self.press(page, "form[action$='/resume'] button")

    def see_it_end(self) -> None:
        """The script comes to its end on the open board, and the leader ends the exercise."""
        page = self.pages["Helga"]
        expect(page.locator("#board")).to_contain_text("Käsikirjoitus on lopussa", timeout=90_000)
        self.press(page, "form[action$='/end'] button")
        expect(page.locator("#board")).to_contain_text("Harjoitus on päättynyt")
        self.look(page, "exercise-over")

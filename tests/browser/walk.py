"""The storm evening as people walk it in their browsers; whoever watches may look at every page on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.servers import pause
from tests.system import System

DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
ASKED = 3253
ADVICE_FI = """Sähköt ovat poikki Tammelassa ja Lopella.

**Mitä voitte tehdä**

- Tarkistakaa yksin asuvat naapurit.
- Lämmin tila on avoinna Tammelan seuratalolla kello 22 asti.
- Säästäkää puhelimen akkua."""
ADVICE_SV = """Elen är borta i Tammela och Loppi.

**Vad ni kan göra**

- Se till grannar som bor ensamma.
- Ett varmt utrymme är öppet i Tammela till klockan 22.
- Spara på telefonens batteri."""

Look = Callable[[Page, str], None]


@dataclass
class Walk:
    """One evening in one system. `look` is called with every page and its name."""

    system: System
    browser: Browser
    look: Look
    pages: dict[str, Page] = field(default_factory=dict)
    situation: str = ""
    guidance: str = ""

    def page_of(self, viewport: ViewportSize, **options: Any) -> Page:
        """A new person's browser, in Finnish."""
        context: BrowserContext = self.browser.new_context(viewport=viewport, locale="fi-FI", **options)
        return context.new_page()

    def sign_in(self, name: str) -> Page:
        """Sign in by the printed link; the person's page from then on."""
        page = self.page_of(DESK)
        page.goto(self.system.sign_in_links()[name])
        if not self.pages:
            self.look(page, "sign-in-link")
        page.click("main button")
        page.wait_for_url("**/situations")
        self.pages[name] = page
        return page

    def ask_for_a_link(self) -> None:
        """Sign in the usual way: by a letter, in the browser that asked."""
        page = self.page_of(PHONE)
        page.goto(f"{self.system.url}/situations")
        self.look(page, "sign-in")
        page.fill("[name=email]", "kaarina.sumunotko@example.org")
        page.click("main button")
        self.look(page, "sign-in-sent")
        [letter] = self.letters(to="kaarina.sumunotko@example.org", count=1)
        page.goto(next(link for link in letter["links"] if "/sign-in/" in link))
        page.click("main button")
        page.wait_for_url("**/situations")

    def open_situation(self) -> None:
        """The liaison opens the situation."""
        page = self.pages["Liisa"]
        self.look(page, "situations")
        page.goto(f"{self.system.url}/situations/new")
        page.fill("[name=name_fi]", "Marraskuun myrsky")
        page.fill("[name=name_sv]", "Novemberstormen")
        page.select_option("[name=kind]", "storm")
        page.check('[name=municipalities][value="834"]')
        page.check('[name=municipalities][value="433"]')
        self.look(page, "situation-form")
        page.click("main form button")
        page.wait_for_url("**/situations/*-*")
        self.situation = page.url.split("?")[0]
        self.look(page, "picture-before")

    def ask_everybody(self) -> None:
        """The liaison asks all associations of the region; each gets its letter."""
        page = self.pages["Liisa"]
        page.goto(f"{self.situation}/rounds/new")
        self.look(page, "round-form")
        page.click("main button[value=confirm]")
        self.look(page, "round-confirm")
        expect(page.locator("main h1")).to_contain_text("3 253")
        page.locator("main form button").first.click()
        page.wait_for_url("**said=asked")
        self.wait_for_letters(ASKED)

    def letters(self, *, to: str, count: int) -> list[dict[str, Any]]:
        """The letters to one address, once there are so many."""
        found: list[dict[str, Any]] = []
        for _ in range(600):
            found = self.read_mail(to=to)
            if len(found) >= count:
                return found
            pause(0.1)
        raise AssertionError(f"{len(found)} letters came to {to}, {count} were expected")

    def wait_for_letters(self, count: int) -> None:
        """Return when the catcher has so many letters."""
        caught = 0
        for _ in range(900):
            caught = int(httpx.get(f"{self.system.mail_url}/api/letters?limit=1").json()["count"])
            if caught >= count:
                return
            pause(0.1)
        raise AssertionError(f"{caught} letters came, {count} were expected")

    def answer_in_two_taps(self, to: str) -> None:
        """A volunteer opens the letter on the phone, chooses and sends; the liaison's open page changes by itself."""
        picture = self.pages["Liisa"]
        picture.goto(self.situation)
        picture.evaluate("window.sameDocument = true")
        [letter] = self.letters(to=to, count=1)
        phone = self.page_of(PHONE)
        phone.goto(f"{self.system.mail_url}/letters/{letter['id']}")
        self.look(phone, "letter")
        phone.goto(next(link for link in letter["links"] if "/c/" in link))
        self.look(phone, "answer-form")
        phone.click("main button")
        self.look(phone, "answer-without-choice")
        phone.click('label:has-text("rajoitetusti")')
        phone.click("main button")
        expect(phone.locator("main h1")).to_contain_text("Kiitos")
        self.look(phone, "answer-thanks")
        expect(picture.locator("#picture")).to_contain_text("1/3 253", timeout=5000)
        assert picture.evaluate("window.sameDocument") is True
        phone.context.close()

    def write_guidance(self) -> None:
        """The editor writes, and asks for approval; approving is not for the editor."""
        page = self.pages["Eero"]
        page.goto(f"{self.system.url}/guidance")
        self.look(page, "guidance-list")
        page.goto(f"{self.system.url}/guidance/new")
        page.fill("[name=headline_fi]", "Sähkökatko Tammelassa ja Lopella")
        page.fill("[name=text_fi]", ADVICE_FI)
        page.fill("[name=headline_sv]", "Elavbrott i Tammela och Loppi")
        page.fill("[name=text_sv]", ADVICE_SV)
        for audience in ("members", "professionals", "residents"):
            page.check(f"[name=audience][value={audience}]")
        for municipality in ("834", "433"):
            page.check(f'[name=municipality][value="{municipality}"]')
        self.look(page, "guidance-form")
        page.click("main form[method=post] button")
        page.wait_for_url("**/guidance/*-*")
        self.guidance = page.url.split("?")[0]
        self.look(page, "guidance-draft")
        page.click('main form[action$="/submit"] button')
        expect(page.locator("main")).to_contain_text("Odottaa hyväksyntää")
        refused = page.request.post(f"{self.guidance}/approve", form={"word": "TOSI"})
        assert refused.status == 403

    def approve_guidance(self) -> None:
        """Another person approves by typing the word; the broadcast runs to its end on the open page."""
        page = self.pages["Aino"]
        page.goto(self.guidance)
        self.look(page, "guidance-approval")
        page.fill("[name=word]", "TOSI")
        page.click('main form[action$="/approve"] button')
        expect(page.locator("main")).to_contain_text("Lähetys on valmis", timeout=60_000)
        self.look(page, "guidance-progress")

    def read_public_page(self) -> None:
        """A resident reads it, in Finnish and Swedish."""
        page = self.page_of(PHONE)
        page.goto(f"{self.system.url}/")
        expect(page.locator("main")).to_contain_text("Sähkökatko Tammelassa ja Lopella")
        self.look(page, "public")
        page.goto(f"{self.system.url}/m/834?lang=sv")
        expect(page.locator("main")).to_contain_text("Elavbrott i Tammela och Loppi")
        self.look(page, "public-municipality")
        page.context.close()

    def subscribe_and_leave(self) -> None:
        """A resident subscribes, confirms by button, changes nothing by looking, and leaves."""
        page = self.page_of(PHONE)
        page.goto(f"{self.system.url}/subscribe")
        self.look(page, "subscribe")
        page.fill("[name=email]", "bertta@example.org")
        page.check("[name=audience][value=residents]")
        page.click("main form button")
        self.look(page, "subscribe-sent")
        [letter] = self.letters(to="bertta@example.org", count=1)
        page.goto(next(link for link in letter["links"] if "/s/" in link))
        self.look(page, "subscription-confirm")
        page.click("main form button")
        self.look(page, "subscription")
        page.context.close()

    def look_around(self) -> None:
        """The pages beside the story."""
        desk = self.pages["Liisa"]
        for name, path in (("registry", "/registry"), ("municipality", f"{self.situation}/834")):
            desk.goto(path if path.startswith("http") else f"{self.system.url}{path}")
            self.look(desk, name)
        desk.goto(f"{self.system.url}/registry")
        desk.locator("main table a").first.click()
        self.look(desk, "association")
        administrator = self.pages["Ylva"]
        for name, path in (("import", "/registry/import"), ("dead-letters", "/intake/dead-letters")):
            administrator.goto(f"{self.system.url}{path}")
            self.look(administrator, name)
        stranger = self.page_of(PHONE)
        for name, path in (("not-found", "/nothing-here"), ("link-gone", f"/c/{'x' * 43}")):
            stranger.goto(f"{self.system.url}{path}")
            self.look(stranger, name)

    def read_mail(self, **which: str) -> list[dict[str, Any]]:
        """Caught letters, oldest first, a page of them."""
        answer = httpx.get(f"{self.system.mail_url}/api/letters", params=which, timeout=30)
        letters: list[dict[str, Any]] = answer.json()["letters"]
        return letters

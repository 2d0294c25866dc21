"""Guidance as its people walk it: written, read again, approved for a later moment, corrected, withdrawn."""

from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.message import Message
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import httpx
from icalendar import Calendar
from playwright.sync_api import Page, expect

from services.notify.feeds.cap_xml import NAMESPACE
from shared.i18n import HELSINKI
from tests.browser.walk import PHONE, Walk
from tests.servers import pause

HEADLINE, SWEDISH = "Keittäkää vesi Forssassa", "Koka vattnet i Forssa"
HARD = "Vesihuoltolaitostoiminnan mukaan vesi on keitettävä."
TEXT = (
    "Vedessä voi olla bakteereja.\n\n### Mitä voitte tehdä\n\n- Keittäkää vesi **5 minuuttia**.\n- Kertokaa naapurille."
)
SWEDISH_TEXT = "Det kan finnas bakterier i vattnet.\n\n### Vad ni kan göra\n\n- Koka vattnet **5 minuter**."
CORRECTED, NOTE, REASON = "Keittäkää vesi Forssan keskustassa", "Alue on nyt pienempi.", "Vesi on taas puhdasta."
CAP = {"cap": NAMESPACE}


class GuidanceWalk(Walk):
    """What an editor and an approver do, and what then comes to the mailboxes, the page and the feeds."""

    seen = 0
    """The last letter that was read."""

    def write_with_help(self) -> None:
        """The editor writes in two languages, is told what is hard, looks at every preview, and submits."""
        page = self.pages["Eero"]
        page.goto(f"{self.system.url}/guidance/new")
        page.fill("[name=headline_fi]", HEADLINE)
        page.fill("[name=text_fi]", HARD)
        page.fill("[name=headline_sv]", SWEDISH)
        page.fill("[name=text_sv]", SWEDISH_TEXT)
        page.check("[name=audience][value=residents]")
        page.check('[name=municipality][value="061"]')
        page.click("[name=preview]")
        expect(page.locator("section[aria-labelledby=plain-language]")).to_contain_text("Pitkä sana")
        self.look(page, "desk-hard-words")
        page.fill("[name=text_fi]", TEXT)
        page.click("[name=preview]")
        preview = page.locator("#preview-fi")
        for heading in ("Verkkosivuna", "Sähköpostina", "Puhelimessa"):
            expect(preview).to_contain_text(heading)
        page.locator("#preview-sv summary").click()
        expect(page.locator("#preview-sv article")).to_contain_text("Koka vattnet")
        self.look(page, "desk-preview")
        page.locator("main form[method=post] button").first.click()
        page.wait_for_url("**/guidance/*-*")
        self.guidance = page.url.split("?")[0]
        page.click('main form[action$="/submit"] button')

    def approve_for_the_next_minute(self) -> datetime:
        """Another person approves it for the next minute, by typing the word; nothing is public before. The moment."""
        page = self.pages["Aino"]
        page.goto(self.guidance)
        page.get_by_role("link", name="Julkaise myöhemmin").click()
        self.look(page, "desk-schedule")
        soon = datetime.now(UTC) + timedelta(seconds=80)
        moment = soon.replace(second=0, microsecond=0)
        local = moment.astimezone(HELSINKI)
        page.fill("[name=day]", local.date().isoformat())
        page.fill("[name=at]", f"{local:%H:%M}")
        page.fill("[name=word]", "TOSI")
        page.click('main form[action$="/schedule"] button')
        expect(page.locator("main")).to_contain_text("Hyväksytty. Julkaistaan")
        self.look(page, "desk-scheduled")
        page.goto(f"{self.system.url}/guidance")
        expect(page.locator("main table")).to_contain_text("Hyväksytty, odottaa hetkeä")
        self.look(page, "desk-list")
        assert self.headlines() == ([], [], [], [])
        return moment

    def wait_for_the_broadcast(self) -> list[dict[str, Any]]:
        """The letters of this broadcast, when its page says that it has finished: all that came since the last."""
        page = self.pages["Aino"]
        page.goto(self.guidance)
        for _ in range(400):
            if page.locator("#progress-title").count():
                break
            pause(0.3)
            page.goto(self.guidance)
        expect(page.locator("main")).to_contain_text("Lähetys on valmis", timeout=60_000)
        letters = self.read_mail(limit="1000", after=str(self.seen))
        self.seen = max(letter["id"] for letter in letters)
        return letters

    def correct(self, kind: str, note: str, *, headline: str = "") -> None:
        """The editor corrects or withdraws; the approver approves what she has read."""
        editor, approver = self.pages["Eero"], self.pages["Aino"]
        editor.goto(f"{self.guidance}/correct")
        editor.locator(f"#f-kind-{kind}").check()
        editor.fill("[name=note_fi]", note)
        if headline:
            editor.fill("[name=headline_fi]", headline)
        self.look(editor, f"desk-{kind}")
        editor.locator("main form[method=post] button").first.click()
        editor.wait_for_url("**/correction")
        approver.goto(f"{self.guidance}/correction")
        approver.fill("[name=word]", "TOSI")
        self.look(approver, f"desk-{kind}-approval")
        approver.click('main form[action$="/approve"] button')

    def headlines(self) -> tuple[list[str], list[str], list[str], list[str]]:
        """What the page, Atom, the alerts and the calendar say in Finnish, each by its headlines."""
        with httpx.Client(base_url=self.system.url) as http:
            page = http.get("/m/061?lang=fi").text
            atom = [str(e.title) for e in feedparser.parse(http.get("/feeds/061/fi/atom.xml").content).entries]
            alerts = []
            for entry in feedparser.parse(http.get("/feeds/061/cap.xml").content).entries:
                alert = ET.fromstring(http.get(str(entry.link)).content)
                alerts.append(alert.findtext("cap:info/cap:headline", "", CAP))
            calendar = Calendar.from_ical(http.get("/feeds/061/fi/calendar.ics").content)
        shown = [title for title in atom if title.removeprefix("Peruttu: ") in page]
        return shown, atom, alerts, [str(event["summary"]) for event in calendar.walk("VEVENT")]

    def mail(self, letter: dict[str, Any]) -> Message:
        """One caught letter with its headers."""
        raw = httpx.get(f"{self.system.mail_url}/letters/{letter['id']}/raw").text
        return message_from_string(raw, policy=policy.default)

    def read_letter(self, letter: dict[str, Any], name: str) -> None:
        """Look at a letter as a person does, light and dark, on the phone."""
        for scheme in ("light", "dark"):
            page: Page = self.page_of(PHONE, color_scheme=scheme)
            page.goto(f"{self.system.mail_url}/letters/{letter['id']}/html")
            expect(page.locator("body")).to_contain_text("112")
            self.look(page, f"{name}-{scheme}")
            page.context.close()

    def read_checklists(self) -> None:
        """A resident finds the checklists on the public page, and the editor where they are kept."""
        page = self.page_of(PHONE)
        page.goto(f"{self.system.url}/?lang=fi")
        page.get_by_role("link", name="Kerhotilan kotivara").click()
        expect(page.locator("article.checklist")).to_contain_text("Vettä 2 litraa")
        self.look(page, "prepare-one")
        page.get_by_role("link", name="Kaikki mallit ja tarkistuslistat").click()
        self.look(page, "prepare")
        page.context.close()
        desk = self.pages["Eero"]
        desk.goto(f"{self.system.url}/guidance/standing")
        self.look(desk, "desk-standing-list")
        desk.locator("main table a").first.click()
        self.look(desk, "desk-standing")
        desk.get_by_role("link", name="Muokkaa").click()
        self.look(desk, "desk-standing-form")

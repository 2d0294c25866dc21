"""Every way of answering, walked on the whole system: each ends in one fact of the same shape, in the history of its
association with its channel and its author, and in the figures."""

import asyncio
import base64
import json
import smtplib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from typing import Any, TypeVar
from uuid import UUID

import httpx
import nats
import pytest
import zxingcpp
from fastapi import FastAPI
from nats.js.api import AckPolicy, ConsumerConfig
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlmodel import col

from services.intake.access.model import PersonEntry
from services.intake.access.store import Person
from services.intake.app import make_app as make_intake
from services.intake.checkin.store import CheckInRow
from services.intake.partner.store import ApiKey
from services.intake.register_file.table_file import read_table
from services.intake.registry.store import Association, Contact
from services.local import installed_settings
from services.status.app import make_app as make_status
from services.status.readiness.model import Dimension
from services.status.readiness.standing_rows import TALLY
from shared.events.intake import Channel, CheckInReceived, OperatingStatus
from shared.identity import Role
from shared.keys import PROVISIONER, seed_file
from shared.realm import LIVE
from shared.settings import Settings
from tests.browser.test_calls import PIXELS
from tests.browser.walk import DESK, PHONE, Walk
from tests.faults.evening import database_of
from tests.servers import pause
from tests.system import System

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.connected, pytest.mark.timeout(300)]

T = TypeVar("T")
LOPPI = "433"
REGISTER = """Nimi;Rekisterinumero;Kotipaikka;Yhteyshenkilö;Sähköposti;Puhelin;Yhteyshenkilö 2;Sähköposti 2
Aamun Martat;1;Loppi;Aino Kuura;aino@example.org;;;
Bertan Kuoro;2;Loppi;Bertta Sumu;bertta@example.org;;;
Cecilian Kylä;3;Tammela;Cecilia Tuuli;;040 3;;
Danin Partio;4;Loppi;Dan Halla;dan@example.org;;;
Ellan Lukupiiri;5;Loppi;Ella Routa;ella@example.org;;;
Fannyn Apu;6;Tammela;Frans Ensi;nobody.frans@example.org;;Fanny Toinen;fanny@example.org
Gunnarin Seura;7;Loppi;Gunnar Räntä;gunnar@example.org;;;
"""
CLERK, PARTNER = "Kerttu Kynä", "Pelastuslaitos"


@dataclass(frozen=True)
class Way:
    """How one association answers, and what must be kept of it: what it said, the channel and the author. `told` is
    how the staff read the channel in the history; `author` is a contact, or who of the staff or of the partners
    entered it; nobody is known of a sheet of paper."""

    association: str
    status: OperatingStatus
    channel: Channel
    told: str
    contact: str | None = None
    entered_by: str | None = None

    @property
    def author(self) -> str:
        return self.contact or self.entered_by or ""


WAYS = (
    Way("Aamun Martat", OperatingStatus.NORMAL, Channel.LINK, "Linkillä", contact="Aino Kuura"),
    Way("Bertan Kuoro", OperatingStatus.SUSPENDED, Channel.EMAIL, "Sähköpostilla", contact="Bertta Sumu"),
    Way("Cecilian Kylä", OperatingStatus.SUSPENDED, Channel.PHONE, "Puhelimitse", entered_by=CLERK),
    Way("Danin Partio", OperatingStatus.NORMAL, Channel.LINK, "Linkillä"),
    Way("Ellan Lukupiiri", OperatingStatus.LIMITED, Channel.PAPER, "Paperilla", entered_by=CLERK),
    Way("Fannyn Apu", OperatingStatus.LIMITED, Channel.LINK, "Linkillä", contact="Fanny Toinen"),
    Way("Gunnarin Seura", OperatingStatus.LIMITED, Channel.API, "Kumppanin järjestelmästä", entered_by=PARTNER),
)


@dataclass
class Evening:
    """What is left when all have answered: the facts on the stream, the rows of intake, the pages of the history and
    the figures of the region. By the name of the association where it is one."""

    walk: Walk
    round_id: str = ""
    ids: dict[str, UUID] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, list[CheckInRow]] = field(default_factory=dict)
    authors: dict[UUID | None, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    tally: dict[str, int] = field(default_factory=dict)
    wrong_figures: dict[Any, int] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return installed_settings(self.walk.system.folder)

    def go(self, name: str, path: str) -> Page:
        page = self.walk.pages[name]
        page.goto(f"{self.walk.system.url}{path}")
        return page


def beside(work: Coroutine[Any, Any, T]) -> T:
    """Have this done in another thread: in this one the browser's event loop runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result(60)


@asynccontextmanager
async def stores(settings: Settings, make_app: Callable[[Settings], FastAPI]) -> AsyncIterator[FastAPI]:
    """A service's stores on the database of the running system."""
    app = make_app(settings)
    yield app
    await database_of(app).close()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Evening]:
    """Everybody is asked, and each answers by a way of its own."""
    system = System(tmp_path_factory.mktemp("ways"), demo=False)
    system.start()
    evening = Evening(Walk(system, browser, lambda _page, _name: None))
    links = beside(prepare(evening.settings))
    for name, link in links.items():
        evening.walk.pages[name] = evening.walk.page_of(DESK)
        evening.walk.pages[name].goto(link)
        evening.walk.pages[name].click("main button")
    ask(evening)
    for answer in (by_link, by_email, by_api, by_phone, by_sheet, by_typing, by_the_next_contact):
        answer(evening)
    expect_everybody(evening)
    beside(read_back(evening))
    for way in WAYS:
        evening.pages[way.association] = evening.go(
            "Liisa", f"/registry/{evening.ids[way.association]}/answers"
        ).inner_text("main")
    yield evening
    system.stop()


async def prepare(settings: Settings) -> dict[str, str]:
    """The register and the staff; links that sign them in, by given name."""
    people = (
        ("Liisa Lumi", frozenset({Role.LIAISON})),
        (CLERK, frozenset({Role.CLERK})),
        ("Ylva Ylläpito", frozenset({Role.ADMINISTRATOR})),
    )
    links = {}
    async with stores(settings, make_intake) as intake:
        async for report in intake.state.register_files.import_rows(read_table(BytesIO(REGISTER.encode()))):
            assert not report.bad
        for name, roles in people:
            given = name.partition(" ")[0]
            await intake.state.access.add_person(PersonEntry(name, f"{given.lower()}@example.org", roles))
            links[given] = await intake.state.access.operator_link(f"{given.lower()}@example.org", timedelta(hours=1))
    return links


def ask(evening: Evening) -> None:
    """The liaison asks all of them."""
    evening.walk.open_situation()
    page = evening.walk.pages["Liisa"]
    for _ in range(100):
        page.goto(f"{evening.walk.situation}/rounds/new")
        page.click("main button[value=confirm]")
        if f" {len(WAYS)} " in page.inner_text("main h1"):
            break
        pause(0.1)
    page.click("main form button[value=open]")
    page.wait_for_url("**said=asked")


def letter_to(evening: Evening, address: str) -> EmailMessage:
    """The letter that asks this contact."""
    [letter] = evening.walk.letters(to=address, count=1)
    raw = httpx.get(f"{evening.walk.system.mail_url}/letters/{letter['id']}/raw").content
    parsed = message_from_bytes(raw, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def tap(evening: Evening, link: str, choice: str) -> None:
    """Two taps on a phone: the choice, and Send."""
    phone = evening.walk.page_of(PHONE)
    phone.goto(link)
    phone.click(f'label:has-text("{choice}")')
    phone.click("main button.big")
    expect(phone.locator("main h1")).to_contain_text("Kiitos")
    phone.context.close()


def by_link(evening: Evening) -> None:
    """The contact opens the link of the letter and chooses."""
    letter = evening.walk.letters(to="aino@example.org", count=1)[0]
    tap(evening, next(link for link in letter["links"] if "/c/" in link), "Toimimme normaalisti")


def by_email(evening: Evening) -> None:
    """The contact replies to the letter, above what her mail program quotes of it."""
    letter = letter_to(evening, "bertta@example.org")
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = letter["To"], letter["Reply-To"], f"Re: {letter['Subject']}"
    answer["Message-ID"], answer["In-Reply-To"] = "<answer@example.org>", letter["Message-ID"]
    quoted = "\n".join(f"> {line}" for line in text_of(letter).splitlines())
    answer.set_content(f"Emme toimi.\n\nla 21.11.2026 klo 20.45 X <x@example.org> kirjoitti:\n{quoted}\n")
    with smtplib.SMTP("127.0.0.1", evening.walk.system.reply_port) as server:
        server.send_message(answer)


def by_api(evening: Evening) -> None:
    """The administrator makes a key, and the partner's program answers with it."""
    page = evening.go("Ylva", "/partners/new")
    page.fill("[name=name]", PARTNER)
    for scope in ("registry:read", "checkin:write"):
        page.check(f'[name=scopes][value="{scope}"]')
    page.click("main form .actions button")
    headers = {"authorization": f"Bearer {page.inner_text('#key').strip()}", "idempotency-key": "1"}
    with httpx.Client(base_url=f"{evening.walk.system.url}/api/v1", headers=headers) as program:
        [asked] = program.get("/rounds").json()["items"]
        [gunnar] = program.get("/associations", params={"q": "Gunnar"}).json()["items"]
        wish = {"association_id": gunnar["id"], "status": "limited"}
        answer = program.post(f"/rounds/{asked['id']}/checkins", json=wish)
    assert answer.status_code == 201
    evening.round_id = asked["id"]


def by_phone(evening: Evening) -> None:
    """The clerk calls the first on the list, by keyboard alone."""
    page = evening.go("Kerttu", f"/calls/rounds/{evening.round_id}?municipality=834")
    enter(page)
    expect(page.locator("h1")).to_have_text("Cecilian Kylä")
    press(page, "3")
    enter(page)
    expect(page.locator("main")).to_contain_text("Toimintamme on keskeytynyt")


def by_sheet(evening: Evening) -> None:
    """A camera reads the code on the sheet of paper, and the form that it leads to is answered."""
    page = evening.go("Kerttu", f"/paper/{evening.round_id}/{LOPPI}/sheets")
    page.click("main form button")
    picture = page.locator(".sheet", has_text="Danin Partio").locator(".qr").screenshot()
    seen = page.evaluate(PIXELS, base64.b64encode(picture).decode())
    grey = memoryview(bytes(seen["grey"])).cast("B", shape=[seen["height"], seen["width"]])
    [code] = zxingcpp.read_barcodes(grey)
    tap(evening, code.text, "Toimimme normaalisti")


def by_typing(evening: Evening) -> None:
    """The clerk types the sheet that came back by post, by keyboard alone."""
    page = evening.go("Kerttu", f"/paper/{evening.round_id}/{LOPPI}/answers")
    press(page, *"ella")
    enter(page)
    press(page, "2", "Enter")
    row = page.locator("[data-row]", has_text="Ellan Lukupiiri")
    expect(row.locator(".badge")).to_contain_text("rajoitetusti")


def by_the_next_contact(evening: Evening) -> None:
    """The letter to the first contact is refused; the second is told of it, and answers."""
    letter = letter_to(evening, "fanny@example.org")
    [link] = evening.walk.letters(to="fanny@example.org", count=1)[0]["links"][:1]
    assert "Frans Ensi" in text_of(letter)
    assert "ei mennyt perille" in " ".join(text_of(letter).split())
    tap(evening, link, "Toimimme rajoitetusti")


def press(page: Page, *keys: str) -> None:
    """Type these, once something has the focus."""
    page.wait_for_selector(":focus", state="attached")
    for key in keys:
        page.keyboard.press(key)


def enter(page: Page) -> None:
    """Press Enter where it leads to another page."""
    page.wait_for_selector(":focus", state="attached")
    with page.expect_navigation():
        page.keyboard.press("Enter")


def expect_everybody(evening: Evening) -> None:
    """Return when the liaison's picture knows of everybody's answer."""
    page = evening.walk.pages["Liisa"]
    page.goto(evening.walk.situation)
    expect(page.locator("#picture")).to_contain_text(f"{len(WAYS)}/{len(WAYS)}", timeout=10_000)


async def read_back(evening: Evening) -> None:
    """What the stream holds, what intake keeps and how the region's figures are."""
    evening.facts = await heard(evening.settings)
    async with stores(evening.settings, make_intake) as intake, database_of(intake).read() as session:
        names = dict((await session.execute(select(col(Association.id), col(Association.name)))).all())
        for row in (await session.execute(select(CheckInRow))).scalars():
            evening.rows.setdefault(names[row.association_id], []).append(row)
        for table in (Contact, Person, ApiKey):
            known = await session.execute(select(col(table.id), col(table.name)))
            evening.authors |= dict(known.all())
    evening.ids = {name: key for key, name in names.items()}
    async with stores(evening.settings, make_status) as status:
        situation_id = UUID(evening.walk.situation.rpartition("/")[2])
        evening.wrong_figures = dict(await status.state.readiness.recount(LIVE, situation_id))
        async with database_of(status).read() as session:
            region = (TALLY.c.situation_id == situation_id, TALLY.c.dimension == Dimension.REGION.value)
            evening.tally = dict((await session.execute(select(TALLY.c.state, TALLY.c["count"]).where(*region))).all())


async def heard(settings: Settings) -> list[dict[str, Any]]:
    """The bodies of all answers on the stream, as whoever subscribes to it gets them."""
    assert settings.nats.seeds is not None
    connection = await nats.connect(
        settings.nats.url,
        nkeys_seed=str(seed_file(settings.nats.seeds, PROVISIONER)),
        inbox_prefix=f"_INBOX.{PROVISIONER}".encode(),
    )
    listening = await connection.jetstream().pull_subscribe(
        CheckInReceived.filter_subject(),
        stream=CheckInReceived.stream,
        config=ConsumerConfig(ack_policy=AckPolicy.NONE),
    )
    messages = await listening.fetch(len(WAYS) + 1, timeout=3)
    await connection.close()
    return [json.loads(message.data) for message in messages]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.association)
def test_the_answer_is_one_fact_of_the_same_shape(evening: Evening, way: Way) -> None:
    [fact] = [fact for fact in evening.facts if fact["association_id"] == str(evening.ids[way.association])]

    told = CheckInReceived.model_validate(fact)
    assert fact.keys() == CheckInReceived.model_fields.keys()
    assert (told.status, told.channel, told.realm) == (way.status, way.channel, LIVE)
    assert str(told.round_id) == evening.round_id
    assert evening.walk.situation.endswith(str(told.situation_id))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.association)
def test_the_channel_and_the_author_are_kept(evening: Evening, way: Way) -> None:
    [row] = evening.rows[way.association]

    assert (row.status, row.channel) == (way.status, way.channel)
    assert evening.authors.get(row.contact_id) == way.contact
    assert evening.authors.get(row.entered_by) == way.entered_by


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.association)
def test_the_staff_read_how_it_came_and_who_gave_it(evening: Evening, way: Way) -> None:
    page = evening.pages[way.association]

    assert way.told in page
    assert way.author in page


def test_the_figures_are_those_of_all_ways(evening: Evening) -> None:
    counted = {state: count for state, count in evening.tally.items() if count}

    assert counted == Counter(way.status.value for way in WAYS)
    assert evening.wrong_figures == {}

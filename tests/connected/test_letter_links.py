"""Every link of every letter of guidance and subscribing is inert; only the mail program's one click leaves."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.notify.app import make_app
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Lane
from services.notify.delivery.sending import Letters, Traffic
from services.notify.guidance.model import Draft, Kind, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.standing.model import Advice, Form
from services.notify.standing.web import told
from services.notify.subscribers.model import Audience, ImportedSubscriber, Wishes, consent
from services.notify.subscribers.store import SubscriberStore
from shared.house import House
from shared.i18n import Locale, texts
from shared.ids import new_id
from shared.migrate import migrate
from shared.realm import LIVE
from shared.settings import Settings, Smtp
from tests.connected.test_links_inert import assert_inert
from tests.fakes import FakeClock
from tests.faults.evening import ADDRESS
from tests.notify.broadcast.test_mail import Mailbox, body, mailbox
from tests.notify.feeds.test_api import corrected
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, draft, present, submitted

pytestmark = [pytest.mark.connected, pytest.mark.slow]

URL = re.compile(r"https?://[^\s<>()\"]+")
READERS = {locale: f"reader-{locale.name.lower()}@example.org" for locale in Locale}
TESTER = "editor@example.org"
"""Gets test letters, and has no subscription that their links could lead to."""

CORRECTED = draft({locale: Text(f"{text.headline}!", text.text, "Muuttui.") for locale, text in ALL_LANGUAGES.items()})
MAIL_PROGRAMS: tuple[dict[str, str], ...] = (
    {},
    {"origin": "https://mail.example.com", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    {"origin": "null", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    {"referer": "https://mail.example.com/inbox"},
)


class Hrefs(HTMLParser):
    """Where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its name
        self.found += [value for name, value in attributes if name in {"href", "src", "action"} and value]


def links_of(letter: EmailMessage) -> Iterator[str]:
    """Every link of a letter: of its text, its HTML and its headers."""
    hrefs = Hrefs()
    hrefs.feed(body(letter, "html"))
    yield from hrefs.found
    yield from URL.findall(body(letter, "plain"))
    for name in ("List-Unsubscribe", "List-Id", "List-Help", "List-Archive"):
        yield from URL.findall(str(letter.get(name, "")))


@asynccontextmanager
async def sent_by_hand(settings: Settings, clock: FakeClock) -> AsyncIterator[tuple[FastAPI, "Post", Mailbox]]:
    """Notify whose bus and jobs rest, and its lanes, which send when the test says so."""
    async with mailbox() as (box, port):
        app = make_app(settings.model_copy(update={"smtp": Smtp(port=port)}), clock=clock)
        house: House = app.state.house
        await migrate(house.database, house.migrations)
        post = Post(app, port, clock)
        try:
            yield app, post, box
        finally:
            await post.close()
            await house.database.close()


class Post:
    """The lanes of the application, worked by hand."""

    def __init__(self, app: FastAPI, port: int, clock: FakeClock) -> None:
        settings = app.state.settings
        imprint = Imprint(settings.public_url, settings.mail_domain, settings.phone, settings.secret.get_secret_value())
        self._app = app
        self._lanes = [
            LaneWork(
                lane,
                ledger=app.state.ledger,
                letters=Letters(app.state.ledger, imprint=imprint),
                pool=Pool(Smtp(port=port), size=2, domain=settings.mail_domain),
                traffic=Traffic(1e6, clock=clock),
                clock=clock,
            )
            for lane in Lane
        ]

    async def send(self) -> None:
        """Everything that waits."""
        while await self._app.state.broadcasts.plan_page():
            continue
        for lane in self._lanes:
            while await lane.unit():
                continue

    async def close(self) -> None:
        """Let go of the relay."""
        for lane in self._lanes:
            await lane.pool.close()


async def every_letter(app: FastAPI, post: Post) -> Revision:
    """Readers of every language get each kind of letter: asking, first text, correction, withdrawal, test, telling."""
    subscribers: SubscriberStore = app.state.subscribers
    guidance: GuidanceStore = app.state.guidance
    for locale in Locale:
        wishes = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), locale)
        await subscribers.ask(f"new-{locale.name}@example.org", wishes, consent=consent(texts(locale)))
    await subscribers.import_many(
        [ImportedSubscriber(email, Audience.RESIDENTS, (FORSSA,), locale) for locale, email in READERS.items()]
    )
    for locale, email in READERS.items():
        wishes = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), locale)
        await subscribers.ask(email, wishes, consent=consent(texts(locale)))
    standing = Advice(dict(ALL_LANGUAGES), Form.CHECKLIST, frozenset({FORSSA}))
    waiting = await app.state.standing.newest(LIVE, await app.state.standing.write(standing, by=new_id()))
    await app.state.standing.approve(waiting[0], by=new_id(), edition=1)
    [public] = await app.state.standing.current()
    telling = await submitted(guidance, told(public, public_url=ADDRESS))
    for locale in Locale:
        await app.state.broadcasts.send_trial(telling, by=new_id(), address=TESTER, locale=locale)
    await released(app, telling)
    first = await released(app, await submitted(guidance, linked(draft(ALL_LANGUAGES))))
    await post.send()
    second = await corrected(guidance, first, Kind.UPDATE, CORRECTED)
    await post.send()
    last = await corrected(guidance, second, Kind.CANCEL, CORRECTED)
    await post.send()
    return last


def linked(what: Draft) -> Draft:
    """The same with a link in its text to a page of ours."""
    written = {
        locale: Text(one.headline, f"{one.text}\n\n[→]({ADDRESS}/prepare)") for locale, one in what.texts.items()
    }
    return Draft(written, what.matching, what.valid_hours)


async def released(app: FastAPI, revision: Revision) -> Revision:
    guidance: GuidanceStore = app.state.guidance
    await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="TOSI", edition=revision.edition)
    return await present(guidance, revision.guidance_id)


@pytest.mark.timeout(900)
async def test_opening_every_link_of_every_letter_a_thousand_times_changes_nothing(
    settings: Settings, clock: FakeClock
) -> None:
    async with sent_by_hand(settings, clock) as (app, post, box):
        await every_letter(app, post)
        links = {link for letter in box.letters for link in links_of(letter)}
        ours = sorted(link.removeprefix(ADDRESS) for link in links if link.startswith(f"{ADDRESS}/"))

        assert len(box.letters) == 4 + 4 + 4 + 4 * 4
        assert {kind for link in ours for kind in ("/g/", "/s/", "/prepare", "/one-click") if kind in link} == {
            "/g/",
            "/s/",
            "/prepare",
            "/one-click",
        }
        assert links - {ADDRESS + path for path in ours} <= {"https://112.fi", "https://www.112.fi/", "112.fi"}
        nobody = {
            link.removeprefix(ADDRESS) for letter in box.letters if letter["To"] == TESTER for link in links_of(letter)
        }
        for path in ours:
            await assert_inert(app, path, answer=404 if path in nobody and path.startswith("/s/") else 200)


async def test_one_click_of_any_mail_program_leaves_at_once_without_a_cookie(
    settings: Settings, clock: FakeClock
) -> None:
    async with sent_by_hand(settings, clock) as (app, post, box):
        subscribers: SubscriberStore = app.state.subscribers
        await subscribers.import_many(
            [ImportedSubscriber(email, Audience.RESIDENTS, (FORSSA,), locale) for locale, email in READERS.items()]
        )
        await released(app, await submitted(app.state.guidance, draft(ALL_LANGUAGES)))
        await post.send()

        left = []
        for letter, headers in zip(box.letters, MAIL_PROGRAMS, strict=True):
            door = str(letter["List-Unsubscribe"]).strip("<>").removeprefix(ADDRESS)
            async with AsyncClient(transport=ASGITransport(app=app), base_url=ADDRESS) as mail_program:
                replies = await asyncio.gather(
                    mail_program.post(door, data={"List-Unsubscribe": "One-Click"}, headers=headers),
                    mail_program.post(door, files={"List-Unsubscribe": (None, "One-Click")}, headers=headers),
                )
            assert {reply.status_code for reply in replies} == {200}
            assert not any("set-cookie" in reply.headers for reply in replies)
            left.append((await subscribers.reach(draft().matching)).total)

        assert left == [3, 2, 1, 0]
        assert {letter["List-Unsubscribe-Post"] for letter in box.letters} == {"List-Unsubscribe=One-Click"}

"""From the subscription to the letter in the mailbox and out again, over a real SMTP server."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from httpx import ASGITransport, AsyncClient

from services.catcher.mail import listen
from services.catcher.store import Caught
from services.notify.app import make_app
from services.notify.guidance.model import Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.model import State
from services.notify.subscribers.store import SubscriberStore
from shared.clock import SystemClock
from shared.i18n import Locale
from shared.settings import Settings, Smtp
from tests.notify.conftest import HERE, row_of
from tests.notify.guidance.drafts import draft, published
from tests.servers import eventually

pytestmark = pytest.mark.connected
EVIL = "Varautukaa **kylmään**. <script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"


class Mailbox:
    """The letters that came, oldest first."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def keep(self, letter: Caught) -> None:
        read = message_from_bytes(letter.raw, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.letters.append(read)

    async def has(self, number: int) -> EmailMessage:
        """The letter of this number, as soon as it is there."""

        async def came() -> bool:
            return len(self.letters) > number

        await eventually(came)
        return self.letters[number]


@asynccontextmanager
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    """A mailbox behind an SMTP server on a free port."""
    box = Mailbox()
    server = await listen(box.keep, host="127.0.0.1", port=0)
    try:
        yield box, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_a_resident_subscribes_gets_one_letter_and_leaves_by_one_click(settings: Settings) -> None:
    async with mailbox() as (box, port):
        app = make_app(settings.model_copy(update={"smtp": Smtp(port=port)}), clock=SystemClock())
        subscribers: SubscriberStore = app.state.subscribers
        guidance: GuidanceStore = app.state.guidance
        browser = AsyncClient(transport=ASGITransport(app=app), base_url=HERE)
        async with app.router.lifespan_context(app):
            form = {"email": "aino@example.org", "audience": "residents", "municipality": "061", "language": "fi"}
            await browser.post("/subscribe", data=form)
            asking = await box.has(0)
            await browser.post(link_in(asking, "/confirm"))
            revision = await published(guidance, draft({Locale.FI: Text("Sähköt poikki", EVIL)}))
            letter = await box.has(1)
            page = await browser.get(link_in(letter, str(revision.guidance_id)))
            one_click = str(letter["List-Unsubscribe"]).strip("<>").removeprefix(HERE)
            left = await browser.post(one_click, headers={"sec-fetch-site": "cross-site"})
            aino = await subscribers.get((await row_of(app, "aino@example.org")).id)

    assert letter["Subject"] == "Sähköt poikki"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Varautukaa kylmään." in body(letter, "plain")
    assert "<strong>kylmään</strong>" in body(letter, "html")
    assert not re.search(r"<script|<img|href=.javascript", body(letter, "html"))
    assert (page.status_code, left.status_code) == (200, 200)
    assert aino is not None
    assert aino.state is State.LEFT
    assert len(box.letters) == 2


def body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def link_in(letter: EmailMessage, end: str) -> str:
    """The path of the link in the text part that ends so."""
    found = re.search(rf"{HERE}(\S*{end})\b", body(letter, "plain"))
    assert found is not None
    return found[1]

"""A reply by mail, on real parts: the letter goes out over SMTP, is answered over SMTP, and the figures change."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

import aiosmtplib
import pytest
from fastapi import FastAPI
from sqlalchemy import select

import services.catcher.app
from services.catcher.store import Letters
from services.composition import SERVICES, VOICES
from services.status.readiness.standing_rows import STANDING
from shared.events.intake import CheckInReceived
from shared.settings import Inbound, Nats, Settings, Smtp
from tests.conftest import provision_voices
from tests.faults.bus import stored
from tests.faults.evening import ask, database_of
from tests.postgres import free_port
from tests.servers import NatsServer, eventually

pytestmark = pytest.mark.connected

AINO = "aino2@example.org"


@dataclass(frozen=True)
class Region:
    """All services and the catcher, while they run."""

    apps: dict[str, FastAPI]
    settings: Settings

    @property
    def letters(self) -> Letters:
        letters: Letters = self.apps["catcher"].state.letters
        return letters

    async def letter(self, number: int) -> EmailMessage:
        """The letter of that number to Aino, counted from 1, once it is there."""

        async def come() -> bool:
            return len(await self.letters.after(0, to=AINO, limit=10)) >= number

        await eventually(come)
        rows = await self.letters.after(0, to=AINO, limit=10)
        parsed = message_from_bytes(rows[number - 1].raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    async def reply(self, letter: EmailMessage, words: str) -> None:
        """Answer the letter as a mail program does."""
        answer = EmailMessage()
        answer["From"], answer["To"] = letter["To"], letter["Reply-To"]
        answer["Subject"], answer["In-Reply-To"] = f"Re: {letter['Subject']}", letter["Message-ID"]
        answer["Message-ID"] = f"<{hash(words)}@example.org>"
        quoted = letter.get_body(("plain",))
        assert quoted is not None
        marked = "\n".join(f"> {line}" for line in str(quoted.get_content()).splitlines())
        answer.set_content(f"{words}\n\nla 21.11.2026 klo 20.45 X <x@example.org> kirjoitti:\n{marked}\n")
        await aiosmtplib.send(answer, hostname="127.0.0.1", port=self.settings.inbound.port, start_tls=False)

    async def states(self) -> set[str]:
        """How the associations operate, as status knows it."""
        async with database_of(self.apps["status"]).read() as session:
            return set((await session.execute(select(STANDING.c.status))).scalars())


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Region]:
    apps = {service.name: service.make_app(settings) for service in SERVICES}
    apps["catcher"] = services.catcher.app.make_app(settings)
    async with AsyncExitStack() as stack:
        for name in ("catcher", *(service.name for service in SERVICES)):
            await stack.enter_async_context(apps[name].router.lifespan_context(apps[name]))
        yield Region(apps, settings)


@pytest.mark.slow
async def test_a_reply_to_the_letter_changes_the_figures(settings: Settings, nats_server: NatsServer) -> None:
    await provision_voices(nats_server, *VOICES)
    mail = {"smtp": Smtp(port=free_port(), rate=1000), "inbound": Inbound(port=free_port())}
    evening = await ask(settings, 2)
    async with running(settings.model_copy(update={**mail, "nats": Nats(url=nats_server.url)})) as region:
        asked = await region.letter(1)
        await region.reply(asked, "2\n\nKerhotilassa on kylmä.")
        confirmed = await region.letter(2)
        await eventually(lambda: _has(region, "limited"))

        await region.reply(confirmed, "Emme toimi.")
        await eventually(lambda: _has(region, "suspended"))
        await region.reply(asked, "Jos sähköt palaavat, toimimme normaalisti.")
        waiting = await region.letter(4)

        assert len(evening.links) == 2
        assert asked["Reply-To"].addresses[0].username.startswith("vastaus+")
        assert "tallennettu" in confirmed["Subject"]
        assert "saapunut" in waiting["Subject"]
        assert await stored(nats_server, CheckInReceived) == 2
        assert "normal" not in await region.states()


async def _has(region: Region, status: str) -> bool:
    return status in await region.states()

"""Letters that come back, on real parts: they go out over SMTP, return over SMTP days or moments later, and matter."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiosmtplib
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlmodel import col

from services.composition import SERVICES, VOICES
from services.intake.invitation.store import Invitation, InvitationToken
from services.intake.register_file.model import Listed, ListedContact
from services.intake.registry.model import ContactState
from services.intake.registry.store import Contact
from services.notify.guidance.model import Revision
from services.notify.subscribers.model import Audience, ImportedSubscriber
from shared.events.status import RoundOpened
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE
from shared.settings import Inbound, Nats, Settings, Smtp
from tests.conftest import provision_voices
from tests.faults.evening import database_of
from tests.notify.delivery.relay import Relay, Taken, relaying
from tests.notify.guidance.drafts import draft, published
from tests.postgres import free_port
from tests.servers import NatsServer, eventually

pytestmark = pytest.mark.connected
AINO, BERTTA = "aino@example.org", "bertta@example.org"


def status_report(taken: Taken) -> bytes:
    """What a mail server sends later about a letter that it took first (RFC 3464)."""
    lines = [
        "From: MAILER-DAEMON@mx.example.org",
        f"To: {taken.sender}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        *("", "--b", "", "I'm sorry: the account has been disabled.", ""),
        *("--b", "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.example.org", ""),
        *(f"Final-Recipient: rfc822; {taken.recipient}", "Action: failed", "Status: 5.2.1", ""),
        *("--b", "Content-Type: message/rfc822", ""),
    ]
    return "\r\n".join(lines).encode() + b"\r\n" + taken.message + b"\r\n--b--\r\n"


class Region:
    """All services while they run, the relay that takes their letters, and the way back."""

    def __init__(self, apps: dict[str, FastAPI], settings: Settings, relay: Relay) -> None:
        self.apps = apps
        self.settings = settings
        self.relay = relay

    def to(self, address: str) -> list[Taken]:
        return [letter for letter in self.relay.taken if letter.recipient == address]

    async def letter_to(self, address: str, *, number: int = 1) -> Taken:
        """The letter of that number to this address, once the relay has it."""
        await eventually(lambda: _true(lambda: len(self.to(address)) >= number))
        return self.to(address)[number - 1]

    async def send_back(self, report: bytes, *, to: str) -> None:
        """Bring it to our door, as a relay does: from nobody."""
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self.settings.bounces.port, start_tls=False) as smtp:
            await smtp.mail("")
            await smtp.rcpt(to)
            await smtp.data(report)

    async def release(self) -> Revision:
        """Guidance to all residents, written by one and released by another."""
        return await published(self.apps["notify"].state.guidance, draft(areas=frozenset()))

    async def returned(self, revision: Revision) -> int:
        """How many letters of it came back, as its page tells."""
        progress = await self.apps["notify"].state.guidance.progress(revision)
        return int(progress.returned)


async def _true(said: Callable[[], bool]) -> bool:
    return said()


@pytest.fixture
async def region(settings: Settings, nats_server: NatsServer) -> AsyncIterator[Region]:
    await provision_voices(nats_server, *VOICES)
    async with relaying(Relay()) as relay:
        ports = {"smtp": Smtp(port=relay.port, rate=1000), "bounces": Inbound(port=free_port())}
        async with running(settings.model_copy(update={**ports, "nats": Nats(url=nats_server.url)}), relay) as region:
            yield region


@asynccontextmanager
async def running(settings: Settings, relay: Relay) -> AsyncIterator[Region]:
    apps = {service.name: service.make_app(settings) for service in SERVICES if service.name != "status"}
    async with AsyncExitStack() as stack:
        for app in apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield Region(apps, settings, relay)


@pytest.mark.slow
async def test_whose_letter_came_back_gets_no_further_broadcast(region: Region) -> None:
    subscribers = region.apps["notify"].state.subscribers
    listed = [ImportedSubscriber(email, Audience.RESIDENTS, (), Locale.FI) for email in (AINO, BERTTA)]
    await subscribers.import_many(listed)
    first = await region.release()
    taken = await region.letter_to(AINO)
    await region.letter_to(BERTTA)

    await region.send_back(status_report(taken), to=taken.sender)
    await region.send_back(status_report(taken), to=taken.sender.upper())
    await eventually(lambda: _is(subscribers.suppressed_count, 1))
    await region.release()
    await region.letter_to(BERTTA, number=2)

    assert await region.returned(first) == 1
    assert len(region.to(AINO)) == 1


async def test_when_the_question_came_back_the_next_contact_is_asked(region: Region) -> None:
    intake = region.apps["intake"]
    contacts = (ListedContact("Aino", AINO), ListedContact("Bertta", BERTTA))
    line = Listed(row=2, register_number="1", name="Hattulan Martat", municipality="082", contacts=contacts)
    async for _ in intake.state.register_files.import_rows([line]):
        continue
    async with database_of(intake).read() as session:
        association = (await session.execute(select(col(Contact.association_id)).limit(1))).scalar_one()
    now = datetime.now(UTC)
    opened = RoundOpened(
        happened_at=now,
        realm=LIVE,
        situation_id=new_id(),
        round_id=new_id(),
        names={"fi": "Myrsky"},
        closes_at=now + timedelta(hours=12),
        association_ids=(association,),
    )
    await intake.state.invitation.invite(opened)
    asked = await region.letter_to(AINO)

    await region.send_back(status_report(asked), to=asked.sender)
    await region.letter_to(BERTTA)

    async with database_of(intake).read() as session:
        rows = await session.execute(select(col(Contact.email), col(Contact.state)))
        states = {row.email: row.state for row in rows}
        failure = (await session.execute(select(func.max(col(InvitationToken.failure))))).scalar_one()
        position = (await session.execute(select(col(Invitation.position)))).scalar_one()
    assert states[AINO] == ContactState.FAILED
    assert states[BERTTA] == ContactState.UNCONFIRMED
    assert (failure, position) == ("returned: hard 5.2.1", 2)


async def _is(count: Callable[[], object], wanted: int) -> bool:
    return bool(await count() == wanted)  # type: ignore[misc]

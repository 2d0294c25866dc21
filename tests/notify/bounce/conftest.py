"""Fixtures of bounces: subscribers, letters that were sent to them, and reports that come back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlmodel import col

from services.notify.bounce.jobs import Reading
from services.notify.bounce.model import Found
from services.notify.bounce.store import Arrived, BounceStore
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.schema import DeliveryRow
from services.notify.subscribers.model import Audience, ImportedSubscriber
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.notify.conftest import row_of

SAYS = {
    Found.HARD: "Action: failed\r\nStatus: 5.1.1",
    Found.SOFT: "Action: failed\r\nStatus: 4.4.1",
    Found.POLICY: "Action: failed\r\nStatus: 5.7.1",
    Found.DELAYED: "Action: delayed\r\nStatus: 4.4.1",
    Found.AUTOMATIC: "Action: delivered\r\nStatus: 2.0.0",
}


def report(found: Found, *, name: str = "") -> bytes:
    """A letter that says so; `name` tells it from another."""
    if found is Found.COMPLAINT:
        kind, said = "feedback-report", "Feedback-Type: abuse"
    elif found is Found.UNCLEAR:
        return f"From: aino@example.org\r\nSubject: Re: ohje {name}\r\n\r\nKiitos!\r\n".encode()
    else:
        kind, said = "delivery-status", f"Reporting-MTA: dns; mx{name}\r\n\r\n{SAYS[found]}"
    head = 'From: MAILER-DAEMON@mx\r\nContent-Type: multipart/report; boundary="b"'
    return f"{head}\r\n\r\n--b\r\nContent-Type: message/{kind}\r\n\r\n{said}\r\n\r\n--b--\r\n".encode()


@dataclass(frozen=True)
class Returns:
    """Letters on their way out and back."""

    app: FastAPI
    clock: FakeClock

    @property
    def bounces(self) -> BounceStore:
        bounces: BounceStore = self.app.state.bounces
        return bounces

    @property
    def house(self) -> House:
        house: House = self.app.state.house
        return house

    async def subscribe(self, *emails: str) -> list[UUID]:
        """Confirmed subscribers, by their addresses."""
        rows = [ImportedSubscriber(email, Audience.RESIDENTS, (), Locale.FI) for email in emails]
        await self.app.state.subscribers.import_many(rows)
        return [(await row_of(self.app, email)).id for email in emails]

    async def send(
        self, recipients: Sequence[UUID], *, kind: Kind = Kind.GUIDANCE, realm: Realm = LIVE, sent: bool = True
    ) -> Letter:
        """A letter to these, taken by the relay just now, or still waiting."""
        now = self.clock.now()
        letter = Letter(realm, new_id(), kind, lane=Lane.BULK, not_after=now + timedelta(days=1))
        whom = [Recipient(own, f"{own}@example.org", "fi") for own in recipients]
        async with self.house.database.write() as session:
            await self.app.state.ledger.add(session, letter, recipients=whom)
            if sent:
                this = col(DeliveryRow.letter_id) == letter.letter_id
                values = {"state": "sent", "settled_at": now, "address": ""}
                await session.execute(update(DeliveryRow).where(this).values(values))
        return letter

    async def deliveries(self, letter: Letter) -> list[DeliveryRow]:
        """The rows of the ledger, oldest first."""
        async with self.house.database.read() as session:
            rows = select(DeliveryRow).where(col(DeliveryRow.letter_id) == letter.letter_id)
            return list((await session.execute(rows.order_by(col(DeliveryRow.id)))).scalars())

    async def come_back(self, letter: Letter, found: Found, *, name: str = "", read: bool = True) -> None:
        """Each copy of the letter comes back with this report, and is read."""
        for row in await self.deliveries(letter):
            assert await self.bounces.take(Arrived(row.id or 0, report(found, name=name), self.clock.now()))
        if read:
            await self.read()

    async def read(self) -> None:
        """Read all that waits."""
        while await Reading(self.bounces).read():
            pass

    async def state(self, subscriber: UUID) -> str:
        """Where her subscription stands."""
        known = await self.app.state.subscribers.get(subscriber)
        return str(known.state)

    async def said(self, fact: str) -> list[OutboxRow]:
        """The events of this kind that wait to be told."""
        async with self.house.database.read() as session:
            rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
            return [row for row in rows if row.subject.endswith(f".{fact}")]


@pytest.fixture
def returns(app: FastAPI, clock: FakeClock) -> Returns:
    return Returns(app, clock)

"""An office for tests: a ledger with its lanes, wired to one relay."""

from datetime import timedelta

from sqlalchemy import select
from sqlmodel import col

from services.notify.allowance.model import Limits
from services.notify.allowance.store import Allowances
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.sending import Letters, Signer, Traffic
from services.notify.delivery.store import Ledger
from shared.db import Database
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.settings import Smtp
from tests.fakes import FakeClock

IMPRINT = Imprint("https://valmius.example.org", "mail.example.org", "+358 40 000 0000", secret="s" * 32)


class Office:
    """A ledger with its lanes, wired to one relay."""

    def __init__(
        self,
        database: Database,
        *,
        clock: FakeClock,
        port: int,
        size: int = 3,
        patience: float = 600,
        rate: float = 1e6,
        domain_rate: float = 0,
        domain_rates: str = "",
        signer: Signer | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.ledger = Ledger(database, clock=clock)
        self.signer = signer
        smtp = Smtp(port=port, rate=rate, domain_rate=domain_rate, domain_rates=domain_rates)
        self.traffic = Traffic(Allowances(database, clock=clock, limits=Limits.of(smtp)), clock=clock)
        self.lanes = {
            lane: LaneWork(
                lane,
                ledger=self.ledger,
                letters=Letters(self.ledger, imprint=IMPRINT, signer=signer),
                pool=Pool(smtp, size=size, domain="mail.example.org", body_timeout=patience),
                traffic=self.traffic,
                clock=clock,
            )
            for lane in Lane
        }

    async def add(
        self,
        *addresses: str,
        lane: Lane = Lane.BULK,
        realm: Realm = LIVE,
        minutes: float = 600,
        association: str = "Hattulan Martat",
    ) -> Letter:
        """A letter to these addresses."""
        letter = Letter(
            realm=realm,
            letter_id=new_id(),
            kind=Kind.CHECKIN,
            lane=lane,
            not_after=self.clock.now() + timedelta(minutes=minutes),
            shared={"situation.fi": "Myrsky"},
        )
        personal = {"association": association, "link": "https://valmius.example.org/c/1"}
        recipients = [Recipient(new_id(), address, locale="fi", personal=personal) for address in addresses]
        async with self.database.write() as session:
            await self.ledger.add(session, letter, recipients=recipients)
        return letter

    async def send(self, lane: Lane = Lane.BULK) -> None:
        """Work until there is nothing due."""
        more = True
        while more:
            more = await self.lanes[lane].unit()

    async def states(self) -> dict[str, str]:
        """State and reason of each delivery, by the number of the recipient."""
        async with self.database.read() as session:
            rows = (await session.execute(select(DeliveryRow).order_by(col(DeliveryRow.id)))).scalars()
            return {f"{row.id}": f"{row.state} {row.reason}".strip() for row in rows}

    async def close(self) -> None:
        """Close all connections."""
        for work in self.lanes.values():
            await work.pool.close()
        if self.signer:
            self.signer.close()

"""Jobs: each lane claims a few letters at a time, sends them over its own connections, and settles them."""

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from services.notify.delivery import model
from services.notify.delivery.header_format import LetterError, mailbox
from services.notify.delivery.letter_format import locale_of
from services.notify.delivery.mail import Connection, Envelope, MailError, Pool
from services.notify.delivery.model import (
    LOOKED_AT,
    Claimed,
    Fault,
    Lane,
    Letter,
    Outcome,
    Stage,
    permit,
    should_pause,
)
from services.notify.delivery.return_address import return_address
from services.notify.delivery.sending import BEGIN_WITHIN, Copies, Letters, Messages, Traffic
from services.notify.delivery.store import Ledger
from shared.clock import Clock
from shared.db import passing
from shared.log import logger
from shared.realm import LIVE

log = logger(__name__)

MANY: Final = 8
PACE: Final = 0.02
"""Seconds for which outcomes wait for more of them while they come by MANY: one commit costs as much as ten letters.
It is all that is added to the moment in which a crash makes duplicates; below some 400 letters a second, nothing is."""

AHEAD: Final = 3.0
"""Seconds for which a letter may stay with a connection that waits for the reply to the one before it."""

GRACE: Final = 20.0
"""Seconds that letters which the relay is just taking may need at the end of the process."""


class LaneWork:
    """The work of one lane in this process. Several units of one lane may run at a time."""

    def __init__(
        self, lane: Lane, *, ledger: Ledger, letters: Letters, pool: Pool, traffic: Traffic, clock: Clock
    ) -> None:
        self.lane = lane
        self.ledger = ledger
        self.letters = letters
        self.pool = pool
        self.traffic = traffic
        self.clock = clock
        self.full = False
        self._hard: deque[bool] = deque(maxlen=LOOKED_AT)
        self._batches: set[Batch] = set()

    async def unit(self) -> bool:
        """Claim and send up to BATCH letters; True if there may be more.

        When it is cancelled it takes no further letter, gives back those that it has not begun, and waits for those
        that the relay is taking, at most GRACE seconds.
        """
        batch = Batch(self)
        self._batches.add(batch)
        work = asyncio.create_task(batch.run())
        work.add_done_callback(lambda _: self._batches.discard(batch))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            batch.stop()
            await asyncio.wait([work], timeout=GRACE)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise

    async def recover(self) -> bool:
        """Take back what a process that died had claimed."""
        recovered = await self.ledger.recover(self.clock.now())
        if recovered:
            log.warning("claims of a sender that died were taken back", number=recovered)
        return False

    async def noted(self, fault: Fault | None, *, realm: str) -> None:
        """Remember how a letter fared with the relay; a lane with too many hard failures pauses itself at once. What
        fails in an exercise holds up nothing that is real."""
        if fault is not None and (fault.relay or fault.ambiguous):
            self.traffic.failed()
            return
        self.traffic.worked()
        if realm != LIVE:
            return
        hard = fault is not None and fault.hard
        self._hard.append(hard)
        if hard and self.lane is Lane.BULK and should_pause(self._hard):
            reason = f"{sum(self._hard)} of the last {len(self._hard)} letters failed"
            self._hard.clear()
            for batch in self._batches:
                batch.stop()
            await self.ledger.pause(self.lane, reason)
            log.error("lane pauses until an operator resumes it", lane=self.lane, reason=reason)


@dataclass
class Carrier:
    """One connection on its way through a batch, and the letter whose envelope went ahead over it."""

    connection: Connection
    ahead: tuple[Claimed, Envelope] | None = None
    until: float = 0.0
    limit: asyncio.TimerHandle | None = None

    def take(self) -> tuple[Claimed, Envelope] | None:
        """The letter that is next here; nobody else has it from now on."""
        taken, self.ahead = self.ahead, None
        return taken

    def end(self) -> tuple[Claimed, Envelope] | None:
        """The same, and it takes no other."""
        if self.limit is not None:
            self.limit.cancel()
        return self.take()


class Batch:
    """Some claimed letters on their way out. What becomes of them is settled while others are still being sent."""

    def __init__(self, work: LaneWork) -> None:
        self._work = work
        self._letters: dict[int, Letter] = {}
        self._copies: dict[tuple[int, str], Copies] = {}
        self._queue: deque[Claimed] = deque()
        self._messages = Messages((), self._copies_for, signer=None)
        self._outcomes: list[Outcome] = []
        self._settling: asyncio.Task[None] | None = None
        self._probe = False
        self._until = work.clock.now()
        self._finished = False
        self._stopped = False

    def stop(self) -> None:
        """Begin no further letter."""
        self._stopped = True

    async def run(self) -> bool:
        """Claim, send, settle; True if there may be more."""
        work = self._work
        if work.traffic.open() or not (work.full or await work.ledger.due(work.lane, work.clock.now())):
            return False
        limit = work.traffic.admit()
        if not limit or self._stopped:
            return False
        self._probe = work.traffic.probing
        self._until = work.clock.now() + BEGIN_WITHIN
        claimed = await work.ledger.claim(work.lane, limit=limit, now=work.clock.now())
        work.full = len(claimed) == limit
        letters = await work.letters.of(claimed)
        self._letters = {delivery.id: letters[delivery.realm, delivery.letter_id] for delivery in claimed}
        self._queue.extend(claimed)
        self._messages = Messages(claimed, self._copies_for, signer=work.letters.signer)
        try:
            await work.traffic.allowances.foresee(delivery.recipient.address for delivery in claimed)
            carriers = (self._carry() for _ in range(min(work.pool.size, len(claimed))))
            ends = await asyncio.gather(*carriers, return_exceptions=True)
        finally:
            self._finished = True
            self._messages.end()
            if self._probe:
                work.traffic.not_tried()
            self._give_back_rest()
            await self._settled()
        for end in ends:
            if end is not None:
                raise end
        return bool(claimed) and not self._stopped

    @property
    def _may_begin(self) -> bool:
        in_time = self._work.clock.now() < self._until
        return in_time and not self._stopped and (self._probe or not self._work.traffic.open())

    async def _carry(self) -> None:
        """Send what is in the queue, one after another over one connection."""
        async with self._work.pool.connection() as connection:
            carrier = Carrier(connection)
            try:
                while (carrier.ahead or self._queue) and self._may_begin:
                    delivery, envelope = carrier.take() or (self._queue.popleft(), None)
                    self._record(await self._send(delivery, envelope, carrier=carrier))
            finally:
                if left := carrier.end():
                    self._queue.append(left[0])
                connection.leave()

    async def _send(self, delivery: Claimed, envelope: Envelope | None, *, carrier: Carrier) -> Outcome:
        """Time, gate, text, turn, relay: what became of one letter. One with an envelope has had its turn."""
        work, letter, allowances = self._work, self._letter_of(delivery), self._work.traffic.allowances
        if work.clock.now() >= letter.not_after:
            return model.too_late(delivery, letter, at=work.clock.now())
        if refused := await self._refused(delivery, letter):
            return refused
        try:
            if envelope is None:
                envelope = self._envelope(delivery)
                due = await allowances.turn(delivery.recipient.address, urgent=work.lane is Lane.URGENT)
                if due is not None:
                    return model.put_off(delivery, letter, at=work.clock.now(), due_at=due)
            return await self._give(delivery, letter, envelope=envelope, carrier=carrier)
        except LetterError as error:
            return model.unwritable(delivery, letter, at=work.clock.now(), reason=str(error))
        except asyncio.CancelledError:
            return self._cut_off(delivery, letter, stage=carrier.connection.stage)

    async def _give(self, delivery: Claimed, letter: Letter, *, envelope: Envelope, carrier: Carrier) -> Outcome:
        work = self._work
        if not self._may_begin:
            return model.given_back(delivery, letter, at=work.clock.now())
        if delivery.realm != LIVE and (refused := await self._refused(delivery, letter)):
            return refused
        try:
            await carrier.connection.send(
                envelope,
                message=lambda eight_bit: self._messages.of(delivery, eight_bit=eight_bit),
                following=lambda: self._follow(carrier),
            )
        except MailError as error:
            await work.noted(error.fault, realm=delivery.realm)
            jitter = random.random()  # noqa: S311 - jitter, not a secret
            return model.after(error.fault, delivery, letter=letter, at=work.clock.now(), jitter=jitter)
        await work.noted(None, realm=delivery.realm)
        return model.sent(delivery, letter, at=work.clock.now())

    def _follow(self, carrier: Carrier) -> Envelope | None:
        """The envelope of the carrier's next letter; None if that has to wait for anything before it may go.

        Time and gate are passed once more when its body is to go out.
        """
        if not self._queue or self._probe or not self._may_begin:
            return None
        delivery = self._queue[0]
        if delivery.realm != LIVE or self._work.clock.now() >= self._letter_of(delivery).not_after:
            return None
        try:
            envelope = self._envelope(delivery)
        except LetterError:
            return None
        if not self._work.traffic.allowances.at_once(delivery.recipient.address):
            return None
        carrier.ahead = (self._queue.popleft(), envelope)
        carrier.until = asyncio.get_running_loop().time() + AHEAD
        if carrier.limit is None:  # one timer serves many letters: it looks again when it is too early for the last
            carrier.limit = asyncio.get_running_loop().call_at(carrier.until, self._take_from, carrier)
        return envelope

    def _take_from(self, carrier: Carrier) -> None:
        """Give back what would wait too long behind a letter with which the relay does not come to an end."""
        carrier.limit = None
        loop = asyncio.get_running_loop()
        if carrier.ahead and loop.time() < carrier.until:
            carrier.limit = loop.call_at(carrier.until, self._take_from, carrier)
        elif left := carrier.take():
            self._record(model.given_back(left[0], self._letter_of(left[0]), at=self._work.clock.now()))

    def _envelope(self, delivery: Claimed) -> Envelope:
        """Raises LetterError when the letter cannot be written or not be addressed."""
        imprint = self._copies_for(delivery).template.imprint
        recipient = delivery.recipient
        sender = return_address(
            delivery.id,
            delivery.letter_id,
            recipient.recipient_id,
            secret=imprint.secret,
            domain=imprint.mail_domain,
        )
        return Envelope(sender, mailbox(recipient.address))

    def _copies_for(self, delivery: Claimed) -> Copies:
        letter, recipient = self._letters[delivery.id], delivery.recipient
        copies = self._copies.get((id(letter), recipient.locale))
        if copies is None:
            copies = self._work.letters.copies(letter, locale_of(recipient))
            self._copies[id(letter), recipient.locale] = copies
        return copies

    def _cut_off(self, delivery: Claimed, letter: Letter, *, stage: Stage) -> Outcome:
        """The process ends while this letter is on its way: only within the body is it unclear what happened."""
        at = self._work.clock.now()
        if stage is not Stage.BODY:
            return model.given_back(delivery, letter, at=at)
        fault = model.interrupted(stage, "sender ended")
        return model.after(fault, delivery, letter=letter, at=at, jitter=0)

    async def _refused(self, delivery: Claimed, letter: Letter) -> Outcome | None:
        """The gate. Before its turn a letter takes nothing of what the relay may be given; while it waited for that, an
        exercise may have ended."""
        verdict = permit(delivery.realm, delivery.recipient.address, await self._roster(delivery))
        if verdict.permitted:
            return None
        return model.refused(delivery, letter, at=self._work.clock.now(), reason=verdict.reason)

    async def _roster(self, delivery: Claimed) -> frozenset[tuple[str, str]]:
        if delivery.realm == LIVE:
            return frozenset()
        wanted = [(delivery.realm, delivery.recipient.address)]
        return await self._work.ledger.roster(wanted, kind=self._letter_of(delivery).kind)

    def _letter_of(self, delivery: Claimed) -> Letter:
        return self._letters[delivery.id]

    def _record(self, outcome: Outcome) -> None:
        """Have the outcome settled with others of this moment, without waiting for it."""
        self._outcomes.append(outcome)
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle())

    def _give_back_rest(self) -> None:
        at = self._work.clock.now()
        while self._queue:
            delivery = self._queue.popleft()
            self._record(model.given_back(delivery, self._letter_of(delivery), at=at))

    async def _settle(self) -> None:
        """Write all outcomes; while the database is away, try again, since what was sent must be known."""
        outcomes: list[Outcome] = []
        while self._outcomes:
            if len(outcomes) >= MANY and not self._finished:
                await asyncio.sleep(PACE)
            outcomes, self._outcomes = self._outcomes, []
            try:
                await self._work.ledger.settle(outcomes)
            except (SQLAlchemyError, OSError) as error:
                if not passing(error):
                    raise
                log.warning("outcomes wait for the database", number=len(outcomes), error=type(error).__name__)
                self._outcomes = outcomes + self._outcomes
                await self._work.clock.sleep(1)
        self._settling = None

    async def _settled(self) -> None:
        if self._settling is not None:
            await self._settling

"""Jobs: each lane claims a few letters at a time, sends them over its own connections, and settles them."""

import asyncio
import random
from collections import OrderedDict, deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from services.notify.delivery import model
from services.notify.delivery.header_format import LetterError, mailbox
from services.notify.delivery.letter_format import Imprint, Template, build, locale_of
from services.notify.delivery.mail import Connection, MailError, Pool
from services.notify.delivery.model import (
    LOOKED_AT,
    Breaker,
    Bucket,
    Claimed,
    Fault,
    Lane,
    Letter,
    Outcome,
    Stage,
    permit,
    should_pause,
)
from services.notify.delivery.store import Ledger
from shared.clock import Clock
from shared.db import passing
from shared.i18n import Locale
from shared.log import logger
from shared.realm import LIVE

log = logger(__name__)

BATCH: Final = 50
BEGIN_WITHIN: Final = timedelta(seconds=30)
"""How long after their claim letters are begun; what a slow relay has not let us begin by then is given back."""

KEPT: Final = 200
"""Letters and templates kept in memory; each is some tens of kilobytes."""

MANY: Final = 8
PACE: Final = 0.01
"""Seconds for which outcomes wait for more of them while they come by MANY: one commit costs as much as ten letters.
It is all that is added to the moment in which a crash makes duplicates."""

GRACE: Final = 20.0
"""Seconds that letters which the relay is just taking may need at the end of the process."""


class Traffic:
    """What all lanes of a process share on their way to the relay: its rate and whether it works."""

    def __init__(self, rate: float, *, clock: Clock) -> None:
        self._clock = clock
        self._batch = max(1, min(BATCH, int(rate * BEGIN_WITHIN.total_seconds() / 4)))
        self._bucket = Bucket.full(rate, clock.now())
        self._breaker = Breaker()

    @property
    def probing(self) -> bool:
        """True while one letter finds out whether the relay works again."""
        return self._breaker.tries

    def open(self) -> bool:
        """True while the relay is left alone."""
        return not self._breaker.closed(self._clock.now())

    def admit(self) -> int:
        """How many letters may be claimed now: none, one as a probe, or a batch."""
        now = self._clock.now()
        if not self._breaker.closed(now):
            return 0
        if self._breaker.half_open:
            self._breaker = self._breaker.probing(now)
            return 1
        return self._batch

    async def turn(self, *, urgent: bool) -> None:
        """Return when one letter may be sent."""
        while True:
            self._bucket, wait = self._bucket.take(self._clock.now(), urgent=urgent)
            if not wait:
                return
            await self._clock.sleep(wait)

    def worked(self) -> None:
        """The relay answered."""
        self._breaker = self._breaker.worked()

    def not_tried(self) -> None:
        """The probe ended before the relay."""
        self._breaker = self._breaker.not_tried(self._clock.now())

    def failed(self) -> None:
        """The relay did not work."""
        was_open = self._breaker.half_open
        self._breaker = self._breaker.failed(self._clock.now())
        if self._breaker.half_open and not was_open:
            log.error("mail relay does not work; it is left alone for a while", faults=self._breaker.faults)


class Letters:
    """A lane's letters and their templates, written once per language; the newest are kept."""

    def __init__(self, ledger: Ledger, *, imprint: Imprint) -> None:
        self._ledger = ledger
        self._imprint = imprint
        self._letters: OrderedDict[tuple[str, UUID], Letter] = OrderedDict()
        self._templates: OrderedDict[tuple[str, UUID, Locale], Template | LetterError] = OrderedDict()

    async def of(self, claimed: Sequence[Claimed]) -> dict[tuple[str, UUID], Letter]:
        """The letters of these deliveries, from the ledger where they are not in memory."""
        wanted = {(delivery.realm, delivery.letter_id) for delivery in claimed}
        missing = wanted - self._letters.keys()
        if missing:
            for letter in await self._ledger.letters(missing):
                self._letters[letter.realm.id, letter.letter_id] = letter
        found = {key: self._letters[key] for key in wanted}
        while len(self._letters) > KEPT:
            self._letters.popitem(last=False)
        return found

    def template(self, letter: Letter, locale: Locale) -> Template:
        """The letter in this language. Raises LetterError if it cannot be written."""
        key = (letter.realm.id, letter.letter_id, locale)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._written(letter, locale)
            if len(self._templates) > KEPT:
                self._templates.popitem(last=False)
        if isinstance(template, LetterError):
            raise template
        return template

    def _written(self, letter: Letter, locale: Locale) -> Template | LetterError:
        try:
            return build(letter, locale, imprint=self._imprint)
        except LetterError as error:
            log.warning("letter cannot be written", kind=letter.kind, locale=locale, error=str(error))
            return error


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

    async def unit(self) -> bool:
        """Claim and send up to BATCH letters; True if there may be more.

        When it is cancelled it takes no further letter, gives back those that it has not begun, and waits for those
        that the relay is taking, at most GRACE seconds.
        """
        batch = Batch(self)
        work = asyncio.create_task(batch.run())
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

    async def noted(self, fault: Fault | None) -> None:
        """Remember how a letter fared with the relay; a lane with too many hard failures pauses itself."""
        if fault is not None and (fault.relay or fault.ambiguous):
            self.traffic.failed()
            return
        self.traffic.worked()
        self._hard.append(fault is not None and fault.hard)
        if self.lane is Lane.BULK and fault is not None and fault.hard and should_pause(self._hard):
            reason = f"{sum(self._hard)} of the last {len(self._hard)} letters failed"
            self._hard.clear()
            await self.ledger.pause(self.lane, reason)
            log.error("lane pauses until an operator resumes it", lane=self.lane, reason=reason)


class Batch:
    """Some claimed letters on their way out. What becomes of them is settled while others are still being sent."""

    def __init__(self, work: LaneWork) -> None:
        self._work = work
        self._letters: dict[tuple[str, UUID], Letter] = {}
        self._queue: deque[Claimed] = deque()
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
        self._letters = await work.letters.of(claimed)
        self._queue.extend(claimed)
        try:
            carriers = (self._carry() for _ in range(min(work.pool.size, len(claimed))))
            ends = await asyncio.gather(*carriers, return_exceptions=True)
        finally:
            self._finished = True
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
            while self._queue and self._may_begin:
                delivery = self._queue.popleft()
                self._record(await self._send(delivery, self._letter_of(delivery), connection=connection))

    async def _send(self, delivery: Claimed, letter: Letter, *, connection: Connection) -> Outcome:
        """Time, gate, text, turn, relay: what became of one letter."""
        work = self._work
        if work.clock.now() >= letter.not_after:
            return model.too_late(delivery, letter, at=work.clock.now())
        verdict = permit(delivery.realm, delivery.recipient.address, await self._roster(delivery))
        if not verdict.permitted:
            return model.refused(delivery, letter, at=work.clock.now(), reason=verdict.reason)
        try:
            template = work.letters.template(letter, locale_of(delivery.recipient))
            address = mailbox(delivery.recipient.address)
            await work.traffic.turn(urgent=work.lane is Lane.URGENT)
            return await self._give(delivery, letter, template=template, address=address, connection=connection)
        except LetterError as error:
            return model.unwritable(delivery, letter, at=work.clock.now(), reason=str(error))
        except asyncio.CancelledError:
            return self._cut_off(delivery, letter, stage=connection.stage)

    async def _give(
        self, delivery: Claimed, letter: Letter, *, template: Template, address: str, connection: Connection
    ) -> Outcome:
        work = self._work
        if not self._may_begin:
            return model.given_back(delivery, letter, at=work.clock.now())
        sender = f"bounce+{delivery.id}@{template.imprint.mail_domain}"
        try:
            await connection.send(
                sender, address, message=lambda eight_bit: template.fill(delivery.recipient, eight_bit=eight_bit)
            )
        except MailError as error:
            await work.noted(error.fault)
            jitter = random.random()  # noqa: S311 - jitter, not a secret
            return model.after(error.fault, delivery, letter=letter, at=work.clock.now(), jitter=jitter)
        await work.noted(None)
        return model.sent(delivery, letter, at=work.clock.now())

    def _cut_off(self, delivery: Claimed, letter: Letter, *, stage: Stage) -> Outcome:
        """The process ends while this letter is on its way: only within the body is it unclear what happened."""
        at = self._work.clock.now()
        if stage is not Stage.BODY:
            return model.given_back(delivery, letter, at=at)
        fault = model.interrupted(stage, "sender ended")
        return model.after(fault, delivery, letter=letter, at=at, jitter=0)

    async def _roster(self, delivery: Claimed) -> frozenset[tuple[str, str]]:
        if delivery.realm == LIVE:
            return frozenset()
        return await self._work.ledger.roster([(delivery.realm, delivery.recipient.address)])

    def _letter_of(self, delivery: Claimed) -> Letter:
        return self._letters[delivery.realm, delivery.letter_id]

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

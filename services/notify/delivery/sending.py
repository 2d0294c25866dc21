"""Sending: what all lanes of a process share on their way to the relay, and the letters that they write."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.notify.allowance.store import Allowances
from services.notify.delivery.dkim_format import Seal, SigningKey
from services.notify.delivery.header_format import LetterError
from services.notify.delivery.letter_format import Imprint, Template, build
from services.notify.delivery.model import Breaker, Claimed, Letter
from services.notify.delivery.store import Ledger
from shared.clock import Clock
from shared.i18n import Locale
from shared.log import logger

log = logger(__name__)

BATCH: Final = 250
"""Letters that are claimed at a time: a claim costs as much as a few letters, whatever it claims."""

BEGIN_WITHIN: Final = timedelta(seconds=30)
"""How long after their claim letters are begun; what a slow relay has not let us begin by then is given back."""

SIGNERS: Final = 2
"""Threads that sign: an RSA signature takes longer than all else that this process does for a letter."""

SHARE: Final = 25
"""Letters that a thread signs at a time: some 20 ms, for which an urgent letter may have to wait."""

KEPT: Final = 200
"""Letters and templates kept in memory; each is some tens of kilobytes."""


class Traffic:
    """What all lanes of a process share on their way to the relay: what it may be given, and whether it works."""

    def __init__(self, allowances: Allowances, *, clock: Clock) -> None:
        self.allowances = allowances
        self._clock = clock
        self._batch = max(1, min(BATCH, int(allowances.limits.relay.rate * BEGIN_WITHIN.total_seconds() / 4)))
        self._breaker = Breaker()

    @property
    def probing(self) -> bool:
        """True while one letter finds out whether the relay works again."""
        return self._breaker.tries

    def open(self) -> bool:
        """True while the relay is left alone."""
        return self._breaker.half_open and not self._breaker.closed(self._clock.now())

    def admit(self) -> int:
        """How many letters may be claimed now: none, one as a probe, or a batch."""
        now = self._clock.now()
        if not self._breaker.closed(now):
            return 0
        if self._breaker.half_open:
            self._breaker = self._breaker.probing(now)
            return 1
        return self._batch

    def worked(self) -> None:
        """The relay answered."""
        if self._breaker.faults:
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


class Signer:
    """Signs letters in threads of its own, so that nothing else of the process waits for it."""

    def __init__(self, domain: str, keys: Sequence[SigningKey]) -> None:
        self._domain = domain
        self._keys = tuple(keys)
        self._threads = ThreadPoolExecutor(SIGNERS, thread_name_prefix="dkim")

    def seal(self, template: Template) -> Seal:
        """What signs the copies of this letter."""
        pieces = template.whole.pieces if template.whole else (template.head + template.frame[0],)
        return Seal(self._domain, self._keys, pieces=pieces)

    async def sign(self, work: Sequence[tuple[Seal, bytes]]) -> Sequence[bytes | Exception]:
        """Each message with its signatures, or why it has none."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _signed, work)
        except RuntimeError as error:  # the threads have ended
            return [error] * len(work)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)


def _signed(work: Sequence[tuple[Seal, bytes]]) -> Sequence[bytes | Exception]:
    """Each message signed, or why it could not be."""
    outcomes: list[bytes | Exception] = []
    for seal, message in work:
        try:
            outcomes.append(seal.signed(message))
        except Exception as error:  # told to the one who asked for this message, and to nobody else
            outcomes.append(error)
    return outcomes


@dataclass(frozen=True)
class Copies:
    """The copies of a letter in one language, and what signs them where the installation has a key."""

    template: Template
    seal: Seal | None = None


class Messages:
    """The messages of one batch, signed SHARE at a time in the order in which they go out, while others are sent.

    A hop between threads costs a good part of what a signature does, and a signature more than all else that this
    process does for a letter. Nearly all relays take 8bit bodies: for one that does not, each is signed when it goes.
    """

    def __init__(
        self, claimed: Sequence[Claimed], copies_of: Callable[[Claimed], Copies], *, signer: Signer | None
    ) -> None:
        self._copies_of = copies_of
        self._signer = signer
        self._ahead: dict[int, asyncio.Future[bytes | Exception]] = {}
        self._tasks: Sequence[asyncio.Task[None]] = ()
        if signer is not None:
            loop = asyncio.get_running_loop()
            self._ahead = {delivery.id: loop.create_future() for delivery in claimed}
            shares = (claimed[start : start + SHARE] for start in range(0, len(claimed), SHARE))
            self._tasks = [loop.create_task(self._sign(signer, shares)) for _ in range(SIGNERS)]

    def end(self) -> None:
        """Sign no more."""
        for task in self._tasks:
            task.cancel()

    async def of(self, delivery: Claimed, *, eight_bit: bool) -> bytes:
        """The whole message of one delivery. Raises LetterError as the template does."""
        if eight_bit and delivery.id in self._ahead:
            outcome = await self._ahead[delivery.id]
        else:
            copies = self._copies_of(delivery)
            outcome = copies.template.fill(delivery.recipient, eight_bit=eight_bit)
            if self._signer is not None and copies.seal is not None:
                (outcome,) = await self._signer.sign([(copies.seal, outcome)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _sign(self, signer: Signer, shares: Iterator[Sequence[Claimed]]) -> None:
        """Share by share; the tasks take turns at the shares."""
        for share in shares:
            work: list[tuple[Seal, bytes]] = []
            outcomes: dict[int, bytes | Exception] = {}
            signed: list[int] = []
            for delivery in share:
                try:
                    copies = self._copies_of(delivery)
                    outcomes[delivery.id] = message = copies.template.fill(delivery.recipient, eight_bit=True)
                except Exception as error:  # told to the one who asks for this message: nobody may wait for ever
                    outcomes[delivery.id] = error
                else:
                    if copies.seal is not None:
                        work.append((copies.seal, message))
                        signed.append(delivery.id)
            outcomes.update(zip(signed, await signer.sign(work), strict=True))
            for delivery_id, outcome in outcomes.items():
                if not self._ahead[delivery_id].done():  # whoever waited for it may have been cut off
                    self._ahead[delivery_id].set_result(outcome)


class Letters:
    """A lane's letters and their templates, written once per language; the newest are kept."""

    def __init__(self, ledger: Ledger, *, imprint: Imprint, signer: Signer | None = None) -> None:
        self._ledger = ledger
        self._imprint = imprint
        self.signer = signer
        self._letters: OrderedDict[tuple[str, UUID], Letter] = OrderedDict()
        self._copies: OrderedDict[tuple[str, UUID, Locale], Copies | LetterError] = OrderedDict()

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

    def copies(self, letter: Letter, locale: Locale) -> Copies:
        """The letter in this language. Raises LetterError if it cannot be written."""
        key = (letter.realm.id, letter.letter_id, locale)
        copies = self._copies.get(key)
        if copies is None:
            copies = self._copies[key] = self._written(letter, locale)
            if len(self._copies) > KEPT:
                self._copies.popitem(last=False)
        if isinstance(copies, LetterError):
            raise copies
        return copies

    def _written(self, letter: Letter, locale: Locale) -> Copies | LetterError:
        try:
            template = build(letter, locale, imprint=self._imprint)
            return Copies(template, self.signer.seal(template) if self.signer else None)
        except LetterError as error:
            log.warning("letter cannot be written", kind=letter.kind, locale=locale, error=str(error))
            return error

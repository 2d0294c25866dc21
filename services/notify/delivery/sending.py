"""Sending: what all lanes of a process share on their way to the relay, and the letters that they write."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from services.notify.delivery.header_format import LetterError
from services.notify.delivery.letter_format import Imprint, Template, build
from services.notify.delivery.model import Breaker, Bucket, Claimed, Letter
from services.notify.delivery.store import Ledger
from shared.clock import Clock
from shared.i18n import Locale
from shared.log import logger

log = logger(__name__)

BATCH: Final = 100
BEGIN_WITHIN: Final = timedelta(seconds=30)
"""How long after their claim letters are begun; what a slow relay has not let us begin by then is given back."""

KEPT: Final = 200
"""Letters and templates kept in memory; each is some tens of kilobytes."""


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

    def at_once(self, *, urgent: bool) -> bool:
        """True if one letter may be sent now: its turn is taken then."""
        self._bucket, wait = self._bucket.take(self._clock.now(), urgent=urgent)
        return not wait

    async def turn(self, *, urgent: bool) -> None:
        """Return when one letter may be sent."""
        while True:
            self._bucket, wait = self._bucket.take(self._clock.now(), urgent=urgent)
            if not wait:
                return
            await self._clock.sleep(wait)

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

"""Subscriber file model: what a row of a list says, and what taking it would do."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.notify.subscribers.model import Audience, State, Wishes, email_key
from shared.i18n import Locale
from shared.list_report import Bad

BASIS_AT_LEAST, BASIS_AT_MOST = 10, 500
"""Characters of a stated basis."""

GONE_AFTER = timedelta(hours=25)
"""An uploaded list is kept for a day: by then nothing is there of one that came just now."""

LISTED_AUDIENCES = (Audience.MEMBERS, Audience.PROFESSIONALS)
"""Whom a list may bring in. Residents subscribe by themselves: nobody can consent for them."""


@dataclass(frozen=True)
class Listed:
    """A good row. No audience: the one that was stated for the whole list. No municipality: the whole region."""

    row: int
    email: str
    name: str = ""
    audiences: frozenset[Audience] = frozenset()
    municipalities: frozenset[str] = frozenset()
    locale: Locale = Locale.FI
    cells: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def key(self) -> str:
        """The key by which the address is known."""
        return email_key(self.email)

    def wishes(self, stated: Audience) -> Wishes:
        """What the subscriber will follow."""
        return Wishes(self.audiences or frozenset({stated}), self.municipalities, self.locale)


@dataclass(frozen=True)
class Present:
    """What is known of an address already."""

    subscriber_id: UUID
    state: State
    has_left: bool


@dataclass(frozen=True)
class New:
    """Nobody has this address yet."""

    row: Listed


@dataclass(frozen=True)
class Changed:
    """The address waits to be confirmed, and is confirmed by the list: its links stay."""

    row: Listed
    subscriber_id: UUID


@dataclass(frozen=True)
class Same:
    """A subscriber already, who keeps what she chose."""


@dataclass(frozen=True)
class Barred:
    """She left, was erased, or gets no letters for another reason: only she herself can come back."""


Decision = New | Changed | Same | Barred | Bad


def decide(row: Listed, present: Present | None, *, erased: bool) -> Decision:
    """What taking this row would do. A list never changes what a person chose, and never brings her back."""
    if erased:
        return Barred()
    if present is None:
        return New(row)
    if present.state is State.CONFIRMED:
        return Same()
    if present.state is State.PENDING and not present.has_left:
        return Changed(row, present.subscriber_id)
    return Barred()


@dataclass(frozen=True)
class Exported:
    """A subscriber as an export tells her, with the record of her consent or the basis that was stated."""

    email: str
    name: str
    state: str
    locale: str
    basis: str
    stated_basis: str
    consent_version: str
    consent_hash: str
    asked_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    audiences: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Standing:
    """How many subscribers there are, by state, basis, and of the confirmed ones by group."""

    states: dict[str, int] = field(default_factory=dict)
    bases: dict[str, int] = field(default_factory=dict)
    audiences: dict[str, int] = field(default_factory=dict)

"""Register file model: what a line of a register file says, and what it would change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from services.intake.registry.model import Entry, Plan, name_key
from shared.events.intake import Amount
from shared.i18n import N_
from shared.list_report import Bad, RowError

CONTACTS = 3
"""So many contacts of an association stand in a register file."""

NONE_KNOWN: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ListedContact:
    """A contact as a line tells it. None: the file says nothing of it."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    best_time: str | None = None
    language: str | None = None

    @property
    def reachable(self) -> bool:
        """True if the line names somebody, or a way to reach somebody."""
        return bool(self.name or self.email or self.phone)


@dataclass(frozen=True)
class Listed:
    """A good line of a register file. None: the file says nothing of it, and what is known stays.

    `row` counts as a spreadsheet does: the heading is row 1. `networks` are still spelled as in the file. `namesake`
    is the first row of the file with the same name and municipality, `cells` the row as it was written.
    """

    row: int
    register_number: str
    name: str
    municipality: str
    sector: str | None = None
    language: str | None = None
    networks: tuple[str, ...] | None = None
    capabilities: tuple[Amount, ...] | None = None
    plan: Plan | None = None
    plan_year: int | None = None
    contacts: tuple[ListedContact, ...] = ()
    namesake: int | None = None
    cells: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class ContactEntry:
    """A contact as the register holds it; what is not known is empty."""

    name: str = ""
    email: str | None = None
    phone: str = ""
    best_time: str = ""
    language: str = "fi"


@dataclass(frozen=True)
class Holding:
    """What the register holds of an association. `contacts` by their position, from 1."""

    entry: Entry
    plan: Plan = Plan.UNKNOWN
    plan_year: int | None = None
    networks: frozenset[str] = frozenset()
    capabilities: Mapping[str, int | None] = field(default_factory=dict)
    contacts: Mapping[int, ContactEntry] = field(default_factory=dict)

    @property
    def announced(self) -> tuple[object, ...]:
        """What others are told of; amounts and contacts stay in intake."""
        return (self.entry, self.plan, self.plan_year, self.networks, frozenset(self.capabilities))


@dataclass(frozen=True)
class Known:
    """An association of the register, and the ids of its contacts by position."""

    association_id: UUID
    version: int
    holding: Holding
    retired: bool = False
    contact_ids: Mapping[int, UUID] = field(default_factory=dict)


@dataclass(frozen=True)
class New:
    """The line tells of an association that is not in the register."""

    holding: Holding


@dataclass(frozen=True)
class Changed:
    """The line differs from what is known: `holding` is what the register would hold."""

    present: Known
    holding: Holding
    row: int = 0

    @property
    def told(self) -> bool:
        """True if the association itself changed, which others must hear."""
        return self.holding.announced != self.present.holding.announced

    @property
    def contacts(self) -> Mapping[int, ContactEntry]:
        """The contacts that would change or come, by position."""
        before = self.present.holding.contacts
        return {place: one for place, one in self.holding.contacts.items() if one != before.get(place)}


@dataclass(frozen=True)
class Same:
    """The line says what is known already."""


Decision = New | Changed | Same | Bad


def compare(present: Known | None, row: Listed, *, networks: Mapping[str, str] = NONE_KNOWN) -> Decision:
    """What taking this line would do to the register; `networks` are their codes by `name_key` of code and names."""
    known = present.holding if present else _unknown(row)
    unknown = [text for text in row.networks or () if name_key(text) not in networks and text not in known.networks]
    if unknown:
        message = N_("%(text)s is not a network that we know.")
        errors = tuple(RowError(row=row.row, field="networks", message=message, values={"text": t}) for t in unknown)
        return Bad(row.row, errors, row.cells)
    plan, plan_year = _plan(known, row)
    holding = Holding(
        entry=Entry(
            register_number=row.register_number,
            name=row.name,
            municipality=row.municipality,
            sector=row.sector or known.entry.sector,
            language=row.language or known.entry.language,
        ),
        plan=plan,
        plan_year=plan_year,
        networks=_networks(known, row, networks),
        capabilities=_capabilities(known, row),
        contacts=_contacts(known, row),
    )
    if present is None:
        return New(holding)
    return Same() if holding == known else Changed(present, holding, row.row)


def _unknown(row: Listed) -> Holding:
    return Holding(Entry(row.register_number, row.name, row.municipality, "other", row.language or "fi"))


def _plan(known: Holding, row: Listed) -> tuple[Plan, int | None]:
    """A plan that is told without its year keeps the year that is known."""
    if row.plan is None:
        return known.plan, known.plan_year
    return row.plan, row.plan_year or (known.plan_year if row.plan is known.plan else None)


def _networks(known: Holding, row: Listed, codes: Mapping[str, str]) -> frozenset[str]:
    if row.networks is None:
        return known.networks
    return frozenset(codes.get(name_key(text), text) for text in row.networks)


def _capabilities(known: Holding, row: Listed) -> Mapping[str, int | None]:
    """Told without an amount, a capability keeps the amount that is known."""
    if row.capabilities is None:
        return known.capabilities
    told = {one.capability: one.amount for one in row.capabilities}
    return {code: amount or known.capabilities.get(code) for code, amount in told.items()}


def _contacts(known: Holding, row: Listed) -> Mapping[int, ContactEntry]:
    contacts = dict(known.contacts)
    for place, listed in enumerate(row.contacts, 1):
        before = contacts.get(place)
        if before is None and not listed.reachable:
            continue
        after = before or ContactEntry(language=row.language or known.entry.language)
        contacts[place] = ContactEntry(
            name=listed.name or after.name,
            email=listed.email or after.email,
            phone=listed.phone or after.phone,
            best_time=listed.best_time or after.best_time,
            language=listed.language or (row.language if place == 1 or listed.reachable else None) or after.language,
        )
    return contacts

"""Register file model: what a line of a register file says, and what it would change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.intake.registry.model import Entry, Plan, name_key
from shared.events.intake import Amount
from shared.i18n import N_

CONTACTS = 3
"""So many contacts of an association stand in a register file."""

ERRORS_SHOWN = 100
EXAMPLES_SHOWN = 20

NONE_KNOWN: Mapping[str, str] = MappingProxyType({})


class UnfitFileError(Exception):
    """The file as a whole cannot be taken: a sentence for people, marked for translation, and what it quotes."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(message % values)
        self.message = message
        self.values = values


class UploadState(StrEnum):
    """How far an uploaded file is on its way into the register."""

    COLUMNS = "columns"
    TRYING = "trying"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


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


class RowError(BaseModel):
    """What is wrong with one cell: a sentence for people, marked for translation, and what it quotes.

    `column` is the file's own heading, or empty where the row as a whole is meant; `field` what it stands for.
    """

    model_config = ConfigDict(frozen=True)

    row: int
    column: str = ""
    field: str = ""
    message: str
    values: dict[str, str] = {}


@dataclass(frozen=True)
class Bad:
    """A line that cannot be taken, with all that is wrong with it, and as it was written."""

    row: int
    errors: tuple[RowError, ...]
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


class Example(BaseModel):
    """One cell that an import changes, as a register file writes it."""

    model_config = ConfigDict(frozen=True)

    row: int
    name: str
    column: str
    before: str
    after: str


class ImportReport(BaseModel):
    """What an import did, or a dry run would do, by rows: `rows` is the sum of the four below it.

    At most ERRORS_SHOWN of its `problems` are in `errors`, and EXAMPLES_SHOWN of the cells changed in `examples`.
    """

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    problems: int = 0
    errors: tuple[RowError, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass
class Tally:
    """Counts lines as they are decided, from the beginning or on from an earlier report."""

    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "changed": 0, "same": 0, "bad": 0})
    problems: int = 0
    errors: list[RowError] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @classmethod
    def after(cls, report: ImportReport) -> "Tally":
        """A tally that goes on where the report ended."""
        counts = {"new": report.new, "changed": report.changed, "same": report.same, "bad": report.bad}
        return cls(counts, report.problems, list(report.errors), list(report.examples))

    def add(self, decision: object, examples: Iterable[Example] = ()) -> None:
        """Count one line by the name of its decision; `examples` are read only as far as they are shown."""
        self.counts[type(decision).__name__.lower()] += 1
        if isinstance(decision, Bad):
            self.problems += len(decision.errors)
            self.errors += decision.errors[: max(0, ERRORS_SHOWN - len(self.errors))]
        elif len(self.examples) < EXAMPLES_SHOWN:
            self.examples += list(examples)[: EXAMPLES_SHOWN - len(self.examples)]

    def report(self) -> ImportReport:
        """The counts so far."""
        return ImportReport(
            rows=sum(self.counts.values()),
            problems=self.problems,
            errors=tuple(self.errors),
            examples=tuple(self.examples),
            **self.counts,
        )

"""Register file model: what a line of a register file says, and what it would change."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.intake.registry.model import Entry, Person

ERRORS_SHOWN = 100


@dataclass(frozen=True)
class Listed:
    """A good line of a register file. None: the file says nothing of it, and what is known stays.

    `row` counts as a spreadsheet does: the heading is row 1.
    """

    row: int
    register_number: str
    name: str
    municipality: str
    sector: str | None = None
    contact_name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None


class RowError(BaseModel):
    """What is wrong with one cell: a sentence for people, marked for translation, and what it quotes."""

    model_config = ConfigDict(frozen=True)

    row: int
    column: str
    message: str
    values: dict[str, str] = {}


@dataclass(frozen=True)
class Bad:
    """A line that cannot be taken, with all that is wrong with it."""

    row: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True)
class Known:
    """An association of the register with its first contact."""

    association_id: UUID
    version: int
    entry: Entry
    retired: bool = False
    contact_id: UUID | None = None
    contact: Person | None = None


@dataclass(frozen=True)
class New:
    """The line tells of an association that is not in the register."""

    entry: Entry
    contact: Person | None


@dataclass(frozen=True)
class Changed:
    """The line differs from what is known. `contact` is None where it stays as it is."""

    present: Known
    entry: Entry
    contact: Person | None

    @property
    def told(self) -> bool:
        """True if the association itself changed, which others must hear; contacts stay in intake."""
        return self.entry != self.present.entry


@dataclass(frozen=True)
class Same:
    """The line says what is known already."""


def compare(present: Known | None, row: Listed) -> New | Changed | Same:
    """What taking this line would do to the register."""
    known = present.entry if present else Entry(row.register_number, row.name, row.municipality, "other", "fi")
    entry = Entry(
        register_number=row.register_number,
        name=row.name,
        municipality=row.municipality,
        sector=row.sector or known.sector,
        language=row.language or known.language,
    )
    contact = _contact(present.contact if present else None, row, entry.language)
    if present is None:
        return New(entry, contact)
    changed_contact = contact if contact != present.contact else None
    if entry == known and changed_contact is None:
        return Same()
    return Changed(present, entry, changed_contact)


def _contact(known: Person | None, row: Listed, language: str) -> Person | None:
    if known is None and not (row.contact_name or row.email or row.phone):
        return None
    before = known or Person(language=language)
    return replace(
        before,
        name=row.contact_name or before.name,
        email=row.email or before.email,
        phone=row.phone or before.phone,
        language=row.language or before.language,
    )


class ImportReport(BaseModel):
    """What an import did, or a dry run would do, by rows; at most ERRORS_SHOWN of its `problems` are in `errors`."""

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    problems: int = 0
    errors: tuple[RowError, ...] = ()


@dataclass
class Tally:
    """Counts lines as they are decided."""

    counts: dict[str, int] = field(default_factory=lambda: {"new": 0, "changed": 0, "same": 0, "bad": 0})
    problems: int = 0
    errors: list[RowError] = field(default_factory=list)

    def add(self, decision: New | Changed | Same | Bad) -> None:
        """Count one line."""
        self.counts[type(decision).__name__.lower()] += 1
        if isinstance(decision, Bad):
            self.problems += len(decision.errors)
            self.errors += decision.errors[: max(0, ERRORS_SHOWN - len(self.errors))]

    def report(self) -> ImportReport:
        """The counts so far."""
        return ImportReport(
            rows=sum(self.counts.values()), problems=self.problems, errors=tuple(self.errors), **self.counts
        )

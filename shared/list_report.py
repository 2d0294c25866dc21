"""List report: what is found in a list that somebody imports, row by row, and how far its file has come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

ERRORS_SHOWN = 100
EXAMPLES_SHOWN = 20
DECISIONS = ("new", "changed", "same", "bad", "barred")


class UnfitFileError(Exception):
    """The file as a whole cannot be taken: a sentence for people, marked for translation, and what it quotes."""

    def __init__(self, message: str, **values: str) -> None:
        super().__init__(message % values)
        self.message = message
        self.values = values


class UploadState(StrEnum):
    """How far an uploaded file is on its way."""

    COLUMNS = "columns"
    TRYING = "trying"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


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


class Example(BaseModel):
    """One cell that an import changes, as a list writes it."""

    model_config = ConfigDict(frozen=True)

    row: int
    name: str
    column: str
    before: str
    after: str


class ImportReport(BaseModel):
    """What an import did, or a dry run would do, by rows: `rows` is the sum of the five below it.

    `barred` are rows of people whom no list brings back: they left, or were erased.
    At most ERRORS_SHOWN of its `problems` are in `errors`, and EXAMPLES_SHOWN of the cells changed in `examples`.
    """

    model_config = ConfigDict(frozen=True)

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    barred: int = 0
    problems: int = 0
    errors: tuple[RowError, ...] = ()
    examples: tuple[Example, ...] = ()


@dataclass
class Tally:
    """Counts lines as they are decided, from the beginning or on from an earlier report."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DECISIONS, 0))
    problems: int = 0
    errors: list[RowError] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)

    @classmethod
    def after(cls, report: ImportReport) -> "Tally":
        """A tally that goes on where the report ended."""
        counts = {name: int(getattr(report, name)) for name in DECISIONS}
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

"""Format: two to five exercises side by side, by the same measures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.exercise.evaluation.model import AfterActionReport, Dimension, Part
from services.exercise.evaluation.report_words import Cell, headlines, part_name
from services.exercise.expectation.model import Verdict
from services.exercise.observation.model import Sort
from shared.i18n import N_, Locale, moment, texts

FEWEST, MOST = 2, 5


@dataclass(frozen=True)
class Compared:
    """One exercise at the head of its column."""

    id: str
    title: str
    begun: str
    speed: int


@dataclass(frozen=True)
class Line:
    """One measure, and for each exercise its value and of what it is."""

    label: str
    values: tuple[tuple[Cell, str], ...]


@dataclass(frozen=True)
class Block:
    """Lines under one title."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Comparison:
    """The exercises, the oldest first, and their measures."""

    exercises: tuple[Compared, ...]
    blocks: tuple[Block, ...]


def compare(reports: Sequence[AfterActionReport], locale: Locale) -> Comparison:
    """These reports side by side in a language."""
    _ = texts(locale)
    in_order = sorted(reports, key=lambda report: report.exercise.created_at)
    return Comparison(
        tuple(_compared(report, locale) for report in in_order),
        (
            Block(_("In brief"), tuple(_brief(in_order, locale))),
            Block(
                _("Answered, of those asked, by municipality"), tuple(_parts(in_order, Dimension.MUNICIPALITY, locale))
            ),
            Block(_("Answered, of those asked, by sector"), tuple(_parts(in_order, Dimension.SECTOR, locale))),
            Block(_("Answered, of those asked, by network"), tuple(_parts(in_order, Dimension.NETWORK, locale))),
        ),
    )


def _compared(report: AfterActionReport, locale: Locale) -> Compared:
    exercise = report.exercise
    return Compared(
        str(exercise.id),
        exercise.scenario.title.of(locale),
        moment(exercise.started_at or exercise.created_at, locale),
        exercise.clock.speed,
    )


def _brief(reports: Sequence[AfterActionReport], locale: Locale) -> list[Line]:
    _ = texts(locale)
    told = [list(headlines(report, locale)) for report in reports]
    lines = [
        Line(together[0].label, tuple((one.value, one.note) for one in together))
        for together in zip(*told, strict=True)
    ]

    def counted(label: str, count: Callable[[AfterActionReport], int]) -> Line:
        return Line(label, tuple((count(report), "") for report in reports))

    def written(report: AfterActionReport, sort: Sort) -> int:
        return sum(one.sort is sort for one in report.observations)

    return [
        *lines,
        counted(_("Expected actions not done"), lambda report: report.count(Verdict.NOT_DONE)),
        counted(_("Strengths written down"), lambda report: written(report, Sort.STRENGTH)),
        counted(_("Things to improve written down"), lambda report: written(report, Sort.TO_IMPROVE)),
        counted(
            _("Corrective actions still open"),
            lambda report: sum(one.open_action for one in report.observations),
        ),
    ]


def _parts(reports: Sequence[AfterActionReport], dimension: Dimension, locale: Locale) -> list[Line]:
    """The share that answered in each part that any of them has, in the order of the first that has it."""
    columns = [{part.code: part for part in report.parts[dimension]} for report in reports]
    codes = list(dict.fromkeys(code for column in columns for code in column))
    names = {code: told for report in reports for code, told in report.network_names.items()}
    return [
        Line(
            part_name(next(column[code] for column in columns if code in column), dimension, names, locale),
            tuple(_answered(column.get(code), locale) for column in columns),
        )
        for code in codes
    ]


def _answered(part: Part | None, locale: Locale) -> tuple[Cell, str]:
    if part is None or not part.measures.asked:
        return None, ""
    one = part.measures
    note = texts(locale)(N_("%(count)s of %(asked)s")) % {"count": one.answered, "asked": one.asked}
    return one.share(one.answered), note

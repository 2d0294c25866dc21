"""Format: an after-action report as a workbook: what it says, measures, expected actions, observations."""

import io
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from xlsxwriter import Workbook

from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_words import Cell, Told, tell, written_day
from shared.i18n import Locale, texts

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def report_xlsx(report: AfterActionReport, locale: Locale) -> bytes:
    """The file. Texts are written as texts, whatever they begin with; counts, shares and times are numbers that can be
    worked with. That it was an exercise stands in the first row of every sheet."""
    told = tell(report, locale)
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": told.title, "author": told.source, "created": report.compiled_at})
        sheets = _Sheets(book, told)
        _ = texts(locale)
        sheets.add(_("Report"), (told.title, ""), _words(told, locale), widths=(34, 90))
        sheets.add(_("Figures"), (_("Group"), _("Part"), *told.columns), _figures(told), widths=(20, 36))
        sheets.add(
            _("Expected actions"),
            (_("Inject"), _("Objective"), _("Expected"), _("Put in"), _("Judgement"), _("Source"), _("Note")),
            _actions(told),
            widths=(8, 40, 60, 10, 14, 44, 44),
        )
        sheets.add(
            _("Observations"),
            (
                _("Kind"),
                _("Observation"),
                _("Objective"),
                _("Corrective action"),
                _("Responsible"),
                _("Due"),
                _("State"),
            ),
            _observations(told, locale),
            widths=(14, 60, 40, 60, 30, 14, 18),
        )
    return out.getvalue()


class _Sheets:
    """Writes sheets of one form: the banner, a heading, rows."""

    def __init__(self, book: Any, told: Told) -> None:
        self._book = book
        self._told = told
        self._banner = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#5B2A86"})
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        self._text = book.add_format({"text_wrap": True, "valign": "top"})
        self._share = book.add_format({"num_format": "0 %", "valign": "top"})
        self._span = book.add_format({"num_format": "[h]:mm", "valign": "top"})
        self._count = book.add_format({"num_format": "0", "valign": "top"})

    def add(
        self, name: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]], *, widths: Sequence[float]
    ) -> None:
        """Add a sheet that prints on the width of a page."""
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(9)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.write_string(0, 0, self._told.banner, self._banner)
        for column in range(len(heading)):
            sheet.set_column(column, column, widths[column] if column < len(widths) else 14)
            sheet.write_string(1, column, heading[column], self._bold)
        for at, cells in enumerate(rows, 2):
            for column, cell in enumerate(cells):
                self._write(sheet, at, column, cell)
        sheet.freeze_panes(2, 0)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell) -> None:
        match cell:
            case None:
                return
            case str():
                sheet.write_string(row, column, cell, self._text)
            case timedelta():
                sheet.write_number(row, column, round(cell / MINUTE) * MINUTE / DAY, self._span)
            case float():
                sheet.write_number(row, column, cell, self._share)
            case _:
                sheet.write_number(row, column, cell, self._count)


def _words(told: Told, locale: Locale) -> Iterable[tuple[Cell, ...]]:
    _ = texts(locale)
    yield from told.facts
    yield from ((_("In brief"), sentence) for sentence in told.summary)
    for one in told.headlines:
        yield one.label, one.value, one.note
    yield from ((_("Course of events"), text, at) for at, text in told.course)
    yield from ((_("Sources and method"), sentence) for sentence in told.method)
    yield _("Published by"), told.source


def _figures(told: Told) -> Iterable[tuple[Cell, ...]]:
    yield told.whole.name, told.whole.name, *told.whole.cells
    for group in told.groups:
        yield from ((group.title, row.name, *row.cells) for row in group.rows)


def _actions(told: Told) -> Iterable[tuple[Cell, ...]]:
    for objective in told.objectives:
        for one in objective.actions:
            yield one.number, objective.title, one.expected, one.put_in, one.judgement, one.source, one.note


def _observations(told: Told, locale: Locale) -> Iterable[tuple[Cell, ...]]:
    for one in (*told.strengths, *told.to_improve):
        seen = one.observation
        due = written_day(seen.due, locale) if seen.due else ""
        yield one.sort, seen.text, one.objective, seen.action, seen.owner, due, one.until

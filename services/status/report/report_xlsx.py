"""Format: a report as a workbook of two sheets: what it says, and its figures as a table that can be sorted."""

import io
from typing import Any

from xlsxwriter import Workbook

from services.status.report.model import Report
from services.status.report.report_csv import figures
from services.status.report.report_words import Told, tell
from shared.i18n import N_, Locale, texts


def report_xlsx(report: Report, locale: Locale) -> bytes:
    """The file. Texts are written as texts, whatever they begin with; an exercise is named in the first row of both."""
    told = tell(report, locale)
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": told.title, "author": told.source, "created": report.figures_at})
        _words(book, told, locale)
        _figures(book, told, locale)
    return out.getvalue()


def _words(book: Any, told: Told, locale: Locale) -> None:
    _ = texts(locale)
    sheet = book.add_worksheet(_("Report"))
    bold, wrapped = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 90)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    at = _banner(book, sheet, told)
    sheet.write_string(at, 0, told.title, book.add_format({"bold": True, "font_size": 14}))
    said = [
        *told.facts,
        (_("Coverage"), told.coverage),
        *((_("Summary"), line) for line in told.summary),
        *((_("Course of events"), f"{at}: {text}") for at, text in told.course),
        *((_("What has changed"), sentence) for sentence in told.changes.sentences),
        *((_("Sources and method"), sentence) for sentence in told.method),
        (_("Published by"), told.source),
    ]
    for row, (label, text) in enumerate(said, at + 1):
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, text, wrapped)


def _figures(book: Any, told: Told, locale: Locale) -> None:
    sheet = book.add_worksheet(texts(locale)(N_("Figures")))
    heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
    sheet.set_column(0, 0, 30)
    sheet.set_column(2, 2, 38)
    sheet.set_column(3, 3, 22)
    sheet.set_column(4, 12, 12)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    at = _banner(book, sheet, told)
    table = list(figures(told, locale))
    for row, cells in enumerate(table, at):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell, heading if row == at else None)
            else:
                sheet.write_number(row, column, cell)
    sheet.freeze_panes(at + 1, 3)
    sheet.autofilter(at, 0, at + len(table) - 1, len(table[0]) - 1)


def _banner(book: Any, sheet: Any, told: Told) -> int:
    """Say in the first row that it is an exercise; the row that comes next."""
    if not told.banner:
        return 0
    sheet.write_string(
        0, 0, told.banner, book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#5B2A86"})
    )
    return 1

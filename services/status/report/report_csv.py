"""Format: a report as CSV: first what it says, then its figures as one table."""

from collections.abc import Iterable

from services.status.report.model import Report
from services.status.report.report_words import Told, tell
from shared.i18n import Locale, texts
from shared.spreadsheet import Cell, csv_bytes


def report_csv(report: Report, locale: Locale) -> bytes:
    """The file. That it is of an exercise stands in its first row."""
    return csv_bytes(rows(tell(report, locale), locale))


def rows(told: Told, locale: Locale) -> Iterable[list[Cell]]:
    """All that the report says, row by row."""
    _ = texts(locale)
    if told.banner:
        yield [told.banner]
    yield [told.title]
    yield [told.source]
    for label, value in told.facts:
        yield [label, value]
    yield [_("Coverage"), told.coverage]
    for line in told.summary:
        yield [_("Summary"), line]
    for at, text in told.course:
        yield [_("Course of events"), at, text]
    for sentence in told.changes.sentences:
        yield [_("What has changed"), sentence]
    for sentence in told.method:
        yield [_("Sources and method"), sentence]
    yield []
    yield from figures(told, locale)


def figures(told: Told, locale: Locale) -> Iterable[list[Cell]]:
    """The figures as one table under one heading."""
    _ = texts(locale)
    yield [_("Group"), _("Code"), _("Name"), _("At a glance"), *told.columns]
    whole = told.whole
    yield [whole.name, whole.code, whole.name, whole.glance, *whole.counts]
    if told.changes.counts is not None:
        yield [told.changes.label, whole.code, whole.name, "", *told.changes.counts]
    for group in told.groups:
        for row in group.rows:
            yield [group.title, row.code, row.name, row.glance, *row.counts]

"""Format: a report as the part of a page that never changes again, and as a whole page for the printing of a PDF."""

from services.status.report.model import Report
from services.status.report.report_words import tell
from shared.i18n import Locale
from shared.web import Pages


def report_html(pages: Pages, report: Report, locale: Locale) -> str:
    """The article `_report.html`, filled."""
    return pages.fragment(locale, "_report.html", report=report, told=tell(report, locale))


def printed_html(pages: Pages, report: Report, locale: Locale) -> str:
    """The same as a page of its own, with no address in it but its own parts."""
    told = tell(report, locale)
    return pages.fragment(locale, "report_print.html", report=report, told=told)

"""Format: an after-action report as the part of a page, and as a file that needs nothing beside itself."""

from functools import partial

from markupsafe import Markup

from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_words import tell, written
from shared.i18n import Locale
from shared.web import HERE, Pages

SHEET = HERE / "static" / "after-action.css"


def report_html(pages: Pages, report: AfterActionReport, locale: Locale, *, links: str = "") -> str:
    """The article. `links` is the address of the exercise, if who reads may judge its actions and observe."""
    told = tell(report, locale)
    return pages.fragment(locale, "_after_action.html", told=told, w=partial(written, locale=locale), links=links)


def alone_html(pages: Pages, report: AfterActionReport, locale: Locale) -> str:
    """The report as a whole page in one file, with its style sheet and without any address."""
    sheet = Markup(SHEET.read_text(encoding="utf-8"))  # noqa: S704 - our own style sheet
    return printed_html(pages, report, locale, sheet=sheet)


def printed_html(pages: Pages, report: AfterActionReport, locale: Locale, *, sheet: str = "") -> str:
    """The same, with this style sheet in it."""
    values = {"told": tell(report, locale), "w": partial(written, locale=locale), "links": "", "sheet": sheet}
    return pages.fragment(locale, "after_action_alone.html", **values)

"""Format: an after-action report as PDF, where the optional part `pdf` of the installation is there."""

from functools import cache

from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_html import SHEET, printed_html
from shared.i18n import Locale
from shared.web import Pages


class PdfMissingError(Exception):
    """The installation cannot make PDF files."""


@cache
def can_print() -> bool:
    """True if PDF files can be made here: the package is installed, and it found its libraries."""
    try:
        import weasyprint  # noqa: F401, PLC0415 - an optional part of the installation
    except (ImportError, OSError):
        return False
    return True


def report_pdf(pages: Pages, report: AfterActionReport, locale: Locale) -> bytes:
    """The file, tagged for screen readers. Raises PdfMissingError where `can_print` is False."""
    if not can_print():
        raise PdfMissingError
    from weasyprint import CSS, HTML  # noqa: PLC0415 - an optional part of the installation

    page = HTML(string=printed_html(pages, report, locale), url_fetcher=_nothing)
    sheet = CSS(string=SHEET.read_text(encoding="utf-8"), url_fetcher=_nothing)
    identifier = report.exercise.id.bytes
    written: bytes = page.write_pdf(stylesheets=[sheet], pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    return written


def _nothing(url: str) -> dict[str, object]:
    """No address is ever fetched."""
    raise ValueError(url)

"""Format: every form of a report by its name, with what a browser must be told about it."""

from services.status.report.model import Form, Report
from services.status.report.report_csv import report_csv
from services.status.report.report_html import report_html
from services.status.report.report_pdf import can_print, report_pdf
from services.status.report.report_xlsx import report_xlsx
from shared.i18n import N_, Locale
from shared.web import Pages

MEDIA = {
    Form.HTML: "text/html; charset=utf-8",
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.PDF: "application/pdf",
}


NO_SUCH_FORM = N_("The report cannot be had in this form here.")


class Press:
    """Puts reports into their forms."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def __call__(self, report: Report, form: Form, locale: Locale) -> bytes:
        """The report in this form and language. Raises PdfMissingError where there is no PDF."""
        match form:
            case Form.HTML:
                return report_html(self._pages, report, locale).encode()
            case Form.CSV:
                return report_csv(report, locale)
            case Form.XLSX:
                return report_xlsx(report, locale)
            case Form.PDF:
                return report_pdf(self._pages, report, locale)


def files() -> tuple[Form, ...]:
    """The forms that can be downloaded here."""
    return (Form.CSV, Form.XLSX, Form.PDF) if can_print() else (Form.CSV, Form.XLSX)


def find_file(form: str) -> Form | None:
    """The form of this name, if it can be downloaded here."""
    return next((one for one in files() if one == form), None)


def file_name(report: Report, form: Form, locale: Locale) -> str:
    """The name under which a browser keeps the file; an exercise is named in it."""
    exercise = "" if report.realm.live else "exercise-"
    return f"{exercise}situation-report-{report.number}.{locale.value.replace('@', '-')}.{form}"


def headers(report: Report, form: Form, locale: Locale) -> dict[str, str]:
    """What goes before the file."""
    return {
        "content-type": MEDIA[form],
        "content-disposition": f'attachment; filename="{file_name(report, form, locale)}"',
        "content-language": locale.lang,
        "x-robots-tag": "noindex",
    }

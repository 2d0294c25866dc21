"""PDF (format): a page as it would be printed. Needs the optional library WeasyPrint."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ORIGIN = "http://page.invalid"
"""Where the page believes it stands: nothing is ever fetched from there."""


class NoPdfError(Exception):
    """This installation cannot make PDF: the library, or one that it needs, is missing."""


def pdf_of(html: str, *, static: Path) -> bytes:
    """The page as PDF, with the stylesheets of the folder `static`; anything else that it names is left out.

    Raises NoPdfError where WeasyPrint cannot be used. Takes about a second for fifty rows: call it in a thread.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - optional, and slow to load
        from weasyprint.urls import URLFetcherResponse  # noqa: PLC0415
    except (ImportError, OSError) as error:  # OSError: the library Pango is not there
        raise NoPdfError(str(error)) from error

    def fetch(url: str) -> Any:
        name = Path(unquote(urlsplit(url).path)).name
        own = url.startswith(f"{ORIGIN}/static/") and name.endswith(".css") and (static / name).is_file()
        body = (static / name).read_bytes() if own else b""
        return URLFetcherResponse(url, body=body, headers={"Content-Type": "text/css"})

    whole: bytes = HTML(string=html, base_url=ORIGIN, url_fetcher=fetch).write_pdf()
    return whole

"""Export file: all subscribers as CSV, some hundred rows at a time."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

from services.notify.subscriber_file.columns import HEADINGS
from services.notify.subscriber_file.model import Exported
from services.notify.subscribers.model import WHOLE_REGION
from shared import region
from shared.spreadsheet import MARK, csv_line

HEADING = (
    *(spellings[0] for spellings in HEADINGS.values()),
    *("Tila", "Peruste", "Perusteen selite", "Suostumuksen versio", "Suostumustekstin SHA-256"),
    *("Pyydetty (UTC)", "Vahvistettu (UTC)", "Lopetettu (UTC)"),
)
"""The first five are those that an import reads."""

_PLACES = {one.code: one.fi for one in region.MUNICIPALITIES}


async def csv_of(pages: AsyncIterator[list[Exported]]) -> AsyncIterator[bytes]:
    """The file in pieces, in UTF-8, with `;` between the cells; no cell is a formula."""
    yield (MARK + csv_line(HEADING)).encode()
    async for page in pages:
        yield "".join(csv_line(_cells(one)) for one in page).encode()


def _cells(one: Exported) -> Sequence[str]:
    return [
        *(one.email, one.name, ", ".join(one.audiences), ", ".join(_places(one)), one.locale),
        *(one.state, one.basis, one.stated_basis, one.consent_version, one.consent_hash),
        *(_moment(at) for at in (one.asked_at, one.confirmed_at, one.left_at)),
    ]


def _places(one: Exported) -> Iterator[str]:
    for code in one.municipalities:
        yield "Kanta-Häme" if code == WHOLE_REGION else _PLACES.get(code, code)


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""

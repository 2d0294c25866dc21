"""Cells (format): what the register holds, as the cells of a register file, in the way in which they are read back."""

from collections.abc import Iterator, Mapping

from services.intake.register_file.columns import ASSOCIATION_HEADINGS, CONTACT_HEADINGS, HEADINGS, contact_field
from services.intake.register_file.model import CONTACTS, Changed, ContactEntry, Holding
from services.intake.registry.model import Plan
from shared import region
from shared.list_report import Example

HEADING = tuple(spellings[0] for spellings in HEADINGS.values())
"""The first row of every file that is written."""

_MUNICIPALITIES = {one.code: one.fi for one in region.MUNICIPALITIES}
_SECTORS = {one.code: one.fi for one in region.SECTORS}
_CAPABILITIES = {one.code: one.fi for one in region.CAPABILITIES}
_PLANS = {Plan.UNKNOWN: "", Plan.NONE: "ei", Plan.DRAFT: "luonnos", Plan.MADE: "kyllä"}


def cells_of(holding: Holding) -> dict[str, str]:
    """The text of each field, in the order of HEADING; what is not known is empty."""
    entry = holding.entry
    texts = {
        "name": entry.name,
        "register_number": entry.register_number,
        "municipality": _MUNICIPALITIES.get(entry.municipality, entry.municipality),
        "sector": _SECTORS.get(entry.sector, entry.sector),
        "language": entry.language,
        "networks": ", ".join(sorted(holding.networks)),
        "capabilities": ", ".join(_capabilities(holding.capabilities)),
        "plan": str(holding.plan_year or _PLANS[holding.plan]),
    }
    cells = {name: texts[name] for name in ASSOCIATION_HEADINGS}
    for place in range(1, CONTACTS + 1):
        cells |= _contact(holding.contacts.get(place), place)
    return cells


def _capabilities(known: Mapping[str, int | None]) -> Iterator[str]:
    for code, amount in sorted(known.items()):
        name = _CAPABILITIES.get(code, code)
        yield name if amount is None else f"{name}: {amount}"


def _contact(contact: ContactEntry | None, place: int) -> dict[str, str]:
    known = contact or ContactEntry(language="")
    texts = {
        "contact_name": known.name,
        "email": known.email or "",
        "phone": known.phone,
        "best_time": known.best_time,
        "contact_language": known.language,
    }
    return {contact_field(name, place): texts[name] for name in CONTACT_HEADINGS}


def examples_of(decision: object) -> Iterator[Example]:
    """The cells that a change changes, one by one."""
    if not isinstance(decision, Changed):
        return
    before, after = cells_of(decision.present.holding), cells_of(decision.holding)
    for name, text in after.items():
        if text != before[name]:
            column = HEADINGS[name][0]
            row, whose = decision.row, decision.holding.entry.name
            yield Example(row=row, name=whose, column=column, before=before[name], after=text)

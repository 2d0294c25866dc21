"""Answer form (format): what a browser sends, read; what is wrong with it, told field by field."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from unicodedata import category
from urllib.parse import parse_qsl
from uuid import UUID

from services.intake.checkin.model import AMOUNT_LIMIT, NOTE_LIMIT, Said, Until
from shared.events.intake import Amount, OperatingStatus
from shared.i18n import N_
from shared.ids import new_id
from shared.region import CAPABILITIES

FIELDS_LIMIT = 100
WRITTEN_LIMIT = 40
"""Characters of an amount that are kept, to be shown again where they are no number."""

CODES = tuple(capability.code for capability in CAPABILITIES)
PLANS: Mapping[str, bool] = {"yes": True, "no": False}

_NUMBER = re.compile("[0-9]{1,7}")


class List(StrEnum):
    """The two lists of capabilities on the form, under the name of their fields."""

    NEED = "need"
    OFFER = "offer"


@dataclass(frozen=True)
class Marks:
    """One list: what is marked, and the amounts as they are written beside. An amount without a mark says nothing:
    whoever takes a mark away need not clear the amount as well."""

    marked: frozenset[str] = frozenset()
    written: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, amounts: Sequence[Amount]) -> "Marks":
        """The list as it was filled in to say this."""
        written = {one.capability: str(one.amount) for one in amounts if one.amount}
        return cls(frozenset(one.capability for one in amounts), written)

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """What the list says, in the form's order; nothing of what is wrong."""
        return tuple(
            Amount(capability=code, amount=_amount(self.written.get(code, "")))
            for code in CODES
            if code in self.marked and code not in self.wrong
        )

    @property
    def wrong(self) -> tuple[str, ...]:
        """The capabilities whose amount is none, in the form's order."""
        return tuple(code for code in CODES if code in self.marked and not _readable(self.written.get(code, "")))


@dataclass(frozen=True)
class Wrong:
    """What must be mended: the field, what is told, and the capability that it tells of, if any."""

    field: str
    message: str
    capability: str = ""


@dataclass(frozen=True)
class Form:
    """What a person sent, as far as it can be read."""

    status: OperatingStatus | None = None
    until: Until = Until.NOT_KNOWN
    note: str = ""
    plan: bool | None = None
    offers: Marks = field(default_factory=Marks)
    needs: Marks = field(default_factory=Marks)
    form_id: UUID = field(default_factory=new_id)

    @classmethod
    def after(cls, present: Said | None) -> "Form":
        """The form to begin with: of the present answer it repeats what is offered and needed, so that whoever
        changes the status alone takes back none of it. The status itself is chosen anew each time."""
        return cls() if present is None else cls(offers=Marks.of(present.offers), needs=Marks.of(present.needs))

    def marks(self, which: List) -> Marks:
        """One of the two lists."""
        return self.needs if which is List.NEED else self.offers

    @property
    def wrong(self) -> tuple[Wrong, ...]:
        """All that must be mended, from the top of the page."""
        return tuple(self._wrong())

    def _wrong(self) -> Iterator[Wrong]:
        if self.status is None:
            yield Wrong("status", N_("Choose one. Nothing has been sent yet."))
        for which in List:
            for code in self.marks(which).wrong:
                told = N_("%(what)s: write the amount as a number from 1 to 1,000,000. Nothing has been sent yet.")
                yield Wrong(f"{which}-{code}", told, capability=code)
        if len(self.note) > NOTE_LIMIT:
            yield Wrong("note", N_("The message is too long. Please shorten it. Nothing has been sent yet."))


def read_form(body: bytes) -> Form:
    """The form's fields; what is missing or is none of the choices counts as not chosen. Never raises."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FIELDS_LIMIT)
    except ValueError:  # more fields than any form of ours has
        return Form()
    fields = dict(pairs)
    status, until = fields.get("status", ""), fields.get("until", "")
    return Form(
        status=OperatingStatus(status) if status in OperatingStatus._value2member_map_ else None,
        until=Until(until) if until in Until._value2member_map_ else Until.NOT_KNOWN,
        note=_plain(fields.get("note", "")),
        plan=PLANS.get(fields.get("plan", "")),
        offers=_marks(pairs, fields, List.OFFER),
        needs=_marks(pairs, fields, List.NEED),
        form_id=_uuid_or_new(fields.get("checkin_id", "")),
    )


def _marks(pairs: Sequence[tuple[str, str]], fields: Mapping[str, str], which: List) -> Marks:
    marked = frozenset(value for name, value in pairs if name == which).intersection(CODES)
    if not marked:
        return NOTHING_MARKED
    written = {code: _plain(fields.get(f"{which}-{code}", ""))[:WRITTEN_LIMIT] for code in marked}
    return Marks(marked, {code: text for code, text in written.items() if text})


NOTHING_MARKED = Marks()


def _readable(written: str) -> bool:
    return not written or _amount(written) is not None


def _amount(written: str) -> int | None:
    """The number that is written, spaces between its digits or not; None where there is none in the limits."""
    digits = "".join(written.split())
    number = int(digits) if _NUMBER.fullmatch(digits) else 0
    return number if 1 <= number <= AMOUNT_LIMIT else None


def _plain(text: str) -> str:
    """The text without control characters, with the line ends that browsers count as one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or category(c) not in {"Cc", "Cs"}).strip()


def _uuid_or_new(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return new_id()

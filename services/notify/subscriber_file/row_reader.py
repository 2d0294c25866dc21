"""Row reader (format): the cells of one row in, what it says of a subscriber out, or what is wrong with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.notify.subscriber_file.columns import HEADINGS, LIMITS
from services.notify.subscriber_file.model import LISTED_AUDIENCES, Listed
from services.notify.subscribers.model import EVERYWHERE, Audience, email_key, read_email
from shared.i18n import N_, Locale
from shared.list_report import Bad, RowError
from shared.records import Seen
from shared.region import find_municipality
from shared.spreadsheet import taken_back

AUDIENCES: Mapping[Audience, tuple[str, ...]] = {
    Audience.MEMBERS: ("members", "järjestöt", "jäsenet", "yhdistykset", "föreningar", "medlemmar"),
    Audience.PROFESSIONALS: ("professionals", "ammattilaiset", "työntekijät", "yrkespersoner"),
    Audience.RESIDENTS: ("residents", "asukkaat", "invånare"),
}
LANGUAGES: Mapping[Locale, tuple[str, ...]] = {
    Locale.FI: ("fi", "suomi", "finska", "finnish"),
    Locale.SELKO: ("fi@selko", "selko", "selkosuomi", "lättläst finska", "easy finnish"),
    Locale.SV: ("sv", "ruotsi", "svenska", "swedish"),
    Locale.EN: ("en", "englanti", "engelska", "english"),
}
WHOLE_REGION = ("kanta-häme", "egentliga tavastland", "koko maakunta", "hela landskapet", "whole region", "*")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_AUDIENCE_SPELLINGS = {word: audience for audience, words in AUDIENCES.items() for word in words}
_LANGUAGE_SPELLINGS = {word: locale for locale, words in LANGUAGES.items() for word in words}
_municipality = lru_cache(1000)(find_municipality)


@dataclass(frozen=True)
class RowReader:
    """Reads one row after the other, in which `columns` tells where each field stands, under which `heading`.

    What it says of a mistake never quotes an address.
    """

    heading: Sequence[str]
    columns: Mapping[str, int]
    seen: Seen

    def read(self, number: int, cells: Sequence[str]) -> Listed | Bad:
        """What the row says, or all that is wrong with it."""
        texts = {name: taken_back(cells[at].strip()) for name, at in self.columns.items() if at < len(cells)}
        row = _Row(number, texts, self._label)
        if any(cell.strip() for cell in cells[len(self.heading) :]):
            row.wrong("", N_("There are more cells than headings: a separator may stand inside a text."))
        listed = row.listed(tuple(cells), self.seen)
        return Bad(number, tuple(row.errors), tuple(cells)) if row.errors else listed

    def _label(self, name: str) -> str:
        """The file's own heading of a field, ours where it has none."""
        place = self.columns.get(name, len(self.heading))
        return (self.heading[place] if place < len(self.heading) else "") or HEADINGS[name][0]


@dataclass
class _Row:
    """One row on its way: its cells by field, and what is wrong with them."""

    number: int
    cells: dict[str, str]
    label: Callable[[str], str]
    errors: list[RowError] = field(default_factory=list)

    def wrong(self, name: str, message: str, **values: str) -> None:
        column = self.label(name) if name else ""
        self.errors.append(RowError(row=self.number, column=column, field=name, message=message, values=values))

    def listed(self, cells: tuple[str, ...], seen: Seen) -> Listed:
        """The row, of which only what is not wrong means anything."""
        for name, text in self.cells.items():
            if _UNREADABLE.search(text):
                self.wrong(name, N_("There are characters that cannot be read, or a line break."))
                self.cells[name] = ""
            elif len(text) > LIMITS[name]:
                message = N_("The text is too long: at most %(limit)s characters.")
                self.wrong(name, message, limit=str(LIMITS[name]))
                self.cells[name] = ""
        return Listed(
            row=self.number,
            email=self._email(seen),
            name=self.cells.get("name", ""),
            audiences=self._audiences(),
            municipalities=self._municipalities(),
            locale=self._locale(),
            cells=cells,
        )

    def _email(self, seen: Seen) -> str:
        text = self.cells.get("email", "")
        found = read_email(text)
        if found is None:
            self.wrong("email", N_("This is not an email address.") if text else N_("The cell is empty."))
            return ""
        first = seen.first(email_key(found), self.number)
        if first != self.number:
            message = N_("The address is already on row %(first)s. Put all municipalities of a person into one row.")
            self.wrong("email", message, first=str(first))
        return found

    def _audiences(self) -> frozenset[Audience]:
        found = set()
        for text in _parts(self.cells.get("audience", "")):
            audience = _AUDIENCE_SPELLINGS.get(text.casefold())
            if audience in LISTED_AUDIENCES:
                found.add(audience)
            elif audience is None:
                self.wrong("audience", N_("%(text)s is not a group that a list can name."), text=_quoted(text))
            else:
                self.wrong("audience", N_("Residents subscribe by themselves: nobody can consent for them."))
        return frozenset(found)

    def _municipalities(self) -> frozenset[str]:
        parts = [text for text in _parts(self.cells.get("municipalities", "")) if text.casefold() not in WHOLE_REGION]
        found = set()
        for text in parts:
            place = _municipality(text)
            if place is None:
                self.wrong("municipalities", N_("%(text)s is not a municipality of the region."), text=_quoted(text))
            else:
                found.add(place.code)
        return frozenset() if found == EVERYWHERE else frozenset(found)

    def _locale(self) -> Locale:
        text = self.cells.get("language", "")
        locale = _LANGUAGE_SPELLINGS.get(text.casefold())
        if text and locale is None:
            self.wrong("language", N_("%(text)s is not a language that we write in."), text=_quoted(text))
        return locale or Locale.FI


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]


def _quoted(text: str) -> str:
    """What may be told of a wrong cell: where an address strayed into it, only that."""
    return "…@…" if "@" in text else text

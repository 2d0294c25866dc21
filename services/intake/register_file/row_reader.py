"""Row reader (format): the cells of one row in, what it says of an association out, or what is wrong with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from services.intake.register_file.columns import CONTACT_HEADINGS, HEADINGS, LIMITS, REQUIRED, contact_field
from services.intake.register_file.model import CONTACTS, Listed, ListedContact
from services.intake.registry.model import Plan, name_key
from shared.events.intake import Amount
from shared.i18n import N_
from shared.list_report import Bad, RowError
from shared.records import Seen, squeezed
from shared.region import CAPABILITIES, MUNICIPALITIES, find_municipality, find_sector
from shared.spreadsheet import taken_back

LANGUAGES = {
    "fi": ("fi", "suomi", "finska", "finnish"),
    "fi@selko": ("fi@selko", "selko", "selkosuomi", "lättläst finska", "easy finnish"),
    "sv": ("sv", "ruotsi", "svenska", "swedish"),
    "en": ("en", "englanti", "engelska", "english"),
}
PLANS = {
    Plan.NONE: ("ei", "nej", "no", "none", "-"),
    Plan.DRAFT: ("luonnos", "tekeillä", "utkast", "draft"),
    Plan.MADE: ("kyllä", "on", "ja", "yes", "made"),
}
CONTACT_FIELDS = tuple(
    tuple(contact_field(name, place) for name in CONTACT_HEADINGS) for place in range(1, CONTACTS + 1)
)
NOTHING = "-"
"""Written where a list of networks or capabilities is to be emptied."""

# The address that HTML's own email field takes, with a dotted domain.
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9-]+\.)+[a-z0-9-]+", re.IGNORECASE
)
_REGISTER_NUMBER = re.compile(r"(?=.*[0-9])[0-9A-Za-z/-]+")
_ROUNDED = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")
_WHOLE = re.compile(r"(\d+)[.,]0+")
_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]")
_MISREAD = re.compile(r"Ã[¤¶¥„–…]|â€")
_SUSPICIOUS = re.compile(rf"{_UNREADABLE.pattern}|{_MISREAD.pattern}|^#")
"""What is in no ordinary cell: only where it is found is the cell looked at more closely."""

_ERROR_VALUE = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|PUUTTUU!?|ARVO!|VIITTAUS!|JAKO/0!)")

_CAPABILITY = re.compile(r"(.*?)[\s:=(]*(\d{1,9})?\)?")
_YEAR = re.compile(r"(19[5-9]\d|20\d\d)(-\d\d-\d\d|[.,]0+)?")

_LANGUAGE_SPELLINGS = {spelling: code for code, spellings in LANGUAGES.items() for spelling in spellings}
_PLAN_SPELLINGS = {spelling: plan for plan, spellings in PLANS.items() for spelling in spellings}
_CAPABILITY_SPELLINGS = {
    squeezed(word): one.code for one in CAPABILITIES for word in (one.code, one.fi, one.sv, one.en)
}
_municipality = lru_cache(10_000)(find_municipality)
_sector = lru_cache(10_000)(find_sector)
_MUNICIPALITY_NAMES = sorted({name for one in MUNICIPALITIES for name in (one.fi, one.sv)})


@dataclass(frozen=True)
class RowReader:
    """Reads one row after the other, in which `columns` tells where each field stands, under which `heading`."""

    heading: Sequence[str]
    columns: Mapping[str, int]
    separator: str
    seen: Seen

    def read(self, number: int, cells: Sequence[str]) -> Listed | Bad:
        """What the row says, or all that is wrong with it."""
        row = _Row(number, {name: self._cell(cells, place) for name, place in self.columns.items()}, self._label)
        self._look_over(row, cells)
        listed = row.listed(cells, self.seen)
        return Bad(number, tuple(row.errors), tuple(cells)) if row.errors else listed

    def _label(self, name: str) -> str:
        """The file's own heading of a field, ours where it has none."""
        place = self.columns.get(name, len(self.heading))
        return (self.heading[place] if place < len(self.heading) else "") or HEADINGS[name][0]

    def _cell(self, cells: Sequence[str], place: int) -> str:
        return taken_back(cells[place].strip()) if place < len(cells) else ""

    def _look_over(self, row: "_Row", cells: Sequence[str]) -> None:
        """What is wrong with the row as a whole."""
        if any(cell.strip() for cell in cells[len(self.heading) :]):
            row.wrong("", N_("There are more cells than headings: a separator may stand inside a text."))
        for name, place in self.columns.items():
            if place < len(cells) and cells[place].startswith("="):
                row.wrong(name, N_("The cell holds a formula. Put its value in its place."))
        filled = [cell for cell in cells if cell.strip()]
        if len(filled) == 1 and any(filled[0].count(other) > 1 for other in {";", ",", "\t"} - {self.separator}):
            row.wrong("", N_("The cells are separated by another mark than in the heading."))


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

    def listed(self, cells: Sequence[str], seen: Seen) -> Listed:
        """The row, of which only what is not wrong means anything."""
        for name, text in self.cells.items():
            if not text or _SUSPICIOUS.search(text) or len(text) > LIMITS[name]:
                self._check(name)
        plan, year = self._plan()
        register_number, name, municipality = self._register_number(), self._name(), self._municipality()
        self._double(seen, register_number)
        return Listed(
            row=self.number,
            register_number=register_number,
            name=name,
            municipality=municipality,
            sector=self._sector(),
            language=self._language("language"),
            networks=self._networks(),
            capabilities=self._capabilities(),
            plan=plan,
            plan_year=year,
            contacts=self._contacts(),
            namesake=self._namesake(seen, name, municipality),
            cells=tuple(cells),
        )

    def _double(self, seen: Seen, register_number: str) -> None:
        first = seen.first(f"n{register_number}", self.number) if register_number else self.number
        if first != self.number:
            self.wrong("register_number", N_("The register number is already on row %(first)s."), first=str(first))

    def _namesake(self, seen: Seen, name: str, municipality: str) -> int | None:
        """The first row with this name and place; a row with an error is nobody's namesake."""
        if self.errors:
            return None
        first = seen.first(f"m{municipality} {name_key(name)}", self.number)
        return first if first != self.number else None

    def _check(self, name: str) -> None:
        """Empty the cell where it cannot be looked at any further."""
        text = self.cells[name]
        if not text:
            if name in REQUIRED:
                self.wrong(name, N_("The cell is empty."))
            return
        if _UNREADABLE.search(text):
            self.wrong(name, N_("There are characters that cannot be read, or a line break."))
        elif _MISREAD.search(text):
            self.wrong(name, N_("The letters å, ä and ö were misread when the file was made. Save it anew as UTF-8."))
        elif len(text) > LIMITS[name]:
            self.wrong(name, N_("The text is too long: at most %(limit)s characters."), limit=str(LIMITS[name]))
        elif _ERROR_VALUE.fullmatch(text):
            self.wrong(name, N_("The spreadsheet could not work out this cell: %(text)s."), text=text)
        else:
            return
        self.cells[name] = ""

    def _name(self) -> str:
        text = " ".join(self.cells["name"].split())
        if text and not any(c.isalpha() for c in text):
            self.wrong("name", N_("There are no letters in the name."))
        return text

    def _register_number(self) -> str:
        text = self.cells["register_number"]
        if not text:
            return ""
        if _ROUNDED.fullmatch(text):
            self.wrong("register_number", N_("The spreadsheet has rounded the number. Show it in full and save anew."))
            return ""
        whole = _WHOLE.fullmatch(text)
        number = "".join((whole[1] if whole else text).split())
        number = number.replace(".", "") if _THOUSANDS.fullmatch(number) else number
        if _REGISTER_NUMBER.fullmatch(number):
            return number
        self.wrong("register_number", N_("This is not a register number: digits, letters, - and / only."))
        return ""

    def _municipality(self) -> str:
        text = self.cells["municipality"]
        found = _municipality(_WHOLE.sub(r"\1", text))
        if found is not None or not text:
            return found.code if found else ""
        near = get_close_matches(text.capitalize(), _MUNICIPALITY_NAMES, n=1, cutoff=0.75)
        if near:
            message = N_("%(text)s is not a municipality of the region. Is it %(near)s?")
            self.wrong("municipality", message, text=text, near=near[0])
        else:
            self.wrong("municipality", N_("%(text)s is not a municipality of the region."), text=text)
        return ""

    def _sector(self) -> str | None:
        text = self.cells.get("sector", "")
        found = _sector(text)
        if text and found is None:
            self.wrong("sector", N_("%(text)s is not a sector that we know."), text=text)
        return found.code if found else None

    def _language(self, name: str) -> str | None:
        text = self.cells.get(name, "")
        found = _LANGUAGE_SPELLINGS.get(text.casefold())
        if text and found is None:
            self.wrong(name, N_("%(text)s is not a language that we write in."), text=text)
        return found

    def _networks(self) -> tuple[str, ...] | None:
        return _listed(self.cells.get("networks", ""))

    def _capabilities(self) -> tuple[Amount, ...] | None:
        written = _listed(self.cells.get("capabilities", ""))
        if written is None:
            return None
        found = []
        for text in written:
            name, amount = _name_and_amount(text)
            code = _capability(name)
            if code is None:
                self.wrong("capabilities", N_("%(text)s is not a capability that we know."), text=text)
            elif amount is not None and not 1 <= amount <= 1_000_000:
                self.wrong("capabilities", N_("%(text)s: an amount is from 1 to 1,000,000."), text=text)
            else:
                found.append(Amount(capability=code, amount=amount))
        return tuple(found)

    def _plan(self) -> tuple[Plan | None, int | None]:
        text = self.cells.get("plan", "")
        if year := _YEAR.fullmatch(text):
            return Plan.MADE, int(year[1])
        plan = _PLAN_SPELLINGS.get(text.casefold())
        if text and plan is None:
            self.wrong("plan", N_("%(text)s is not known: write no, draft or the year of the plan."), text=text)
        return plan, None

    def _contacts(self) -> tuple[ListedContact, ...]:
        contacts = [self._contact(names) for names in CONTACT_FIELDS]
        while contacts and contacts[-1] == ListedContact():
            contacts.pop()
        return tuple(contacts)

    def _contact(self, names: Sequence[str]) -> ListedContact:
        if not any(self.cells.get(name) for name in names):
            return ListedContact()
        name, email, phone, best_time, language = names
        return ListedContact(
            name=self.cells.get(name) or None,
            email=self._email(email),
            phone=self._phone(phone),
            best_time=self.cells.get(best_time) or None,
            language=self._language(language),
        )

    def _email(self, name: str) -> str | None:
        text = self.cells.get(name, "")
        if text and not _EMAIL.fullmatch(text):
            self.wrong(name, N_("This is not an email address."))
        return text or None

    def _phone(self, name: str) -> str | None:
        text = _WHOLE.sub(r"\1", self.cells.get(name, ""))
        if text and ("@" in text or not any(c.isdecimal() for c in text)):
            self.wrong(name, N_("This is not a phone number."))
        elif _ROUNDED.fullmatch(text):
            self.wrong(name, N_("The spreadsheet has rounded the number. Show it in full and save anew."))
        return text or None


def _listed(text: str) -> tuple[str, ...] | None:
    """What stands between commas or semicolons, each once; None where nothing is said."""
    if not text:
        return None
    parts = (part.strip() for part in text.replace(";", ",").split(","))
    return tuple(dict.fromkeys(part for part in parts if part not in {"", NOTHING}))


@lru_cache(10_000)
def _capability(name: str) -> str | None:
    return _CAPABILITY_SPELLINGS.get(squeezed(name))


def _name_and_amount(text: str) -> tuple[str, int | None]:
    """`ensiapu: 3`, `ensiapu (3)`, `ensiapu 3` or `ensiapu` alone."""
    if _capability(text):
        return text, None
    found = _CAPABILITY.fullmatch(text)
    return (found[1], int(found[2]) if found[2] else None) if found else (text, None)

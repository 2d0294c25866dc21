"""Table file (format): the bytes of a register's CSV file in, good lines and errors in plain words out."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from services.intake.register_file.model import Bad, Listed, RowError
from services.intake.registry.model import name_key
from shared.i18n import N_
from shared.region import find_municipality, find_sector

HEADINGS = {
    "name": ("Nimi", "Yhdistyksen nimi", "Yhdistys", "Namn", "Föreningens namn", "Förening", "Name", "Association"),
    "register_number": (
        *("Rekisterinumero", "Rekisterinro", "Rek.nro", "Yhdistyksen rekisterinumero"),
        *("Registernummer", "Register number", "Registration number"),
    ),
    "municipality": ("Kotipaikka", "Kunta", "Kotikunta", "Hemort", "Kommun", "Hemkommun", "Municipality", "Domicile"),
    "sector": ("Toimiala", "Verksamhetsområde", "Bransch", "Sector", "Field of activity"),
    "contact_name": ("Yhteyshenkilö", "Yhteyshenkilön nimi", "Kontaktperson", "Contact", "Contact person"),
    "email": ("Sähköposti", "Sähköpostiosoite", "E-post", "E-postadress", "Email", "E-mail address"),
    "phone": ("Puhelin", "Puhelinnumero", "Puh.", "Telefon", "Telefonnummer", "Phone", "Phone number", "Telephone"),
    "language": ("Kieli", "Asiointikieli", "Språk", "Language"),
}
REQUIRED = ("name", "register_number", "municipality")
LIMITS = {
    "name": 200,
    "register_number": 20,
    "municipality": 60,
    "sector": 100,
    "contact_name": 100,
    "email": 254,
    "phone": 40,
    "language": 20,
}
LANGUAGES = {
    "fi": ("fi", "suomi", "finska", "finnish"),
    "fi@selko": ("fi@selko", "selko", "selkosuomi", "lättläst finska", "easy finnish"),
    "sv": ("sv", "ruotsi", "svenska", "swedish"),
    "en": ("en", "englanti", "engelska", "english"),
}
SEPARATORS = ";,\t"
LINE_LIMIT = 100_000
"""Characters read as one line at most, so that no file can fill the memory."""

# The address that HTML's own email field takes, with a dotted domain.
_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9-]+\.)+[a-z0-9-]+", re.IGNORECASE
)
_REGISTER_NUMBER = re.compile(r"[0-9A-Za-z/-]+")
_CHUNK = 65_536


class HeadingError(Exception):
    """The file's first row does not name the columns that are needed; `missing` are their Finnish names."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


def read_table(source: BinaryIO) -> Iterator[Listed | Bad]:
    """The lines of the file, one at a time, in its order; blank ones are passed over.

    UTF-8 and UTF-16 (by its mark), else Windows' or Latin letters; `;`, `,` or tab between cells. Raises
    HeadingError before the first line if a needed column is not named. No bytes raise anything else.
    """
    text = io.TextIOWrapper(source, encoding=_encoding(source), errors="replace", newline="")
    rows = _rows(text)
    separator, heading = _heading(next(rows, ""))
    reader = _Reader(heading)
    for number, cells in _records(rows, separator):
        if isinstance(cells, Bad):
            yield cells
        elif any(cell.strip() for cell in cells):
            yield reader.read(number, cells)


def _encoding(source: BinaryIO) -> str:
    """The encoding of the bytes, by their mark or by what decodes; the source is then at its start again."""
    start = source.read(3)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        source.seek(0)
        return "utf-16"
    found = next((name for name in ("utf-8-sig", "cp1252") if _decodes(source, name)), "latin-1")
    source.seek(0)
    return found


def _decodes(source: BinaryIO, encoding: str) -> bool:
    source.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := source.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LINE_LIMIT):
        yield line


def _heading(line: str) -> tuple[str, list[str | None]]:
    """The separator under which most headings are known, and the field of each column."""
    best = max(SEPARATORS, key=lambda separator: len(set(_fields(line, separator)) - {None}))
    fields = _fields(line, best)
    missing = tuple(HEADINGS[name][0] for name in REQUIRED if name not in fields)
    if missing:
        raise HeadingError(missing)
    return best, fields


def _fields(line: str, separator: str) -> list[str | None]:
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    found = [_SPELLINGS.get(_squeezed(cell)) for cell in cells]
    return [name if name not in found[:place] else None for place, name in enumerate(found)]


def _squeezed(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


_SPELLINGS = {_squeezed(spelling): name for name, spellings in HEADINGS.items() for spelling in spellings}
_LANGUAGE_SPELLINGS = {spelling: code for code, spellings in LANGUAGES.items() for spelling in spellings}


def _records(lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str] | Bad]]:
    reader = csv.reader(lines, delimiter=separator)
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = N_("The row cannot be read: a quotation mark may be missing.")
            yield number, Bad(number, (RowError(row=number, column="", message=message),))
        else:
            yield number, cells


@dataclass
class _Reader:
    """Reads one row after the other and remembers what has been seen, to find doubles."""

    heading: list[str | None]
    _numbers: dict[str, int] = field(default_factory=dict)
    _names: dict[tuple[str, str], int] = field(default_factory=dict)

    def read(self, number: int, cells: list[str]) -> Listed | Bad:
        row = _Row(number, dict.fromkeys(HEADINGS, ""))
        for name, cell in zip(self.heading, cells, strict=False):
            if name is not None:
                row.cells[name] = cell.strip()
        if any(cell.strip() for cell in cells[len(self.heading) :]):
            row.wrong("", N_("There are more cells than headings: a separator may stand inside a text."))
        listed = row.listed()
        self._doubles(row, listed)
        return Bad(number, tuple(row.errors)) if row.errors else listed

    def _doubles(self, row: "_Row", listed: Listed) -> None:
        first = self._numbers.setdefault(listed.register_number, row.number)
        if first != row.number and listed.register_number:
            row.wrong("register_number", N_("The register number is already on row %(first)s."), first=str(first))
        if listed.name and listed.municipality:
            key = (name_key(listed.name), listed.municipality)
            first = self._names.setdefault(key, row.number)
            if first != row.number:
                row.wrong("name", N_("The same name and municipality are already on row %(first)s."), first=str(first))


@dataclass
class _Row:
    """One row on its way: its cells by field, and what is wrong with them."""

    number: int
    cells: dict[str, str]
    errors: list[RowError] = field(default_factory=list)

    def wrong(self, name: str, message: str, **values: str) -> None:
        column = HEADINGS[name][0] if name else ""
        self.errors.append(RowError(row=self.number, column=column, message=message, values=values))

    def listed(self) -> Listed:
        for name in HEADINGS:
            self._check(name)
        return Listed(
            row=self.number,
            register_number=self._register_number(),
            name=" ".join(self.cells["name"].split()),
            municipality=self._municipality(),
            sector=self._sector(),
            contact_name=self.cells["contact_name"] or None,
            email=self._email(),
            phone=self.cells["phone"] or None,
            language=self._language(),
        )

    def _check(self, name: str) -> None:
        """Empty the cell where it cannot be looked at any further."""
        text = self.cells[name]
        if any(unicodedata.category(c) in {"Cc", "Cs"} or c == "\ufffd" for c in text):
            self.wrong(name, N_("There are characters that cannot be read, or a line break."))
        elif len(text) > LIMITS[name]:
            self.wrong(name, N_("The text is too long: at most %(limit)s characters."), limit=str(LIMITS[name]))
        elif not text and name in REQUIRED:
            self.wrong(name, N_("The cell is empty."))
        else:
            return
        self.cells[name] = ""

    def _register_number(self) -> str:
        text = "".join(self.cells["register_number"].replace(".", "").split())
        if self.cells["register_number"] and not _REGISTER_NUMBER.fullmatch(text):
            self.wrong("register_number", N_("This is not a register number: digits, letters, - and / only."))
        return text

    def _municipality(self) -> str:
        text = self.cells["municipality"]
        found = find_municipality(text)
        if text and found is None:
            self.wrong("municipality", N_("%(text)s is not a municipality of the region."), text=text)
        return found.code if found else ""

    def _sector(self) -> str | None:
        text = self.cells["sector"]
        found = find_sector(text)
        if text and found is None:
            self.wrong("sector", N_("%(text)s is not a sector that we know."), text=text)
        return found.code if found else None

    def _email(self) -> str | None:
        text = self.cells["email"]
        if text and not _EMAIL.fullmatch(text):
            self.wrong("email", N_("This is not an email address."))
        return text or None

    def _language(self) -> str | None:
        text = self.cells["language"]
        found = _LANGUAGE_SPELLINGS.get(text.casefold())
        if text and found is None:
            self.wrong("language", N_("%(text)s is not a language that we write in."), text=text)
        return found

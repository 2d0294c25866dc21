"""Damage: what happens to lists on their way through offices, one kind after the other, and what becomes of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.intake.register_file.cells import HEADING
from services.intake.register_file.columns import HEADINGS
from shared import region

Cells = dict[str, str]
FIELDS = tuple(HEADINGS)

TAKEN = "taken"
"""The row is understood in spite of it."""

PASSED_OVER = "passed over"
"""There is nothing to be understood in the row, and nobody misses it."""


@dataclass(frozen=True)
class Kind:
    """One kind of damage to a row: its bytes, made of good cells, and TAKEN, PASSED_OVER or the sentence that tells."""

    name: str
    damage: Callable[[Cells], bytes]
    becomes: str


def line(cells: Sequence[str]) -> bytes:
    """The cells as a spreadsheet writes them."""
    return ";".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells).encode()


def put(name: str, change: str | Callable[[str], str]) -> Callable[[Cells], bytes]:
    """One cell is otherwise."""

    def damage(cells: Cells) -> bytes:
        text = change if isinstance(change, str) else change(cells[name])
        return line([*{**cells, name: text}.values()])

    return damage


def raw(text: str | bytes) -> Callable[[Cells], bytes]:
    """The row is this."""
    return lambda _cells: text if isinstance(text, bytes) else text.encode()


def swapped(cells: Cells) -> bytes:
    return line([*{**cells, "name": cells["register_number"], "register_number": cells["name"]}.values()])


def bare(cells: Cells, separator: str = ";") -> str:
    """The cells without any quotation marks."""
    return separator.join(cell.replace(",", "") for cell in cells.values())


def swedish(text: str) -> str:
    return next(one.sv for one in (*region.MUNICIPALITIES, *region.SECTORS) if one.fi == text)


def code(text: str) -> str:
    return next(one.code for one in region.MUNICIPALITIES if one.fi == text).lstrip("0")


UNREADABLE = "There are characters that cannot be read, or a line break."
TOO_LONG = "The text is too long: at most %(limit)s characters."
NO_NUMBER = "This is not a register number: digits, letters, - and / only."
NO_EMAIL = "This is not an email address."
QUOTES = "The row cannot be read: a quotation mark may be missing."
ELSEWHERE = "%(text)s is not a municipality of the region."
ROUNDED = "The spreadsheet has rounded the number. Show it in full and save anew."

KINDS = (
    Kind("a municipality of another region", put("municipality", "Turku"), ELSEWHERE),
    Kind("a misspelled one", put("municipality", "Hämenlinna"), ELSEWHERE + " Is it %(near)s?"),
    Kind("no municipality", put("municipality", ""), "The cell is empty."),
    Kind("a municipality in Swedish", put("municipality", swedish), TAKEN),
    Kind("a municipality's code without its zeros", put("municipality", code), TAKEN),
    Kind("capital letters", put("municipality", str.upper), TAKEN),
    Kind("spaces around", put("municipality", lambda text: f"  {text}\t"), TAKEN),
    Kind("no name", put("name", ""), "The cell is empty."),
    Kind("a name of digits", put("name", "4711"), "There are no letters in the name."),
    Kind("a name as long as a book", put("name", "x" * 201), TOO_LONG),
    Kind("a bell in the name", put("name", lambda text: text + "\x07"), UNREADABLE),
    Kind("a zero byte in the name", put("name", lambda text: text + "\0"), UNREADABLE),
    Kind("a line break in the name", put("name", lambda text: text + "\nry"), UNREADABLE),
    Kind(
        "letters misread and saved",
        put("name", lambda text: (text + "äö").encode().decode("cp1252")),
        "The letters å, ä and ö were misread when the file was made. Save it anew as UTF-8.",
    ),
    Kind("a byte that means nothing", lambda cells: line([*cells.values()])[:-1] + b'\x81"', UNREADABLE),
    Kind("a row in the letters of Windows", lambda cells: line([*cells.values()]).decode().encode("cp1252"), TAKEN),
    Kind("no number", put("register_number", ""), "The cell is empty."),
    Kind("a number as a decimal", put("register_number", lambda text: text + ".0"), TAKEN),
    Kind("a number with a decimal comma", put("register_number", lambda text: text + ",00"), TAKEN),
    Kind("a number in thousands", put("register_number", lambda text: f"{text[:-3]}.{text[-3:]}"), TAKEN),
    Kind("a number with spaces", put("register_number", lambda text: f"{text[:-3]}\u00a0{text[-3:]}"), TAKEN),
    Kind("a number that was rounded", put("register_number", "9.00123E+05"), ROUNDED),
    Kind("a number with a remark", put("register_number", lambda text: f"{text} (uusi)"), NO_NUMBER),
    Kind("name and number in each other's place", swapped, "There are no letters in the name."),
    Kind("a sector that nobody knows", put("sector", "Metsästys"), "%(text)s is not a sector that we know."),
    Kind("a sector in Swedish", put("sector", swedish), TAKEN),
    Kind("a language of nobody", put("language", "viro"), "%(text)s is not a language that we write in."),
    Kind("a network that is none", put("networks", "Olematon"), "%(text)s is not a network that we know."),
    Kind("a capability that is none", put("capabilities", "lento: 1"), "%(text)s is not a capability that we know."),
    Kind("none of a capability", put("capabilities", "ensiapu: 0"), "%(text)s: an amount is from 1 to 1,000,000."),
    Kind("a plan perhaps", put("plan", "ehkä"), "%(text)s is not known: write no, draft or the year of the plan."),
    Kind("an address without its mark", put("email", "aino(at)example.org"), NO_EMAIL),
    Kind("two addresses in a cell", put("email", "a@example.org, b@example.org"), NO_EMAIL),
    Kind("an address for a telephone", put("phone", "aino@example.org"), "This is not a phone number."),
    Kind("a telephone that was rounded", put("phone", "3,5840E+11"), ROUNDED),
    Kind("a telephone of many digits", put("phone", "0" * 41), TOO_LONG),
    Kind("a formula", put("contact_name", "=A1"), "The cell holds a formula. Put its value in its place."),
    Kind(
        "an error of the spreadsheet",
        put("contact_name", "#REF!"),
        "The spreadsheet could not work out this cell: %(text)s.",
    ),
    Kind(
        "more cells than headings",
        lambda cells: line([*cells.values(), "liikaa"]),
        "There are more cells than headings: a separator may stand inside a text.",
    ),
    Kind(
        "another separator",
        lambda cells: bare(cells, ",").encode(),
        "The cells are separated by another mark than in the heading.",
    ),
    Kind("a quotation mark too many at the start", lambda cells: f'"{bare(cells)}'.encode(), QUOTES),
    Kind("a quotation mark in the middle", lambda cells: f'"A" B;{bare(cells)}'.encode(), QUOTES),
    Kind("a row without end", lambda cells: bare(cells).encode() + b"x" * 120_000, "The row is too long to be read."),
    Kind("the heading once more", raw(";".join(HEADING)), NO_NUMBER),
    Kind("a sum at the end", raw("Yhteensä;;600"), "The cell is empty."),
    Kind("a remark at the end", raw("Päivitetty 1.5.2024, lähde: yhdistysrekisteri"), "The cell is empty."),
    Kind("a blank row", raw(""), PASSED_OVER),
    Kind("a row of separators", raw(";" * (len(HEADING) - 1)), PASSED_OVER),
    Kind("spaces only", raw("   ;\t; "), PASSED_OVER),
)

"""A register file: whatever its bytes, good lines are read and bad ones are told of in plain words."""

from collections.abc import Iterable
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.demo.registry import HEADINGS as DEMO_HEADINGS
from services.intake.register_file.columns import HEADINGS, LIMITS
from services.intake.register_file.model import Listed, ListedContact
from services.intake.register_file.table_file import read_table
from shared.list_report import Bad
from shared.records import HeadingError
from tests.intake.house import AINO, HEADING

AINO_LISTED = Listed(
    row=2,
    register_number="1001",
    name="Hattulan Martat",
    municipality="082",
    sector="other",
    contacts=(ListedContact("Aino Kuura", "aino@example.org", "040 1"),),
    language="fi",
)


def read(*lines: str, encoding: str = "utf-8", end: str = "\n") -> list[Listed | Bad]:
    return list(read_table(BytesIO(end.join([HEADING, *lines]).encode(encoding))))


def problems(rows: Iterable[Listed | Bad]) -> list[tuple[int, str, str]]:
    """(row, column, sentence) of everything that is wrong."""
    return [
        (error.row, error.column, error.message % error.values)
        for row in rows
        if isinstance(row, Bad)
        for error in row.errors
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_usual_encodings_and_line_ends_read_alike(encoding: str, end: str) -> None:
    assert read(AINO, encoding=encoding, end=end) == [AINO_LISTED]


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_the_separator_is_found_from_the_heading(separator: str) -> None:
    text = "\n".join(line.replace(";", separator) for line in (HEADING, AINO))

    assert list(read_table(BytesIO(text.encode()))) == [AINO_LISTED]


@pytest.mark.parametrize(
    "heading",
    [
        "NAMN;Registernummer;Hemort",
        "name;Register number;Municipality",
        "Yhdistyksen nimi;Rek.nro;Kunta",
        " nimi ; REKISTERINUMERO;kotikunta;Oma huomio",
    ],
)
def test_headings_are_known_in_three_languages_and_any_case(heading: str) -> None:
    [row] = read_table(BytesIO(f"{heading}\nHattulan Martat;1001;Hattula".encode()))

    assert row == Listed(row=2, register_number="1001", name="Hattulan Martat", municipality="082")


def test_the_demo_file_has_headings_that_are_known() -> None:
    assert ";".join(DEMO_HEADINGS) == HEADING


def test_missing_columns_are_named_together() -> None:
    with pytest.raises(HeadingError) as raised:
        list(read_table(BytesIO(b"Nimi;Jotain\nx;y")))

    assert raised.value.missing == ("Rekisterinumero", "Kotipaikka")


def test_an_empty_file_lacks_its_heading() -> None:
    with pytest.raises(HeadingError):
        list(read_table(BytesIO(b"")))


@pytest.mark.parametrize(
    ("line", "column", "sentence"),
    [
        (";1;Hattula", "Nimi", "The cell is empty."),
        ("A;;Hattula", "Rekisterinumero", "The cell is empty."),
        ("A;1", "Kotipaikka", "The cell is empty."),
        ("A;1;Turku", "Kotipaikka", "Turku is not a municipality of the region."),
        ("A;1;Hattula;Metsästys", "Toimiala", "Metsästys is not a sector that we know."),
        ("A;1;Hattula;;;aino@example", "Sähköposti", "This is not an email address."),
        ("A;1;Hattula;;;a b@example.org", "Sähköposti", "This is not an email address."),
        ("A;1;Hattula;;;aino@example.org,b@example.org", "Sähköposti", "This is not an email address."),
        ("A;1;Hattula;;;;;viro", "Kieli", "viro is not a language that we write in."),
        ("A;n:o 1;Hattula", "Rekisterinumero", "This is not a register number: digits, letters, - and / only."),
        ("A\x07;1;Hattula", "Nimi", "There are characters that cannot be read, or a line break."),
        ('"A\nB";1;Hattula', "Nimi", "There are characters that cannot be read, or a line break."),
        (f"{'A' * 201};1;Hattula", "Nimi", "The text is too long: at most 200 characters."),
        ("A;1;Hattula;;;;;;liikaa", "", "There are more cells than headings: a separator may stand inside a text."),
    ],
)
def test_a_bad_cell_is_told_of_with_row_and_column(line: str, column: str, sentence: str) -> None:
    assert problems(read(AINO, line)) == [(3, column, sentence)]


def test_doubles_within_the_file_are_told_of_with_the_first_row() -> None:
    rows = read(AINO, "Toinen;1.001;Loppi", "hattulan  martat;1009;Hattula", "Hattulan Martat;1010;Loppi")

    assert problems(rows) == [
        (3, "Rekisterinumero", "The register number is already on row 2."),
    ]
    assert [row.namesake for row in rows if isinstance(row, Listed)] == [None, 2, None]


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    rows = read("", ";;;", AINO)

    assert [row.row for row in rows] == [4]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    assert len(problems(read("A;;Turku;;;nobody"))) == 3


def test_a_huge_field_is_refused_and_the_rest_is_read() -> None:
    [huge, *rest] = read(f'"{"x" * 300_000}', AINO)

    assert isinstance(huge, Bad)
    assert isinstance(rest[-1], Listed)


def test_every_field_has_a_limit() -> None:
    assert set(LIMITS) == set(HEADINGS)


@given(body=st.binary(max_size=600), encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_but_a_missing_heading(body: bytes, encoding: str) -> None:
    for start in (b"", f"{HEADING}\n".encode(encoding)):
        try:
            rows = list(read_table(BytesIO(start + body)))
        except HeadingError:
            continue
        assert all(isinstance(row, Listed | Bad) for row in rows)


@given(st.lists(st.lists(st.text(max_size=30), max_size=10), max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_is_read_as_good_is_within_its_limits(lines: list[list[str]]) -> None:
    text = "\n".join([HEADING, *(";".join(cells) for cells in lines)])

    for row in read_table(BytesIO(text.encode("utf-8", "replace"))):
        if isinstance(row, Listed):
            assert 0 < len(row.name) <= LIMITS["name"]
            assert row.name.isprintable() or " " in row.name

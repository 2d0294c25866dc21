"""Tables for spreadsheet programs: nothing in them is worked out, and everything is read back as it was."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.spreadsheet import FORMULA, MARK, as_text, as_typed, csv_bytes, csv_line, taken_back

WORDS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline=""), delimiter=";"))


@given(st.text(st.sampled_from("'" + FORMULA + "a"), max_size=6))
def test_no_cell_begins_as_a_formula_and_each_is_read_back(text: str) -> None:
    assert as_text(text)[:1] not in set(FORMULA)
    assert taken_back(as_text(text)) == text
    assert taken_back(as_typed(text)) == text


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", '=A1;"x"'])
def test_what_looks_like_a_formula_is_written_as_text(cell: str) -> None:
    [[written]] = read(csv_line([cell]))

    assert written == f"'{cell}"


@given(st.lists(WORDS, min_size=2, max_size=5))
def test_a_line_is_read_back_as_its_cells(cells: list[str]) -> None:
    [row] = read(csv_line(cells))

    assert [taken_back(cell) for cell in row] == cells


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell() -> None:
    file = csv_bytes([["Nimi", "Määrä", ""], ["a\nb", -1, None]]).decode()

    assert file.startswith(f"{MARK}Nimi;Määrä;\r\n")
    assert read(file)[1] == ["a\nb", "-1", ""]

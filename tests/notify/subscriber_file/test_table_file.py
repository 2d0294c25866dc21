"""The rows of a list of subscribers: what each says, and what is wrong with it."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.subscriber_file.model import Listed
from services.notify.subscriber_file.table_file import read_table
from shared.list_report import Bad
from shared.records import HeadingError

LIST = """Sähköposti;Nimi;Kohderyhmä;Kunnat;Kieli
Aino@example.org;Aino;;Forssa, Hattula;
bertta@example.org;;professionals, members;Tavastehus;ruotsi
cecilia@example.org;;;;
"""


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        (";Aino;;;", "email", "The cell is empty."),
        ("aino(at)example.org;;;;", "email", "not an email address"),
        ("cecilia@EXAMPLE.org;;;;", "email", "already on row"),
        ("aino2@example.org;;asukkaat;;", "audience", "Residents subscribe by themselves"),
        ("aino2@example.org;;kissat;;", "audience", "is not a group"),
        ("aino2@example.org;;;Turku;", "municipalities", "is not a municipality"),
        ("aino2@example.org;;;aino@example.org;", "municipalities", "is not a municipality"),
        ("aino2@example.org;;;;viro", "language", "is not a language"),
        (f"aino2@example.org;{'x' * 101};;;", "name", "too long"),
        ("aino2@example.org;;;;;x", "", "more cells than headings"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_without_quoting_an_address(row: str, field: str, message: str) -> None:
    *good, bad = read_table(io.BytesIO((LIST + row).encode()))

    assert isinstance(bad, Bad)
    assert len(good) == 3
    [error] = bad.errors
    assert (error.row, error.field) == (5, field)
    assert message in error.message
    assert "example" not in str(error.values)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_that_the_address_has_no_column(written: bytes) -> None:
    for row in read_table(io.BytesIO(b"Email;Name;Municipality\n" + written)):
        assert isinstance(row, Listed | Bad)
    with suppress(HeadingError):
        list(read_table(io.BytesIO(written)))

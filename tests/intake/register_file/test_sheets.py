"""Workbooks: read as somebody would have typed them, by a program that may die of them."""

import csv
import struct
import zipfile
from io import BytesIO, StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.register_file.table_file import read_table
from shared import sheet_program
from shared.list_report import UnfitFileError
from shared.sheet_program import RefusedError
from tests.intake.house import Intake
from tests.intake.register_file.files import sheet_as_csv, store_of, upload, workbook

HEADING = ("Nimi", "Rekisterinumero", "Kotipaikka")
WHOLE = workbook(HEADING, ("Hattulan Martat", 1001, "Hattula"))


def cells(body: bytes, sheet: str = "") -> list[list[str]]:
    return list(csv.reader(StringIO(sheet_as_csv(body, sheet=sheet)), delimiter=";"))


def test_numbers_are_read_as_they_are_typed() -> None:
    [_, row] = cells(workbook(HEADING, ("061", 1001.0, 61, 0.5, True, "2024-05-31", "a\nb", None)))

    assert row == ["061", "1001", "61", "0.5", "TRUE", "2024-05-31", "a b"]


def test_texts_that_look_like_formulas_stay_texts() -> None:
    assert cells(workbook(("=1+1", "+358 40", "'+358"))) == [["'=1+1", "'+358 40", "'+358"]]


def test_rows_keep_their_numbers_below_empty_ones() -> None:
    body = workbook((), (), HEADING, ("Hattulan Martat", 1001, "Hattula"), (), ("Paha", 2, "Turku"))

    good, bad = read_table(BytesIO(sheet_as_csv(body).encode()))

    assert (good.row, bad.row) == (4, 6)


def test_the_first_sheet_is_read_or_the_one_that_is_named() -> None:
    body = workbook(HEADING, sheets=("Yhdistykset", "Muut"))

    assert cells(body) == [list(HEADING)]
    assert cells(body, sheet="Muut") == []
    with pytest.raises(RefusedError) as refused:
        cells(body, sheet="Kolmas")
    assert refused.value.found == ("Yhdistykset", "Muut")


def packed(**files: bytes) -> bytes:
    body = BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return body.getvalue()


def bomb() -> bytes:
    """A workbook that says that one of its parts has 4 GiB."""
    body = workbook(HEADING)
    at = body.rindex(b"PK\x01\x02")
    return body[: at + 24] + struct.pack("<I", 0xFFFFFFF0) + body[at + 28 :]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04 and nothing else", "broken"),
        (packed(readme_txt=b"hello"), "kind"),
        (bomb(), "unpacked"),
        (workbook(*[("x",)] * 1001), "rows"),
        (workbook(["x"] * 201), "columns"),
    ],
)
def test_what_is_no_workbook_of_ours_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        sheet_as_csv(body)

    assert refused.value.reason == reason


async def test_whoever_sends_a_workbook_is_told_what_is_wrong_with_it(intake: Intake) -> None:
    for body, sentence in (
        (packed(readme_txt=b"hello"), "cannot be read"),
        (workbook(HEADING, ("A", 1, "Hattula")), "There are: Sheet1"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "old or locked"),
    ):
        with pytest.raises(UnfitFileError, match=sentence):
            await upload(intake, body, sheet="Toinen")


async def test_a_workbook_that_kills_its_reader_kills_nobody_else(
    intake: Intake,
) -> None:
    """A sheet of which only the last cell is filled would be 17 thousand million cells in the memory."""
    body = BytesIO(workbook(HEADING, ("A", 1, "Hattula")))
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(body) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files[sheet] = files[sheet].replace(b'r="C2"', b'r="XFD1048576"').replace(b'<row r="2"', b'<row r="1048576"')
    again = BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)

    with pytest.raises(UnfitFileError):
        await upload(intake, again.getvalue())

    assert await store_of(intake).work() is False


async def test_a_workbook_of_a_wide_sheet_is_kept_as_csv(intake: Intake) -> None:
    name = await upload(intake, workbook(HEADING, ("Hattulan Martat", 1001.0, "Hattula")))

    assert await store_of(intake).work()
    found = await store_of(intake).uploads.get(name, person_id=None)
    assert found is not None
    assert found.report.new == 1


@given(st.binary(max_size=400), st.integers(0, 5000), st.binary(min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_no_bytes_are_read_as_a_workbook_unless_they_are_one(body: bytes, at: int, damage: bytes) -> None:
    for attempt in (body, b"PK\x03\x04" + body, WHOLE[:at] + damage + WHOLE[at + len(damage) :]):
        try:
            table = sheet_as_csv(attempt)
        except (RefusedError, *sheet_program.UNREADABLE):
            continue
        assert table.count("\n") <= 1000

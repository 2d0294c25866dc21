"""Damaged lists: each kind of damage is told of in its row or understood, and takes no other row with it."""

from collections import defaultdict
from io import BytesIO
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import col

from services.demo.registry import demo_associations
from services.intake.register_file.cells import HEADING, cells_of
from services.intake.register_file.model import ContactEntry, Holding, Listed
from services.intake.register_file.table_file import read_table
from services.intake.registry.model import Entry
from services.intake.registry.store import Association, Contact
from shared.list_report import Bad
from tests.intake.house import HEADING as SHORT
from tests.intake.house import Intake
from tests.intake.register_file.damage import KINDS, PASSED_OVER, TAKEN, Cells, line
from tests.intake.register_file.files import brought_in, workbook

SOME = 3 * len(KINDS)
EVENINGS = "iltaisin"
"""What every good row changes: so it shows which of them were taken."""


def some_of_the_demo() -> list[Cells]:
    """Rows of the demonstration's registry, as an export writes them, in no order."""
    rows = [
        cells_of(
            Holding(
                Entry(one.register_number.replace(".", ""), one.name, one.municipality, one.sector, one.language),
                contacts={1: ContactEntry(one.contact_name, one.email, one.phone, "", one.language)},
            )
        )
        for one in demo_associations(2020)[:SOME]
    ]
    Random(7).shuffle(rows)  # noqa: S311 - any order will do
    return rows


def file_of(lines: list[bytes]) -> bytes:
    return b"\n".join([line(HEADING), *lines, b""])


async def contacted_in_the_evening(intake: Intake) -> set[str]:
    """The register numbers of those whose row was taken."""
    numbers = (
        select(col(Association.register_number))
        .join(Contact, col(Contact.association_id) == col(Association.id))
        .where(col(Contact.best_time) == EVENINGS)
    )
    async with intake.database.read() as session:
        return set((await session.execute(numbers)).scalars())


async def test_each_kind_of_damage_is_told_of_or_understood_and_everything_else_is_imported(intake: Intake) -> None:
    rows = some_of_the_demo()
    await brought_in(intake, file_of([line([*cells.values()]) for cells in rows]))
    changed = [{**cells, "best_time": EVENINGS} for cells in rows]
    lines = [line([*cells.values()]) for cells in changed]
    for number, kind in enumerate(KINDS):
        lines[3 * number] = kind.damage(changed[3 * number])
    hurt = {3 * number: kind for number, kind in enumerate(KINDS) if kind.becomes not in {TAKEN, PASSED_OVER}}
    gone = [3 * number for number, kind in enumerate(KINDS) if kind.becomes == PASSED_OVER]

    tried, done, problems = await brought_in(intake, file_of(lines))

    rows_of = {place: row for row, place in enumerate(range(len(lines)), 2)}
    told: defaultdict[int, set[str]] = defaultdict(set)
    for error in problems:
        told[error.row].add(error.message)
    assert [kind.name for place, kind in hurt.items() if kind.becomes not in told[rows_of[place]]] == []
    assert told.keys() == {rows_of[place] for place in hurt}
    assert (done.rows, done.bad) == (len(rows) - len(gone), len(hurt))
    assert tried.model_dump(exclude={"examples"}) == done.model_dump(exclude={"examples"})
    taken = {changed[place]["register_number"] for place in range(len(rows)) if place not in {*hurt, *gone}}
    assert await contacted_in_the_evening(intake) == taken


def test_there_are_at_least_forty_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 40


GOOD = "Hattulan Martat;1001;Hattula;Muut;Aino Kuura;aino@example.org;040 1;suomi"


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (f"\ufeff{SHORT}\n{GOOD}".encode(), [2]),
        (f"{SHORT}\n{GOOD}".encode("utf-16"), [2]),
        (f"{SHORT}\n{GOOD}".encode("utf-16-le"), [2]),
        (f"{SHORT}\n{GOOD}".encode("utf-16-be"), [2]),
        (f"{SHORT}\n{GOOD}".encode("cp1252"), [2]),
        (f"{SHORT}\r{GOOD}\r".encode(), [2]),
        (f"{SHORT}\n{GOOD}".replace(";", ",").encode(), [2]),
        (f"{SHORT}\n{GOOD}".replace(";", "\t").encode(), [2]),
        (f"Kanta-Hämeen yhdistykset;;\n\n{SHORT}\n{GOOD}".encode(), [4]),
        (f"Yhdistys;;Yhteystiedot;;\n{SHORT}\n{GOOD}".encode(), [3]),
        (f"{SHORT};;;\n{GOOD};;;\n;;;;;;;;;;\n".encode(), [2]),
        (f'{SHORT};Sähköposti;Huomioita\n{GOOD};toinen@example.org;"pitkä\nhuomio"'.encode(), [2]),
        (f"Id;{SHORT}\n7;{GOOD}".encode(), [2]),
    ],
    ids=[
        *("a mark", "UTF-16", "UTF-16 without a mark", "the other UTF-16", "Windows", "the line ends of old Macs"),
        *("commas", "tabs", "a title", "two headings", "empty columns", "columns that nobody knows", "one before"),
    ],
)
def test_files_are_understood_however_they_were_saved(body: bytes, rows: list[int]) -> None:
    found = list(read_table(BytesIO(body)))

    assert [(row.row, row.name, row.contacts[0].phone) for row in found if isinstance(row, Listed)] == [
        (row, "Hattulan Martat", "040 1") for row in rows
    ]
    assert len(found) == len(rows)


async def test_merged_cells_fill_their_first_row_alone(intake: Intake) -> None:
    rows = [("A", 1, "Hattula"), ("B", 2, None), ("C", 3, None)]

    _, done, problems = await brought_in(intake, workbook(("Nimi", "Rekisterinumero", "Kotipaikka"), *rows))

    assert (done.new, done.bad) == (1, 2)
    assert [(error.row, error.column, error.message) for error in problems] == [
        (3, "Kotipaikka", "The cell is empty."),
        (4, "Kotipaikka", "The cell is empty."),
    ]


async def test_doubles_are_told_of_with_what_they_double(intake: Intake) -> None:
    await intake.take_in(GOOD)

    _, done, problems = await brought_in(
        intake,
        "\n".join(
            [
                "Nimi;Rekisterinumero;Kotipaikka",
                *("A;7;Loppi", "B;7;Loppi", "a;8;Loppi", "HATTULAN martat;2002;Hattula", "Hattulan Martat;1001;Loppi"),
            ]
        ).encode(),
    )

    assert (done.new, done.changed, done.bad) == (1, 1, 3)
    assert [(error.row, error.message % error.values) for error in problems] == [
        (3, "The register number is already on row 2."),
        (4, "The same name and municipality are already on row 2."),
        (5, "An association of this name in this municipality is in the register as number 1001."),
    ]


@given(st.lists(st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=40), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_row_is_lost_whatever_stands_in_it(lines: list[str]) -> None:
    body = "\n".join([SHORT, *lines])
    written = [text for text in body.replace("\r\n", "\n").replace("\r", "\n").split("\n")[1:] if text.strip(" ;\t")]

    found = list(read_table(BytesIO(body.encode())))

    assert len(found) >= len([text for text in written if any(cell.strip() for cell in text.split(";"))])


@given(st.lists(st.sampled_from([GOOD, '"', '";"', 'A";"B', '"A\nB";7;Loppi', "C;8;Loppi", "", "x" * 50]), max_size=12))
@settings(max_examples=60, deadline=None)
def test_no_quotation_mark_swallows_a_good_row(lines: list[str]) -> None:
    text = "\n".join([SHORT, *lines])

    found = list(read_table(BytesIO(text.encode())))

    whole = [row for row in found if isinstance(row, Listed)]
    again = [row for row in found if isinstance(row, Bad) and row.errors[0].field == "register_number"]
    names = {row.name for row in whole}
    for name, good in (("Hattulan Martat", GOOD), ("C", "C;8;Loppi")):
        assert (name in names) == (good in lines)
        assert sum(row.name == name for row in whole) + len([row for row in again if name in row.cells]) == lines.count(
            good
        )

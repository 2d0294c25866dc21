"""Export: what is written is read back as it was, and no spreadsheet works any of it out."""

import csv
import re
from io import BytesIO, StringIO

import pytest
from sqlalchemy import insert, select, update
from sqlmodel import col

from services.intake.audit.store import AuditRow
from services.intake.register_file.cells import HEADING
from services.intake.register_file.columns import HEADINGS
from services.intake.register_file.table_file import read_table
from services.intake.registry.store import Association, AssociationNetwork, Network
from shared.identity import Role
from tests.intake.house import AINO, BERTTA, CECILIA, Intake
from tests.intake.register_file.files import brought_in, exported, sheet_as_csv, store_of

FULL = (
    "Nimi;Rekisterinumero;Kotipaikka;Kyvykkyydet;Verkostot;Valmiussuunnitelma;Yhteyshenkilö 2;Puhelin 2;"
    "Paras soittoaika 2;Yhteyshenkilön kieli 2\n"
    'Hattulan Martat;1001;Hattula;"ensiapu: 3, kuljetus";"SILTA; kylat";2024;Bertta;\'+358 40 2;=iltaisin;ruotsi\n'
    "Forssa Byalag;1002;Forssa;etsintä;;luonnos;;;;\n"
    "Lopen Kyläseura;1003;Loppi;;;ei;;;;\n"
).replace(";=iltaisin", ";'=iltaisin")


async def filled(intake: Intake) -> None:
    """A register in which everything that a file can hold is held by somebody."""
    async with intake.database.write() as session:
        networks = [{"code": "silta", "names": {"fi": "SILTA"}}, {"code": "kylat", "names": {"fi": "Kylät"}}]
        await session.execute(insert(Network), [{"parent": None, "retired": False, **one} for one in networks])
    await intake.take_in(AINO, BERTTA, CECILIA)
    _, done, problems = await brought_in(intake, FULL.encode())
    assert (done.changed, problems) == (3, [])
    await intake.forget_said()


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_importing_what_was_exported_changes_nothing(intake: Intake, form: str) -> None:
    await filled(intake)

    tried, done, problems = await brought_in(intake, await exported(intake, form))

    assert problems == []
    assert (tried.same, done.same, done.rows) == (3, 3, 3)
    assert await intake.said() == []


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_all_columns_that_the_import_reads_are_written(intake: Intake, form: str) -> None:
    await filled(intake)

    body = await exported(intake, form)
    text = body.decode("utf-8-sig") if form == "csv" else sheet_as_csv(body)
    heading, *rows = csv.reader(StringIO(text), delimiter=";")

    assert tuple(heading) == HEADING == tuple(spellings[0] for spellings in HEADINGS.values())
    [martat] = [dict(zip(heading, row, strict=False)) for row in rows if row[0] == "Hattulan Martat"]
    assert martat["Kyvykkyydet"] == "ensiapu: 3, kuljetus"
    assert martat["Verkostot"] == "kylat, silta"
    assert martat["Valmiussuunnitelma"] == "2024"
    assert (martat["Puhelin 2"], martat["Paras soittoaika 2"]) == ("'+358 40 2", "'=iltaisin")
    assert martat["Yhteyshenkilön kieli 2"] == "sv"


async def test_an_association_that_lives_on_in_another_is_left_out(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, bertta = await intake.ids()
    async with intake.database.write() as session:
        merged = update(Association).where(col(Association.id) == bertta)
        await session.execute(merged.values(retired=True, merged_into=aino))

    rows = list(read_table(BytesIO(await exported(intake, "csv"))))

    assert len(rows) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LIAISON, Role.EDITOR, Role.APPROVER, Role.EXERCISE_LEADER])
async def test_contacts_are_not_handed_to_everybody(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/registry/export.csv")).status_code == 403


@pytest.mark.parametrize("role", [Role.CLERK, Role.ADMINISTRATOR])
async def test_what_the_registry_shows_is_downloaded_and_it_is_written_down_who_took_it(
    intake: Intake, role: Role
) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    person_id = await intake.sign_in(role)
    page = await intake.browser.get("/registry?q=hattulan&lang=en")
    [link] = re.findall(r'href="(/registry/export\.csv[^"]*)"', page.text)

    answer = await intake.browser.get(link.replace("&amp;", "&"))

    assert answer.headers["content-disposition"] == 'attachment; filename="yhdistykset-2026-11-21.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row.register_number for row in read_table(BytesIO(answer.content))] == ["1001"]  # type: ignore[union-attr]
    async with intake.database.read() as session:
        newest = select(AuditRow).order_by(col(AuditRow.number).desc()).limit(1)
        deed = (await session.execute(newest)).scalar_one()
    assert (deed.act, deed.actor, deed.details) == ("registry_exported", person_id, {"rows": 1, "form": "csv"})


async def test_a_workbook_is_downloaded_and_nothing_else(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.sign_in(Role.CLERK)

    book = await intake.browser.get("/registry/export.xlsx")

    assert "aino@example.org" in sheet_as_csv(book.content)
    assert (await intake.browser.get("/registry/export.pdf")).status_code == 404


async def test_a_limited_role_exports_what_it_sees(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    *_, cecilia = await intake.ids()
    async with intake.database.write() as session:
        await session.execute(insert(AssociationNetwork), {"association_id": cecilia, "network": "silta"})
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"082"}))

    near = await intake.browser.get("/registry/export.csv")

    assert [cells[1] for cells in csv.reader(StringIO(near.text), delimiter=";")] == ["Rekisterinumero", "1001"]


@pytest.mark.slow
async def test_an_export_of_many_comes_in_pages(intake: Intake) -> None:
    await intake.take_in(*(f"Seura {number};{number};Hattula" for number in range(1, 1202)))

    assert (await exported(intake, "csv")).count(b"\r\n") == 1202
    assert (await store_of(intake).preview(read_table(BytesIO(await exported(intake, "csv"))))).same == 1201

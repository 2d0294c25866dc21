"""The audit page: in words, filtered, checked, and as a file that harms no spreadsheet."""

import csv
from io import StringIO
from uuid import UUID

import pytest
from sqlalchemy import text

from services.intake.access.model import PersonEntry
from services.intake.audit.model import SENTENCES, Act
from services.intake.audit.store import record
from shared.audit import Deed
from shared.identity import Role
from tests.intake.house import Intake


@pytest.fixture(autouse=True)
async def ylva(intake: Intake) -> UUID:
    """An administrator, signed in in the browser."""
    await intake.app.state.access.add_person(PersonEntry("Aino Kuura", "aino@example.org", frozenset({Role.CLERK})))
    return await intake.sign_in(Role.ADMINISTRATOR, email="ylva@example.org")


async def write(intake: Intake, count: int, subject: str = "somebody") -> None:
    async with intake.database.write() as session:
        for _ in range(count):
            await record(session, Deed(intake.clock.now(), Act.PERSON_CHANGED, None, subject))


def test_every_act_is_told_in_words() -> None:
    assert SENTENCES.keys() == set(Act)


async def test_deeds_are_told_in_words_newest_first(intake: Intake) -> None:
    page = (await intake.browser.get("/audit?lang=en")).text

    assert page.index("signed in") < page.index("made a sign-in link for a person") < page.rindex("added a person")
    assert "Aino Kuura" in page
    assert "roles: clerk" in page


async def test_one_pages_by_number(intake: Intake) -> None:
    await write(intake, 120)

    newest = (await intake.browser.get("/audit?lang=en&subject=somebody")).text
    older = (await intake.browser.get("/audit?lang=en&subject=somebody&before=74")).text

    assert newest.count("<tr>") - 1 == 50
    assert "subject=somebody&amp;since=&amp;until=&amp;before=75" in newest
    assert '<th scope="row" class="num">73</th>' in older
    assert "Newest" in older


@pytest.mark.parametrize(
    ("query", "acts"),
    [
        ("act=signed_in", {"signed in"}),
        ("actor=operator", {"added a person", "made a sign-in link for a person"}),
        ("since=2026-11-21&until=2026-11-21&act=signed_in", {"signed in"}),
        ("since=2026-11-22", set()),
        ("until=2026-11-20", set()),
        ("actor=nonsense&since=x&act=y&before=-1", {"added a person", "made a sign-in link for a person", "signed in"}),
    ],
)
async def test_one_filters(intake: Intake, query: str, acts: set[str]) -> None:
    page = (await intake.browser.get(f"/audit?lang=en&{query}")).text

    told = {
        act for act in ("signed in", "added a person", "made a sign-in link for a person") if f"<td>{act}</td>" in page
    }
    assert told == acts
    assert ("Nothing like that was written down." in page) == (not acts)


async def test_whoever_acted_is_found_by_name(intake: Intake, ylva: UUID) -> None:
    page = (await intake.browser.get(f"/audit?lang=en&actor={ylva}")).text

    assert "<td>signed in</td>" in page
    assert "<td>added a person</td>" not in page


async def test_the_page_says_how_far_the_chain_is_whole(intake: Intake) -> None:
    before = (await intake.browser.get("/audit?lang=en")).text
    await intake.app.state.audit.check_on(intake.clock.now())

    after = (await intake.browser.get("/audit?lang=en")).text

    assert "has not been checked yet" in before
    assert "Rows 1–4 are whole." in after


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        ("UPDATE audit SET subject = 'another' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 3", 3),
    ],
)
async def test_the_page_shows_a_row_that_is_not_as_written(intake: Intake, statement: str, row: int) -> None:
    async with intake.database.write() as session:
        for trigger in ("audit_unchanged", "audit_kept"):
            await session.execute(text(f"DROP TRIGGER {trigger}"))
        await session.execute(text(statement))

    page = (await intake.browser.get("/audit?lang=en")).text

    assert f"Row {row} is missing or changed." in page


async def test_the_file_holds_every_row_and_no_formula(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.audit_rows.BATCH", 7)
    await write(intake, 20, subject='=HYPERLINK("https://evil.example")')

    answer = await intake.browser.post("/audit/export?lang=en")

    rows = list(csv.reader(StringIO(answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")), delimiter=";"))
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-2026-11-21.csv"'
    assert [row[0] for row in rows] == ["Number", *map(str, range(25, 0, -1))]
    assert rows[2][4] == '\'=HYPERLINK("https://evil.example")'
    assert rows[1][3] == "exported the audit"


async def test_the_file_can_be_filtered(intake: Intake) -> None:
    answer = await intake.browser.post("/audit/export?lang=en&act=signed_in")

    assert len(answer.text.splitlines()) == 2

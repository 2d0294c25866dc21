"""The audit in the database: in the act's own transaction, and whole however many write at once."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.intake.audit.model import Act
from services.intake.audit.store import AuditRow, record
from shared.audit import Checked, Deed
from tests.fakes import STORM_EVENING
from tests.intake.house import Intake

DEED = Deed(STORM_EVENING, Act.PERSON_ADDED, None, "somebody", {"roles": "viewer"})


async def write(intake: Intake) -> None:
    async with intake.database.write() as session:
        await record(session, DEED)


async def test_many_at_once_make_one_whole_chain(intake: Intake) -> None:
    await asyncio.gather(*(write(intake) for _ in range(20)))

    assert [row.number for row in await intake.app.state.audit.page()] == list(range(20, 0, -1))
    assert await intake.app.state.audit.first_break() is None


async def test_what_is_undone_leaves_no_row(intake: Intake) -> None:
    await write(intake)

    async def write_and_fail() -> None:
        async with intake.database.write() as session:
            await record(session, DEED)
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError):
        await write_and_fail()

    assert await intake.count(AuditRow) == 1
    assert await intake.app.state.audit.first_break() is None


async def tamper(intake: Intake, statement: str) -> None:
    """As somebody who owns the database could: the guard is taken away first."""
    async with intake.database.write() as session:
        for trigger in ("audit_unchanged", "audit_kept"):
            await session.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        await session.execute(text(statement))


async def test_a_row_that_was_changed_or_taken_away_shows(intake: Intake) -> None:
    for _ in range(4):
        await write(intake)

    await tamper(intake, "UPDATE audit SET subject = 'another' WHERE number = 2")
    assert await intake.app.state.audit.first_break() == 2

    await tamper(intake, "DELETE FROM audit WHERE number >= 2")
    assert await intake.app.state.audit.first_break() == 2


async def test_a_row_added_behind_the_end_shows(intake: Intake) -> None:
    await write(intake)

    await tamper(
        intake,
        "INSERT INTO audit SELECT 2, at, act, actor, subject, details, previous, hash FROM audit WHERE number = 1",
    )

    assert await intake.app.state.audit.first_break() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET subject = 'another'",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = 0",
        "UPDATE audit_head SET number = number - 1",
    ],
)
async def test_the_database_itself_refuses_to_change_it(intake: Intake, statement: str) -> None:
    await write(intake)

    with pytest.raises(IntegrityError, match="append-only"):
        async with intake.database.write() as session:
            await session.execute(text(statement))

    assert await intake.app.state.audit.first_break() is None


async def test_the_check_goes_on_where_it_was_and_begins_anew_each_day(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.audit_rows.BATCH", 3)
    audit, now = intake.app.state.audit, intake.clock.now
    for _ in range(7):
        await write(intake)

    steps = [await audit.check_on(now()) for _ in range(3)]

    assert steps[-1] is False
    assert await audit.checked() == Checked(whole_to=7, whole_at=now())

    await write(intake)
    await tamper(intake, "UPDATE audit SET subject = 'another' WHERE number = 2")
    assert await audit.check_on(intake.clock.move(hours=1)) is False
    assert (await audit.checked()).whole_to == 8

    assert await audit.check_on(intake.clock.move(hours=24)) is False
    assert (await audit.checked()).broken_at == 2


async def test_a_page_reads_no_more_than_it_shows(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.audit_rows.BATCH", 4)
    for _ in range(10):
        await write(intake)
    audit = intake.app.state.audit

    first = await audit.page(size=4)
    second = await audit.page(before=first[-1].number, size=4)

    assert [link.number for link in (*first, *second)] == [10, 9, 8, 7, 6, 5, 4, 3]
    assert [len(batch) async for batch in audit.each()] == [4, 4, 2]

"""The audit in the database: in the act's own transaction, and whole however many write at once."""

import asyncio

import pytest
from sqlalchemy import delete, text, update

from services.intake.audit.model import Act, Deed
from services.intake.audit.store import AuditRow, record
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


async def test_a_row_that_was_changed_or_taken_away_shows(intake: Intake) -> None:
    for _ in range(4):
        await write(intake)

    async with intake.database.write() as session:
        await session.execute(update(AuditRow).where(text("number = 2")).values(subject="another"))
    assert await intake.app.state.audit.first_break() == 2

    async with intake.database.write() as session:
        await session.execute(delete(AuditRow).where(text("number >= 2")))
    assert await intake.app.state.audit.first_break() == 2

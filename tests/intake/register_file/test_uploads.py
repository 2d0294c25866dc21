"""Uploaded files: worked on by one process at a time, and gone on with where another was killed."""

import asyncio
from uuid import uuid4

import pytest

from services.intake.audit.store import AuditRow
from services.intake.register_file.schema import UploadPart, UploadProblem
from services.intake.registry.store import Association
from shared.list_report import ImportReport, UnfitFileError, UploadState
from shared.sheet_file import ROWS_AT_MOST, SIZE_AT_MOST
from shared.uploads import LEASE, LostClaimError
from tests.intake.house import AINO, BERTTA, HEADING, Intake
from tests.intake.register_file.files import kept, store_of, upload

MANY = "\n".join([HEADING, *(f"Seura {number};{number};Hattula" for number in range(1, 1202)), "Paha;;Turku"]).encode()


async def confirmed(intake: Intake, body: bytes) -> str:
    """A file that has been looked over and is to be imported."""
    name = await upload(intake, body)
    while await store_of(intake).work():
        continue
    assert await store_of(intake).uploads.start(name, person_id=None)
    return name


async def test_a_file_is_looked_over_and_nothing_is_written(intake: Intake) -> None:
    name = await upload(intake, MANY)
    while await store_of(intake).work():
        continue

    found = await kept(intake, name)

    assert found.state is UploadState.WAITING
    assert (found.report.rows, found.report.new, found.report.bad, found.total) == (1202, 1201, 1, 1202)
    assert await intake.count(Association) == 0
    assert await intake.said() == []


async def test_a_file_is_imported_once_however_many_work(intake: Intake) -> None:
    name = await confirmed(intake, MANY)

    worked = await asyncio.gather(*(store_of(intake).work() for _ in range(4)))

    assert sorted(worked) == [False, False, False, True]
    assert (await kept(intake, name)).state is UploadState.DONE
    assert await intake.count(Association) == 1201
    assert await intake.count(UploadPart) == 0
    assert not await store_of(intake).uploads.start(name, person_id=None)


async def test_work_that_was_killed_is_gone_on_with_when_its_claim_has_lapsed(intake: Intake) -> None:
    name = await confirmed(intake, MANY)
    store = store_of(intake)
    dead = await store.uploads.claim()
    assert dead is not None
    assert await store.work() is False
    intake.clock.move(seconds=LEASE.total_seconds() + 1)
    assert await store.work() is True

    assert (await kept(intake, name)).report.new == 1201
    with pytest.raises(LostClaimError):
        await store.uploads.finish(dead, ImportReport())


async def test_an_import_that_is_stopped_goes_on_with_its_next_batch(intake: Intake) -> None:
    name = await confirmed(intake, MANY)
    store = store_of(intake)
    work = asyncio.create_task(store.work())
    committed = asyncio.Event()
    intake.database.after_commit(committed.set)
    while not (await kept(intake, name)).done:
        await committed.wait()
        committed.clear()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    stopped = await kept(intake, name)
    told = len(await intake.said("association_changed"))

    while await store.work():
        continue

    done = await kept(intake, name)
    assert stopped.state is UploadState.RUNNING
    assert 0 < stopped.done < 1202
    assert stopped.done == told == stopped.report.new
    assert (done.report.rows, done.report.new, done.report.bad) == (1202, 1201, 1)
    assert len(await intake.said("association_changed")) == 1201
    assert await intake.count(AuditRow) == 3
    assert await intake.count(UploadProblem) == 1


async def test_files_belong_to_whoever_brought_them_and_are_forgotten_after_a_day(intake: Intake) -> None:
    mine, uploads = uuid4(), store_of(intake).uploads
    name = await upload(intake, MANY, person_id=mine)

    assert await uploads.get(name, person_id=uuid4()) is None
    assert not await uploads.start(name, person_id=uuid4())
    while await store_of(intake).work():
        continue
    intake.clock.move(hours=25)
    await uploads.forget()

    assert await uploads.get(name, person_id=mine) is None
    assert await intake.count(UploadPart) == await intake.count(UploadProblem) == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not empty"),
        (b"x" * (SIZE_AT_MOST + 1), "too large"),
        (b"Nimi;Rekisterinumero;Kotipaikka\n" + b"a;1;Loppi\n" * (ROWS_AT_MOST + 1), "too many rows: at most 250,000"),
        (b"Nimi;Rekisterinumero;Kotipaikka\n;;\n", "no rows"),
    ],
)
async def test_what_cannot_be_taken_as_a_whole_is_refused_at_once(intake: Intake, body: bytes, sentence: str) -> None:
    with pytest.raises(UnfitFileError, match=sentence):
        await upload(intake, body)


async def test_changes_are_shown_by_examples(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    name = await upload(intake, "\n".join([HEADING, AINO.replace("040 1", "040 9"), BERTTA]).encode())
    await store_of(intake).work()

    [example] = (await kept(intake, name)).report.examples

    assert (example.row, example.name, example.column) == (2, "Hattulan Martat", "Puhelin")
    assert (example.before, example.after) == ("040 1", "040 9")

"""Importing lists: again changes nothing, and what changes is told with its row."""

from io import BytesIO

from sqlalchemy import update

from services.intake.audit.store import AuditRow
from services.intake.register_file.table_file import read_table
from services.intake.registry.store import Association, Contact
from tests.intake.house import AINO, BERTTA, CECILIA, HEADING, Intake


async def test_what_is_imported_is_told_and_found(intake: Intake) -> None:
    report = await intake.take_in(AINO, BERTTA, CECILIA)

    assert (report.rows, report.new) == (3, 3)
    assert [event["name"] for event in await intake.said("association_changed")] == [
        "Hattulan Martat",
        "Forssa Byalag",
        "Lopen Kyläseura",
    ]
    assert await intake.count(Contact) == 3
    assert await intake.count(AuditRow) == 1


async def test_nothing_that_is_told_holds_a_contact(intake: Intake) -> None:
    await intake.take_in(AINO)

    assert "aino" not in str(await intake.said()).casefold()


async def test_importing_again_changes_nothing_and_says_nothing(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    await intake.forget_said()

    report = await intake.take_in(AINO, BERTTA, CECILIA)

    assert (report.same, report.new, report.changed) == (3, 0, 0)
    assert await intake.said() == []
    assert await intake.count(AuditRow) == 1


async def test_a_changed_association_is_told_with_its_next_version(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    await intake.forget_said()

    report = await intake.take_in(AINO.replace("Hattula;", "Janakkala;"), BERTTA)

    [event] = await intake.said("association_changed")
    assert (report.changed, report.same) == (1, 1)
    assert (event["municipality"], event["version"]) == ("165", 2)


async def test_a_changed_address_is_not_told_and_must_be_confirmed_again(intake: Intake) -> None:
    await intake.take_in(AINO)
    [association_id] = await intake.ids()
    async with intake.database.write() as session:
        await session.execute(update(Contact).values(state="confirmed", confirmed_at=intake.clock.now()))
    await intake.forget_said()

    await intake.take_in(AINO.replace("aino@", "uusi@"))

    found = await intake.app.state.registry.get(association_id)
    assert found is not None
    [contact] = found[1]
    assert (contact.email, contact.state, contact.confirmed_at) == ("uusi@example.org", "unconfirmed", None)
    assert await intake.said() == []


async def test_a_contact_is_added_to_an_association_that_had_none(intake: Intake) -> None:
    await intake.take_in("Hattulan Martat;1001;Hattula")
    assert await intake.count(Contact) == 0

    await intake.take_in(AINO)

    assert await intake.count(Contact) == 1


async def test_a_retired_association_stays_retired_when_it_is_imported(intake: Intake) -> None:
    await intake.take_in(AINO)
    async with intake.database.write() as session:
        await session.execute(update(Association).values(retired=True))
    await intake.forget_said()

    await intake.take_in(AINO.replace("Martat", "Marttayhdistys"))

    [event] = await intake.said("association_changed")
    assert event["retired"] is True


async def test_a_namesake_in_the_same_municipality_is_a_bad_row(intake: Intake) -> None:
    await intake.take_in(AINO)

    report = await intake.take_in("HATTULAN martat;2002;Hattula", "Hattulan Martat;2003;Loppi")

    [error] = report.errors
    assert (report.bad, report.new) == (1, 1)
    assert error.values == {"number": "1001"}


async def test_a_dry_run_tells_the_same_and_writes_nothing(intake: Intake) -> None:
    text = f"{HEADING}\n{AINO}\n{BERTTA}\nPaha;;Turku".encode()

    report = await intake.app.state.register_files.preview(read_table(BytesIO(text)))

    assert (report.new, report.bad) == (2, 1)
    assert await intake.count(Association) == 0
    assert await intake.said() == []


async def test_progress_grows_by_batches(intake: Intake) -> None:
    lines = [f"Seura {number};{number};Hattula" for number in range(1, 1201)]
    rows = read_table(BytesIO("\n".join([HEADING, *lines]).encode()))

    seen = [progress.rows async for progress in intake.app.state.register_files.import_rows(rows)]

    assert seen == [0, 500, 1000, 1200]

"""The registry desk on SQLite and on PostgreSQL: the same evening of edits ends in the same register."""

import asyncio

import pytest

from services.intake.confirmation.jobs import ConfirmationJobs
from services.intake.contacts.store import ContactStore
from services.intake.editing.model import Verdict
from services.intake.editing.store import Supplement, details_of
from services.intake.merger.model import Verdict as MergerVerdict
from services.intake.networks.model import Group
from services.intake.registry.model import Ability, Card, Wanted
from services.intake.registry.store import Association
from shared.identity import Role
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.desk import EVERYWHERE, record_of
from tests.intake.house import AINO, BERTTA, CECILIA, Intake, running_intake

pytestmark = pytest.mark.connected

ME = EVERYWHERE.person_id


async def test_the_desk_works_on_each_database(each_database: str, settings: Settings, clock: FakeClock) -> None:
    async with running_intake(settings.model_copy(update={"database": each_database}), clock) as intake:
        await intake.take_in(AINO, BERTTA, CECILIA)
        await members_and_capabilities(intake)
        await one_of_two_edits_wins(intake)
        await contacts_change_places(intake)
        await two_become_one(intake)
        await contacts_are_asked(intake)


async def members_and_capabilities(intake: Intake) -> None:
    """Networks and capabilities are added, found and listed."""
    state = intake.app.state
    ids = await intake.ids()
    code = await state.networks.add(Group({"fi": "SILTA"}), by=ME)
    await state.editing.supplement([Supplement(register_number="1001", abilities=(Ability("search", 2),))])

    assert [await state.networks.add_members(code, ids, staff=EVERYWHERE) for _ in range(2)] == [3, 0]
    assert await state.networks.remove_members(code, ids[2:], staff=EVERYWHERE) == 1
    assert await state.networks.counts() == {code: 2}
    found = await state.registry.find(Wanted(network=code, capability="search", contact="unconfirmed"))
    assert [one.register_number for one in found.associations] == ["1001"]
    await intake.sign_in(Role.LIAISON)
    await intake.open_round(ids)
    assert (await intake.browser.get("/who-can?capability=search")).text.count('<th scope="row">') == 1


async def one_of_two_edits_wins(intake: Intake) -> None:
    """Two save at once from the same version."""
    aino = (await intake.ids())[0]
    record = await record_of(intake, aino)
    details, version = details_of(record), record.association.version
    wanted = [type(details)(**{**vars(details), "name": name}) for name in ("Yksi", "Kaksi")]

    outcomes = await asyncio.gather(
        *(intake.app.state.editing.save(aino, one, version=version, by=ME) for one in wanted)
    )

    assert {outcome.verdict for outcome in outcomes} == {Verdict.SAVED, Verdict.CONFLICT}
    taken = type(details)(**{**vars(wanted[0]), "register_number": "1002"})
    newest = (await record_of(intake, aino)).association.version
    assert (await intake.app.state.editing.save(aino, taken, version=newest, by=ME)).verdict is Verdict.NUMBER_TAKEN


async def contacts_change_places(intake: Intake) -> None:
    """The order is turned round without two ever standing in one place."""
    aino = (await intake.ids())[0]
    contacts = ContactStore(intake.database, clock=intake.clock)
    for name in ("Dora", "Eeva"):
        version = (await record_of(intake, aino)).association.version
        await contacts.add(aino, Card(name, f"{name}@example.org"), version=version, by=ME)
    record = await record_of(intake, aino)
    last = record.contacts[-1].id

    await contacts.move(aino, last, places=-2, version=record.association.version, by=ME)

    assert [one.name for one in (await record_of(intake, aino)).contacts] == ["Eeva", "Aino Kuura", "Dora"]


async def two_become_one(intake: Intake) -> None:
    """Two mergers that cross: one is done, or the other, and nobody is lost."""
    aino, bertta, _ = await intake.ids()
    versions = {own: (await record_of(intake, own)).association.version for own in (aino, bertta)}
    merge = intake.app.state.merger.merge

    verdicts = await asyncio.gather(
        merge(aino, bertta, versions=versions, by=ME), merge(bertta, aino, versions=versions, by=ME)
    )

    assert sorted(verdicts).count(MergerVerdict.DONE) == 1
    remaining = [one for one in (await intake.app.state.registry.find(Wanted())).associations if one.id in versions]
    assert len(remaining) == 1
    assert len((await record_of(intake, remaining[0].id)).contacts) == 4
    assert await intake.count(Association) == 3


async def contacts_are_asked(intake: Intake) -> None:
    """A campaign asks each once, whoever else asks at the same time."""
    intake.clock.move(hours=25)
    store = intake.app.state.confirmation
    await store.begin_half_year()
    await intake.forget_said()
    due = await store.due()
    assert await store.start(by=ME)

    jobs = ConfirmationJobs(store)
    await asyncio.gather(jobs.ask(), jobs.ask())
    while await jobs.ask():
        assert await store.due() < due

    assert len(await intake.said("bulk")) == due == 4
    [progress] = await store.campaigns()
    assert (progress.asked, progress.answered) == (4, 0)
    token = (await intake.link()).removeprefix("/d/")
    assert await store.correct(token, Card("Aino", "", "040 9", "", "fi"))
    assert (await store.campaigns())[0].answered == 1

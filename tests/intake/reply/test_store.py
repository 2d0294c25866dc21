"""A letter is kept once, together with the answer that it is and with what its writer is told of it."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from services.intake.audit.model import Act
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import InvitationToken
from services.intake.registry.store import Contact
from services.intake.reply.model import TOLD_AT_MOST, Aside, Interpretation, ReplyState, Why
from shared.events.intake import OperatingStatus
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.realm import Realm
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, AINO, BERTTA, Intake, running_intake
from tests.intake.reply.post import answers, arrive, keys, replies, written


@pytest.fixture
async def key(intake: Intake) -> str:
    """The key of Aino's reply address; Bertta is asked as well."""
    await intake.take_in(AINO, BERTTA)
    await intake.open_round(await intake.ids())
    return (await keys(intake))[0]


def staff(intake: Intake, *municipalities: str) -> Staff:
    until = intake.clock.now() + timedelta(hours=1)
    return Staff(new_id(), new_id(), frozenset({Role.CLERK}), until, municipalities=frozenset(municipalities))


async def test_a_plain_answer_is_recorded_told_and_confirmed(intake: Intake, key: str) -> None:
    standing = await arrive(intake, written("2\n\nKerhotilassa on kylmä."), key=key)

    [row] = await replies(intake)
    [event] = await intake.said("checkin_received")
    [letter] = await intake.said("urgent")
    assert standing is not None
    assert (row.state, row.status, row.words) == (ReplyState.READ, "limited", "2\n\nKerhotilassa on kylmä.")
    assert event["checkin_id"] == str(row.checkin_id)
    assert (event["status"], event["channel"]) == ("limited", "email")
    assert (letter["kind"], letter["address"], letter["shared"]) == (
        "reply_recorded",
        "aino@example.org",
        {"outcome": "limited"},
    )
    assert await answers(intake) == [("limited", "email", None)]


async def test_the_confirming_letters_link_and_address_lead_to_the_same_answer(intake: Intake, key: str) -> None:
    await arrive(intake, written("2"), key=key)
    [letter] = await intake.said("urgent")

    changed = await intake.browser.post(letter["personal"]["link"].removeprefix(ADDRESS), data={"status": "normal"})
    intake.clock.move(minutes=1)
    again = await arrive(intake, written("3"), key=letter["personal"]["reply"])

    assert changed.status_code == 200
    assert again is not None
    assert [status for status, _, _ in await answers(intake)] == ["limited", "normal", "suspended"]


async def test_the_same_letter_twice_is_one(intake: Intake, key: str) -> None:
    first = await arrive(intake, written("1", name="a"), key=key)
    second = await arrive(intake, written("1", name="a"), key=key)

    assert first is not None
    assert second is None
    assert len(await replies(intake)) == len(await intake.said("urgent")) == len(await answers(intake)) == 1


async def test_what_is_not_plain_waits_and_its_writer_is_told(intake: Intake, key: str) -> None:
    await arrive(intake, written("Jos sähköt palaavat, toimimme normaalisti."), key=key)

    [row] = await replies(intake)
    [letter] = await intake.said("urgent")
    assert (row.state, row.why) == (ReplyState.WAITING, Why.UNCLEAR)
    assert letter["shared"] == {"outcome": "waiting"}
    assert await answers(intake) == []


async def test_what_a_machine_wrote_sets_nothing_and_is_never_answered(intake: Intake, key: str) -> None:
    await arrive(intake, written("1", "Auto-Submitted: auto-replied"), key=key)

    [row] = await replies(intake)
    assert (row.state, row.why) == (ReplyState.AUTOMATIC, Why.AUTO_REPLY)
    assert await intake.said("urgent") == []
    assert await answers(intake) == []


async def test_two_machines_cannot_write_to_each_other_for_ever(intake: Intake, key: str) -> None:
    for number in range(2 * TOLD_AT_MOST):
        await arrive(intake, written(f"Olen lomalla, viesti {number}."), key=key)
    told = len(await intake.said("urgent"))
    intake.clock.move(days=1, minutes=1)
    await arrive(intake, written("Olen lomalla."), key=key)

    assert told == TOLD_AT_MOST
    assert len(await intake.said("urgent")) == told + 1
    assert len(await replies(intake)) == 2 * TOLD_AT_MOST + 1


async def test_an_answer_after_the_round_is_kept_for_a_person(intake: Intake, key: str) -> None:
    intake.clock.move(hours=25)

    await arrive(intake, written("1"), key=key)

    [row] = await replies(intake)
    [letter] = await intake.said("urgent")
    assert (row.state, row.why, letter["shared"]) == (ReplyState.WAITING, Why.CLOSED, {"outcome": "late"})
    assert await answers(intake) == []


async def test_a_revoked_address_is_unknown(intake: Intake, key: str) -> None:
    async with intake.database.write() as session:
        await session.execute(update(InvitationToken).values(revoked_at=intake.clock.now()))

    assert await arrive(intake, written("1"), key=key) is None
    assert await arrive(intake, written("1"), key="a" * 32) is None
    assert await replies(intake) == []


async def test_in_an_exercise_everything_stays_in_it(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.open_round(await intake.ids(), realm=Realm("ex-autumn"))

    await arrive(intake, written("1"), key=(await keys(intake))[0])

    [row] = await replies(intake)
    [event] = await intake.said("checkin_received")
    [letter] = await intake.said("urgent")
    assert {row.realm, event["realm"], letter["realm"]} == {"ex-autumn"}


async def test_a_person_interprets_a_letter_once_and_it_is_written_down(intake: Intake, key: str) -> None:
    await arrive(intake, written("Melkein normaalisti, sanoisin."), key=key)
    clerk, store = staff(intake), intake.app.state.reply
    [waiting], count = await store.page(clerk, ReplyState.WAITING)

    first = await store.decide(waiting, Interpretation(clerk.person_id, status=OperatingStatus.LIMITED))
    second = await store.decide(waiting, Interpretation(new_id(), status=OperatingStatus.NORMAL))

    [row] = await replies(intake)
    deed, *_ = await intake.app.state.audit.page()
    assert (count, first.done, second.done, second.refused) == (1, True, False, None)
    assert await answers(intake) == [("limited", "email", clerk.person_id)]
    assert (row.state, row.decided_by) == (ReplyState.INTERPRETED, clerk.person_id)
    assert (deed.deed.act, deed.deed.subject) == (Act.REPLY_INTERPRETED, str(row.id))
    assert await store.waiting_count(clerk.sight) == 0


async def test_a_letter_is_set_aside_with_a_reason(intake: Intake, key: str) -> None:
    await arrive(intake, written("Kiitos tiedosta!"), key=key)
    clerk, store = staff(intake), intake.app.state.reply
    [waiting], _ = await store.page(clerk, ReplyState.WAITING)

    await store.decide(waiting, Interpretation(clerk.person_id, aside=Aside.NO_ANSWER))

    [row] = await replies(intake)
    deed, *_ = await intake.app.state.audit.page()
    assert (row.state, row.why) == (ReplyState.SET_ASIDE, Aside.NO_ANSWER)
    assert deed.deed.details == {"reason": "no_answer"}
    assert await answers(intake) == []


async def test_a_newer_answer_stays_when_an_older_letter_is_interpreted(intake: Intake, key: str) -> None:
    await arrive(intake, written("Vähän niin ja näin."), key=key)
    clerk, store = staff(intake), intake.app.state.reply
    [waiting], _ = await store.page(clerk, ReplyState.WAITING)
    intake.clock.move(minutes=5)
    await arrive(intake, written("3"), key=key)

    decided = await store.decide(waiting, Interpretation(clerk.person_id, status=OperatingStatus.NORMAL))

    assert (decided.done, decided.refused) == (False, Why.OVERTAKEN)
    assert await answers(intake) == [("suspended", "email", None)]
    assert await store.waiting_count(clerk.sight) == 1
    assert [link.deed.act for link in await intake.app.state.audit.page()] == [Act.REGISTRY_IMPORTED]


async def test_an_older_letter_is_not_recorded_after_its_round(intake: Intake, key: str) -> None:
    await arrive(intake, written("Vähän niin ja näin."), key=key)
    await intake.app.state.reply.close()
    intake.clock.move(hours=30)
    await arrive(intake, written("Vähän niin ja näin."), key=key)
    clerk, store = staff(intake), intake.app.state.reply
    [in_time, late], _ = await store.page(clerk, ReplyState.WAITING)

    early = await store.decide(in_time, Interpretation(clerk.person_id, status=OperatingStatus.NORMAL))
    refused = await store.decide(late, Interpretation(clerk.person_id, status=OperatingStatus.NORMAL))

    assert early.done
    assert refused.refused is not None


async def test_whoever_is_limited_sees_and_counts_only_what_is_hers(intake: Intake, key: str) -> None:
    await arrive(intake, written("Soittakaa."), key=key)
    store = intake.app.state.reply
    [waiting], _ = await store.page(staff(intake), ReplyState.WAITING)

    assert await store.waiting_count(staff(intake, "082").sight) == 1
    assert await store.waiting_count(staff(intake, "061").sight) == 0
    assert await store.get(staff(intake, "061"), waiting.row.id) is None


async def test_it_works_on_each_database(each_database: str, settings: Settings, clock: FakeClock) -> None:
    async with running_intake(settings.model_copy(update={"database": each_database}), clock) as intake:
        await intake.take_in(AINO)
        await intake.open_round(await intake.ids())
        [key] = await keys(intake)
        for words in ("2", "2", "Soittakaa."):
            await arrive(intake, written(words, name=words), key=key)
        clerk, store = staff(intake), intake.app.state.reply
        [waiting], _ = await store.page(clerk, ReplyState.WAITING)
        intake.clock.move(minutes=1)

        decided = await store.decide(waiting, Interpretation(clerk.person_id, status=OperatingStatus.NORMAL))

        assert decided.done
        assert [status for status, _, _ in await answers(intake)] in (["limited", "normal"], ["normal", "limited"])
        assert len(await intake.said("urgent")) == 2


@pytest.mark.parametrize(
    ("sender", "position"), [("Second@Example.org", 2), ("aino@example.org", 1), ("stranger@example.org", 1)]
)
async def test_the_answer_names_the_contact_whose_address_the_letter_bears(
    intake: Intake, key: str, sender: str, position: int
) -> None:
    [aino, _] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    raw = written("2").replace(b"From: aino@example.org", f"From: X <{sender}>".encode())

    await arrive(intake, raw, key=key)

    [row] = await replies(intake)
    async with intake.database.read() as session:
        answer = await session.get_one(CheckInRow, row.checkin_id)
        writer = await session.get_one(Contact, answer.contact_id)
    assert (writer.association_id, writer.position) == (aino, position)
    assert row.contact_id == answer.contact_id


@pytest.mark.parametrize("by_a_person", [False, True])
async def test_a_letter_takes_back_nothing_that_was_offered_or_needed(
    intake: Intake, key: str, by_a_person: bool
) -> None:
    form = {"status": "normal", "offer": "transport", "offer-transport": "2", "need": "search"}
    await intake.browser.post(await intake.link(), data=form)
    intake.clock.move(minutes=5)
    if by_a_person:
        await arrive(intake, written("Vähän niin ja näin"), key=key)
        [reply], _ = await intake.app.state.reply.page(staff(intake), ReplyState.WAITING)
        await intake.app.state.reply.decide(reply, Interpretation(new_id(), status=OperatingStatus.LIMITED))
    else:
        await arrive(intake, written("2"), key=key)

    before, after = await intake.said("checkin_received")
    assert (before["status"], after["status"]) == ("normal", "limited")
    assert after["offers"] == before["offers"] == [{"capability": "transport", "amount": 2}]
    assert after["needs"] == before["needs"] == [{"capability": "search", "amount": None}]

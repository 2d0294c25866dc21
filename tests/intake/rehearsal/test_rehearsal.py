"""In an exercise only those on its roster are written to; for all others the exercise answers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from httpx import codes
from sqlalchemy import select, update
from sqlmodel import col

from services.intake.invitation.handlers import InvitationHandlers
from services.intake.invitation.store import Invitation
from services.intake.registry.store import Contact
from services.intake.rehearsal.handlers import RehearsalHandlers
from services.intake.rehearsal.store import ParticipantRow, RosterNotHeardError
from shared.erased import keyed_hash
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, SimulatedNotReached
from shared.events.notify import LetterFailed, PersonErased
from shared.events.status import RoundReminded
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.settings import Settings
from tests.intake.house import AINO, BERTTA, CECILIA, Intake, Round, round_opened, started

AINO_ADDRESS = "aino@example.org"
AUTUMN = Realm("ex-autumn")
MARTAT, BYALAG, KYLASEURA = range(3)
"""Aino's association, Bertta's and Cecilia's, in the order of the register."""


@pytest.fixture
async def ids(intake: Intake) -> list[UUID]:
    await intake.take_in(AINO, BERTTA, CECILIA)
    return await intake.ids()


async def ask(intake: Intake, ids: list[UUID], *roster: str) -> Round:
    """A round of an exercise in which these addresses take part."""
    return await intake.open_round(ids, realm=AUTUMN, hours=8, roster=roster)


async def written_to(intake: Intake) -> list[str]:
    return [letter["address"] for letter in await intake.said("bulk")]


async def simulated(intake: Intake) -> dict[int, list[str]]:
    """The associations of which it was said that they are simulated, by turn."""
    told = await intake.said("simulated_asked")
    return {event["turn"]: [one["association_id"] for one in event["asked"]] for event in told}


async def not_reached(intake: Intake, opened: Round, turn: int, *association_ids: UUID) -> None:
    await InvitationHandlers(intake.app.state.invitation).on_simulated_not_reached(
        SimulatedNotReached(
            happened_at=intake.clock.now(),
            realm=AUTUMN,
            exercise_id=new_id(),
            situation_id=opened.situation_id,
            round_id=opened.round_id,
            turn=turn,
            association_ids=association_ids,
        )
    )


async def test_only_the_roster_is_written_to_and_all_others_are_simulated(intake: Intake, ids: list[UUID]) -> None:
    await ask(intake, ids, " Aino@Example.ORG ")

    [told] = await intake.said("simulated_asked")
    form = await intake.browser.get(told["asked"][0]["path"])
    assert await written_to(intake) == ["aino@example.org"]
    assert await simulated(intake) == {1: [str(ids[BYALAG]), str(ids[KYLASEURA])]}
    assert [one["municipality"] for one in told["asked"]] == ["061", "433"]
    assert form.status_code == codes.OK
    assert "HARJOITUS" in form.text
    assert await intake.said("not_reached") == []


async def test_in_the_live_realm_nobody_is_simulated(intake: Intake, ids: list[UUID]) -> None:
    await intake.enrol(AUTUMN, "aino@example.org")

    await intake.open_round(ids)

    assert sorted(await written_to(intake)) == ["aino@example.org", "bertta@example.org"]
    assert await intake.said("simulated_asked") == []
    assert len(await intake.said("not_reached")) == 1


@pytest.mark.parametrize("heard", [(), (0,), (1,)])
async def test_nobody_is_asked_before_all_of_the_roster_is_known(
    intake: Intake, ids: list[UUID], heard: tuple[int, ...]
) -> None:
    now, opened = intake.clock.now(), Round(new_id(), new_id(), intake.clock.now() + timedelta(hours=8), AUTUMN)
    event = round_opened(opened, ids, now)
    roster, start = started(AUTUMN, ["aino@example.org"], now)
    handlers = RehearsalHandlers(intake.app.state.rehearsals)
    tellings: tuple[Callable[[], Awaitable[None]], ...] = (
        partial(handlers.on_roster_frozen, roster),
        partial(handlers.on_exercise_started, start),
    )
    for which in heard:
        await tellings[which]()

    with pytest.raises(RosterNotHeardError):
        await intake.app.state.invitation.invite(event)
    early = await written_to(intake), await simulated(intake)
    for telling in (*tellings, *tellings):
        await telling()
    await intake.app.state.invitation.invite(event)

    assert early == ([], {})
    assert await written_to(intake) == ["aino@example.org"]


async def test_a_roster_in_two_parts_is_known_when_both_are(intake: Intake, ids: list[UUID]) -> None:
    first, start = started(AUTUMN, ["aino@example.org"], intake.clock.now())
    second, _ = started(AUTUMN, ["bertta@example.org"], intake.clock.now())
    opened = Round(new_id(), new_id(), intake.clock.now() + timedelta(hours=8), AUTUMN)
    event = round_opened(opened, ids, intake.clock.now())
    await intake.app.state.rehearsals.begin(start.model_copy(update={"rosters": 2}))
    await intake.app.state.rehearsals.enrol(first)
    await intake.app.state.rehearsals.enrol(first)

    with pytest.raises(RosterNotHeardError):
        await intake.app.state.invitation.invite(event)
    await intake.app.state.rehearsals.enrol(second)
    await intake.app.state.invitation.invite(event)

    assert sorted(await written_to(intake)) == ["aino@example.org", "bertta@example.org"]


async def test_of_several_contacts_only_those_on_the_roster_are_asked(intake: Intake, ids: list[UUID]) -> None:
    await intake.add_contact(ids[MARTAT], 2, "dagny@example.org")
    opened = await ask(intake, ids[:1], "dagny@example.org")
    [letter] = await intake.said("bulk")
    failed = LetterFailed(
        happened_at=intake.clock.now(),
        realm=AUTUMN,
        letter_id=opened.round_id,
        recipient_id=letter["recipient_id"],
        kind="checkin",
        reason="550",
    )

    await intake.app.state.invitation.turn_to_next(failed)

    assert await written_to(intake) == ["dagny@example.org"]
    assert [one["association_id"] for one in await intake.said("not_reached")] == [str(ids[MARTAT])]
    assert await simulated(intake) == {}


async def test_whoever_answers_for_two_associations_is_asked_for_both(intake: Intake, ids: list[UUID]) -> None:
    await intake.add_contact(ids[KYLASEURA], 2, "AINO@example.org")

    await ask(intake, ids, "aino@example.org")

    assert sorted(address.lower() for address in await written_to(intake)) == ["aino@example.org"] * 2
    assert await simulated(intake) == {1: [str(ids[BYALAG])]}


async def test_whoever_came_later_or_left_the_roster_is_not_written_to(intake: Intake, ids: list[UUID]) -> None:
    intake.clock.move(hours=-8)
    opened = await ask(intake, ids, "aino@example.org", "dagny@example.org")
    await intake.add_contact(ids[BYALAG], 5, "dagny@example.org")
    await intake.add_contact(ids[MARTAT], 2, "stranger@example.org")
    async with intake.database.write() as session:
        changed = update(Contact).where(col(Contact.email) == "aino@example.org")
        await session.execute(changed.values(email="elsewhere@example.org"))
    intake.clock.move(hours=5)
    reminded = RoundReminded(
        happened_at=intake.clock.now(),
        realm=AUTUMN,
        situation_id=opened.situation_id,
        round_id=opened.round_id,
        number=1,
    )

    await intake.app.state.invitation.turn_silent(after=timedelta(hours=4))
    await intake.app.state.reminders.remind(reminded)

    assert await written_to(intake) == ["aino@example.org"]
    assert await intake.said("not_reached") == []


async def test_one_whose_letters_would_not_arrive_is_turned_like_any_other(intake: Intake, ids: list[UUID]) -> None:
    await intake.add_contact(ids[BYALAG], 2, "eino@example.org")
    opened = await ask(intake, ids)
    for _ in range(2):
        await not_reached(intake, opened, 1, ids[BYALAG], ids[KYLASEURA])
    between = await simulated(intake), [one["association_id"] for one in await intake.said("not_reached")]

    await not_reached(intake, opened, 2, ids[BYALAG], ids[MARTAT])

    assert between == ({1: [str(one) for one in ids], 2: [str(ids[BYALAG])]}, [str(ids[KYLASEURA])])
    assert [(one["association_id"], one["reason"]) for one in await intake.said("not_reached")] == [
        (str(ids[KYLASEURA]), "no address"),
        (str(ids[BYALAG]), "no letter could be delivered"),
    ]
    assert await intake.said("bulk") == []


async def test_one_that_answered_is_left_in_peace(intake: Intake, ids: list[UUID]) -> None:
    opened = await ask(intake, ids)
    [told] = await intake.said("simulated_asked")
    taken = await intake.browser.post(told["asked"][0]["path"], data={"status": "limited"})

    await not_reached(intake, opened, 1, ids[MARTAT])

    assert taken.status_code == codes.OK
    assert await intake.said("not_reached") == []


async def test_with_the_end_its_roster_is_forgotten_and_nobody_is_asked_any_more(
    intake: Intake, ids: list[UUID]
) -> None:
    opened = await ask(intake, ids, "aino@example.org")
    ended = ExerciseEnded(happened_at=intake.clock.now(), realm=AUTUMN, exercise_id=new_id())
    await RehearsalHandlers(intake.app.state.rehearsals).on_exercise_ended(ended)
    await InvitationHandlers(intake.app.state.invitation).on_exercise_ended(ended)
    late = Round(new_id(), new_id(), opened.closes_at, AUTUMN)

    await intake.app.state.invitation.invite(round_opened(late, ids, intake.clock.now()))
    await intake.enrol(AUTUMN, "bertta@example.org")
    await not_reached(intake, opened, 1, *ids)

    assert await intake.count(ParticipantRow) == 0
    assert await written_to(intake) == ["aino@example.org"]
    assert await intake.said("not_reached") == []
    assert (await intake.browser.get(await intake.link())).status_code == codes.NOT_FOUND


async def test_an_exercise_has_no_say_in_the_live_realm(intake: Intake, ids: list[UUID]) -> None:
    handlers = RehearsalHandlers(intake.app.state.rehearsals)
    ended = ExerciseEnded(happened_at=intake.clock.now(), realm=LIVE, exercise_id=new_id())
    roster, start = started(LIVE, ["aino@example.org"], intake.clock.now())
    opened = await intake.open_round(ids)

    for telling in (handlers.on_roster_frozen(roster), handlers.on_exercise_started(start)):
        with pytest.raises(NotPermittedError):
            await telling
    with pytest.raises(NotPermittedError):
        await handlers.on_exercise_ended(ended)
    with pytest.raises(NotPermittedError):
        await InvitationHandlers(intake.app.state.invitation).on_exercise_ended(ended)

    assert (await intake.app.state.calls.round(opened.round_id)) is not None
    async with intake.database.read() as session:
        assert not any((await session.execute(select(col(Invitation.simulated)))).scalars())


async def test_whoever_is_erased_is_written_to_no_more_in_an_exercise(
    intake: Intake, ids: list[UUID], settings: Settings
) -> None:
    await ask(intake, ids, AINO_ADDRESS, "bertta@example.org")
    key = keyed_hash(settings.secret.get_secret_value(), AINO_ADDRESS.upper())
    handlers = RehearsalHandlers(intake.app.state.rehearsals)

    for _ in range(2):
        await handlers.on_person_erased(PersonErased(happened_at=intake.clock.now(), realm=LIVE, key=key))

    async with intake.app.state.house.database.read() as session:
        left = (await session.execute(select(col(ParticipantRow.address)))).scalars().all()
    assert left == ["bertta@example.org"]

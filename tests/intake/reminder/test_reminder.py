"""Reminders: to each that is silent, once for each number, with a link that answers."""

from uuid import UUID

import pytest

from services.intake.invitation.model import reply_key
from shared.events.intake import OperatingStatus
from shared.events.status import RoundReminded
from shared.realm import Realm
from tests.intake.house import ADDRESS, AINO, BERTTA, CECILIA, Intake, Round


def time_to_remind(opened: Round, intake: Intake, *, number: int = 1, last: bool = False) -> RoundReminded:
    return RoundReminded(
        happened_at=intake.clock.now(),
        realm=opened.realm,
        situation_id=opened.situation_id,
        round_id=opened.round_id,
        number=number,
        last=last,
    )


@pytest.fixture
async def opened(intake: Intake) -> Round:
    """Aino and Bertta are asked by letter; Cecilia has no address."""
    await intake.take_in(AINO, BERTTA, CECILIA)
    return await intake.open_round(await intake.ids())


async def reminded(intake: Intake) -> list[str]:
    return [letter["address"] for letter in await intake.said("bulk") if letter["kind"] == "reminder"]


async def answer(intake: Intake, link: str) -> int:
    path = link.removeprefix(ADDRESS)
    return (await intake.browser.post(path, data={"status": OperatingStatus.LIMITED.value})).status_code


async def test_those_who_have_not_answered_are_reminded_and_nobody_else(intake: Intake, opened: Round) -> None:
    await answer(intake, await intake.link(0))

    await intake.app.state.reminders.remind(time_to_remind(opened, intake))

    assert await reminded(intake) == ["bertta@example.org"]


async def test_whoever_said_not_this_time_is_left_in_peace(intake: Intake, opened: Round) -> None:
    await intake.browser.post(f"{await intake.link(0)}/not-this-time")

    await intake.app.state.reminders.remind(time_to_remind(opened, intake))

    assert await reminded(intake) == ["bertta@example.org"]


async def test_a_redelivery_reminds_nobody_twice_and_the_next_number_everybody_again(
    intake: Intake, opened: Round
) -> None:
    remind = intake.app.state.reminders.remind
    first = time_to_remind(opened, intake)

    assert [await remind(first), await remind(first)] == [2, 0]
    assert await remind(time_to_remind(opened, intake, number=2, last=True)) == 2
    letters = [letter for letter in await intake.said("bulk") if letter["kind"] == "reminder"]
    assert [(letter["shared"]["number"], letter["shared"]["last"]) for letter in letters] == [
        *[("1", "")] * 2,
        *[("2", "yes")] * 2,
    ]
    assert len({(letter["letter_id"], letter["recipient_id"]) for letter in letters}) == 4


async def test_a_reminder_is_answered_by_its_own_link_and_by_the_first_one(intake: Intake, opened: Round) -> None:
    first = await intake.link(0)
    await intake.app.state.reminders.remind(time_to_remind(opened, intake))
    [letter] = [one for one in await intake.said("bulk") if one["kind"] == "reminder" and "aino" in one["address"]]

    assert await answer(intake, letter["personal"]["link"]) == 200
    assert await answer(intake, first) == 200
    token = letter["personal"]["link"].rpartition("/")[2]
    assert letter["personal"]["reply"] == reply_key(token)


async def test_an_exercise_reminds_in_its_own_realm_and_a_closed_round_nobody(intake: Intake) -> None:
    await intake.take_in(AINO)
    opened = await intake.open_round(await intake.ids(), realm=Realm("ex-1"), hours=2)

    await intake.app.state.reminders.remind(time_to_remind(opened, intake))
    assert {letter["realm"] for letter in await intake.said("bulk")} == {"ex-1"}
    intake.clock.move(hours=3)
    assert await intake.app.state.reminders.remind(time_to_remind(opened, intake, number=2)) == 0
    unknown = time_to_remind(opened, intake).model_copy(update={"round_id": UUID(int=1)})
    assert await intake.app.state.reminders.remind(unknown) == 0


async def test_pages_of_any_length_are_gone_through(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    await intake.take_in(*(f"Seura {number};20{number};Hattula;Muut;A;a{number}@example.org;;" for number in range(7)))
    opened = await intake.open_round(await intake.ids())
    monkeypatch.setattr("services.intake.reminder.store.PAGE", 3)

    assert await intake.app.state.reminders.remind(time_to_remind(opened, intake)) == 7
    assert len(set(await reminded(intake))) == 7

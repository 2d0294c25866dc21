"""Turning to the next contact: after a silence, by day, once, and told who was asked before."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from services.intake.invitation.earlier_line import earlier_line
from services.intake.invitation.handlers import InvitationHandlers
from services.intake.invitation.jobs import InvitationJobs
from services.intake.invitation.model import AskedRound, InvitationState, Tried, may_turn, standing_without_next
from services.intake.invitation.store import Invitation, InvitationToken, RoundRow
from services.intake.registry.store import Contact
from shared.events.notify import LetterFailed
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.intake.house import AINO, Intake, Round

MORNING = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PATIENCE = timedelta(hours=4)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_only_an_urgent_round_disturbs_the_night() -> None:
    night = utc(11, 21, 22)
    calm = AskedRound(new_id(), new_id(), LIVE, {}, closes_at=utc(11, 23, 0))
    urgent = AskedRound(new_id(), new_id(), LIVE, {}, closes_at=utc(11, 23, 0), urgent=True)

    assert [may_turn(one, night) for one in (calm, urgent)] == [False, True]
    assert may_turn(calm, utc(11, 22, 8))
    assert not may_turn(urgent, utc(11, 23, 0))


def test_an_association_is_not_reached_only_if_no_letter_may_have_arrived() -> None:
    silent, failed = Tried(1, "Aino", MORNING), Tried(2, "Bertta", MORNING, MORNING)

    assert standing_without_next([silent, failed]) is InvitationState.SILENT
    assert standing_without_next([failed]) is InvitationState.UNDELIVERABLE
    assert standing_without_next([]) is InvitationState.UNDELIVERABLE


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        (
            Locale.FI,
            "Aino Kuura sai saman kyselyn 21.11.2026 10.00, mutta emme ole vielä saaneet vastausta.",
        ),
        (Locale.SELKO, "Aino Kuura sai saman kysymyksen 21.11.2026 10.00. Emme ole saaneet vastausta."),
        (Locale.SV, "Vi frågade Aino Kuura 2026-11-21 10:00 och har ännu inte fått svar."),
        (Locale.EN, "We asked Aino Kuura on 21/11/2026, 10:00 and have no answer yet."),
    ],
)
def test_the_line_says_who_was_asked_when(locale: Locale, line: str) -> None:
    assert earlier_line([Tried(1, "Aino  Kuura", MORNING)], locale).replace("\u202f", " ") == line


def test_of_many_the_last_two_are_named_and_a_name_cannot_spoil_the_letter() -> None:
    tried = [Tried(1, "Aino", MORNING), Tried(3, "", MORNING), Tried(2, "B\r\n\x07" + "ä" * 999, MORNING, MORNING)]

    line = earlier_line(tried, Locale.EN)

    assert "Aino" not in line
    assert "ä" * 48 in line
    assert "letter did not arrive. We asked another contact of yours" in line
    assert line.isprintable()
    assert len(line.encode()) < 600
    assert earlier_line([Tried(1, "Aino", None)], Locale.EN) == ""


@pytest.fixture
async def hattula(intake: Intake) -> UUID:
    """Aino's association at ten in the morning, with a second and a third contact."""
    intake.clock.move(hours=-10)
    await intake.take_in(AINO)
    [association_id] = await intake.ids()
    await intake.add_contact(association_id, 2, "second@example.org")
    await intake.add_contact(association_id, 3, "third@example.org")
    return association_id


async def turn(intake: Intake) -> bool:
    return await InvitationJobs(intake.app.state.invitation, escalate_after=PATIENCE).turn_silent()


async def addresses(intake: Intake) -> list[str]:
    return [letter["address"] for letter in await intake.said("bulk")]


async def only_invitation(intake: Intake) -> Invitation:
    async with intake.database.read() as session:
        return (await session.execute(select(Invitation))).scalars().one()


async def fail(intake: Intake, opened: Round, letter: dict[str, Any]) -> None:
    event = LetterFailed(
        happened_at=intake.clock.now(),
        realm=opened.realm,
        letter_id=opened.round_id,
        recipient_id=letter["recipient_id"],
        kind="checkin",
        reason="550 no such user",
    )
    await InvitationHandlers(intake.app.state.invitation).on_letter_failed(event)


async def test_the_next_contact_is_asked_after_a_silence_and_not_before(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula])

    intake.clock.move(hours=3, minutes=59)
    await turn(intake)
    early = await addresses(intake)
    intake.clock.move(minutes=1)
    await turn(intake)
    await turn(intake)

    assert early == ["aino@example.org"]
    assert await addresses(intake) == ["aino@example.org", "second@example.org"]
    assert "Aino Kuura sai saman kyselyn" in (await intake.said("bulk"))[1]["personal"]["earlier"]
    assert "earlier" not in (await intake.said("bulk"))[0]["personal"]


async def test_both_links_stay_good_and_one_answer_satisfies_all(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula])
    intake.clock.move(hours=4)
    await turn(intake)

    answer = await intake.browser.post(await intake.link(0), data={"status": "normal"})
    second = await intake.browser.get(await intake.link(1))
    intake.clock.move(hours=4)
    await turn(intake)

    assert answer.status_code == 200
    assert "Toimimme normaalisti" in second.text
    assert len(await addresses(intake)) == 2


async def test_when_nobody_is_left_it_becomes_silent_and_nobody_is_told_unreachable(
    intake: Intake, hattula: UUID
) -> None:
    await intake.open_round([hattula], hours=72)
    for _ in range(2):
        intake.clock.move(hours=4)
        await turn(intake)
    intake.clock.move(hours=24)
    await turn(intake)
    more = await turn(intake)

    assert await addresses(intake) == ["aino@example.org", "second@example.org", "third@example.org"]
    assert (await only_invitation(intake)).state == "silent"
    assert await intake.said("association_not_reached") == []
    assert more is False


async def test_nobody_is_asked_at_night_and_the_morning_catches_up(intake: Intake, hattula: UUID) -> None:
    intake.clock.move(hours=10)  # 20 o'clock in Finland
    await intake.open_round([hattula])

    intake.clock.move(hours=4)
    await turn(intake)
    at_night = await addresses(intake)
    intake.clock.move(hours=7)
    await turn(intake)

    assert len(at_night) == 1
    assert len(await addresses(intake)) == 2


async def test_an_urgent_round_asks_on_at_night(intake: Intake, hattula: UUID) -> None:
    intake.clock.move(hours=10)
    await intake.open_round([hattula])
    async with intake.database.write() as session:
        await session.execute(update(RoundRow).values(urgent=True))

    intake.clock.move(hours=4)
    await turn(intake)

    assert len(await addresses(intake)) == 2


@pytest.mark.parametrize("column", ["declined_at", "closed"])
async def test_whoever_declined_is_left_in_peace_and_so_are_all_when_the_round_closes(
    intake: Intake, hattula: UUID, column: str
) -> None:
    await intake.open_round([hattula], hours=3 if column == "closed" else 24)
    if column == "declined_at":
        async with intake.database.write() as session:
            await session.execute(update(Invitation).values(declined_at=intake.clock.now()))

    intake.clock.move(hours=4)
    await turn(intake)

    assert await addresses(intake) == ["aino@example.org"]


async def test_an_exercise_is_turned_alike(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula], realm=Realm("ex-autumn"))

    intake.clock.move(hours=4)
    await turn(intake)

    assert [letter["realm"] for letter in await intake.said("bulk")] == ["ex-autumn"] * 2


async def test_a_failed_letter_after_a_silence_leaves_the_silent_one_reachable(intake: Intake, hattula: UUID) -> None:
    opened = await intake.open_round([hattula])
    intake.clock.move(hours=4)
    await turn(intake)
    await fail(intake, opened, (await intake.said("bulk"))[1])
    await fail(intake, opened, (await intake.said("bulk"))[2])

    standing = await only_invitation(intake)
    not_yet = await intake.said("association_not_reached")
    await fail(intake, opened, (await intake.said("bulk"))[0])

    assert "but the letter did not arrive" not in (await intake.said("bulk"))[2]["personal"]["earlier"]
    assert (standing.state, not_yet) == ("silent", [])
    assert (await only_invitation(intake)).state == "undeliverable"
    assert [event["reason"] for event in await intake.said("association_not_reached")] == [
        "no letter could be delivered"
    ]


async def test_what_a_mail_server_said_is_kept_with_the_letter(intake: Intake, hattula: UUID) -> None:
    opened = await intake.open_round([hattula])
    await fail(intake, opened, (await intake.said("bulk"))[0])

    async with intake.database.read() as session:
        failed = (await session.execute(select(InvitationToken).where(col(InvitationToken.position) == 1))).scalars()
        row = failed.one()
        contact = await session.get_one(Contact, row.contact_id)

    assert (row.failed_at, row.failure, contact.state) == (intake.clock.now(), "550 no such user", "failed")
    assert await addresses(intake) == ["aino@example.org", "second@example.org"]


@pytest.mark.slow
async def test_many_are_turned_in_bounded_batches_once_each(intake: Intake) -> None:
    intake.clock.move(hours=-10)
    await intake.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 151)))
    ids = await intake.ids()
    for association_id in ids:
        await intake.add_contact(association_id, 2, f"{association_id}@example.org")
    await intake.open_round(ids)
    intake.clock.move(hours=4)

    first = await turn(intake)
    rest = await asyncio.gather(turn(intake), turn(intake), turn(intake))

    assert first is True
    assert not all(rest)
    assert len(await addresses(intake)) == len(set(await addresses(intake))) == 300

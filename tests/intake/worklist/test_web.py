"""What waits for a clerk: failed addresses, wrong numbers, and whom nobody can reach."""

from datetime import time
from uuid import UUID

import pytest

from services.intake.calling.model import Outcome
from services.intake.invitation.handlers import InvitationHandlers
from shared.events.notify import LetterFailed
from shared.identity import Role
from tests.intake.calling.people import ask_all, invitation_of, note_call
from tests.intake.house import Intake, Round


@pytest.fixture
async def clerk(intake: Intake) -> UUID:
    return await intake.sign_in(Role.CLERK)


async def fail_first(intake: Intake, opened: Round) -> None:
    letter = (await intake.said("bulk"))[0]
    event = LetterFailed(
        happened_at=intake.clock.now(),
        realm=opened.realm,
        letter_id=opened.round_id,
        recipient_id=letter["recipient_id"],
        kind="checkin",
        reason="550 no <such> user",
    )
    await InvitationHandlers(intake.app.state.invitation).on_letter_failed(event)


@pytest.mark.usefixtures("clerk")
async def test_a_failed_address_waits_with_what_was_said_of_it(intake: Intake) -> None:
    opened = await ask_all(intake)
    await fail_first(intake, opened)

    page = await intake.browser.get("/work-list/failed")
    trays = await intake.browser.get("/work-list")

    assert "Hattulan Martat" in page.text
    assert "550 no &lt;such&gt; user" in page.text
    assert "21.11.2026 20.00" in page.text
    assert "aino@example.org" in page.text
    assert '<span class="figure-number">1</span> <a href="/work-list/failed">' in trays.text


@pytest.mark.usefixtures("clerk")
async def test_whom_nobody_can_reach_waits_by_name(intake: Intake) -> None:
    await ask_all(intake)

    page = await intake.browser.get("/work-list/unreachable")

    assert "Hattulan Partio" in page.text
    assert "Lopen Kyläseura" not in page.text


async def test_the_trays_count_what_waits(intake: Intake, clerk: UUID) -> None:
    await ask_all(intake)
    await note_call(
        intake, await invitation_of(intake, "Lopen Kyläseura"), Outcome.WRONG_NUMBER, person_id=clerk, at=time(9)
    )

    page = await intake.browser.get("/work-list")

    counts = [part.partition("<")[0] for part in page.text.split('figure-number">')[1:]]
    assert counts == ["5", "0", "0", "0", "1", "1"]


@pytest.mark.parametrize("path", ["/work-list", "/work-list/failed", "/work-list/unreachable"])
async def test_a_limited_clerk_sees_nothing_of_other_places(intake: Intake, path: str) -> None:
    opened = await ask_all(intake)
    await fail_first(intake, opened)
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"061"}))

    page = await intake.browser.get(path)

    assert page.status_code == 200
    assert "Hattulan" not in page.text

"""Whoever has signed up is told of a new time, or that the exercise was cancelled: once, and not of a slip."""

from datetime import timedelta

import pytest

from services.exercise.enrolment.jobs import EnrolmentJobs
from services.exercise.enrolment.model import TOLD_AFTER
from services.exercise.exercise.store import ExerciseStore
from services.notify.delivery.letter_format import build
from services.notify.delivery.model import Kind
from shared.events.notify import LetterRequested
from shared.i18n import Locale
from tests.exercise.test_enrolment import BERTTA, HERE, WHEN, Office, office
from tests.notify.delivery.test_letters import IMPRINT, aino, letter, part, read

__all__ = ["office"]

LATER = {**WHEN, "day": "2027-02-18", "announced": "yes"}

SUBJECTS = {
    Locale.FI: {"moved": "Harjoituksella on uusi aika", "cancelled": "Harjoitus on peruttu"},
    Locale.SELKO: {"moved": "Harjoituksen aika muuttui", "cancelled": "Harjoitus on peruttu"},
    Locale.SV: {"moved": "En övning har en ny tid", "cancelled": "En övning är inställd"},
    Locale.EN: {"moved": "An exercise has a new time", "cancelled": "An exercise was cancelled"},
}


async def told(office: Office, *, after: timedelta = TOLD_AFTER) -> list[LetterRequested]:
    """All notices, once so much time has gone by since the last change."""
    office.clock.move(seconds=after.total_seconds())
    jobs = EnrolmentJobs(office.enrolment)
    while await jobs.tell():
        continue
    return [event for event in await office.told() if isinstance(event, LetterRequested)]


async def announce(office: Office, form: dict[str, str]) -> None:
    answer = await office.aino.post(f"{office.board}/announcement", data=form)
    assert answer.status_code == 303


async def test_a_new_time_is_told_once_with_a_link_that_leads_to_the_sign_up(office: Office) -> None:
    await office.signed_up()
    nothing = await told(office)
    await announce(office, LATER)
    [notice] = await told(office)
    again = await told(office)

    page = await office.stranger.get(notice.personal["link"].removeprefix(HERE))
    assert nothing == []
    assert again == [notice]
    assert (notice.kind, notice.address, notice.locale) == ("sign_up", "bertta@example.org", "sv")
    assert notice.shared["purpose"] == "moved"
    assert notice.shared["closes_at"] == "2027-02-18T08:00:00+00:00"
    assert page.status_code == 200


async def test_what_was_taken_away_or_called_off_is_told_as_cancelled(office: Office) -> None:
    await office.signed_up()
    await announce(office, WHEN)
    [taken_away] = await told(office)
    await announce(office, {**WHEN, "announced": "yes"})
    _, on_again = await told(office)
    exercises: ExerciseStore = office.app.state.exercises
    await exercises.end(office.exercise_id)
    *_, called_off = await told(office)

    assert [one.shared["purpose"] for one in (taken_away, on_again, called_off)] == ["cancelled", "moved", "cancelled"]
    assert len({one.letter_id for one in (taken_away, on_again, called_off)}) == 3


async def test_a_slip_that_is_mended_at_once_tells_nobody(office: Office) -> None:
    await office.signed_up()
    await announce(office, LATER)
    too_soon = await told(office, after=TOLD_AFTER - timedelta(seconds=1))
    await announce(office, {**WHEN, "announced": "yes"})

    assert too_soon == []
    assert await told(office) == []


async def test_a_better_text_tells_nobody_and_who_has_not_confirmed_is_left_alone(office: Office) -> None:
    await office.signed_up()
    await office.stranger.post(office.page, data=BERTTA | {"email": "cecilia@example.org"})
    await announce(office, {**WHEN, "announced": "yes", "text_fi": "Harjoittelemme talvimyrskyä yhdessä."})
    better = await told(office)
    await announce(office, LATER)

    assert better == []
    assert [one.address for one in await told(office)] == ["bertta@example.org"]


async def test_who_takes_part_in_an_exercise_that_runs_or_is_past_is_told_nothing(office: Office) -> None:
    await office.signed_up()
    await announce(office, LATER)
    exercises: ExerciseStore = office.app.state.exercises
    await exercises.start(office.exercise_id)
    while_it_runs = await told(office)
    await exercises.end(office.exercise_id)

    assert while_it_runs == []
    assert await told(office, after=timedelta(days=400)) == []


@pytest.mark.parametrize("locale", list(SUBJECTS))
@pytest.mark.parametrize("purpose", ["moved", "cancelled"])
def test_the_notice_says_what_it_is_in_every_language(locale: Locale, purpose: str) -> None:
    shared = {"name.fi": "Talvimyrsky", "closes_at": "2027-02-18T08:00:00+00:00", "purpose": purpose}

    message = read(build(letter(Kind.SIGN_UP, shared=shared), locale, imprint=IMPRINT).fill(aino(Kind.SIGN_UP)))

    assert message["Subject"] == SUBJECTS[locale][purpose]
    assert "Talvimyrsky" in part(message, "plain")
    assert "Talvimyrsky" in part(message, "html")
    assert ("18" in part(message, "plain")) is (purpose == "moved")

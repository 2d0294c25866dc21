"""Announcements: what is told of an exercise before it begins, on the public pages and in calendars."""

from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar

from services.exercise.announcement.exercises_ics import exercises_ics
from services.exercise.announcement.model import Announced, Announcement, Draft, Stage, announce, proposed
from services.exercise.exercise.model import Draft as ExerciseDraft
from services.exercise.exercise.model import Exercise, Moved, Planned, State, end, plan, start
from shared.i18n import Locale
from shared.ids import new_id
from tests.exercise.conftest import AINO, STORM
from tests.fakes import STORM_EVENING

NOW = STORM_EVENING
TEXTS = {"fi": "Harjoittelemme talvimyrskyä.", "sv": "Vi övar en vinterstorm."}
DRAFT = Draft("2027-02-11", "10:00", "3:30", TEXTS, announced=True)


def exercise() -> Exercise:
    planned = plan(ExerciseDraft(STORM, 60, ""), exercise_id=new_id(), situation_id=new_id(), leader=AINO, now=NOW)
    assert isinstance(planned, Planned)
    return planned.exercise


def announcement(draft: Draft = DRAFT, present: Announcement | None = None) -> Announcement:
    outcome = announce(draft, present, now=NOW)
    assert isinstance(outcome, Announcement), outcome
    return outcome


def over(one: Exercise) -> Exercise:
    outcome = end(one, NOW, aborted=True)
    assert isinstance(outcome, Moved)
    return outcome.exercise


def event_of(announced: Announced, locale: Locale = Locale.FI) -> dict[str, object]:
    calendar = Calendar.from_ical(exercises_ics([announced], locale, public_url="https://valmius.example.org"))
    [event] = calendar.walk("VEVENT")
    return dict(event)


def test_a_moment_is_meant_as_clocks_in_finland_show_it() -> None:
    kept = announcement()

    assert kept.starts_at == datetime(2027, 2, 11, 8, 0, tzinfo=UTC)
    assert kept.ends_at - kept.starts_at == timedelta(hours=3, minutes=30)
    assert kept.public_since == NOW


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"day": "soon"}, "day"),
        ({"at": ""}, "day"),
        ({"day": "2020-01-01"}, "day"),
        ({"length": "three hours"}, "length"),
        ({"length": "0:00"}, "length"),
        ({"length": "337:00"}, "length"),
        ({"texts": {"sv": "Vi övar."}}, "text_fi"),
        ({"texts": {"fi": "x", "fi@selko": "y" * 2001}}, "text_selko"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(changed: dict[str, object], field: str) -> None:
    draft = Draft(**{**vars(DRAFT), **changed})

    outcome = announce(draft, None, now=NOW)

    assert not isinstance(outcome, Announcement)
    assert [problem.field for problem in outcome] == [field]


def test_changes_are_counted_once_it_is_public_and_saying_the_same_again_is_none() -> None:
    hidden = announcement(Draft(**{**vars(DRAFT), "announced": False}))
    shown = announcement(DRAFT, hidden)
    later = announcement(Draft(**{**vars(DRAFT), "at": "11.00"}), shown)

    assert hidden.public_since is None
    assert (shown.sequence, announcement(DRAFT, shown)) == (0, shown)
    assert later.sequence == 1
    assert announcement(Draft(**{**vars(DRAFT), "announced": False}), later).sequence == 2


def test_a_reader_of_a_missing_language_gets_the_finnish_text() -> None:
    kept = announcement()

    assert kept.text(Locale.SV) == ("Vi övar en vinterstorm.", Locale.SV)
    assert kept.text(Locale.EN) == ("Harjoittelemme talvimyrskyä.", Locale.FI)
    assert proposed(exercise()).keys() == {"fi", "sv", "en"}


def test_an_exercise_is_open_until_its_leader_starts_it() -> None:
    planned, kept = exercise(), announcement()
    begun = start(planned, [], NOW)
    assert isinstance(begun, Moved)

    assert kept.stage(planned) is Stage.OPEN
    assert kept.stage(begun.exercise) is Stage.RUNNING
    assert kept.stage(over(begun.exercise)) is Stage.OVER
    assert kept.stage(over(planned)) is Stage.CANCELLED
    assert announcement(Draft(**{**vars(DRAFT), "announced": False}), kept).stage(planned) is Stage.CANCELLED
    assert over(planned).state is State.ABORTED


@pytest.mark.parametrize(
    ("locale", "mark"),
    [(Locale.FI, "HARJOITUS"), (Locale.SELKO, "HARJOITUS"), (Locale.SV, "ÖVNING"), (Locale.EN, "EXERCISE")],
)
def test_an_entry_in_a_calendar_says_first_that_it_is_an_exercise(locale: Locale, mark: str) -> None:
    announced = Announced(exercise(), announcement())

    event = event_of(announced, locale)

    assert str(event["SUMMARY"]).startswith(f"{mark}: ")
    assert str(event["STATUS"]) == "CONFIRMED"
    assert str(event["URL"]) == f"https://valmius.example.org/exercise/announced/{announced.exercise.id}"


def test_an_exercise_that_is_called_off_is_cancelled_in_calendars_under_the_same_uid() -> None:
    planned, kept = exercise(), announcement()

    before, after = event_of(Announced(planned, kept)), event_of(Announced(over(planned), kept))

    assert before["UID"] == after["UID"]
    assert (int(str(before["SEQUENCE"])), int(str(after["SEQUENCE"]))) == (0, 1)
    assert str(after["STATUS"]) == "CANCELLED"

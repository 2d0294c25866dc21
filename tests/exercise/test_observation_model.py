"""An observation: what must be in it, and when its corrective action is late."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from services.exercise.observation.model import (
    Draft,
    Flaw,
    Observation,
    Refused,
    Sort,
    closed,
    reopened,
    write_observation,
)
from shared.realm import Realm
from tests.fakes import STORM_EVENING

DRAFT = Draft(
    "to-improve",
    "Warm rooms were found slowly.",
    "warm-rooms",
    "Ask for rooms in the yearly survey.",
    "Secretariat of the council",
    "2026-12-31",
)


def written(draft: Draft) -> Observation | Refused:
    return write_observation(
        draft, observation_id=UUID(int=1), realm=Realm("ex-1"), objectives=["warm-rooms"], now=STORM_EVENING
    )


def test_what_is_to_improve_has_a_corrective_action_with_who_and_when() -> None:
    found = written(DRAFT)

    assert isinstance(found, Observation)
    assert (found.sort, found.owner, found.due) == (Sort.TO_IMPROVE, "Secretariat of the council", date(2026, 12, 31))
    assert found.open_action
    assert not found.late(date(2026, 12, 31))
    assert found.late(date(2027, 1, 1))


def test_a_strength_needs_nothing_but_its_text() -> None:
    found = written(replace(DRAFT, sort="strength", due="31.12."))

    assert isinstance(found, Observation)
    assert (found.action, found.owner, found.due, found.open_action) == ("", "", None, False)


@pytest.mark.parametrize(
    ("changed", "flaw"),
    [
        ({"sort": "good"}, Flaw.NO_SORT),
        ({"text": "  \n "}, Flaw.NO_TEXT),
        ({"text": "a" * 2001}, Flaw.TEXT_TOO_LONG),
        ({"objective": "speed"}, Flaw.OBJECTIVE_UNKNOWN),
        ({"action": "a" * 2001}, Flaw.ACTION_TOO_LONG),
        ({"owner": ""}, Flaw.NO_OWNER),
        ({"owner": "a" * 101}, Flaw.OWNER_TOO_LONG),
        ({"owner": "aino@example.org"}, Flaw.OWNER_PRIVATE),
        ({"owner": "Aino, 040 1234567"}, Flaw.OWNER_PRIVATE),
        ({"due": ""}, Flaw.NO_DUE),
        ({"due": "31.12."}, Flaw.DUE_UNREADABLE),
        ({"due": "0026-12-31"}, Flaw.DUE_UNREADABLE),
    ],
)
def test_each_flaw_is_told_alone(changed: dict[str, str], flaw: Flaw) -> None:
    assert written(replace(DRAFT, **changed)) == Refused((flaw,))


def test_a_corrective_action_is_closed_once_and_can_be_opened_again() -> None:
    found = written(DRAFT)
    assert isinstance(found, Observation)

    done = closed(found, STORM_EVENING)

    assert not done.open_action
    assert closed(done, STORM_EVENING + timedelta(days=1)).closed_at == STORM_EVENING
    assert reopened(done) == found

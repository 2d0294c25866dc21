"""Model: the two letters by which those who take part are told that an exercise begins and that it is over."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from services.notify.delivery.model import Kind, Lane, Letter
from shared.realm import Realm

STARTED_FOR: Final = timedelta(days=1)
ENDED_FOR: Final = timedelta(days=3)
"""How long these letters are tried."""

ROSTER_KEPT: Final = timedelta(days=30)
"""So long after the end of an exercise it is still known who took part: longer than the bus tells of it again."""


def started_letter(realm: Realm, exercise_id: UUID, names: Mapping[str, str], *, at: datetime) -> Letter:
    """What tells the roster that the exercise began `at`. It goes before the letters of the exercise, in their lane."""
    return Letter(
        realm=realm,
        letter_id=uuid5(exercise_id, Kind.EXERCISE_STARTED),
        kind=Kind.EXERCISE_STARTED,
        lane=Lane.BULK,
        not_after=at + STARTED_FOR,
        shared=_named(names),
    )


def ended_letter(realm: Realm, exercise_id: UUID, names: Mapping[str, str], *, at: datetime, aborted: bool) -> Letter:
    """What tells the roster that it was over `at`. No broadcast stands before it."""
    return Letter(
        realm=realm,
        letter_id=uuid5(exercise_id, Kind.EXERCISE_ENDED),
        kind=Kind.EXERCISE_ENDED,
        lane=Lane.URGENT,
        not_after=at + ENDED_FOR,
        shared={**_named(names), "aborted": "yes" if aborted else ""},
    )


def _named(names: Mapping[str, str]) -> dict[str, str]:
    return {f"name.{locale}": name for locale, name in {"fi": "", **names}.items()}

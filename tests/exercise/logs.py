"""A log of an exercise to be heard in any order: whom the round asked, and what they did."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from services.exercise.association.handlers import AssociationHandlers
from services.exercise.evaluation.handlers import EvaluationHandlers
from services.exercise.exercise.model import Exercise
from shared.events import Event
from shared.events.intake import (
    AnswersRehearsed,
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    NetworkChanged,
    RehearsedAnswer,
)
from shared.events.notify import BroadcastFinished, GuidancePublished
from shared.events.status import RoundClosed, RoundOpened, SituationOpened
from shared.ids import new_id
from shared.realm import LIVE, Realm

NAMESPACE = UUID("0199a001-0000-7000-8000-000000000000")
PLACES = ("834", "433", "061", "082")
SECTORS = ("nature", "social-health", "village")


def association_id(number: int) -> UUID:
    return uuid5(NAMESPACE, str(number))


def registered(count: int, now: datetime) -> list[Event]:
    """What the registry tells of so many associations and one network, of which every second is a member."""
    told: list[Event] = [
        AssociationChanged(
            happened_at=now,
            realm=LIVE,
            association_id=association_id(number),
            version=1,
            name=f"Association {number}",
            municipality=PLACES[number % len(PLACES)],
            sector=SECTORS[number % len(SECTORS)],
            networks=("silta",) if number % 2 else (),
        )
        for number in range(count)
    ]
    names = {"fi": "SILTA-verkosto", "sv": "Nätverket SILTA", "en": "SILTA network"}
    return [*told, NetworkChanged(happened_at=now, realm=LIVE, code="silta", names=names)]


@dataclass(frozen=True)
class Played:
    """How an exercise's round went: `asked` associations, of which the first answered after these many real seconds,
    the next so many declined, and the next so many were not reached."""

    exercise: Exercise
    round_at: datetime
    asked: int
    answers: Sequence[float]
    declined: int = 0
    not_reached: int = 0

    @property
    def realm(self) -> Realm:
        return self.exercise.realm

    def events(self) -> list[Event]:
        """All that is told of it; the round in two parts."""
        round_id, situation_id, at = new_id(), self.exercise.situation_id, self.round_at
        ids = tuple(association_id(number) for number in range(self.asked))
        of_round = {"realm": self.realm, "situation_id": situation_id, "round_id": round_id}
        told: list[Event] = [
            SituationOpened(
                happened_at=at, realm=self.realm, situation_id=situation_id, kind="storm", names={}, municipalities=()
            ),
            *(
                RoundOpened(
                    happened_at=at, names={}, closes_at=at, association_ids=part, part=number, parts=2, **of_round
                )
                for number, part in enumerate((ids[::2], ids[1::2]), 1)
            ),
            RoundClosed(happened_at=at + timedelta(hours=1), **of_round),
        ]
        told += [event for again in (5, 0) for event in self._answered(ids, at + timedelta(seconds=again))]
        left = ids[len(self.answers) :]
        told += [AssociationDeclined(happened_at=at, association_id=one, **of_round) for one in left[: self.declined]]
        gone = left[self.declined : self.declined + self.not_reached]
        told += [
            AssociationNotReached(happened_at=at, association_id=one, reason="no contact", **of_round) for one in gone
        ]
        return told

    def guidance(self, seconds: float, kind: str = "alert") -> list[Event]:
        """Guidance was published so many real seconds after the round, and reached two participants."""
        at, guidance_id = self.round_at + timedelta(seconds=seconds), new_id()
        return [
            GuidancePublished(happened_at=at, realm=self.realm, guidance_id=guidance_id, revision=1, kind=kind),
            BroadcastFinished(happened_at=at, realm=self.realm, guidance_id=guidance_id, revision=1, sent=2, failed=0),
        ]

    def _answered(self, ids: Sequence[UUID], at: datetime) -> Iterator[AnswersRehearsed]:
        """Told in threes."""
        answers = tuple(map(_answer, ids, [at + timedelta(seconds=seconds) for seconds in self.answers]))
        for begin in range(0, len(answers), 3):
            yield AnswersRehearsed(happened_at=at, realm=self.realm, answers=answers[begin : begin + 3])


def _answer(association_id: UUID, at: datetime) -> RehearsedAnswer:
    return RehearsedAnswer(association_id=association_id, reported_at=at)


async def hear(events: Sequence[Event], registry: AssociationHandlers, notes: EvaluationHandlers) -> None:
    """Have each event handled by who hears it."""
    for event in events:
        handlers = registry if hasattr(registry, f"on_{event.fact}") else notes
        await getattr(handlers, f"on_{event.fact}")(event)

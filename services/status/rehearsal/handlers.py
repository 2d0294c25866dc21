"""Handlers: an exercise opens its situation and its rounds, and all of it ends with the exercise."""

from services.status.rehearsal.model import rehearsed_round, rehearsed_situation
from services.status.rehearsal.store import RunningExercises
from services.status.round.store import RoundStore
from services.status.situation.model import Refused, Situation
from services.status.situation.store import SituationStore
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RoundScript
from shared.log import logger
from shared.realm import Realm
from shared.rehearsals import EndedExercises

log = logger(__name__)


class RehearsalHandlers:
    """Plays what was put in, in the realm of the exercise alone. What is told again changes nothing."""

    def __init__(
        self, situations: SituationStore, rounds: RoundStore, ended: EndedExercises, *, running: RunningExercises
    ) -> None:
        self._situations = situations
        self._rounds = rounds
        self._ended = ended
        self._running = running

    async def on_exercise_started(self, event: ExerciseStarted) -> None:
        """Know that it runs, unless it has ended already."""
        if event.realm.live:
            raise NotPermittedError("an exercise cannot run in the live realm")
        await self._running.begun(event)
        if await self._ended.knows(event.exercise_id):
            await self._running.over(event.realm)

    async def on_inject_fired(self, event: InjectFired) -> None:
        """Open the situation that it opens, and the round, which may be heard of first. If the exercise had ended by
        then, close them again."""
        if event.opens_situation is None:
            return
        opened = rehearsed_situation(event.opens_situation, event)
        if isinstance(opened, Refused):
            log.warning("an exercise opened no situation", reason=", ".join(opened.flaws))
            return
        await self._situations.open(opened)
        if event.opens_round is not None:
            await self._ask(opened.situation, event.opens_round, event)
        if await self._ended.knows(event.exercise_id):
            await self._close_all(event.realm)

    async def on_exercise_ended(self, event: ExerciseEnded) -> None:
        """Close every situation of its realm, and their rounds."""
        if event.realm.live:
            raise NotPermittedError("an exercise cannot close anything outside its realm")
        await self._ended.remember(event.exercise_id)
        await self._running.over(event.realm)
        await self._close_all(event.realm)

    async def _ask(self, situation: Situation, script: RoundScript, event: InjectFired) -> None:
        drafted = rehearsed_round(situation, script, event)
        outcome = drafted if isinstance(drafted, Refused) else await self._rounds.open(situation, drafted)
        if isinstance(outcome, Refused):
            log.info("an exercise opened no round", reason=", ".join(outcome.flaws))

    async def _close_all(self, realm: Realm) -> None:
        for situation in await self._situations.open_in(realm):
            await self._situations.close(situation)

"""Handlers: what happens in the realm of an exercise is noted for its evaluation; the live realm is passed over."""

from services.exercise.evaluation.model import Fact, Happening, Noted
from services.exercise.evaluation.store import EvaluationStore, OfAssociations, OfExercise
from shared.events import Event
from shared.events.intake import AnswersRehearsed, AssociationDeclined, AssociationNotReached
from shared.events.notify import BroadcastFinished, GuidancePublished
from shared.events.status import RoundClosed, RoundOpened, SituationOpened
from shared.log import logger

log = logger(__name__)

KINDS = {
    "alert": Happening.GUIDANCE_PUBLISHED,
    "update": Happening.GUIDANCE_UPDATED,
    "cancel": Happening.GUIDANCE_WITHDRAWN,
}


class EvaluationHandlers:
    """Notes each fact; telling it again changes nothing."""

    def __init__(self, store: EvaluationStore) -> None:
        self._store = store

    async def on_situation_opened(self, event: SituationOpened) -> None:
        """Note that the exercise's situation was opened."""
        await self._note(event, Noted(Happening.SITUATION_OPENED, str(event.situation_id), event.happened_at))

    async def on_round_opened(self, event: RoundOpened) -> None:
        """Note the round, and whom it asked. Its parts come in any order."""
        if event.realm.live:
            return
        await self._note(event, Noted(Happening.ROUND_OPENED, str(event.round_id), event.happened_at))
        asked = dict.fromkeys(event.association_ids, event.happened_at)
        await self._store.hear(OfAssociations(event.realm, Fact.ASKED, asked))

    async def on_round_closed(self, event: RoundClosed) -> None:
        """Note that the round takes no more answers."""
        await self._note(event, Noted(Happening.ROUND_CLOSED, str(event.round_id), event.happened_at))

    async def on_answers_rehearsed(self, event: AnswersRehearsed) -> None:
        """Note when these associations answered first."""
        if not event.realm.live:
            latest_first = sorted(event.answers, key=lambda answer: answer.reported_at, reverse=True)
            first = {answer.association_id: answer.reported_at for answer in latest_first}
            await self._store.hear(OfAssociations(event.realm, Fact.ANSWERED, first))

    async def on_association_not_reached(self, event: AssociationNotReached) -> None:
        """Note that no letter reached the association."""
        await self._fact(event, Fact.NOT_REACHED)

    async def on_association_declined(self, event: AssociationDeclined) -> None:
        """Note that the association will not answer."""
        await self._fact(event, Fact.DECLINED)

    async def on_guidance_published(self, event: GuidancePublished) -> None:
        """Note what became of guidance."""
        what = KINDS.get(event.kind)
        if what is None:
            log.info("not noted", fact=event.fact, kind=event.kind)
            return
        await self._note(event, Noted(what, f"{event.guidance_id}:{event.revision}", event.happened_at))

    async def on_broadcast_finished(self, event: BroadcastFinished) -> None:
        """Note to how many participants the guidance went."""
        key = f"{event.guidance_id}:{event.revision}"
        await self._note(event, Noted(Happening.BROADCAST_FINISHED, key, event.happened_at, event.sent, event.failed))

    async def _fact(self, event: AssociationNotReached | AssociationDeclined, fact: Fact) -> None:
        if not event.realm.live:
            await self._store.hear(OfAssociations(event.realm, fact, {event.association_id: event.happened_at}))

    async def _note(self, event: Event, noted: Noted) -> None:
        if not event.realm.live:
            await self._store.hear(OfExercise(event.realm, noted))

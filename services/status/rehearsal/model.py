"""Model: the situation and the round of an exercise, as its scenario scripts them."""

from services.status.association.model import Filter
from services.status.situation.model import (
    ALL_SECTORS,
    Names,
    Opened,
    Refused,
    Round,
    RoundDraft,
    Situation,
    SituationDraft,
    open_round,
    open_situation,
)
from shared.events import NotPermittedError
from shared.events.exercise import InjectFired, RoundScript, SituationScript
from shared.identity import Role

FRESHNESS_HOURS = 12

BREAKS_OFF = (Role.LIAISON, Role.EXERCISE_LEADER, Role.ADMINISTRATOR)
"""Who may end a running exercise when something real happens."""


def rehearsed_situation(script: SituationScript, event: InjectFired) -> Opened | Refused:
    """The situation that an inject opens. Raises NotPermittedError in the live realm."""
    if event.realm.live:
        raise NotPermittedError("an exercise cannot open anything outside its realm")
    draft = SituationDraft(
        names=Names(**{locale: script.names.get(locale, "") for locale in ("fi", "sv", "en")}),
        kind=script.kind,
        municipalities=script.municipalities,
        freshness_hours=FRESHNESS_HOURS,
    )
    return open_situation(
        draft, situation_id=script.situation_id, realm=event.realm, opened_by=event.leader, now=event.happened_at
    )


def rehearsed_round(situation: Situation, script: RoundScript, event: InjectFired) -> Round | Refused:
    """The round that an inject opens: it asks everybody in the situation's area."""
    draft = RoundDraft(asks=Filter(situation.municipalities, ALL_SECTORS), hours=script.hours)
    return open_round(situation, draft, round_id=script.round_id, opened_by=event.leader, now=event.happened_at)

"""Model of injects: the letter by which one reaches those who take part."""

from datetime import timedelta
from uuid import uuid5

from services.notify.delivery.model import Kind, Lane, Letter
from shared.events.exercise import InjectFired

HOLDS = timedelta(hours=2)
"""So long an inject may come late; after that the play has gone on without it."""


def letter_of_inject(event: InjectFired) -> Letter:
    """The letter of an inject: always the same one, however often the inject is told."""
    told = {f"text.{locale}": text for locale, text in event.texts.items()}
    senders = {f"sender.{locale}": sender for locale, sender in event.senders.items()}
    return Letter(
        realm=event.realm,
        letter_id=uuid5(event.exercise_id, f"inject {event.number}"),
        kind=Kind.INJECT,
        lane=Lane.BULK,
        not_after=event.happened_at + HOLDS,
        shared=told | senders,
    )

"""Notify: says what the council says.

Owns: subscribers and consent, guidance and its revisions, the delivery ledger, letters that came back. The only service
that sends mail.
Hears: wishes for letters (check-in, sign-in), situations opened, changed and closed, ended sessions,
rosters, injects and ends of exercises.
Says: LetterSent, LetterFailed, LetterReturned, GuidancePublished, BroadcastFinished, PersonErased.
Serves: the public page and its feeds, its parts for other sites, the guidance desk, subscribing and leaving,
the channels to partners' systems.
"""

from shared.events.exercise import ExerciseEnded, InjectFired, RosterFrozen
from shared.events.intake import SessionEnded
from shared.events.notify import (
    BroadcastFinished,
    GuidancePublished,
    LetterFailed,
    LetterRequested,
    LetterReturned,
    LetterSent,
    PersonErased,
    UrgentLetterRequested,
)
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.streams import Voice

VOICE = Voice(
    "notify",
    says=(LetterSent, LetterFailed, LetterReturned, GuidancePublished, BroadcastFinished, PersonErased),
    hears=(
        UrgentLetterRequested,
        LetterRequested,
        SituationOpened,
        SituationChanged,
        SituationClosed,
        SessionEnded,
        RosterFrozen,
        InjectFired,
        ExerciseEnded,
    ),
)

SERVES: tuple[str, ...] = (
    "/",
    "/guidance",
    "/subscribe",
    "/s/",
    "/m/",
    "/g/",
    "/prepare",
    "/feeds",
    "/embed",
    "/notify/",
    "/channels",
)

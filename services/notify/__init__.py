"""Notify: says what the council says.

Owns: subscribers and consent, guidance and its revisions, the delivery ledger. The only service that speaks SMTP.
Hears: wishes for letters (check-in, sign-in), situations opened, changed and closed, ended sessions,
rosters and ends of exercises.
Says: LetterSent, LetterFailed, GuidancePublished, BroadcastFinished.
Serves: the public page and its feeds, its parts for other sites, the guidance desk, subscribing and leaving.
"""

from shared.events.exercise import ExerciseEnded, RosterFrozen
from shared.events.intake import SessionEnded
from shared.events.notify import (
    BroadcastFinished,
    GuidancePublished,
    LetterFailed,
    LetterRequested,
    LetterSent,
    UrgentLetterRequested,
)
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.streams import Voice

VOICE = Voice(
    "notify",
    says=(LetterSent, LetterFailed, GuidancePublished, BroadcastFinished),
    hears=(
        UrgentLetterRequested,
        LetterRequested,
        SituationOpened,
        SituationChanged,
        SituationClosed,
        SessionEnded,
        RosterFrozen,
        ExerciseEnded,
    ),
)

SERVES: tuple[str, ...] = ("/", "/guidance", "/subscribe", "/s/", "/m/", "/g/", "/feeds", "/embed", "/notify/")

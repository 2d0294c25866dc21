"""The service `exercise`: it rehearses what the others do, and alarms nobody.

Owns scenarios, exercises with their clocks, injects, announcements, sign-ups and rosters, and what simulated
associations answer; what was heard in them, judgements and observations.
Hears SimulatedAsked, SessionEnded, PersonErased, what happens in exercises' realms; of the registry names and places.
Says ExerciseStarted, RosterFrozen, InjectFired, SimulatedNotReached, ExerciseEnded; wishes for the letters that answer
a sign-up, and tell of a new time or that it was cancelled.
Serves the pages of those who lead exercises, the public ones on which exercises are announced, and the reports of what
they showed.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RosterFrozen, SimulatedNotReached
from shared.events.intake import (
    AnswersRehearsed,
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    NetworkChanged,
    SessionEnded,
    SimulatedAsked,
)
from shared.events.notify import (
    BroadcastFinished,
    GuidancePublished,
    LetterRequested,
    PersonErased,
    UrgentLetterRequested,
)
from shared.events.status import RoundClosed, RoundOpened, SituationOpened
from shared.streams import Voice

VOICE = Voice(
    "exercise",
    says=(
        *(ExerciseStarted, RosterFrozen, InjectFired, SimulatedNotReached, ExerciseEnded),
        *(UrgentLetterRequested, LetterRequested),
    ),
    hears=(
        SimulatedAsked,
        SessionEnded,
        PersonErased,
        # for the evaluation
        AssociationChanged,
        NetworkChanged,
        SituationOpened,
        RoundOpened,
        RoundClosed,
        AnswersRehearsed,
        AssociationNotReached,
        AssociationDeclined,
        GuidancePublished,
        BroadcastFinished,
    ),
)

SERVES: tuple[str, ...] = ("/exercises", "/exercise/")

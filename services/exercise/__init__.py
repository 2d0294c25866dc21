"""The service `exercise`: it rehearses what the others do, and alarms nobody.

Owns scenarios, exercises with their clocks, injects, announcements, sign-ups and rosters.
Hears SessionEnded.
Says ExerciseStarted, RosterFrozen, InjectFired, ExerciseEnded; wishes for the letters that answer a sign-up.
Serves the pages of those who lead exercises, and the public ones on which exercises are announced.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RosterFrozen
from shared.events.intake import SessionEnded
from shared.events.notify import UrgentLetterRequested
from shared.streams import Voice

VOICE = Voice(
    "exercise",
    says=(ExerciseStarted, RosterFrozen, InjectFired, ExerciseEnded, UrgentLetterRequested),
    hears=(SessionEnded,),
)

SERVES: tuple[str, ...] = ("/exercises", "/exercise/")

"""The service `exercise`: it rehearses what the others do, and alarms nobody.

Owns scenarios, exercises with their clocks, injects and rosters.
Hears SessionEnded.
Says ExerciseStarted, RosterFrozen, InjectFired, ExerciseEnded.
Serves the pages of those who lead exercises.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RosterFrozen
from shared.events.intake import SessionEnded
from shared.streams import Voice

VOICE = Voice(
    "exercise",
    says=(ExerciseStarted, RosterFrozen, InjectFired, ExerciseEnded),
    hears=(SessionEnded,),
)

SERVES: tuple[str, ...] = ("/exercises", "/exercise/")

"""The service `exercise`: it rehearses what the others do, and alarms nobody.

Owns scenarios, exercises with their clocks, injects and rosters, and what simulated associations answer.
Hears SimulatedAsked, SessionEnded.
Says ExerciseStarted, RosterFrozen, InjectFired, SimulatedNotReached, ExerciseEnded.
Serves the pages of those who lead exercises.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RosterFrozen, SimulatedNotReached
from shared.events.intake import SessionEnded, SimulatedAsked
from shared.streams import Voice

VOICE = Voice(
    "exercise",
    says=(ExerciseStarted, RosterFrozen, InjectFired, SimulatedNotReached, ExerciseEnded),
    hears=(SimulatedAsked, SessionEnded),
)

SERVES: tuple[str, ...] = ("/exercises", "/exercise/")

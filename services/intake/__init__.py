"""Intake hears the associations.

Owns: the registry (associations and their contacts), the staff and their sessions, the audit, the keys of partners,
invitations to a round, and check-ins as they were received. It alone knows a contact.
Hears: RoundOpened, RoundReminded, RoundClosed, SituationClosed, LetterFailed, LetterReturned, SessionEnded;
RosterFrozen, ExerciseStarted, ExerciseEnded, SimulatedNotReached, PersonErased.
Says: AssociationChanged, NetworkChanged, CheckInReceived, AssociationDeclined, AssociationNotReached,
SimulatedAsked, AnswersRehearsed, PartnerKeyChanged, SessionEnded, and wishes for letters.
Serves: the work list, calls, paper and replies by mail, the answer form /c/, a contact's details /d/, sign-in and
sign-out, the registry, who can do what, people, the audit, partners' keys and their API, and its own operations under
/intake/. Where a port is given for it, it also takes letters that answer those of a round.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, RosterFrozen, SimulatedNotReached
from shared.events.intake import (
    AnswersRehearsed,
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    CheckInReceived,
    NetworkChanged,
    PartnerKeyChanged,
    SessionEnded,
    SimulatedAsked,
)
from shared.events.notify import LetterFailed, LetterRequested, LetterReturned, PersonErased, UrgentLetterRequested
from shared.events.status import RoundClosed, RoundOpened, RoundReminded, SituationClosed
from shared.streams import Voice

VOICE = Voice(
    "intake",
    says=(
        AssociationChanged,
        NetworkChanged,
        CheckInReceived,
        AssociationDeclined,
        AssociationNotReached,
        SimulatedAsked,
        AnswersRehearsed,
        PartnerKeyChanged,
        SessionEnded,
        UrgentLetterRequested,
        LetterRequested,
    ),
    hears=(
        *(RoundOpened, RoundReminded, RoundClosed, SituationClosed, LetterFailed, LetterReturned, SessionEnded),
        *(RosterFrozen, ExerciseStarted, ExerciseEnded, SimulatedNotReached, PersonErased),
    ),
)

SERVES: tuple[str, ...] = (
    *("/c/", "/sign-in", "/sign-out", "/registry", "/calls", "/paper", "/work-list", "/replies"),
    *("/who-can", "/d/"),
    "/intake/",
    *("/me", "/people", "/audit", "/partners", "/api/"),
)

"""The service `status`: it knows how the region is, and holds no personal data at all.

Owns situations, rounds, the standing of every association in a situation, the tallies of these, and reports of them.
Hears AssociationChanged, NetworkChanged, CheckInReceived, AssociationNotReached, AssociationDeclined,
PartnerKeyChanged, SessionEnded, InjectFired, ExerciseStarted, ExerciseEnded; overhears ReadinessChanged.
Says SituationOpened, -Changed, -Closed, RoundOpened, RoundReminded, RoundClosed, ReadinessChanged.
Serves the pages from the list of situations to the live picture of one, the reports that partners read by a
link, and the API by which their systems read the picture.
"""

from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired
from shared.events.intake import (
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    CheckInReceived,
    NetworkChanged,
    PartnerKeyChanged,
    SessionEnded,
)
from shared.events.status import (
    ReadinessChanged,
    RoundClosed,
    RoundOpened,
    RoundReminded,
    SituationChanged,
    SituationClosed,
    SituationOpened,
)
from shared.streams import Voice

VOICE = Voice(
    "status",
    says=(
        SituationOpened,
        SituationChanged,
        SituationClosed,
        RoundOpened,
        RoundReminded,
        RoundClosed,
        ReadinessChanged,
    ),
    hears=(
        AssociationChanged,
        NetworkChanged,
        CheckInReceived,
        AssociationNotReached,
        AssociationDeclined,
        PartnerKeyChanged,
        SessionEnded,
        InjectFired,
        ExerciseStarted,
        ExerciseEnded,
    ),
    overhears=(ReadinessChanged,),
)

SERVES: tuple[str, ...] = ("/situations", "/shared/", "/status/", "/api/v1/status/")

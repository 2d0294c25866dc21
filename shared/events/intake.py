"""What intake says: who is in the registry, what they answered, and who could not be reached."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.events import Event

SIMULATED_PER_EVENT = 100
"""Associations named in one SimulatedAsked: about 16 kB of a message that may have 64 kB."""

REHEARSED_PER_EVENT = 200
"""Answers of one AnswersRehearsed: about 25 kB."""


class OperatingStatus(StrEnum):
    """How an association operates, in its own words of the form."""

    NORMAL = "normal"
    LIMITED = "limited"
    SUSPENDED = "suspended"


class Channel(StrEnum):
    """The way by which a check-in came."""

    LINK = "link"
    EMAIL = "email"
    PHONE = "phone"
    PAPER = "paper"
    API = "api"


class Amount(BaseModel):
    """A capability that is offered or needed, and how much of it where that was said."""

    model_config = ConfigDict(frozen=True)

    capability: str
    amount: int | None = Field(default=None, ge=1, le=1_000_000)


class AssociationChanged(Event, service="intake", fact="association_changed", heard_by=("status", "exercise")):
    """An association entered the registry, changed, or left it. `version` grows with every change."""

    association_id: UUID
    version: int
    name: str
    municipality: str
    sector: str
    networks: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    plan: str = "unknown"
    plan_year: int | None = None
    retired: bool = False
    merged_into: UUID | None = None


class NetworkChanged(Event, service="intake", fact="network_changed", heard_by=("status", "exercise")):
    """A network was made, named anew, put below another, or retired. `names` by locale, `parent` a code."""

    code: str
    names: dict[str, str]
    parent: str | None = None
    retired: bool = False


class CheckInReceived(Event, service="intake", fact="checkin_received", heard_by=("status",)):
    """An association said how it operates. Free text and the contact's name stay in intake."""

    checkin_id: UUID
    association_id: UUID
    situation_id: UUID
    round_id: UUID
    status: OperatingStatus
    reported_at: AwareDatetime
    channel: Channel
    until: AwareDatetime | None = None
    offers: tuple[Amount, ...] = ()
    needs: tuple[Amount, ...] = ()


class RehearsedAnswer(BaseModel):
    """An association of an exercise, and when it answered."""

    model_config = ConfigDict(frozen=True)

    association_id: UUID
    reported_at: AwareDatetime


class AnswersRehearsed(Event, service="intake", fact="answers_rehearsed", heard_by=("exercise",)):
    """These answered in an exercise, as CheckInReceived tells of each: one event for what came at a time. It is for
    whoever counts exercises, and so need not hear every answer of the live realm. Never in the live realm."""

    answers: tuple[RehearsedAnswer, ...] = Field(max_length=REHEARSED_PER_EVENT)


class AssociationNotReached(Event, service="intake", fact="association_not_reached", heard_by=("status", "exercise")):
    """No contact of the association could be given the letter: a task for the one who calls."""

    association_id: UUID
    situation_id: UUID
    round_id: UUID
    reason: str


class AssociationDeclined(Event, service="intake", fact="association_declined", heard_by=("status", "exercise")):
    """The association said "not this time": it is reminded no more in this round. An answer takes it back."""

    association_id: UUID
    situation_id: UUID
    round_id: UUID


class PartnerKeyChanged(Event, service="intake", fact="partner_key_changed", heard_by=("status",)):
    """A partner's key for what another service tells was made or revoked. `key_hash` is the SHA-256 of the key, in hex:
    a key is 256 random bits, which nobody finds by it. A key never changes but for its being revoked, which stays."""

    key_id: UUID
    prefix: str
    key_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    scopes: tuple[str, ...]
    municipalities: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    expires_at: AwareDatetime
    revoked: bool = False


class SessionEnded(Event, service="intake", fact="session_ended", heard_by=("intake", "status", "exercise", "notify")):
    """A signed-in session was ended before its time: no service may honour it any longer."""

    session_id: UUID
    valid_until: AwareDatetime


class SimulatedLink(BaseModel):
    """A simulated association, its municipality's code, and the path of the answer form that is its own."""

    model_config = ConfigDict(frozen=True)

    association_id: UUID
    municipality: str
    path: str = Field(pattern=r"^/c/[A-Za-z0-9_-]{20,100}$")


class SimulatedAsked(Event, service="intake", fact="simulated_asked", heard_by=("exercise",)):
    """In an exercise these associations are asked whom nobody plays: they get no letter, and the exercise answers for
    them at the form's public door. `turn` is how many of their letters there would be with this one. Never in the live
    realm."""

    situation_id: UUID
    round_id: UUID
    turn: int = Field(ge=1)
    asked: tuple[SimulatedLink, ...] = Field(max_length=SIMULATED_PER_EVENT)

"""JSON values: what the API takes and gives, as its document describes them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.events.intake import Amount, Channel, OperatingStatus
from shared.region import CAPABILITIES

NOTE_LIMIT = 500
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.-]{1,60}$")]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=200)]
Note = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=NOTE_LIMIT)]


class Value(BaseModel):
    """A value of the API."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CapabilityValue(Value):
    """What an association can do for others; `amount` is null where nobody counted."""

    capability: str
    amount: int | None
    note: str


class ContactValue(Value):
    """A person who answers for an association; `position` 1 is asked first."""

    position: int
    name: str
    email: str | None
    phone: str
    best_time: str
    language: str
    state: str
    confirmed_at: AwareDatetime | None


class AssociationValue(Value):
    """An association of the registry. `contacts` is null without the scope `contacts:read`."""

    id: UUID
    version: int
    register_number: str
    name: str
    municipality: str = Field(description="Code of the national classification, three digits")
    sector: str
    language: str
    networks: tuple[str, ...]
    capabilities: tuple[CapabilityValue, ...]
    plan: str
    plan_year: int | None
    retired: bool
    merged_into: UUID | None
    contacts: tuple[ContactValue, ...] | None


class AssociationPage(Value):
    """Some associations; `next` is the cursor of the following ones, null at the end."""

    items: tuple[AssociationValue, ...]
    next: UUID | None


class RoundValue(Value):
    """A round that takes answers. In an exercise `realm` is its id, else `live`."""

    id: UUID
    situation_id: UUID
    realm: str
    names: dict[str, str] = Field(description="The situation's name by language")
    urgent: bool
    closes_at: AwareDatetime


class RoundList(Value):
    """All rounds that take answers now."""

    items: tuple[RoundValue, ...]


class AmountValue(Value):
    """A capability that is offered or needed, and how much of it where that is known."""

    capability: str = Field(json_schema_extra={"enum": [one.code for one in CAPABILITIES]})
    amount: int | None = Field(default=None, ge=1, le=1_000_000)

    def told(self) -> Amount:
        """The same as events carry it."""
        return Amount(capability=self.capability, amount=self.amount)


class CheckInWish(Value):
    """How an association operates, told on its behalf. Write no personal data into `note`."""

    association_id: UUID
    status: OperatingStatus
    until: AwareDatetime | None = Field(default=None, ge=EARLIEST, lt=LATEST)
    note: Note = ""
    offers: tuple[AmountValue, ...] = Field(default=(), max_length=len(CAPABILITIES))
    needs: tuple[AmountValue, ...] = Field(default=(), max_length=len(CAPABILITIES))
    plan: bool | None = Field(default=None, description="Whether it has a preparedness plan")


class CheckInValue(Value):
    """An answer as it was recorded."""

    id: UUID
    association_id: UUID
    round_id: UUID
    realm: str
    status: OperatingStatus
    until: AwareDatetime | None
    note: str
    offers: tuple[AmountValue, ...]
    needs: tuple[AmountValue, ...]
    plan: bool | None
    reported_at: AwareDatetime
    channel: Channel

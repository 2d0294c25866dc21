"""Events: the facts that cross between services, one frozen class each, one module per speaking service.

On the wire an event is a CloudEvent 1.0 in the binary mode of its NATS binding: the attributes are `ce-` headers, the
body is the data as JSON. Fields are only ever added, with defaults; `tests/samples/` keeps one of each for ever.
"""

from datetime import UTC
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.ids import new_id
from shared.realm import Realm

EVENT_TYPES: dict[str, type["Event"]] = {}


class NotPermittedError(ValueError):
    """An event asks for what no message may bring about. It will never work; the text names no person."""


class Event(BaseModel):
    """A past fact. `subject` is where it is published: `<service>.<realm>.<fact>`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service: ClassVar[str]
    fact: ClassVar[str]
    stream: ClassVar[str]
    heard_by: ClassVar[tuple[str, ...]]

    event_id: UUID = Field(default_factory=new_id)
    happened_at: AwareDatetime
    realm: Realm

    def __init_subclass__(
        cls, *, service: str = "", fact: str = "", stream: str = "", heard_by: tuple[str, ...] = ()
    ) -> None:
        """Name the speaking service, the fact and who hears it in the class line; the stream is the service's unless
        given."""
        super().__init_subclass__()
        if fact:
            cls.service, cls.fact, cls.stream = service, fact, stream or service.upper()
            cls.heard_by = heard_by
            EVENT_TYPES[cls.type_name()] = cls

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents `type`, for example `valmius.intake.checkin_received`."""
        return f"valmius.{cls.service}.{cls.fact}"

    @classmethod
    def filter_subject(cls) -> str:
        """The subject a consumer listens to: this fact in every realm."""
        return f"{cls.service}.*.{cls.fact}"

    @property
    def subject(self) -> str:
        """Where this very event is published."""
        return f"{self.service}.{self.realm}.{self.fact}"

    def headers(self, correlation_id: str) -> dict[str, str]:
        """CloudEvents attributes and the JetStream message id, as NATS headers."""
        own = str(self.event_id)
        return {
            "ce-specversion": "1.0",
            "ce-id": own,
            "ce-type": self.type_name(),
            "ce-source": f"/valmius/{self.service}",
            "ce-time": self.happened_at.astimezone(UTC).isoformat(),
            "ce-correlationid": correlation_id,
            "content-type": "application/json",
            "Nats-Msg-Id": own,
        }

    def body(self) -> bytes:
        """The data: this event as JSON."""
        return self.model_dump_json().encode()

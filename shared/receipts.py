"""Receipts: whoever hears an event tells the domain that said it when it is applied, or safe in the dead letters.

A receipt may be lost: then its event comes once more, and changes nothing. So they travel outside every stream.
"""

from collections import defaultdict
from itertools import islice
from typing import Annotated, Final
from uuid import UUID

from nats.aio.client import Client
from pydantic import BaseModel, ConfigDict, Field

MOST: Final = 500
"""Events of one receipt: some 20 kB."""

KEPT: Final = 20_000
"""Events of a domain that a service remembers to confirm while it is cut off; those before them come once more."""


class Receipt(BaseModel):
    """These events are applied at this service, or lie in its dead letters."""

    model_config = ConfigDict(frozen=True)

    service: str = Field(pattern=r"^[a-z]{1,20}$")
    events: Annotated[tuple[UUID, ...], Field(max_length=MOST)]


def receipt_subject(domain: str) -> str:
    """Where receipts for the events of this domain (the first token of their subjects) are published."""
    return f"receipt.{domain}"


class Receipts:
    """What this service has heard and not yet confirmed."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._heard: dict[str, dict[UUID, None]] = defaultdict(dict)

    def heard(self, domain: str, event_id: UUID) -> None:
        """An event of this domain is applied."""
        waiting = self._heard[domain]
        waiting[event_id] = None
        if len(waiting) > KEPT:
            del waiting[next(iter(waiting))]

    async def tell(self, connection: Client) -> None:
        """Confirm all of it; while the connection is away, it is kept for the next time."""
        for domain, waiting in list(self._heard.items()):
            while waiting and connection.is_connected:
                receipt = Receipt(service=self._service, events=tuple(islice(waiting, MOST)))
                await connection.publish(receipt_subject(domain), receipt.model_dump_json().encode())
                for event_id in receipt.events:
                    waiting.pop(event_id, None)

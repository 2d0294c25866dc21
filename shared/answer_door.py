"""Answer door: fills in the form behind a check-in link over HTTP, as a browser does; for those who play others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import httpx

from shared.events.intake import Amount, OperatingStatus

PATIENCE = 15.0
"""Seconds in which the door must answer, each time that it is asked."""

PASSING = frozenset({408, 425, 429})
"""Beside 5xx: answers that say "not now"."""


class NotTakenError(Exception):
    """The door did not take the answer. `permanent` is False where it may take it later: sending it again is safe,
    since the same form counts once. The text names no link."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


@dataclass(frozen=True)
class FilledIn:
    """A form as it is sent. `form_id` is the same when it is sent again."""

    form_id: UUID
    status: OperatingStatus
    needs: Sequence[Amount] = ()
    offers: Sequence[Amount] = ()

    def fields(self) -> dict[str, str | list[str]]:
        """The form's fields by name."""
        lists = {"need": self.needs, "offer": self.offers}
        marks = {name: [one.capability for one in amounts] for name, amounts in lists.items()}
        written = {
            f"{name}-{one.capability}": str(one.amount)
            for name, amounts in lists.items()
            for one in amounts
            if one.amount is not None
        }
        return {"status": self.status.value, "checkin_id": str(self.form_id), **marks, **written}


class AnswerDoor:
    """The public door of the answer form at one address. It is open, and keeps connections, while its context is."""

    def __init__(self, address: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address
        self._transport = transport

    async def look(self, path: str) -> None:
        """Open the link, which changes nothing. Raises NotTakenError where no form is behind it."""
        _taken(await self._ask("GET", path))

    async def send(self, path: str, form: FilledIn) -> None:
        """Send the form; returns when the answer is recorded. Raises NotTakenError."""
        _taken(await self._ask("POST", path, form.fields()))

    async def __aenter__(self) -> Self:
        self._browser = httpx.AsyncClient(base_url=self._address, timeout=PATIENCE, transport=self._transport)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the connections."""
        await self._browser.aclose()

    async def _ask(self, method: str, path: str, fields: dict[str, str | list[str]] | None = None) -> int:
        try:
            answer = await self._browser.request(method, path, data=fields)
        except httpx.TransportError as error:
            raise NotTakenError(type(error).__name__, permanent=False) from error
        return answer.status_code


def _taken(status: int) -> None:
    if status != httpx.codes.OK:
        raise NotTakenError(f"status {status}", permanent=status < 500 and status not in PASSING)

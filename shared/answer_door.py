"""Answer door: fills in the form behind a check-in link over HTTP, as a browser does; for those who play others."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

import httpx

from shared.events.intake import Amount, OperatingStatus

PATIENCE = 15.0
"""Seconds in which the door must answer, each time that it is asked."""

WITHIN = {"timeout": httpx.Timeout(PATIENCE).as_dict()}
HEADERS = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}

CONNECTIONS = 16
"""Answers that are on their way at once; whoever brings more waits."""

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
    """The public door of the answer form at one address. It is open, and keeps connections, while its context is.

    Each connection is a pool of its own, since a pool looks at all its connections for every request; and requests go
    straight to httpx's transport: what its client adds (cookies, redirects, addresses merged) takes as long again.
    """

    def __init__(self, address: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address.rstrip("/")
        self._transport = transport
        self._idle: asyncio.LifoQueue[httpx.AsyncBaseTransport] = asyncio.LifoQueue()
        self._all: list[httpx.AsyncBaseTransport] = []

    async def send(self, path: str, form: FilledIn) -> None:
        """Send the form; returns when the answer is recorded. Raises NotTakenError."""
        request = httpx.Request(
            "POST",
            self._address + path,
            headers=HEADERS,
            content=urlencode(form.fields(), doseq=True).encode("ascii"),
            extensions=WITHIN,
        )
        connection = await self._idle.get()
        try:
            answer = await connection.handle_async_request(request)
            await answer.aread()
        except httpx.TransportError as error:
            raise NotTakenError(type(error).__name__, permanent=False) from error
        finally:
            self._idle.put_nowait(connection)
        if answer.status_code != httpx.codes.OK:
            status = answer.status_code
            raise NotTakenError(f"status {status}", permanent=status < 500 and status not in PASSING)

    async def __aenter__(self) -> Self:
        trusted = httpx.create_ssl_context()
        one = httpx.Limits(max_connections=1)
        self._all = [
            self._transport or httpx.AsyncHTTPTransport(verify=trusted, limits=one) for _ in range(CONNECTIONS)
        ]
        for connection in self._all:
            self._idle.put_nowait(connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of the connections."""
        for connection in self._all:
            await connection.aclose()

"""Sending: one signed request to a partner's system, to an address that was looked at when the connection is made."""

import asyncio
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from services.notify.channel.model import ChannelError, Message
from services.notify.feeds.addresses import Addresses
from services.notify.webhook.event_json import event_json
from services.notify.webhook.model import PREFIX, Endpoint, Reach, headers_of
from services.notify.webhook.store import EndpointStore
from shared.clock import Clock

WITHIN = 10.0
"""Seconds for all of it: name, connection, request, answer."""

CONNECT = 4.0
TRIED = 2
"""Addresses of one name that are tried: the second is most often the one of the other version of the protocol."""

PORTS = {"http": 80, "https": 443}
GONE = 410
AGENT = "Valmius"


@dataclass(frozen=True)
class Webhook:
    """The channel to one endpoint. `secret` is the installation's own."""

    endpoint: Endpoint
    reach: Reach
    addresses: Addresses
    secret: str
    clock: Clock

    @property
    def name(self) -> str:
        """Its key in the queue."""
        return self.endpoint.channel

    async def send(self, message: Message) -> str:
        """POST the message; the answer's status. Raises ChannelError for every status but 200 to 299.

        A redirect is not followed. Of the answer only the status is read: its body may be endless, or anything.
        """
        body = event_json(message, self.addresses)
        now = self.clock.now()
        headers = headers_of(
            f"msg_{message.message_id.hex}",
            body,
            keys=self.endpoint.keys(self.secret, now),
            now=int(now.timestamp()),
        )
        try:
            async with asyncio.timeout(WITHIN):
                status = await self._post(body, headers)
        except TimeoutError as error:
            raise ChannelError("timeout", answered=False) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ChannelError(type(error).__name__, answered=False) from error
        if not 200 <= status < 300:
            raise ChannelError(str(status), gone=status == GONE)
        return str(status)

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        """Connect to an address that was checked, under the name that was asked for: a name that is looked up a second
        time may lead elsewhere."""
        parts = urlsplit(self.endpoint.url)
        asked = {
            **headers,
            "host": parts.netloc,
            "content-type": "application/json",
            "user-agent": AGENT,
            "accept-encoding": "identity",
        }
        addresses = await self._addresses(parts.hostname or "", parts.port or PORTS[parts.scheme])
        async with httpx.AsyncClient(timeout=httpx.Timeout(WITHIN, connect=CONNECT), trust_env=False) as client:
            for number, address in enumerate(addresses, start=1):
                url = httpx.URL(self.endpoint.url).copy_with(host=address)
                known = {"sni_hostname": parts.hostname}
                try:
                    async with client.stream("POST", url, content=body, headers=asked, extensions=known) as answer:
                        return answer.status_code
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if number == len(addresses):
                        raise
        raise ChannelError("name", answered=False)

    async def _addresses(self, host: str, port: int) -> list[str]:
        """The first addresses of the host, all of which we may reach."""
        scheme = urlsplit(self.endpoint.url).scheme
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise ChannelError("name", answered=False) from error
        addresses = [str(entry[4][0]) for entry in found]
        if not all(self.reach.permits(address, scheme) for address in addresses):
            raise ChannelError("address", answered=False)
        return addresses[:TRIED]


class Endpoints:
    """Opens the channel to an endpoint as it stands at that moment."""

    def __init__(self, store: EndpointStore, *, reach: Reach, addresses: Addresses, secret: str, clock: Clock) -> None:
        self._store = store
        self._reach = reach
        self._addresses = addresses
        self._secret = secret
        self._clock = clock

    async def open(self, name: str) -> Webhook | None:
        """The channel of this name; None where its endpoint was removed."""
        endpoint = await self._store.get(UUID(name.removeprefix(PREFIX)))
        if endpoint is None:
            return None
        return Webhook(endpoint, self._reach, self._addresses, self._secret, self._clock)

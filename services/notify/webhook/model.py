"""Model of webhooks: which addresses may be reached, and how a message is signed (the scheme of Standard Webhooks)."""

import hashlib
import hmac
import ipaddress
from base64 import b64encode, urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID

from shared.ids import derived_token

BOTH_VALID = timedelta(hours=24)
"""So long messages are signed with the old secret too after a new one was made."""

PREFIX = "webhook:"
URL_LENGTH = 500
LABEL_LENGTH = 120
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Flaw(StrEnum):
    """What is wrong with an endpoint as somebody wrote it."""

    NO_LABEL = "no label"
    NO_URL = "no url"
    NOT_HTTPS = "not https"
    HAS_CREDENTIALS = "has credentials"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Reach:
    """Which addresses messages may be sent to. `trial` is True in an installation that is itself served over http."""

    networks: tuple[Network, ...] = ()
    trial: bool = False

    def permits(self, address: str, scheme: str) -> bool:
        """True for an address of the public network by https, for one of the named networks by https, and in a trial
        for this very machine. Anything that a stranger could not reach would make us a door into our own house."""
        try:
            found = _plain(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if found.is_loopback and self.trial:
            return True
        if scheme != "https":
            return False
        named = any(found.version == network.version and found in network for network in self.networks)
        return named or _public(found)


def _plain(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _public(address: Address) -> bool:
    local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or local)


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks of a setting, with spaces between. Raises ValueError for what is none."""
    return tuple(ipaddress.ip_network(part) for part in text.split())


@dataclass(frozen=True)
class Wanted:
    """An endpoint as somebody wrote it."""

    label: str
    url: str
    exercises: bool = False


def flaws(wanted: Wanted, reach: Reach) -> list[Flaw]:
    """What is wrong with it. Names are looked up only when a message goes out, each time anew."""
    try:
        parts = urlsplit(wanted.url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    fits = bool(host) and len(wanted.url) <= URL_LENGTH and wanted.url.isascii() and wanted.url.isprintable()
    local = host == "localhost" or reach.permits(host, "http")
    checks = (
        (bool(wanted.label) and len(wanted.label) <= LABEL_LENGTH, Flaw.NO_LABEL),
        (fits and " " not in wanted.url, Flaw.NO_URL),
        (not host or parts.scheme == "https" or (parts.scheme == "http" and local and reach.trial), Flaw.NOT_HTTPS),
        (parts.username is None and parts.password is None and not parts.fragment, Flaw.HAS_CREDENTIALS),
        (not _numeric(host) or reach.permits(host, parts.scheme), Flaw.NOT_REACHED),
    )
    return [flaw for holds, flaw in checks if not holds]


def _numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Endpoint:
    """A partner's system. `version` counts its secrets, `rotated_at` is when the present one took over."""

    endpoint_id: UUID
    label: str
    url: str
    exercises: bool
    version: int
    rotated_at: datetime
    made_at: datetime

    @property
    def channel(self) -> str:
        """Its name among the channels."""
        return channel_of(self.endpoint_id)

    @property
    def host(self) -> str:
        """Where it is, without the path, which may be a secret."""
        return urlsplit(self.url).netloc

    def keys(self, secret: str, now: datetime) -> list[bytes]:
        """The keys with which a message is signed now: the present one, and for BOTH_VALID the one before it."""
        old = self.version > 1 and now - self.rotated_at < BOTH_VALID
        versions = [self.version, self.version - 1] if old else [self.version]
        return [key_of(secret, self.endpoint_id, version) for version in versions]


def channel_of(endpoint_id: UUID) -> str:
    """The name of an endpoint among the channels."""
    return f"{PREFIX}{endpoint_id}"


def key_of(secret: str, endpoint_id: UUID, version: int) -> bytes:
    """An endpoint's key, 32 bytes: made of the installation's secret, so that no database holds it."""
    return urlsafe_b64decode(derived_token(secret, f"webhook {version}", endpoint_id) + "=")


def shown(key: bytes) -> str:
    """A key as receivers' libraries take it."""
    return f"whsec_{b64encode(key).decode()}"


def headers_of(name: str, body: bytes, *, keys: list[bytes], now: int) -> dict[str, str]:
    """The three headers by which a receiver knows that a message is ours, is new, and is not one that it has.

    `name` is the message's own and the same at every try, `now` counts seconds since 1970.
    """
    moment = str(now)
    signed = b".".join((name.encode(), moment.encode(), body))
    signatures = (b64encode(hmac.digest(key, signed, hashlib.sha256)).decode() for key in keys)
    return {
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }

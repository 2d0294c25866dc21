"""Identifiers and capability tokens."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from functools import lru_cache
from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and ordered by the time at which it was made."""
    return uuid7()


def new_token() -> str:
    """256 random bits as 43 URL-safe characters. Whoever holds it may act, so it is kept out of logs."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """SHA-256 of a token, 32 bytes: what is stored in place of the token."""
    return hashlib.sha256(token.encode()).digest()


def derived_token(secret: str, purpose: str, subject: UUID) -> str:
    """A token that can be made again from the installation's secret (HMAC-SHA-256), 43 URL-safe characters.

    For links that stand in every letter to a person, where storing one token a letter would be waste.
    """
    # Not hmac.digest: it lets go of the interpreter for these few bytes, and then waits behind the other threads.
    mac = _keyed(secret).copy()
    mac.update(f"{purpose}:{subject}".encode())
    return urlsafe_b64encode(mac.digest()).rstrip(b"=").decode()


@lru_cache(maxsize=8)
def _keyed(secret: str) -> hmac.HMAC:
    """The secret taken in, never used up itself: to take it in costs more than all the rest."""
    return hmac.new(secret.encode(), digestmod="sha256")

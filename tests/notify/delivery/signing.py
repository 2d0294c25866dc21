"""Keys of an invented installation, and what a receiver says of letters that were signed with them."""

from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from services.notify.delivery.dkim_format import SigningKey, signing_keys
from shared.settings import Dkim

DOMAIN = "mail.example.org"


def pem(key: Any) -> str:
    """A private key as openssl writes it."""
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@cache
def rsa_pem(bits: int = 2048) -> str:
    """An RSA key; making one takes long enough to do it once."""
    return pem(generate_private_key(65537, bits))


@cache
def both() -> Dkim:
    """Settings with a key of each kind."""
    return Dkim(
        selector="autumn",
        key=SecretStr(rsa_pem()),
        second_selector="autumn-ed",
        second_key=SecretStr(pem(Ed25519PrivateKey.generate())),
    )


@cache
def keys() -> tuple[SigningKey, ...]:
    """Both keys, the RSA key first."""
    return signing_keys(both())


def published(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 - dkimpy's name
    """What the domain of this installation publishes under that name."""
    records = {f"{key.selector}._domainkey.{DOMAIN}.": key.record for key in keys()}
    return records.get(name.decode(), "").encode()


def verified(message: bytes) -> list[bool]:
    """For each signature that the message should have, whether it holds."""
    return [_holds(message, place) for place in range(len(keys()))]


def _holds(message: bytes, place: int) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=place, dnsfunc=published))
    except (dkim.DKIMException, IndexError):
        return False

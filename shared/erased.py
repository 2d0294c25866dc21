"""Erased: an address as a keyed hash, from which nobody without the key can tell the address."""

import hashlib
import hmac
import unicodedata


def canonical(address: str) -> str:
    """One form for all spellings of an address: letters in one case and one Unicode form, the domain in ASCII."""
    local, _, domain = unicodedata.normalize("NFKC", address).strip().casefold().rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        return f"{local}@{domain}"
    return f"{local}@{domain}"


def keyed_hash(secret: str, address: str) -> str:
    """HMAC-SHA-256 of the address under the installation's secret, 64 hexadecimal digits.

    A plain hash of an address can be found by trying all addresses; this one cannot without the secret. With another
    secret nothing that was erased before is recognised.
    """
    return hmac.new(secret.encode(), f"erased address:{canonical(address)}".encode(), hashlib.sha256).hexdigest()


def spellings(address: str) -> list[str]:
    """How the address may stand in a table when it is written in small letters."""
    written = address.strip().casefold()
    return sorted({written, canonical(address)})

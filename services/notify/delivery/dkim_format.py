"""DKIM format: letters signed as RFC 6376 and RFC 8463 say, relaxed/relaxed, each copy for little more than its key."""

import binascii
import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from shared.settings import Dkim, SettingsError

SHORTEST_RSA: Final = 2048
OVERSIGNED: Final = (b"From", b"To", b"Subject", b"Date")
"""Named once more than they occur, so that nobody can add a second one (RFC 6376, 8.15)."""

WORTH_KEEPING: Final = 64
"""Bytes; shorter fixed parts are made canonical with what stands around them."""

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True)
class SigningKey:
    """A private key and the selector under which its public half is published."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`, as the published record names it."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def public(self) -> str:
        """The public half as it stands in the record's `p=`."""
        public = self.private.public_key()
        if self.kind == "ed25519":
            return b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
        return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()

    @property
    def record(self) -> str:
        """The text of the TXT record to publish at `<selector>._domainkey.<domain>`."""
        return f"v=DKIM1; k={self.kind}; p={self.public}"

    def sign(self, digest: bytes) -> str:
        """The signature of a SHA-256 digest, in base64. RSA takes a third of a millisecond without the GIL."""
        if isinstance(self.private, RSAPrivateKey):
            return b64encode(self.private.sign(digest, PKCS1v15(), Prehashed(SHA256()))).decode()
        return b64encode(self.private.sign(digest)).decode()


def signing_keys(dkim: Dkim) -> tuple[SigningKey, ...]:
    """The keys of an installation: none, one or two. Raises SettingsError saying which is wrong, and of it nothing."""
    keys = []
    for which, selector, secret in (
        ("", dkim.selector, dkim.key),
        ("SECOND_", dkim.second_selector, dkim.second_key),
    ):
        pem = secret.get_secret_value()
        if bool(selector) != bool(pem):
            raise SettingsError(f"VALMIUS_DKIM__{which}SELECTOR and VALMIUS_DKIM__{which}KEY: give both, or neither")
        if pem:
            keys.append(SigningKey(selector, _private(f"VALMIUS_DKIM__{which}KEY", pem)))
    if len({key.selector for key in keys}) < len(keys):
        raise SettingsError("VALMIUS_DKIM__SECOND_SELECTOR: each key is published under a selector of its own")
    return tuple(keys)


def _private(name: str, pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise SettingsError(f"{name}: this is no private key in PEM that can be read without a password") from error
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise SettingsError(f"{name}: mail is signed with RSA or Ed25519, and this key is neither")
    if key.key_size < SHORTEST_RSA:
        raise SettingsError(f"{name}: an RSA key of {key.key_size} bits is too short, make one of {SHORTEST_RSA}")
    return key


class Seal:
    """What of a letter in one language is the same in all copies, hashed once; signs each copy.

    `pieces` are the fixed pieces of the message in their order, the first of which ends its head. Only speed depends on
    them: a copy in which they do not stand where they should is signed as truly.
    """

    def __init__(self, domain: str, keys: Sequence[SigningKey], *, pieces: Sequence[bytes]) -> None:
        self._domain = domain
        self._keys = tuple(keys)
        head, _, body = pieces[0].partition(b"\r\n\r\n")
        self._head = head + b"\r\n"
        self._names, lines = _read_head(self._head)
        self._head_hash = hashlib.sha256(lines)
        whole, _, _ = body.rpartition(b"\r\n")
        self._opening = whole + b"\r\n" if whole else b""
        self._body_hash = hashlib.sha256(_lines(self._opening))
        fixed = [piece[piece.find(b"\r\n") : piece.rfind(b"\r\n") + 2] for piece in pieces[1:] if b"\r\n" in piece]
        self._fixed = tuple((raw, _lines(raw[2:])) for raw in fixed if len(raw) > WORTH_KEEPING)

    def signed(self, message: bytes) -> bytes:
        """The message with one signature of each key before it. Raises ValueError for one with another head."""
        head, _, body = message.partition(b"\r\n\r\n")
        head += b"\r\n"
        if not head.endswith(self._head):
            raise ValueError("the message is no copy of this letter")
        names, own = _read_head(head.removesuffix(self._head))
        body_hash = b64encode(self._digest_of(body))
        hashed = self._head_hash.copy()
        hashed.update(own)
        signatures = []
        for key in self._keys:
            header, canonical = _unsigned(self._domain, key.selector, key.kind, (*self._names, *names))
            this = hashed.copy()
            this.update(canonical % body_hash)
            signatures.append(header % body_hash + _folded(key.sign(this.digest())) + b"\r\n")
        return b"".join((*signatures, message))

    def _digest_of(self, body: bytes) -> bytes:
        if not (self._opening and body.startswith(self._opening) and body.endswith(b"--\r\n")):
            return hashlib.sha256(canonical_body(body)).digest()
        hashed, place = self._body_hash.copy(), len(self._opening)
        for raw, canonical in self._fixed:
            found = body.find(raw, place)
            if found >= 0:
                hashed.update(_lines(body[place : found + 2]))
                hashed.update(canonical)
                place = found + len(raw)
        hashed.update(_lines(body[place:]))
        return hashed.digest()


def canonical_body(body: bytes) -> bytes:
    """The body in its relaxed form (RFC 6376, 3.4.4)."""
    kept = _lines(body).rstrip(b"\r\n")
    return kept + b"\r\n" if kept else b""


def _lines(lines: bytes) -> bytes:
    """Whole lines in their relaxed form."""
    return _SPACES.sub(b" ", lines).replace(b" \r\n", b"\r\n")


def _read_head(head: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """The names of a head's lines, and the lines in their relaxed form (RFC 6376, 3.4.2).

    Both from below: so a verifier takes lines of the same name.
    """
    names, lines = [], []
    for line in reversed(_FOLD.sub(b"", head).split(b"\r\n")):
        name, colon, value = line.partition(b":")
        if colon:
            names.append(name.strip())
            lines.append(b"%s:%s\r\n" % (name.strip().lower(), _SPACES.sub(b" ", value).strip(b" ")))
    return tuple(names), b"".join(lines)


@lru_cache(maxsize=100)
def _unsigned(domain: str, selector: str, kind: str, names: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """The signature's own line up to its value, as it goes out and in its relaxed form; `%s` is for the body's hash."""
    tags = f"v=1; a={kind}-sha256; c=relaxed/relaxed; d={domain}; s={selector};".encode()
    lines, line = [], b"h="
    for name in (*names, *OVERSIGNED):
        if len(line) + len(name) > 72:
            lines.append(line)
            line = b""
        line += name + b":"
    covered = b"\r\n\t".join((*lines, line.removesuffix(b":")))
    value = b"%s\r\n\t%s;\r\n\tbh=%%s;\r\n\tb=" % (tags, covered)
    return b"DKIM-Signature: " + value, b"dkim-signature:" + _SPACES.sub(b" ", _FOLD.sub(b"", value))


def _folded(signature: str) -> bytes:
    lines = (signature[start : start + 72] for start in range(0, len(signature), 72))
    return "\r\n\t".join(lines).encode()

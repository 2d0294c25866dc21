"""Header format: an address and a text as a letter's header and its envelope take them."""

import re
from base64 import b64encode
from functools import lru_cache

NOT_IN_A_VALUE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
"""Control characters and line breaks."""

_MAILBOX = re.compile(r"([^\s<>()\[\]\\,;:\"@]{1,64})@([^\s<>()\[\]\\,;:\"@]{1,250})")


class LetterError(ValueError):
    """A letter or a copy of it cannot be written; trying again cannot help. The text names no person."""


@lru_cache(maxsize=100)
def mailbox(address: str) -> str:
    """The address as SMTP and the To header take it, its domain in ASCII. Raises LetterError if it is none."""
    parts = _MAILBOX.fullmatch(address.strip())
    if parts is None or NOT_IN_A_VALUE.search(address):
        raise LetterError("address is not valid")
    if address.isascii():
        return parts.group()
    local, domain = parts.groups()
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise LetterError("address has letters that mail cannot carry") from error


@lru_cache(maxsize=100)
def header_text(text: str) -> str:
    """A header's text: itself where it is short ASCII, else encoded words (RFC 2047) on folded lines."""
    if text.isascii() and text.isprintable() and "=?" not in text and len(text) <= 76:
        return text
    words, word = [], b""
    for letter in text:
        more = letter.encode()
        if len(word) + len(more) > 42:
            words.append(word)
            word = b""
        word += more
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in [*words, word])

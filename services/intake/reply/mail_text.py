"""Mail text format: a letter's bytes become its text, whatever mail program wrote them."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime

from services.intake.reply.html_text import html_text
from services.intake.reply.model import Attachment, Letter, Why
from services.intake.reply.own_words import own_words
from shared.mail_reading import (
    AUTO_HEADERS,
    author,
    clean,
    decoded,
    from_machine,
    header_line,
    tells_of_absence,
    tells_of_return,
)

MOST_TEXT, MOST_WORDS, MOST_SUBJECT, MOST_ID, MOST_TYPE = 20_000, 4_000, 200, 250, 100
MOST_PARTS, DEEPEST = 100, 12
READ_AT_MOST = 1_000_000
"""Bytes of one text part that are read."""


def read_letter(raw: bytes, *, sender: str = "-") -> Letter:
    """Read a letter; `sender` is the envelope's, empty for reports. Whatever the bytes are, a letter comes back.

    One that cannot be read at all says so, and keeps its size.
    """
    unnamed = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    try:
        return _read(raw, sender, unnamed)
    except Exception:  # bytes from anywhere meet a parser that does not promise which errors it raises
        return Letter(message_id=unnamed, size=len(raw), unreadable=True)


def _read(raw: bytes, sender: str, unnamed: str) -> Letter:
    message = message_from_bytes(raw, policy=policy.compat32)
    texts: list[str] = []
    attachments: list[Attachment] = []
    for part in _parts(message):
        if not _is_text(part):
            attachments.append(_attachment(part))
        elif said := _words_in(part):
            texts.append(said)
    text = clean("\n".join(texts))[:MOST_TEXT]
    return Letter(
        message_id=header_line(message, "Message-ID", MOST_ID) or unnamed,
        author=author(message),
        subject=header_line(message, "Subject", MOST_SUBJECT),
        text=text,
        words=own_words(text)[:MOST_WORDS],
        attachments=tuple(attachments),
        size=len(raw),
        written_at=_date(message),
        automatic=_automatic(message, sender),
    )


def _parts(message: Message, depth: int = 0, *, muted: bool = False) -> Iterator[Message]:
    """The leaves of a letter; of alternatives, the plain text where it says anything. Letters within are leaves."""
    inner = message.get_payload()
    if not isinstance(inner, list) or message.get_content_maintype() != "multipart" or depth > DEEPEST:
        if not (muted and _is_text(message)):
            yield message
        return
    children = [part for part in inner[:MOST_PARTS] if isinstance(part, Message)]
    chosen = _chosen(children) if message.get_content_subtype() == "alternative" else children
    for child in children:
        yield from _parts(child, depth + 1, muted=muted or child not in chosen)


def _chosen(alternatives: list[Message]) -> list[Message]:
    plain = [child for child in alternatives if child.get_content_type() == "text/plain" and _words_in(child)]
    return plain[:1] or alternatives[-1:]


def _is_text(part: Message) -> bool:
    shown = (part.get_content_disposition() or "inline") == "inline" and not part.get_filename()
    return shown and part.get_content_type() in {"text/plain", "text/html"}


def _words_in(part: Message) -> str:
    """The text of a part."""
    payload = part.get_payload(decode=True)
    content = payload[:READ_AT_MOST] if isinstance(payload, bytes) else b""
    text = decoded(content, str(part.get_param("charset", "") or ""))
    if part.get_content_subtype() == "html":
        return html_text(text)
    if str(part.get_param("format", "")).lower() == "flowed":
        return _unflowed(text, joined=str(part.get_param("delsp", "")).lower() == "yes")
    return text.strip()


def _unflowed(text: str, *, joined: bool) -> str:
    """Paragraphs as they were before format=flowed broke them (RFC 3676)."""
    whole: list[str] = []
    open_depth: int | None = None
    for raw_line in text.replace("\r\n", "\n").split("\n"):
        content = raw_line.lstrip(">")
        depth = len(raw_line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        shown = content[:-1] if flows and joined else content
        if open_depth == depth and whole and content != "-- ":
            whole[-1] += shown
        else:
            whole.append(f"{'>' * depth}{' ' if depth else ''}{shown}")
        open_depth = depth if flows else None
    return "\n".join(whole).strip("\n")


def _attachment(part: Message) -> Attachment:
    payload = part.get_payload(decode=True)
    size = len(payload) if isinstance(payload, bytes) else 0
    return Attachment(clean(part.get_content_type())[:MOST_TYPE], size)


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(str(message.get("Date") or ""))
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return found.astimezone(UTC) if found.tzinfo and 1990 < found.year < 9000 else None


def _automatic(message: Message, sender: str) -> Why | None:
    """Why nobody wrote this letter; None if a person may have (RFC 3834, and what programs did before it)."""
    if message.get_content_type() in {"multipart/report", "message/delivery-status"} or sender in {"", "<>"}:
        return Why.REPORT
    if header_line(message, "Return-Path", 10) == "<>" or message.get("X-Failed-Recipients"):
        return Why.REPORT
    if header_line(message, "Auto-Submitted", 50).lower().partition(";")[0].strip() not in {"", "no"}:
        return Why.AUTO_REPLY
    precedence = header_line(message, "Precedence", 50).lower()
    if any(message.get(name) for name in AUTO_HEADERS) or precedence in {"auto_reply", "junk"}:
        return Why.AUTO_REPLY
    subject = header_line(message, "Subject", MOST_SUBJECT)
    if tells_of_absence(subject) or tells_of_return(subject) or from_machine(message):
        return Why.AUTO_REPLY
    listed = message.get("List-Id") or message.get("List-Unsubscribe") or precedence in {"bulk", "list"}
    return Why.LIST if listed or header_line(message, "X-Spam-Flag", 10).lower() == "yes" else None

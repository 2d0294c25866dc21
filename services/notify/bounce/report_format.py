"""Report format: what a letter says that came back to us, whatever program wrote it. Any bytes at all give a report.

Of the ways to tell, the surest comes first: a feedback report (RFC 5965), a delivery status (RFC 3464), an automatic
reply; then the words that some hundred mail servers are known to use (flufl.bounce), then our own list of words.
"""

import logging
import re
from base64 import b64decode
from collections.abc import Iterator
from email import message_from_bytes, message_from_string, policy
from email.message import Message
from html import unescape
from quopri import decodestring

from flufl.bounce import all_failures

from services.notify.bounce.failure_words import read_words
from services.notify.bounce.model import Found, Report, code_in, meaning, vague, worst
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

READ_AT_MOST = 1_000_000
SEARCHED_AT_MOST, SEARCHED_LINES = 32_768, 600
"""Bytes that are read, and that are searched for words. What matters stands at the beginning."""

MOST_PARTS, MOST_BLOCKS = 50, 50
MOST_TEXT, MOST_SUBJECT, MOST_EXCERPT = 20_000, 200, 600

_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DONE = ("deliver", "relay", "expand")
_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "opt-out", "opt-out-list", "other", "miscategorized"})
_OURS_FOLLOWS = re.compile(
    r"^(?:[-=_* \t]{2,}+.*(?:original|copy|returned|below|header|alkuperäi|ursprungli|kopi)"
    r"|(?:the )?original message|.*below this line|(?:return-path|received|list-id|message-id|dkim-signature):|>)",
    re.IGNORECASE | re.MULTILINE,
)
_TITLES = re.compile(
    r"^\W*(?:failure|failed|delivery|undeliver\w*|non[- ]?deliver\w*|mail (?:system|delivery|could)|message (?:delivery"
    r"|status|could)|returned|return(?:ed)? (?:mail|to sender)|warning: |nondeliverable|rejected: |toimitus|ei voi"
    r"|viesti\w* (?:palau|toimi|ei)|palautettu|det gick inte|leverans|misslyckad|kan inte lev)",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_UNSEEN = re.compile(r"<(style|script|head)\b.{0,4000}?</\1>", re.IGNORECASE | re.DOTALL)


def read_report(raw: bytes) -> Report:
    """What the letter says. Its subject, its writer and how it begins are for a person, where no program can tell."""
    try:
        message = message_from_bytes(raw[:READ_AT_MOST], policy=policy.compat32)
        text = _text(message)
        found, status = _read(message, raw, text)
        subject = header_line(message, "Subject", MOST_SUBJECT)
        shown = f"{author(message)}\n\n{text}".strip()
    except Exception:  # bytes from anywhere meet parsers that do not promise which errors they raise
        return Report(Found.UNCLEAR)
    return Report(found, status, subject=subject, excerpt=shown[:MOST_EXCERPT])


def _read(message: Message, raw: bytes, text: str) -> tuple[Found, str]:
    told = _complaint(message) or _delivery_status(message, text)
    if told:
        return told
    speaks_for_a_server = _from_server(message)
    if not speaks_for_a_server and (_automatic(message) or _receipt(message)):
        return Found.AUTOMATIC, ""
    return (_failure(raw, text) if speaks_for_a_server else None) or (Found.UNCLEAR, "")


def _complaint(message: Message) -> tuple[Found, str] | None:
    for part in _parts(message):
        if part.get_content_type() == "message/feedback-report":
            kinds = [_first_word(block, "Feedback-Type") for block in _blocks(part)]
            kind = next((kind for kind in kinds if kind), "")
            return (Found.COMPLAINT, "") if kind in _COMPLAINTS else (Found.AUTOMATIC, "") if kind else None
    return None


def _delivery_status(message: Message, text: str) -> tuple[Found, str] | None:
    """What the groups of a delivery status say; the one that counts most, with its code."""
    told: dict[Found, str] = {}
    for part in _parts(message):
        if part.get_content_type() in _STATUS_TYPES:
            for block in _blocks(part):
                said = _group(block, text)
                if said is not None:
                    told.setdefault(*said)
    found = worst(told)
    return (found, told[found]) if found else None


def _group(block: Message, text: str) -> tuple[Found, str] | None:
    """What one group of fields says of one recipient; None for the group that is about the letter as a whole."""
    action, status = _first_word(block, "Action"), _field(block, "Status")
    if not action and not status:
        return None
    if action.startswith("delay"):
        return Found.DELAYED, code_in(status)
    if action.startswith(_DONE):
        return Found.AUTOMATIC, ""
    diagnostic = _field(block, "Diagnostic-Code")
    code = code_in(status)
    if not vague(code):
        return meaning(code), code
    return _reason(diagnostic, otherwise=code) or _reason(text, otherwise=code) or (_unexplained(code), code)


def _reason(text: str, *, otherwise: str) -> tuple[Found, str] | None:
    """What a text says of the reason: a code that says something, else its words; None where it says neither."""
    code = code_in(text)
    if "." in code and not vague(code):
        return meaning(code), code
    said = read_words(text)
    if said is not None and said is not Found.DELAYED:
        return said, code or otherwise
    return None if vague(code) else (meaning(code), code)


def _unexplained(code: str) -> Found:
    return Found.HARD if code.startswith("5") else Found.SOFT


def _failure(raw: bytes, text: str) -> tuple[Found, str] | None:
    """What the words of a mail server say."""
    passing, lasting = _known_failures(raw)
    said = read_words(text)
    if said is Found.DELAYED or (passing and not lasting):
        return Found.DELAYED, code_in(text)
    if lasting:
        return _reason(text, otherwise="") or (Found.HARD, "")
    return _reason(text, otherwise="") if said or "." in code_in(text) else None


def _known_failures(raw: bytes) -> tuple[bool, bool]:
    """Whether flufl.bounce sees failures that pass, and failures that last. It may raise what it likes."""
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)  # it tells of each of its steps
    beginning = b"\n".join(raw[:SEARCHED_AT_MOST].split(b"\n")[:SEARCHED_LINES])
    passing, lasting = all_failures(message_from_bytes(beginning, policy=policy.compat32))
    return bool(passing), bool(lasting)


def _from_server(message: Message) -> bool:
    """True for a letter that a mail server wrote of another letter."""
    if message.get("X-Failed-Recipients"):
        return True
    subject = header_line(message, "Subject", MOST_SUBJECT)
    titled = tells_of_return(subject) or _TITLES.match(subject) is not None
    return titled or (from_machine(message) and not tells_of_absence(subject))


def _automatic(message: Message) -> bool:
    """True for a letter that a program wrote in somebody's place (RFC 3834, and what programs did before it)."""
    if header_line(message, "Auto-Submitted", 50).lower().partition(";")[0].strip() not in {"", "no"}:
        return True
    precedence = header_line(message, "Precedence", 50).lower()
    if any(message.get(name) for name in AUTO_HEADERS) or precedence in {"auto_reply", "junk", "bulk"}:
        return True
    return tells_of_absence(header_line(message, "Subject", MOST_SUBJECT))


def _receipt(message: Message) -> bool:
    return any(part.get_content_type() == "message/disposition-notification" for part in _parts(message))


def _parts(message: Message) -> Iterator[Message]:
    """The leaves of a letter, at most MOST_PARTS. A letter within it is ours: nobody looks into that."""
    waiting, seen = [message], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop()
        seen += 1
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting += [child for child in reversed(inner) if isinstance(child, Message)]
        else:
            yield part


def _blocks(part: Message) -> list[Message]:
    """The groups of fields of a report's part, however they were encoded."""
    inner = part.get_payload()
    blocks = [block for block in inner if isinstance(block, Message)] if isinstance(inner, list) else []
    encoding = str(part.get("Content-Transfer-Encoding") or "").strip().lower()
    if encoding in {"base64", "quoted-printable"} or part.get_content_type() != "message/delivery-status":
        plain = "\n\n".join(str(block) for block in blocks) or str(inner)
        content = plain.encode(errors="replace")
        content = b64decode(content) if encoding == "base64" else decodestring(content)
        groups = re.split(r"\n\s*\n", decoded(content, "").replace("\r\n", "\n").strip())
        blocks = [message_from_string(group) for group in groups[:MOST_BLOCKS]]
    return blocks[:MOST_BLOCKS]


def _field(block: Message, name: str) -> str:
    return header_line(block, name, 1_000)


def _first_word(block: Message, name: str) -> str:
    return next(iter(re.split(r"[\s;(]+", _field(block, name).lower(), maxsplit=1)), "")


def _text(message: Message) -> str:
    """What a mail server wrote for people, without the copy of our letter that follows."""
    said = []
    for part in _parts(message):
        if part.get_content_type() in {"text/plain", "text/html"} and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            content = payload[:SEARCHED_AT_MOST] if isinstance(payload, bytes) else b""
            text = clean(decoded(content, str(part.get_param("charset", "") or "")))
            said.append(_shown(text[:MOST_TEXT]) if part.get_content_subtype() == "html" else text)
    whole = next((text for text in said if text.strip()), "")[:MOST_TEXT]
    ours = _OURS_FOLLOWS.search(whole)
    return (whole[: ours.start()] if ours else whole).strip()


def _shown(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", _UNSEEN.sub(" ", html))).split())

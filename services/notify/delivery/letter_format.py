"""Letter format: a letter is written once per language and cut at its placeholders; each copy is spliced from it."""

import hmac
import re
import textwrap
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from html import escape
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from services.notify.delivery.header_format import NOT_IN_A_VALUE, LetterError, header_text, mailbox
from services.notify.delivery.html_format import safe_html
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.personal_values import OPTIONAL, PERSONAL
from shared.i18n import N_, Locale, catalogue, locale_or, moment, texts
from shared.ids import derived_token

LETTERS = Path(__file__).parent.parent / "letters"

ANSWERABLE = frozenset({Kind.CHECKIN, Kind.REMINDER, Kind.REPLY_RECORDED})
REPLY_BOX = "vastaus"
"""The mailbox of our domain to which answerable letters are replied, each with its own key after a plus sign."""

REPLY_KEY = re.compile("[a-z2-7]{32}")

LINKS = frozenset({"link", "leave"})
MAX_VALUE, MAX_LINK = 600, 300
"""Bytes of one personal value, so that a line with one value or two links stays below SMTP's 998."""

MAX_LINE = 998
MAX_LETTER = 40_000

_CUT = re.compile("\x1b([a-z]+)\x1b")
_REST_OF_LINE = re.compile(r"[^\r]*(?:\r\n){0,2}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WEB_ADDRESS = re.compile(r"[!#-;=?-\[\]_A-Za-z~]+")


@dataclass(frozen=True)
class Imprint:
    """What every letter of an installation says of its sender."""

    public_url: str
    mail_domain: str
    phone: str
    secret: str

    def leave_link(self, recipient_id: UUID) -> str:
        """Where a subscriber changes or ends the subscription without signing in."""
        return f"{self.public_url}/s/{recipient_id}/{derived_token(self.secret, 'subscription', recipient_id)}"


@dataclass(frozen=True)
class Cut:
    """A text cut at its placeholders: a piece, a name, a piece, a name, ..., a piece."""

    pieces: tuple[str, ...]
    lines: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What stands on the line of an optional value, before and after it."""

    @classmethod
    def at_placeholders(cls, text: str, *, optional: Sequence[str] = ()) -> "Cut":
        """The pieces of a text in which placeholders stand; an optional one takes its line and a blank one after it."""
        pieces, lines = _CUT.split(text), {}
        for place in range(1, len(pieces), 2):
            if (name := pieces[place]) in optional:
                kept, end, head = pieces[place - 1].rpartition("\r\n")
                tail = _REST_OF_LINE.match(pieces[place + 1])[0]  # type: ignore[index]  # it matches anything
                pieces[place - 1], pieces[place + 1] = kept + end, pieces[place + 1].removeprefix(tail)
                lines[name] = (head, tail)
        return cls(tuple(pieces), lines)

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with these values."""
        spliced = list(self.pieces)
        spliced[1::2] = [self.placed(name, values[name]) for name in self.pieces[1::2]]
        return "".join(spliced)

    def placed(self, name: str, value: str) -> str:
        """A value as it stands in the text: an optional one on its line, or without a line where it is empty."""
        head, tail = self.lines.get(name, ("", ""))
        return f"{head}{value}{tail}" if value else ""

    @property
    def longest_line(self) -> int:
        """Bytes of the longest line that can come about."""
        whole = self.filled({name: "x" * _most(name) for name in self.pieces[1::2]})
        return max(len(line.encode()) for line in whole.split("\r\n"))


def _most(name: str) -> int:
    return MAX_LINK if name in LINKS else MAX_VALUE


@dataclass(frozen=True)
class Splice:
    """A whole message but for its own head, as bytes: a piece, a slot, a piece, ..., a piece.

    The slots of the plain part have the names of the values, those of the HTML part the same after an ampersand.
    """

    pieces: tuple[bytes, ...]
    slots: tuple[str, ...]

    @classmethod
    def of(cls, frame: tuple[bytes, bytes, bytes], *, text: Cut, html: Cut) -> "Splice":
        """Both parts within their frame."""
        before, between, after = frame
        *plain, joint = (piece.encode() for piece in text.pieces[::2])
        first, *rest = (piece.encode() for piece in html.pieces[::2])
        pieces = [*plain, joint + between + first, *rest]
        pieces[0] = before + pieces[0]  # where nothing differs this piece is the last one too
        pieces[-1] += after
        return cls(tuple(pieces), (*text.pieces[1::2], *(f"&{name}" for name in html.pieces[1::2])))

    def filled(self, own_head: bytes, values: Mapping[str, bytes]) -> bytes:
        """The message with these values."""
        spliced = [own_head, *self.pieces, *self.pieces[1:]]
        spliced[1::2] = self.pieces
        spliced[2::2] = [values[slot] for slot in self.slots]
        return b"".join(spliced)


@dataclass(frozen=True)
class Template:
    """One letter in one language, ready to be filled for each recipient. `first`: the id of what it corrects, or ""."""

    kind: Kind
    live: bool
    imprint: Imprint
    letter_id: UUID
    first: str
    subject: Cut
    head: bytes
    frame: tuple[bytes, bytes, bytes]
    text: Cut
    html: Cut
    whole: Splice | None
    """The message in 8bit; None where a line of it could be too long."""

    def fill(self, recipient: Recipient, *, eight_bit: bool = True) -> bytes:
        """The whole message for one recipient, lines ended by CRLF and not dot-stuffed.

        With `eight_bit` the bodies stand as UTF-8, for relays that announce 8BITMIME; else, and where a line would be
        too long, as base64. Raises LetterError when the address or a personal value cannot be used.
        """
        values = self._values(recipient)
        escaped = {name: escape(value) for name, value in values.items()}
        own_head = self._own_head(recipient, values)
        if eight_bit and self.whole and all(len(value.encode()) <= _most(name) for name, value in escaped.items()):
            placed = {name: self.text.placed(name, value).encode() for name, value in values.items()}
            for name, value in escaped.items():
                placed[f"&{name}"] = self.html.placed(name, value).encode()
            return self.whole.filled(own_head, placed)
        before, between, after = self.frame
        text, html = _base64(self.text.filled(values).encode()), _base64(self.html.filled(escaped).encode())
        return b"".join((own_head, self.head, before, text, between, html, after))

    def _values(self, recipient: Recipient) -> dict[str, str]:
        values = dict(recipient.personal)
        for name in PERSONAL[self.kind]:
            if name != "leave":
                _check(name, values.get(name), self.imprint)
        if self.kind is Kind.GUIDANCE:
            values["leave"] = self.imprint.leave_link(recipient.recipient_id)
        for name in OPTIONAL.get(self.kind, ()):
            _check(name, values.setdefault(name, ""), self.imprint)
        if not REPLY_KEY.fullmatch(values.get("reply", "a" * 32)):
            raise LetterError("reply is not a key")
        return values

    def _own_head(self, recipient: Recipient, values: Mapping[str, str]) -> bytes:
        lines = [
            f"To: {mailbox(recipient.address)}",
            f"Subject: {header_text(self.subject.filled(values))}",
            f"Message-ID: <{self.letter_id}.{recipient.recipient_id}@{self.imprint.mail_domain}>",
        ]
        if self.kind is Kind.GUIDANCE and self.live:
            lines.append(f"List-Unsubscribe: <{values['leave']}/one-click>")
            lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        if self.kind is Kind.GUIDANCE and self.first:
            first = f"<{self.first}.{recipient.recipient_id}@{self.imprint.mail_domain}>"
            lines += [f"In-Reply-To: {first}", f"References: {first}"]
        if self.kind in ANSWERABLE and "reply" in values:
            lines.append(f"Reply-To: {REPLY_BOX}+{values['reply']}@{self.imprint.mail_domain}")
        lines.append("")
        return "\r\n".join(lines).encode()


def build(letter: Letter, locale: Locale, *, imprint: Imprint) -> Template:
    """Write a letter in one language. Raises LetterError when its texts are missing or too long."""
    values = _shared_values(letter, locale, imprint)
    try:
        subject = " ".join(_render(letter.kind, "subject.txt", locale, values=values).split())
        if not letter.realm.live:
            subject = f"{texts(locale)(N_('EXERCISE:'))} {subject}"
        values["subject"] = subject
        text = _wrapped(_render(letter.kind, "body.txt", locale, values=values))
        html = _render(letter.kind, "body.html", locale, values=values)
    except (TemplateError, KeyError) as error:
        raise LetterError(f"letter {letter.kind} cannot be written: {error}") from error
    if len(text.encode()) + len(html.encode()) > MAX_LETTER:
        raise LetterError(f"letter {letter.kind} is longer than {MAX_LETTER // 1000} kB")
    optional = OPTIONAL.get(letter.kind, ())
    plain, rich = (Cut.at_placeholders(_crlf(part), optional=optional) for part in (text, html))
    head = _shared_head(letter, locale, imprint)
    before, between, after = _frame(letter, imprint, eight_bit=True)
    folded = max(plain.longest_line, rich.longest_line) <= MAX_LINE
    return Template(
        kind=letter.kind,
        live=letter.realm.live,
        imprint=imprint,
        letter_id=letter.letter_id,
        first=letter.shared.get("first", ""),
        subject=Cut.at_placeholders(subject),
        head=head,
        frame=_frame(letter, imprint, eight_bit=False),
        text=plain,
        html=rich,
        whole=Splice.of((head + before, between, after), text=plain, html=rich) if folded else None,
    )


def _check(name: str, value: str | None, imprint: Imprint) -> None:
    if value is None:
        raise LetterError(f"{name} is missing")
    if NOT_IN_A_VALUE.search(value):
        raise LetterError(f"{name} has a line break or a control character")
    if len(value.encode(errors="surrogatepass")) > _most(name) or _SURROGATE.search(value):
        raise LetterError(f"{name} is too long or not text")
    if name in LINKS:
        _check_link(name, value, imprint)


def _check_link(name: str, value: str, imprint: Imprint) -> None:
    if not value.startswith(f"{imprint.public_url}/") or not _WEB_ADDRESS.fullmatch(value):
        raise LetterError(f"{name} leads away from this installation")


def _shared_values(letter: Letter, locale: Locale, imprint: Imprint) -> dict[str, object]:
    """What the texts use, with placeholders for what is personal."""
    shared = {name: _CONTROL.sub("", value) for name, value in letter.shared.items()}
    values: dict[str, object] = {name: value for name, value in shared.items() if "." not in name}
    for name in {name.partition(".")[0] for name in shared if "." in name}:
        values[name] = _in_language(shared, name, locale)
    values |= {
        "exercise": not letter.realm.live,
        "lang": locale.lang,
        "phone": imprint.phone,
        "deadline": moment(_deadline(shared, letter.not_after), locale),
        "purpose": shared.get("purpose", ""),
        "replies": "replies" in shared,
        "outcome": shared.get("outcome", ""),
    }
    if letter.kind is Kind.GUIDANCE:
        values |= _guidance_values(shared, locale, imprint)
    personal = (*PERSONAL[letter.kind], *OPTIONAL.get(letter.kind, ()))
    return values | {name: f"\x1b{name}\x1b" for name in personal}


def _guidance_values(shared: Mapping[str, str], locale: Locale, imprint: Imprint) -> dict[str, object]:
    borrowed = not shared.get(f"text.{locale}")
    html = _in_language(shared, "html", locale) or f"<p>{escape(_in_language(shared, 'text', locale))}</p>"
    page = shared.get("page", "")
    if page:
        _check_link("page", page, imprint)
    return {
        "borrowed": borrowed,
        "text_lang": Locale.FI.lang if borrowed else locale.lang,
        "page": page,
        "change": shared.get("change", ""),
        "trial": "trial" in shared,
        "note": _in_language(shared, "note", locale),
        "areas": _in_language(shared, "areas", locale),
        "html": safe_html(html),
    }


def _in_language(shared: Mapping[str, str], name: str, locale: Locale) -> str:
    """A text in this language, else in Finnish, else empty."""
    return shared.get(f"{name}.{locale}") or shared.get(f"{name}.{Locale.FI}") or ""


def _deadline(shared: Mapping[str, str], otherwise: datetime) -> datetime:
    try:
        closes_at = datetime.fromisoformat(shared["closes_at"])
    except (KeyError, ValueError):
        return otherwise
    return closes_at if closes_at.tzinfo else otherwise


@cache
def _environment(locale: Locale, *, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(LETTERS),
        autoescape=autoescape,  # noqa: S701 - plain text must not be escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(catalogue(locale), newstyle=True)  # type: ignore[attr-defined]
    return environment


def _render(kind: Kind, part: str, locale: Locale, *, values: Mapping[str, object]) -> str:
    environment = _environment(locale, autoescape=part.endswith(".html"))
    return environment.get_template(f"{kind}/{part}").render(**values)


def _wrapped(text: str) -> str:
    """Lines of at most 76 characters; an address that is longer stays whole."""
    lines = [textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")]
    whole = "\n".join("\n".join(wrapped) for wrapped in lines)
    return re.sub(r"\n{3,}", "\n\n", whole).strip() + "\n"


def _crlf(text: str) -> str:
    return "\r\n".join(text.splitlines()) + "\r\n"


def _shared_head(letter: Letter, locale: Locale, imprint: Imprint) -> bytes:
    head = EmailMessage(policy=SMTP)
    council = texts(locale)(N_("The association council of Kanta-Häme")).replace('"', "")
    head["From"] = f'"{council}" <valmius@{imprint.mail_domain}>'
    head["Date"] = format_datetime(letter.created_at or letter.not_after)
    head["Auto-Submitted"] = "auto-replied" if letter.kind is Kind.REPLY_RECORDED else "auto-generated"
    head["Content-Language"] = locale.lang
    if letter.lane is Lane.BULK:
        head["Precedence"] = "bulk"
    if letter.kind is Kind.GUIDANCE:
        head["List-Id"] = f"<guidance.{imprint.mail_domain}>"
    if not letter.realm.live:
        head["X-Valmius-Realm"] = letter.realm.id
    return head.as_bytes().removesuffix(b"\r\n")


def _frame(letter: Letter, imprint: Imprint, *, eight_bit: bool) -> tuple[bytes, bytes, bytes]:
    """The MIME around the two bodies: what stands before, between and after them."""
    whole = EmailMessage(policy=SMTP)
    whole["MIME-Version"] = "1.0"
    whole["Content-Type"] = "multipart/alternative"
    whole.set_boundary(f"=_{hmac.digest(imprint.secret.encode(), letter.letter_id.bytes, 'sha256').hex()[:40]}")
    for subtype in ("plain", "html"):
        part = EmailMessage(policy=SMTP)
        part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
        part["Content-Transfer-Encoding"] = "8bit" if eight_bit else "base64"
        part.set_payload("\x1bbody\x1b")
        whole.attach(part)
    before, between, after = whole.as_bytes().split(b"\x1bbody\x1b")
    return before, between, after


def _base64(body: bytes) -> bytes:
    encoded = b64encode(body)
    return b"".join(encoded[start : start + 76] + b"\r\n" for start in range(0, len(encoded), 76))


def locale_of(recipient: Recipient) -> Locale:
    """The language in which a recipient gets a letter; Finnish where hers is not known."""
    return locale_or(recipient.locale)

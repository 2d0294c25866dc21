"""Letters are read whatever wrote them: charsets, parts, breaks, signatures; and any bytes at all."""

from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.reply.html_text import html_text
from services.intake.reply.mail_text import MOST_TEXT, MOST_WORDS, read_letter
from services.intake.reply.model import Attachment, Why
from services.intake.reply.own_words import own_words
from shared.mail_reading import clean

WORDS = "Emme pysty nyt toimimaan – sähköt poikki, öljyä on."


def letter(body: bytes, *head: str) -> bytes:
    return "\r\n".join(["From: aino@example.org", "Subject: Re: x", *head, "", ""]).encode() + body


@pytest.mark.parametrize(
    "declared", ["utf-8", "UTF8", "iso-8859-1", "windows-1252", "us-ascii", "no-such-charset", "hex"]
)
@pytest.mark.parametrize("true", ["utf-8", "cp1252"])
def test_a_text_is_read_even_where_its_charset_is_told_wrongly(declared: str, true: str) -> None:
    raw = letter(WORDS.encode(true), f"Content-Type: text/plain; charset={declared}")

    assert read_letter(raw).words == WORDS


@pytest.mark.parametrize("head", [(), ("Content-Type: text/plain",), ("Content-Transfer-Encoding: 8bit",)])
def test_a_text_without_a_charset_is_read(head: tuple[str, ...]) -> None:
    assert read_letter(letter(WORDS.encode(), *head)).words == WORDS
    assert read_letter(letter(WORDS.encode("cp1252"), *head)).words == WORDS


def test_flowed_paragraphs_are_whole_again() -> None:
    raw = letter(b"Emme pysty nyt \r\ntoimimaan.\r\n-- \r\nAino\r\n", "Content-Type: text/plain; format=flowed")
    joined = letter(b"Emme pys \r\nty nyt\r\n", "Content-Type: text/plain; format=flowed; delsp=yes")

    assert read_letter(raw).words == "Emme pysty nyt toimimaan."
    assert read_letter(joined).words == "Emme pysty nyt"


def test_attachments_are_named_and_left_and_large_ones_do_not_hide_the_text() -> None:
    message = EmailMessage()
    message["Message-ID"] = "<1@example.org>"
    message.set_content("2\n")
    message.add_attachment(b"x" * 5_000_000, maintype="image", subtype="jpeg", filename="kuva.jpg")
    message.add_attachment("1\n", filename="vastaus.txt")

    read = read_letter(message.as_bytes())

    assert read.words == "2"
    assert read.attachments[0] == Attachment("image/jpeg", 5_000_000)
    assert [part.type for part in read.attachments] == ["image/jpeg", "text/plain"]
    assert read.size > 6_000_000
    assert read.message_id == "<1@example.org>"


def test_of_alternatives_the_plain_one_is_read_unless_it_is_empty() -> None:
    both, hollow = EmailMessage(), EmailMessage()
    both.set_content("1\n")
    both.add_alternative("<p>2</p>", subtype="html")
    hollow.set_content("\n")
    hollow.add_alternative("<p>2</p>", subtype="html")

    assert read_letter(both.as_bytes()).words == "1"
    assert read_letter(hollow.as_bytes()).words == "2"


def test_html_is_read_as_it_is_seen() -> None:
    html = (
        "<head><style>p{}</style></head><p>Hei&nbsp;vaan</p><script>1</script>2<br>3<blockquote>vanha</blockquote>loppu"
    )

    assert html_text(html) == "Hei vaan\n2\n3\n> vanha\n\nloppu"


def test_a_letter_without_a_name_gets_one_from_its_bytes() -> None:
    first, second = read_letter(letter(b"1")), read_letter(letter(b"2"))

    assert first.message_id == read_letter(letter(b"1")).message_id != second.message_id
    assert first.message_id.startswith("sha256:")


def test_what_is_kept_is_bounded_and_free_of_control_characters() -> None:
    read = read_letter(letter(b"\x00\x07a\x1b[2J" + b"word " * 20_000, "X: y"))

    assert len(read.text) <= MOST_TEXT
    assert len(read.words) <= MOST_WORDS
    assert clean(read.text) == read.text


@pytest.mark.parametrize(
    ("head", "sender", "why"),
    [
        ("Auto-Submitted: auto-replied", "a@example.org", Why.AUTO_REPLY),
        ("Auto-Submitted: no", "a@example.org", None),
        ("X-Auto-Response-Suppress: All", "a@example.org", Why.AUTO_REPLY),
        ("Precedence: list", "a@example.org", Why.LIST),
        ("List-Id: <x.example.org>", "a@example.org", Why.LIST),
        ("X: y", "", Why.REPORT),
        ("X: y", "a@example.org", None),
    ],
)
def test_who_wrote_a_letter_is_told_by_its_head(head: str, sender: str, why: Why | None) -> None:
    assert read_letter(letter(b"1", head), sender=sender).automatic is why


@pytest.mark.parametrize("subject", ["Poissa", "Re: Poissa 3.12. asti", "Frånvaro: Hej", "Automaattinen vastaus: x"])
def test_a_vacation_is_known_by_its_subject(subject: str) -> None:
    raw = f"Subject: {subject}\r\n\r\n1".encode()

    assert read_letter(raw).automatic is Why.AUTO_REPLY


@settings(deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_letter(raw: bytes) -> None:
    read = read_letter(raw)

    assert read.size == len(raw)
    assert read.message_id
    assert clean(read.subject + read.words) == (read.subject + read.words).strip("\n")


part = st.sampled_from(
    [
        *(
            "--b",
            "--b--",
            "",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html",
            "1",
            "> 2",
            "<p>",
            "=FF",
        ),
        *("Content-Type: multipart/mixed; boundary=b", "Content-Transfer-Encoding: base64", "Message-ID: \udcff"),
        *("Content-Type: message/rfc822", "Content-Disposition: attachment; filename*=x''%FF", "Date: 31 Feb 1 99:99"),
        *("Subject: =?utf-8?b?////?=", "Subject: =?hex?q?zz?=", "Content-Transfer-Encoding: x-uuencode", "begin 666 x"),
    ]
)


@settings(deadline=None)
@given(st.lists(part, max_size=30))
def test_broken_letters_are_letters_too(lines: list[str]) -> None:
    raw = "\r\n".join(lines).encode(errors="surrogateescape")

    assert not read_letter(raw).unreadable


@pytest.mark.slow
def test_a_letter_of_a_thousand_parts_within_parts_is_still_a_letter() -> None:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(1000))

    assert read_letter(f"{head}\r\n1".encode()).size > 0


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["1", "> 1", "", "On 1.1.2026 X wrote:", "-- ", "From: a", "Sent: b", "______________"]))
)
def test_own_words_are_lines_of_the_text(lines: list[str]) -> None:
    words = own_words("\n".join(lines))

    assert set(words.split("\n")) <= {*lines, ""}
    assert not any(line.startswith(">") for line in words.split("\n"))

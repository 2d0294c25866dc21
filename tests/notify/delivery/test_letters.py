"""Letters are read back by Python's own parser: every kind, every language, and whatever a person may be called."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.delivery.header_format import LetterError, header_text, mailbox
from services.notify.delivery.letter_format import MAX_LETTER, Imprint, build
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from shared.i18n import Locale
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING

IMPRINT = Imprint(
    public_url="https://valmius.example.org",
    mail_domain="mail.example.org",
    phone="+358 40 000 0000",
    secret="a secret of at least thirty-two characters",
)
LINK = "https://valmius.example.org/c/0123456789"
PARAGRAPH = "Sähköt ovat poikki. Tarkistakaa, onko naapurilla lämmin. " * 30
SHARED = {
    Kind.CHECKIN: {
        "situation.fi": "Talvimyrsky",
        "situation.sv": "Vinterstorm",
        "closes_at": "2026-11-21T20:00:00+00:00",
    },
    Kind.REMINDER: {
        "situation.fi": "Talvimyrsky",
        "situation.sv": "Vinterstorm",
        "closes_at": "2026-11-21T20:00:00+00:00",
        "number": "1",
        "last": "yes",
    },
    Kind.REPLY_RECORDED: {"outcome": "limited"},
    Kind.SIGN_IN: {},
    Kind.DETAILS: {},
    Kind.INJECT: {
        "text.fi": "HARJOITUS: Tie on poikki.",
        "sender.fi": "pelastuslaitos",
        "sender.sv": "räddningsverket",
    },
    Kind.CONFIRM: {},
    Kind.SIGN_UP: {"name.fi": "Talvimyrsky", "closes_at": "2026-11-21T20:00:00+00:00"},
    Kind.EXERCISE_STARTED: {"name.fi": "Talvimyrsky", "name.sv": "Vinterstorm"},
    Kind.EXERCISE_ENDED: {"name.fi": "Talvimyrsky", "aborted": "yes"},
    Kind.GUIDANCE: {
        "headline.fi": "Myrsky: tarkistakaa naapurit",
        "text.fi": f"{PARAGRAPH}\n\n.piste rivin alussa\n.\nLoppu",
        "html.fi": f"<p>{PARAGRAPH}</p><p>.piste</p>",
        "headline.sv": "Stormen: se till grannarna",
        "text.sv": "Elen är borta.",
        "html.sv": "<p>Elen är borta.</p>",
        "areas.fi": "Hattula, Hämeenlinna",
        "areas.sv": "Hattula, Tavastehus",
        "page": "https://valmius.example.org/m/082",
    },
}
PERSONAL = {
    Kind.CHECKIN: {"association": "Hattulan Martat & Kylä <ry>", "link": LINK},
    Kind.INJECT: {},
    Kind.DETAILS: {"association": "Hattulan Martat & Kylä <ry>", "link": LINK},
    Kind.REMINDER: {"association": "Hattulan Martat & Kylä <ry>", "link": LINK},
    Kind.REPLY_RECORDED: {"association": "Hattulan Martat & Kylä <ry>", "link": LINK},
    Kind.SIGN_IN: {"name": "Aino Åberg", "link": LINK},
    Kind.CONFIRM: {"link": LINK},
    Kind.SIGN_UP: {"link": LINK},
    Kind.EXERCISE_STARTED: {},
    Kind.EXERCISE_ENDED: {},
    Kind.GUIDANCE: {},
}
BUTTON = {Locale.FI: "Avaa vastauslomake", Locale.SELKO: "Avaa lomake", Locale.SV: "Öppna svarsblanketten"}
PREFIX = {Locale.FI: "HARJOITUS:", Locale.SELKO: "HARJOITUS:", Locale.SV: "ÖVNING:", Locale.EN: "EXERCISE:"}
EMERGENCY = {
    Locale.FI: "Hätätilanteessa soita 112.",
    Locale.SELKO: "Hätätilanteessa soita 112.",
    Locale.SV: "I en nödsituation, ring 112.",
    Locale.EN: "In an emergency call 112.",
}

every_letter = pytest.mark.parametrize("kind", list(Kind))
every_language = pytest.mark.parametrize("locale", list(Locale))


def letter(kind: Kind, *, realm: Realm = LIVE, shared: dict[str, str] | None = None) -> Letter:
    return Letter(
        realm=realm,
        letter_id=UUID(int=7),
        kind=kind,
        lane=Lane.URGENT if kind in {Kind.SIGN_IN, Kind.CONFIRM, Kind.REPLY_RECORDED} else Lane.BULK,
        not_after=STORM_EVENING + timedelta(hours=6),
        shared=SHARED[kind] if shared is None else shared,
        created_at=STORM_EVENING,
    )


def aino(kind: Kind, *, address: str = "aino@example.org", **personal: str) -> Recipient:
    return Recipient(UUID(int=8), address, locale="fi", personal={**PERSONAL[kind], **personal})


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def part(message: EmailMessage, subtype: str) -> str:
    body = message.get_body((subtype,))
    assert body is not None
    return str(body.get_content())


@every_letter
@every_language
@pytest.mark.parametrize("eight_bit", [True, False])
def test_a_letter_is_whole_in_both_parts(kind: Kind, locale: Locale, eight_bit: bool) -> None:
    raw = build(letter(kind), locale, imprint=IMPRINT).fill(aino(kind), eight_bit=eight_bit)

    message = read(raw)
    text, html = part(message, "plain"), part(message, "html")

    assert message["To"] == "aino@example.org"
    assert message["Message-ID"] == f"<{UUID(int=7)}.{UUID(int=8)}@mail.example.org>"
    assert message["Auto-Submitted"] == ("auto-replied" if kind is Kind.REPLY_RECORDED else "auto-generated")
    assert message["Content-Language"] == locale.lang
    assert message["Date"].datetime == STORM_EVENING
    assert message["From"].addresses[0].domain == "mail.example.org"
    assert message["X-Valmius-Realm"] is None
    assert f'<html lang="{locale.lang}">' in html
    assert "<img" not in html
    assert "\x1b" not in raw.decode("latin-1")
    for value in PERSONAL[kind].values():
        assert value in text or kind is Kind.SIGN_IN
        assert value in unescape(html)
    assert len(raw) <= MAX_LETTER
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert eight_bit or raw.isascii()


@every_letter
@every_language
def test_an_exercise_says_so_first(kind: Kind, locale: Locale) -> None:
    raw = build(letter(kind, realm=Realm("ex-autumn")), locale, imprint=IMPRINT).fill(aino(kind))

    message = read(raw)

    assert message["Subject"].startswith(PREFIX[locale])
    assert message["X-Valmius-Realm"] == "ex-autumn"
    assert part(message, "plain").startswith(PREFIX[locale].rstrip(":"))
    assert PREFIX[locale].rstrip(":") in part(message, "html").split("<h1")[0].split("<body")[1]


@every_language
def test_guidance_can_be_left_with_one_click_and_ends_with_112(locale: Locale) -> None:
    message = read(build(letter(Kind.GUIDANCE), locale, imprint=IMPRINT).fill(aino(Kind.GUIDANCE)))

    leave = IMPRINT.leave_link(UUID(int=8))
    assert message["List-Unsubscribe"] == f"<{leave}/one-click>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<guidance.mail.example.org>"
    assert message["Precedence"] == "bulk"
    assert leave in part(message, "plain")
    assert f'href="{leave}"' in part(message, "html")
    assert part(message, "plain").rstrip().endswith(EMERGENCY[locale])


@every_language
def test_guidance_of_an_exercise_leads_to_no_subscription(locale: Locale) -> None:
    template = build(letter(Kind.GUIDANCE, realm=Realm("ex-autumn")), locale, imprint=IMPRINT)
    message = read(template.fill(aino(Kind.GUIDANCE)))

    assert message["List-Unsubscribe"] is None
    assert "/s/" not in part(message, "plain") + part(message, "html")
    assert part(message, "plain").rstrip().endswith(EMERGENCY[locale])


def test_guidance_in_a_language_it_lacks_comes_in_finnish_and_says_so() -> None:
    english = read(build(letter(Kind.GUIDANCE), Locale.EN, imprint=IMPRINT).fill(aino(Kind.GUIDANCE)))
    swedish = read(build(letter(Kind.GUIDANCE), Locale.SV, imprint=IMPRINT).fill(aino(Kind.GUIDANCE)))

    assert english["Subject"] == "Myrsky: tarkistakaa naapurit"
    assert "Here it is in Finnish." in " ".join(part(english, "plain").split())
    assert '<div lang="fi">' in part(english, "html")
    assert swedish["Subject"] == "Stormen: se till grannarna"
    assert '<div lang="sv">' in part(swedish, "html")
    assert "på finska" not in part(swedish, "plain")


@pytest.mark.parametrize("locale", list(BUTTON))
def test_the_button_of_a_check_in_does_not_look_like_the_answer(locale: Locale) -> None:
    html = part(read(build(letter(Kind.CHECKIN), locale, imprint=IMPRINT).fill(aino(Kind.CHECKIN))), "html")

    assert f">{BUTTON[locale]}</a>" in html
    assert html.count("background-color:#00357a") == 1


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '<a href="javascript:alert(1)">x</a>',
        '<p onclick="x()">x</p>',
        '<img src="https://elsewhere.example/x.png" onerror="x()">',
    ],
)
def test_no_script_of_an_editor_reaches_a_mail(attack: str) -> None:
    shared = SHARED[Kind.GUIDANCE] | {"html.fi": f"<p>Hei</p>{attack}"}

    template = build(letter(Kind.GUIDANCE, shared=shared), Locale.FI, imprint=IMPRINT)
    html = part(read(template.fill(aino(Kind.GUIDANCE))), "html")

    assert "script" not in html
    assert "onclick" not in html
    assert "onerror" not in html


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=140)


@given(name=names, eight_bit=st.booleans())
def test_any_name_arrives_as_it_was_written(name: str, eight_bit: bool) -> None:
    template = build(letter(Kind.CHECKIN), Locale.EN, imprint=IMPRINT)

    raw = template.fill(aino(Kind.CHECKIN, association=name), eight_bit=eight_bit)
    message = read(raw)

    assert f"How is {name} operating now?" in part(message, "plain").replace("\r\n", "\n")
    assert f"How is {name} operating now?" in unescape(part(message, "html"))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert [field for field in message if field.startswith("X-")] == []


@given(name=st.text(max_size=40))
def test_a_header_text_is_read_back(name: str) -> None:
    spoken = " ".join(name.split())
    spoken = "".join(letter for letter in spoken if letter.isprintable())
    raw = f"Subject: {header_text(spoken)}\r\n\r\n".encode()

    assert read(raw)["Subject"].strip() == spoken.strip()


@pytest.mark.parametrize("break_in", ["\r\nBcc: all@example.org", "\n.", "\x00", "\u2028", "\x1blink\x1b", "\udc80"])
@pytest.mark.parametrize("field", ["association", "link"])
def test_a_value_cannot_break_out_of_its_line(break_in: str, field: str) -> None:
    template = build(letter(Kind.CHECKIN), Locale.FI, imprint=IMPRINT)
    broken = aino(Kind.CHECKIN, **{field: f"{PERSONAL[Kind.CHECKIN][field]}{break_in}"})

    with pytest.raises(LetterError, match=field):
        template.fill(broken)


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/c/1",
        "https://valmius.example.org.elsewhere.example/c/1",
        "javascript:alert(1)",
        'https://valmius.example.org/c/1"onmouseover="x',
        "https://valmius.example.org/c/1 2",
    ],
)
def test_a_link_leads_to_this_installation_or_nowhere(link: str) -> None:
    template = build(letter(Kind.CHECKIN), Locale.FI, imprint=IMPRINT)

    with pytest.raises(LetterError, match="link"):
        template.fill(aino(Kind.CHECKIN, link=link))


@pytest.mark.parametrize(
    "address", ["", "aino", "aino@", "@example.org", "a b@example.org", "a@b@c", "aino@example.org\r\nRCPT TO:<b@c>"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(LetterError, match="address"):
        mailbox(address)


def test_a_domain_is_written_in_ascii_and_a_name_must_be() -> None:
    assert mailbox(" aino@hämeenkylä.example ") == "aino@xn--hmeenkyl-0zah.example"
    with pytest.raises(LetterError, match="letters"):
        mailbox("äinö@example.org")


def test_a_letter_without_its_texts_cannot_be_written() -> None:
    with pytest.raises(LetterError, match="guidance"):
        build(letter(Kind.GUIDANCE, shared={}), Locale.FI, imprint=IMPRINT)


def test_a_letter_that_is_too_long_cannot_be_written() -> None:
    with pytest.raises(LetterError, match="longer"):
        build(
            letter(Kind.GUIDANCE, shared=SHARED[Kind.GUIDANCE] | {"text.fi": "pitkä " * 8000}),
            Locale.FI,
            imprint=IMPRINT,
        )


def test_who_subscribes_already_is_told_so() -> None:
    template = build(letter(Kind.CONFIRM, shared={"purpose": "preferences"}), Locale.FI, imprint=IMPRINT)

    assert "Olette jo tilannut" in part(read(template.fill(aino(Kind.CONFIRM))), "plain")


@every_language
def test_the_next_contact_is_told_who_was_asked_before(locale: Locale) -> None:
    earlier = "We asked Aino & co on 21.11. and have no answer yet."

    message = read(build(letter(Kind.CHECKIN), locale, imprint=IMPRINT).fill(aino(Kind.CHECKIN, earlier=earlier)))

    assert f"\r\n\r\n{earlier}\r\n\r\n" in part(message, "plain")
    assert f'<p style="margin:0 0 16px">{earlier}</p>' in unescape(part(message, "html"))


@every_language
def test_whoever_is_asked_first_gets_no_empty_line(locale: Locale) -> None:
    message = read(build(letter(Kind.CHECKIN), locale, imprint=IMPRINT).fill(aino(Kind.CHECKIN)))

    assert "\r\n\r\n\r\n" not in part(message, "plain")
    assert '<p style="margin:0 0 16px"></p>' not in part(message, "html")


@every_language
def test_a_correction_answers_the_first_letter_and_says_what_it_is(locale: Locale) -> None:
    first = UUID(int=5)
    recipient = Recipient(UUID(int=9), "aino@example.org", locale)
    heads = {"update": ("Korjattu:", "Rättad:", "Corrected:"), "cancel": ("Peruttu:", "Återkallad:", "Withdrawn:")}

    for change, prefixes in heads.items():
        shared = {**SHARED[Kind.GUIDANCE], "change": change, "first": str(first), "note.fi": "Kello oli väärin."}
        raw = build(letter(Kind.GUIDANCE, shared=shared), locale, imprint=IMPRINT).fill(recipient)
        read = message_from_bytes(raw, policy=policy.default)
        before = f"<{first}.{recipient.recipient_id}@mail.example.org>"

        assert (read["In-Reply-To"], read["References"]) == (before, before)
        assert str(read["Subject"]).startswith(prefixes)
        body = read.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert "Kello oli väärin." in body
        assert ("Elen är borta." in body or "Sähköt ovat poikki." in body) is (change == "update")


def test_only_guidance_follows_another_letter() -> None:
    shared = {**SHARED[Kind.CHECKIN], "first": "x\r\nBcc: eve@example.org"}
    recipient = Recipient(UUID(int=9), "aino@example.org", "fi", PERSONAL[Kind.CHECKIN])

    raw = build(letter(Kind.CHECKIN, shared=shared), Locale.FI, imprint=IMPRINT).fill(recipient)

    assert b"Bcc" not in raw
    assert b"In-Reply-To" not in raw

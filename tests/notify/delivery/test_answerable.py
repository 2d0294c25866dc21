"""Letters that can be answered by mail: the address is ours alone, and the text says how."""

import pytest

from services.notify.delivery.header_format import LetterError
from services.notify.delivery.letter_format import build
from services.notify.delivery.model import Kind
from shared.i18n import Locale
from tests.notify.delivery.test_letters import IMPRINT, SHARED, aino, letter, part, read

KEY = "abcdefgh234567abcdefgh234567abcd"
HOW = {
    Locale.FI: "1 = normaalisti, 2 = rajoitetusti, 3 = keskeytynyt",
    Locale.SELKO: "3 = emme toimi nyt",
    Locale.SV: "1 = normalt, 2 = begränsat, 3 = avbrutet",
    Locale.EN: "1 = normal, 2 = in part, 3 = suspended",
}
SAYS = {
    "normal": "Toimimme normaalisti",
    "limited": "Toimimme rajoitetusti",
    "suspended": "Toimintamme on keskeytynyt",
    "waiting": "Luemme sen ja kirjaamme vastauksenne.",
    "late": "Luemme sen silti.",
}


def said(text: str) -> str:
    """The text without the places where its lines were broken."""
    return " ".join(text.split())


@pytest.mark.parametrize("kind", [Kind.CHECKIN, Kind.REPLY_RECORDED])
def test_the_address_to_which_a_letter_is_answered_carries_the_key(kind: Kind) -> None:
    message = read(build(letter(kind), Locale.FI, imprint=IMPRINT).fill(aino(kind, reply=KEY)))

    assert message["Reply-To"] == f"vastaus+{KEY}@mail.example.org"


def test_a_letter_that_was_wished_for_without_a_key_has_no_such_address() -> None:
    message = read(build(letter(Kind.CHECKIN), Locale.FI, imprint=IMPRINT).fill(aino(Kind.CHECKIN)))

    assert message["Reply-To"] is None
    assert "vastata tähän viestiin" not in said(part(message, "plain"))


@pytest.mark.parametrize("locale", list(Locale))
def test_the_letter_says_how_to_answer_it(locale: Locale) -> None:
    shared = SHARED[Kind.CHECKIN] | {"replies": "yes"}

    message = read(build(letter(Kind.CHECKIN, shared=shared), locale, imprint=IMPRINT).fill(aino(Kind.CHECKIN)))

    assert HOW[locale] in said(part(message, "plain"))
    assert HOW[locale] in part(message, "html")


@pytest.mark.parametrize("key", ["", "short", KEY.upper(), f"{KEY}\r\nBcc: all@example.org", f"{KEY}\n", "a@b>, <c@d"])
def test_a_key_can_bring_nothing_else_into_the_head(key: str) -> None:
    template = build(letter(Kind.CHECKIN), Locale.FI, imprint=IMPRINT)

    with pytest.raises(LetterError, match="reply"):
        template.fill(aino(Kind.CHECKIN, reply=key))


@pytest.mark.parametrize("outcome", list(SAYS))
def test_whoever_answered_by_mail_is_told_what_became_of_it(outcome: str) -> None:
    template = build(letter(Kind.REPLY_RECORDED, shared={"outcome": outcome}), Locale.FI, imprint=IMPRINT)

    message = read(template.fill(aino(Kind.REPLY_RECORDED)))

    assert SAYS[outcome] in said(part(message, "plain"))
    assert SAYS[outcome] in part(message, "html")
    assert ("/c/" in part(message, "plain")) is (outcome != "late")

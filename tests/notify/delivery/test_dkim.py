"""Letters are signed so that a receiver's own program agrees: every kind, language and name, and no byte changed."""

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from services.notify.delivery.dkim_format import Seal, canonical_body, signing_keys
from services.notify.delivery.letter_format import Template, build
from services.notify.delivery.model import Kind, Lane
from services.notify.delivery.sending import Signer
from shared.db import Database
from shared.i18n import Locale
from shared.realm import LIVE, Realm
from shared.settings import Dkim, SettingsError
from tests.fakes import FakeClock
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import Relay, relaying
from tests.notify.delivery.signing import DOMAIN, both, keys, pem, rsa_pem, verified
from tests.notify.delivery.test_letters import IMPRINT, SHARED, aino, letter, names

SIGNED = {
    Kind.GUIDANCE: (
        "From To Subject Date Message-ID List-Id List-Unsubscribe List-Unsubscribe-Post Auto-Submitted Precedence "
        "Content-Language Content-Type MIME-Version References In-Reply-To X-Valmius-Realm"
    ),
    Kind.CHECKIN: "From To Subject Date Message-ID Reply-To Auto-Submitted Precedence Content-Type MIME-Version",
}


def seal_of(template: Template) -> Seal:
    signer = Signer(DOMAIN, keys())
    signer.close()
    return signer.seal(template)


def body_hash(message: bytes) -> bytes:
    found = re.search(rb"\tbh=([^;]+);", message)
    assert found
    return found.group(1)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("locale", list(Locale))
def test_both_signatures_of_every_letter_hold(kind: Kind, locale: Locale) -> None:
    template = build(letter(kind), locale, imprint=IMPRINT)
    seal = seal_of(template)

    for eight_bit in (True, False):
        message = seal.signed(template.fill(aino(kind), eight_bit=eight_bit))

        assert verified(message) == [True, True]
        assert max(len(line) for line in message.split(b"\r\n")) <= 998


@pytest.mark.parametrize("kind", list(SIGNED))
def test_everything_that_the_head_says_is_signed_and_nothing_can_be_added(kind: Kind) -> None:
    shared = {**SHARED[kind], "first": str(UUID(int=5)), "change": "update"}
    reply = {"reply": "a" * 32} if kind is Kind.CHECKIN else {}

    def signed(realm: Realm) -> bytes:
        template = build(letter(kind, realm=realm, shared=shared), Locale.FI, imprint=IMPRINT)
        return seal_of(template).signed(template.fill(aino(kind, **reply)))

    def covered_in(message: bytes) -> list[str]:
        return re.sub(rb"\s", b"", message.partition(b"\th=")[2].partition(b";")[0]).decode().split(":")

    live, message = signed(LIVE), signed(Realm("ex-autumn"))  # in an exercise nobody leaves by one click
    covered = covered_in(message)

    assert verified(live) == verified(message) == [True, True]
    assert set(SIGNED[kind].split()) <= {*covered, *covered_in(live)}
    assert {covered.count(name) for name in ("From", "To", "Subject", "Date")} == {2}
    assert b"l=" not in message.partition(b"\tb=")[0]
    for line in (b"Subject: Voitto", b"From: eve@example.org", b"To: eve@example.org", b"Date: today"):
        assert verified(line + b"\r\n" + message) == [False, False]


def test_a_changed_byte_anywhere_is_noticed() -> None:
    template = build(letter(Kind.GUIDANCE), Locale.FI, imprint=IMPRINT)
    message = seal_of(template).signed(template.fill(aino(Kind.GUIDANCE)))
    head = message.index(b"To: aino")
    letters = [place for place in range(head, len(message)) if chr(message[place]).isalnum()]

    for place in letters[:: len(letters) // 30]:
        changed = message[:place] + (b"7" if message[place : place + 1] != b"7" else b"8") + message[place + 1 :]
        assert verified(changed) == [False, False], message[place - 20 : place + 20]


@settings(max_examples=60)
@given(name=names, eight_bit=st.booleans(), kind=st.sampled_from([Kind.CHECKIN, Kind.SIGN_IN]))
@example(name="  ..  ", eight_bit=True, kind=Kind.CHECKIN)
@example(name="Ääkkösten ystävät ry 🌊", eight_bit=True, kind=Kind.CHECKIN)
@example(name="x" * 600, eight_bit=True, kind=Kind.CHECKIN)
@example(name="&" * 140, eight_bit=True, kind=Kind.CHECKIN)
def test_a_letter_to_any_name_verifies(name: str, eight_bit: bool, kind: Kind) -> None:
    template = build(letter(kind), Locale.FI, imprint=IMPRINT)
    field = "name" if kind is Kind.SIGN_IN else "association"

    message = seal_of(template).signed(template.fill(aino(kind, **{field: name}), eight_bit=eight_bit))

    assert verified(message) == [True, True]


spaced = st.text(st.sampled_from("a .\t\r\n"), max_size=90).map(lambda text: "\r\n".join(text.splitlines()).encode())


@given(pieces=st.lists(spaced, min_size=1, max_size=4), values=st.lists(spaced, min_size=3, max_size=3))
@pytest.mark.slow
def test_what_is_hashed_beforehand_changes_no_hash(pieces: list[bytes], values: list[bytes]) -> None:
    long = [piece + b"\r\n  many  words \r\n" * 5 + piece for piece in pieces]
    long[0] = b"From: a@mail.example.org\r\n\r\n" + long[0]
    seal = Seal(DOMAIN, keys()[1:], pieces=long)
    whole = b"".join(part for pair in zip(long, values, strict=False) for part in pair) + b"\r\n--end--\r\n"

    for message in (whole, whole.removesuffix(b"--end--\r\n"), long[0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"):
        expected = hashlib.sha256(canonical_body(message.partition(b"\r\n\r\n")[2])).digest()
        assert body_hash(seal.signed(message)) == b64encode(expected)


def test_signing_the_same_copy_again_changes_nothing() -> None:
    template = build(letter(Kind.GUIDANCE), Locale.FI, imprint=IMPRINT)
    message = template.fill(aino(Kind.GUIDANCE))

    assert seal_of(template).signed(message) == seal_of(template).signed(message)


@pytest.mark.parametrize("extensions", [("PIPELINING", "8BITMIME"), ("8BITMIME",), ("SIZE",)])
async def test_what_a_relay_took_verifies(database: Database, clock: FakeClock, extensions: tuple[str, ...]) -> None:
    async with relaying(Relay(extensions=extensions)) as relay:
        office = Office(database, clock=clock, port=relay.port, signer=Signer(DOMAIN, keys()))
        await office.add("aino@example.org", lane=Lane.URGENT, association=".piste & Åke")
        async with database.write() as session:
            readers = [aino(Kind.GUIDANCE, address=f"{name}@example.org") for name in ("bertta", "cecilia")]
            readers[1] = replace(readers[1], recipient_id=UUID(int=9), locale="sv")
            await office.ledger.add(session, letter(Kind.GUIDANCE), recipients=readers)
        for lane in Lane:
            await office.send(lane)

        assert len(relay.taken) == 3
        assert any(b"\r\n.\r\n" in taken.message for taken in relay.taken) is ("8BITMIME" in extensions)
        assert [verified(taken.message) for taken in relay.taken] == [[True, True]] * 3
        await office.close()


def test_without_a_key_nothing_is_signed() -> None:
    assert signing_keys(Dkim()) == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"key": "no key"}, "VALMIUS_DKIM__KEY: this is no private key"),
        ({"key": ""}, "give both, or neither"),
        ({"selector": ""}, "give both, or neither"),
        ({"key": "short"}, "VALMIUS_DKIM__KEY: an RSA key of 1024 bits is too short"),
        ({"second_key": "public"}, "VALMIUS_DKIM__SECOND_KEY: this is no private key"),
        ({"second_key": "curve"}, "neither"),
        ({"second_selector": "autumn"}, "selector of its own"),
    ],
)
def test_a_key_that_is_not_fit_is_refused_with_its_reason(given: dict[str, str], expected: str) -> None:
    public = keys()[0].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    odd = {"short": rsa_pem(1024), "public": public, "curve": pem(generate_private_key(SECP256R1()))}
    update = {
        name: SecretStr(odd.get(value, value)) if name.endswith("key") else value for name, value in given.items()
    }

    with pytest.raises(SettingsError, match=expected) as found:
        signing_keys(both().model_copy(update=update))

    assert "BEGIN" not in str(found.value)

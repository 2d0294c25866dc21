"""The keyed hash of an address: one for all its spellings, none without the key."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.erased import keyed_hash

SECRET = "a secret of at least thirty-two characters"


def test_all_spellings_of_an_address_have_one_hash() -> None:
    spelled = ["aino@häme.example", " Aino@HÄME.example ", "AINO@xn--hme-qla.example", "aino@ha\u0308me.example"]

    assert len({keyed_hash(SECRET, one) for one in spelled}) == 1


def test_the_hash_is_keyed_so_that_addresses_cannot_be_tried_out() -> None:
    found = keyed_hash(SECRET, "aino@example.org")

    assert found != keyed_hash(SECRET.replace("a", "b"), "aino@example.org")
    assert found != hashlib.sha256(b"aino@example.org").hexdigest()
    assert "aino" not in found


@given(st.text())
def test_any_text_has_a_hash_and_its_own(text: str) -> None:
    found = keyed_hash(SECRET, text)

    assert len(found) == 64
    assert found != keyed_hash(SECRET, f"{text}x")

"""The return address: each delivery has its own, and nobody can make one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.delivery.return_address import ReturnAddress, read_return_address, return_address

SECRET = "a secret of at least thirty-two characters"
DOMAIN = "Valmius.example.org"
LETTER, AINO = UUID("019aa000-0000-7000-8000-000000000001"), UUID("019aa000-0000-7000-8000-000000000002")


def address(delivery: int = 17, letter: UUID = LETTER, recipient: UUID = AINO, *, secret: str = SECRET) -> str:
    return return_address(delivery, letter, recipient, secret=secret, domain=DOMAIN)


def claimed(text: str) -> ReturnAddress:
    found = read_return_address(text, domain=DOMAIN)
    assert found is not None
    return found


@given(st.integers(min_value=1, max_value=2**63 - 1), st.uuids(), st.uuids())
def test_what_we_gave_out_is_known_again_in_any_case(delivery: int, letter: UUID, recipient: UUID) -> None:
    given_out = address(delivery, letter, recipient)

    found = claimed(given_out.upper())

    assert found.delivery == delivery
    assert found.genuine(letter, recipient, secret=SECRET)
    assert len(given_out.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "other", [address(18), address(letter=AINO), address(recipient=LETTER), address(secret=SECRET.upper())]
)
def test_the_tag_of_another_is_not_taken(other: str) -> None:
    tag = claimed(other).tag

    assert not ReturnAddress(17, tag).genuine(LETTER, AINO, secret=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bounce@valmius.example.org",
        "bounce+17@valmius.example.org",
        f"bounce+0-{'a' * 20}@valmius.example.org",
        f"bounce+{10**19 - 1}-{'a' * 20}@valmius.example.org",
        f"bounce+17-{'a' * 19}@valmius.example.org",
        f"bounce+17-{'a' * 20}@elsewhere.example",
        f"bounce+١٧-{'a' * 20}@valmius.example.org",
        f"xbounce+17-{'a' * 20}@valmius.example.org",
    ],
)
def test_any_other_address_claims_nothing(text: str) -> None:
    assert read_return_address(text, domain=DOMAIN) is None


@given(st.text())
def test_any_text_claims_something_or_nothing(text: str) -> None:
    found = read_return_address(f"bounce+{text}@{DOMAIN}", domain=DOMAIN)

    assert found is None or not found.genuine(LETTER, AINO, secret=SECRET)

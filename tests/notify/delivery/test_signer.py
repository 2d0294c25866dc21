"""Letters that are to be signed at once share the threads: each gets its own signature, or its own error."""

import asyncio
from collections.abc import Iterator

import pytest

from services.notify.delivery.letter_format import build
from services.notify.delivery.model import Kind
from services.notify.delivery.sending import Signer
from shared.i18n import Locale
from tests.notify.delivery.signing import DOMAIN, keys, verified
from tests.notify.delivery.test_letters import IMPRINT, aino, letter

TEMPLATE = build(letter(Kind.GUIDANCE), Locale.FI, imprint=IMPRINT)


@pytest.fixture
def signer() -> Iterator[Signer]:
    signer = Signer(DOMAIN, keys())
    yield signer
    signer.close()


def copies(number: int) -> list[bytes]:
    return [TEMPLATE.fill(aino(Kind.GUIDANCE, address=f"aino{n}@example.org")) for n in range(number)]


async def test_each_of_many_gets_her_own_signature(signer: Signer) -> None:
    seal, letters = signer.seal(TEMPLATE), copies(9)

    signed = await asyncio.gather(*(signer.sign(seal, one) for one in letters))

    assert all(whole.endswith(one) for whole, one in zip(signed, letters, strict=True))
    assert all(all(verified(one)) for one in signed)


async def test_what_cannot_be_signed_is_told_to_its_caller_alone(signer: Signer) -> None:
    seal, letters = signer.seal(TEMPLATE), [*copies(3), b"To: aino@example.org\r\n\r\nno copy\r\n", *copies(3)]

    outcomes = await asyncio.gather(*(signer.sign(seal, one) for one in letters), return_exceptions=True)

    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [False] * 3 + [True] + [False] * 3


async def test_who_comes_when_all_are_done_or_while_another_gives_up_is_served(signer: Signer) -> None:
    seal, (one, other) = signer.seal(TEMPLATE), copies(2)

    for _ in range(10):
        gives_up = asyncio.create_task(signer.sign(seal, other))
        await asyncio.sleep(0)
        gives_up.cancel()
        assert (await signer.sign(seal, one)).endswith(one)
        with pytest.raises(asyncio.CancelledError):
            await gives_up


async def test_after_the_end_it_says_so(signer: Signer) -> None:
    signer.close()

    with pytest.raises(RuntimeError):
        await signer.sign(signer.seal(TEMPLATE), copies(1)[0])

"""The letters of a batch are signed together: each gets its own signature, or its own error."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest

from services.notify.delivery.header_format import LetterError
from services.notify.delivery.letter_format import build
from services.notify.delivery.model import Claimed, Kind
from services.notify.delivery.sending import SHARE, Copies, Messages, Signer
from shared.i18n import Locale
from tests.notify.delivery.signing import DOMAIN, keys, verified
from tests.notify.delivery.test_letters import IMPRINT, aino, letter

LETTER = UUID(int=7)
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

    signed = await signer.sign([(seal, one) for one in letters])

    assert all(isinstance(whole, bytes) and whole.endswith(one) for whole, one in zip(signed, letters, strict=True))
    assert all(all(verified(one)) for one in signed if isinstance(one, bytes))


async def test_what_cannot_be_signed_is_told_of_this_one_alone(signer: Signer) -> None:
    seal, letters = signer.seal(TEMPLATE), [*copies(3), b"To: aino@example.org\r\n\r\nno copy\r\n", *copies(3)]

    outcomes = await signer.sign([(seal, one) for one in letters])

    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [False] * 3 + [True] + [False] * 3


async def test_after_the_end_it_says_so(signer: Signer) -> None:
    signer.close()

    outcomes = await signer.sign([(signer.seal(TEMPLATE), one) for one in copies(2)])

    assert [type(outcome) for outcome in outcomes] == [RuntimeError, RuntimeError]


def batch(number: int) -> list[Claimed]:
    return [
        Claimed(n, "claim", "live", LETTER, aino(Kind.GUIDANCE, address=f"aino{n}@example.org"), 0, 0)
        for n in range(number)
    ]


@pytest.mark.parametrize("eight_bit", [True, False])
async def test_a_batch_of_several_shares_is_signed_in_whatever_order_it_is_asked_for(
    signer: Signer, *, eight_bit: bool
) -> None:
    claimed, copies = batch(2 * SHARE + 3), Copies(TEMPLATE, signer.seal(TEMPLATE))
    messages = Messages(claimed, lambda _: copies, signer=signer)

    got = [await messages.of(delivery, eight_bit=eight_bit) for delivery in reversed(claimed)]

    fills = [TEMPLATE.fill(delivery.recipient, eight_bit=eight_bit) for delivery in reversed(claimed)]
    assert all(whole.endswith(fill) and all(verified(whole)) for whole, fill in zip(got, fills, strict=True))


async def test_who_gives_up_or_cannot_be_written_to_holds_up_nobody(signer: Signer) -> None:
    claimed, copies = batch(4), Copies(TEMPLATE, signer.seal(TEMPLATE))

    def copies_of(delivery: Claimed) -> Copies:
        if delivery.id == 1:
            raise LetterError("no text")
        return copies

    messages = Messages(claimed, copies_of, signer=signer)
    gives_up = asyncio.create_task(messages.of(claimed[0], eight_bit=True))
    await asyncio.sleep(0)
    gives_up.cancel()

    with pytest.raises(LetterError, match="no text"):
        await messages.of(claimed[1], eight_bit=True)
    for delivery in claimed[2:]:
        assert all(verified(await messages.of(delivery, eight_bit=True)))
    with pytest.raises(asyncio.CancelledError):
        await gives_up


@pytest.mark.parametrize("error", [LetterError("no text"), KeyError("a fault of ours")])
async def test_whatever_is_wrong_with_one_message_nobody_waits_for_ever(signer: Signer, error: Exception) -> None:
    claimed, copies = batch(3), Copies(TEMPLATE, signer.seal(TEMPLATE))

    def copies_of(delivery: Claimed) -> Copies:
        if delivery.id == 0:
            raise error
        return copies

    messages = Messages(claimed, copies_of, signer=signer)
    gives_up = asyncio.create_task(messages.of(claimed[0], eight_bit=True))
    await asyncio.sleep(0)
    gives_up.cancel()

    async with asyncio.timeout(10):
        for delivery in claimed[1:]:
            assert all(verified(await messages.of(delivery, eight_bit=True)))
    with pytest.raises((asyncio.CancelledError, type(error))):
        await gives_up


async def test_without_a_key_a_message_is_what_the_template_says() -> None:
    (delivery,) = batch(1)
    messages = Messages([delivery], lambda _: Copies(TEMPLATE), signer=None)

    assert await messages.of(delivery, eight_bit=True) == TEMPLATE.fill(delivery.recipient, eight_bit=True)

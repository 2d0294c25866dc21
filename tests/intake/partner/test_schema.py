"""The API asked whatever its document permits, and what it does not: no fault of ours, every answer as described."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.partner_keys import Scope
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, AINO, BERTTA, running_intake
from tests.intake.partner.document import told
from tests.intake.partner.keys import BASE, make_key
from tests.partner_asking import UNHURRIED, Api, Asked, asking

OPERATIONS = (
    ("GET", "/associations"),
    ("GET", "/associations/{association_id}"),
    ("GET", "/rounds"),
    ("POST", "/rounds/{round_id}/checkins"),
)


@pytest.fixture
def asked(settings: Settings, clock: FakeClock) -> Iterator[Asked]:
    """Two associations, of which one is asked."""

    async def start(stack: AsyncExitStack) -> Api:
        intake = await stack.enter_async_context(running_intake(settings, clock))
        await intake.take_in(AINO, BERTTA)
        first, *_ = await intake.ids()
        opened = await intake.open_round([first])
        known = {"association_id": str(first), "round_id": str(opened.round_id)}
        return Api(intake.app, intake.browser, f"{ADDRESS}{BASE}", await make_key(intake, *Scope), known)

    with asking(start) as one:
        yield one


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described(asked: Asked, method: str, path: str) -> None:
    asked.ask(told(), method, path, examples=300)


def test_whatever_is_sent_as_a_key_is_refused_in_plain_words(asked: Asked) -> None:
    @hypothesis_settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from([b"", b"Bearer ", b"Basic "]), st.binary(max_size=60))
    def each(scheme: bytes, said: bytes) -> None:
        answered = asked.runner.run(
            asked.api.browser.get(f"{BASE}/associations", headers=[(b"authorization", scheme + said)])
        )
        assert (answered.status_code, answered.headers["content-type"]) == (401, "application/problem+json")

    asked.api.app.state.partner_api.state.keys.refusals = UNHURRIED
    each()

"""The API asked whatever its document permits, and what it does not: no fault of ours, every answer as described."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.partner_keys import Scope
from shared.rate_limit import RateLimit
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, AINO, BERTTA, Intake, running_intake
from tests.intake.partner.document import told
from tests.intake.partner.keys import BASE, make_key

OPERATIONS = (
    ("GET", "/associations"),
    ("GET", "/associations/{association_id}"),
    ("GET", "/rounds"),
    ("POST", "/rounds/{round_id}/checkins"),
)
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(frozen=True)
class Asked:
    """The running API with two associations of which one is asked, and a key for everything."""

    runner: asyncio.Runner
    intake: Intake
    key: dict[str, str]
    ids: list[UUID]
    round_id: UUID

    def answer(self, case: Case[Any]) -> httpx.Response:
        """What the API answers."""
        told = case.as_transport_kwargs(base_url=f"{ADDRESS}{BASE}")
        if isinstance(told.get("data"), str | bytes):
            told["content"] = told.pop("data")
        headers = httpx.Headers([(name, value.encode()) for name, value in told.get("headers", {}).items()])
        headers.update(self.key)
        told["headers"] = headers
        return self.runner.run(self.intake.browser.request(**{name: told[name] for name in KEPT if name in told}))


KEPT = ("method", "url", "headers", "params", "json", "data", "content")


@pytest.fixture
def asked(settings: Settings, clock: FakeClock) -> Iterator[Asked]:
    """In an event loop of its own, since Hypothesis calls tests that are not asynchronous."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def start() -> Asked:
            intake = await stack.enter_async_context(running_intake(settings, clock))
            intake.app.state.partner_api.state.keys.pace = RateLimit(RateLimitItemPerMinute(1_000_000))
            await intake.take_in(AINO, BERTTA)
            ids = await intake.ids()
            opened = await intake.open_round(ids[:1])
            return Asked(runner, intake, await make_key(intake, *Scope), ids, opened.round_id)

        yield runner.run(start())
        runner.run(stack.aclose())


def ask(asked: Asked, method: str, path: str, *, examples: int) -> None:
    """Ask with so many examples of what is permitted and of what is not."""
    operation = schemathesis.openapi.from_dict(told())[path][method]
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @hypothesis_settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.booleans())
    def each(case: Case[Any], known: bool) -> None:
        if known:
            aim(asked, case)
        case.validate_response(asked.answer(case), checks=CHECKS)

    each()


def aim(asked: Asked, case: Case[Any]) -> None:
    """Have the request name what there is, so that it gets further."""
    path: dict[str, Any] = dict(case.path_parameters or {})
    for name, value in (("association_id", asked.ids[0]), ("round_id", asked.round_id)):
        if name in path:
            path[name] = str(value)
    case.path_parameters = path
    if isinstance(case.body, dict) and "association_id" in case.body:
        case.body["association_id"] = str(asked.ids[0])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_as_described(asked: Asked, method: str, path: str) -> None:
    ask(asked, method, path, examples=300)


def test_whatever_is_sent_as_a_key_is_refused_in_plain_words(asked: Asked) -> None:
    @hypothesis_settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from([b"", b"Bearer ", b"Basic "]), st.binary(max_size=60))
    def each(scheme: bytes, said: bytes) -> None:
        answered = asked.runner.run(
            asked.intake.browser.get(f"{BASE}/associations", headers=[(b"authorization", scheme + said)])
        )
        assert (answered.status_code, answered.headers["content-type"]) == (401, "application/problem+json")

    asked.intake.app.state.partner_api.state.keys.refusals = RateLimit(RateLimitItemPerMinute(1_000_000))
    each()

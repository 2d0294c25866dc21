"""Asks a partners' API whatever its document permits, and what it does not."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import schemathesis
from fastapi import FastAPI
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

from shared.rate_limit import RateLimit

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
KEPT = ("method", "url", "headers", "params", "json", "data", "content")
UNHURRIED = RateLimit(RateLimitItemPerMinute(1_000_000))


@dataclass(frozen=True)
class Api:
    """A running API: who asks, where it is, a key for everything, and by its parameter what there is."""

    app: FastAPI
    browser: httpx.AsyncClient
    base: str
    key: Mapping[str, str]
    known: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """The API in an event loop of its own, since Hypothesis calls tests that are not asynchronous."""

    runner: asyncio.Runner
    api: Api

    def ask(self, document: Mapping[str, Any], method: str, path: str, *, examples: int) -> None:
        """Ask with so many examples of what is permitted and of what is not: every answer must be as described."""
        operation = schemathesis.openapi.from_dict(dict(document))[path][method]
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
                self._aim(case)
            case.validate_response(self._answer(case), checks=CHECKS)

        each()

    def _aim(self, case: Case[Any]) -> None:
        """Have the request name what there is, so that it gets further."""
        path: dict[str, Any] = dict(case.path_parameters or {})
        case.path_parameters = path | {name: value for name, value in self.api.known.items() if name in path}
        if isinstance(case.body, dict):
            case.body |= {name: value for name, value in self.api.known.items() if name in case.body}

    def _answer(self, case: Case[Any]) -> httpx.Response:
        told = case.as_transport_kwargs(base_url=self.api.base)
        if isinstance(told.get("data"), str | bytes):
            told["content"] = told.pop("data")
        headers = httpx.Headers([(name, value.encode()) for name, value in told.get("headers", {}).items()])
        headers.update(self.api.key)
        told["headers"] = headers
        return self.runner.run(self.api.browser.request(**{name: told[name] for name in KEPT if name in told}))


@contextmanager
def asking(start: Callable[[AsyncExitStack], Awaitable[Api]]) -> Iterator[Asked]:
    """The API that `start` makes, with all the time in the world; what it entered on the stack is left at the end."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def started() -> Api:
            api = await start(stack)
            api.app.state.partner_api.state.keys.pace = UNHURRIED
            return api

        yield Asked(runner, runner.run(started()))
        runner.run(stack.aclose())

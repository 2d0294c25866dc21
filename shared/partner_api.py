"""Partner API: what the APIs for the systems of partners have in common: keys, pace, problems, and their documents."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Security
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute

from shared.partner_keys import Partner, Scope
from shared.problems import PROBLEM, Problem, ProblemError, speak_problems
from shared.rate_limit import RateLimit

PER_KEY = RateLimitItemPerMinute(300)
REFUSED_PER_CLIENT = RateLimitItemPerMinute(60)
Ask = Callable[..., Awaitable[Partner]]
Find = Callable[[str], Awaitable[Partner | None]]

ABOUT = f"""For the systems of partners. Every request carries a key: `Authorization: Bearer valmius_...`; an
administrator makes it on the page *Partners*, with scopes, with limits and for a time. A key may ask
{PER_KEY.amount} times a minute. What goes wrong is told as `{PROBLEM}` (RFC 9457)."""


def partner_app(title: str, base: str) -> FastAPI:
    """An application at `base`, with its own errors and its own document; it reads no cookie."""
    app = FastAPI(
        title=title,
        version="1",
        description=ABOUT,
        servers=[{"url": base}],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        root_path_in_servers=False,
    )
    speak_problems(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


class Keys:
    """Who asks: the key, its scopes, and how often it asks."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self.pace = RateLimit(PER_KEY)
        self.refusals = RateLimit(REFUSED_PER_CLIENT)

    def wants(self, scope: Scope) -> Ask:
        """A dependency: the partner, whose key must have this scope."""
        bearer = HTTPBearer(auto_error=False, scheme_name="key", description="A partner's key")

        async def partner(
            request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
        ) -> Partner:
            found = await self._find(given.credentials) if given else None
            if found is None:
                self.refusals.count(request.client.host if request.client else "-")
                headers = {"www-authenticate": "Bearer"}
                raise ProblemError(HTTPStatus.UNAUTHORIZED, "The key is missing, unknown or over.", headers=headers)
            self.pace.count(str(found.key_id))
            if scope not in found.scopes:
                raise ProblemError(HTTPStatus.FORBIDDEN, f"The key lacks the scope {scope}.")
            return found

        partner.required_scope = scope  # type: ignore[attr-defined]  # read by the test that walks all routes
        return partner


def answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation can answer with, for the document."""
    usual = (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {"description": status.phrase, "content": {PROBLEM: {"schema": schema}}}
        for status in sorted({*usual, *statuses})
    }


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, with the problems described."""
    told = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=app.servers,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    parts = problem.pop("$defs", {})
    told["components"]["schemas"] |= {**parts, "Problem": problem}
    return told

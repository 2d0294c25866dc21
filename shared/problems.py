"""Problems: how an API tells a program what went wrong (RFC 9457). What was sent is never repeated."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from shared.db import passing
from shared.guard import BodyTooLargeError
from shared.log import logger
from shared.rate_limit import TooOftenError

log = logger(__name__)

PROBLEM = "application/problem+json"
RETRY_AFTER = "10"
"""Seconds after which a request that met a fault of the moment may be sent again."""


class Wrong(BaseModel):
    """What is wrong with one part of the request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[Wrong, ...] = ()


class ProblemError(Exception):
    """The request is not carried out; `detail` says why, in English, for whoever writes the program."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, errors: tuple[Wrong, ...] = (), headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}


def speak_problems(app: FastAPI) -> None:
    """Have every error of this application told as a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(BodyTooLargeError, _too_large)
    app.add_exception_handler(TooOftenError, _too_often)
    app.add_exception_handler(SQLAlchemyError, _database_away)
    app.add_exception_handler(OSError, _database_away)
    app.add_exception_handler(Exception, _broken)


def as_problem(
    status: int, detail: str, *, errors: tuple[Wrong, ...] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response that tells it."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return JSONResponse(problem.model_dump(mode="json"), status, headers=headers, media_type=PROBLEM)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - Starlette gives each handler its own class
    return as_problem(error.status, error.detail, errors=error.errors, headers=error.headers)


async def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette gives each handler its own class
    return as_problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


async def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - Starlette gives each handler its own class
    errors = tuple(Wrong(where=".".join(map(str, one["loc"])), message=one["msg"]) for one in error.errors())
    return as_problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not as described.", errors=errors)


async def _too_large(_request: Request, _error: Exception) -> JSONResponse:
    return as_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")


async def _too_often(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooOftenError)  # noqa: S101 - Starlette gives each handler its own class
    return as_problem(HTTPStatus.TOO_MANY_REQUESTS, "Asked too often.", headers={"retry-after": str(error.wait)})


async def _database_away(_request: Request, error: Exception) -> JSONResponse:
    """503 for a fault that passes; any other is ours and goes on to `_broken`."""
    if not passing(error):
        raise error
    detail = "Nothing was recorded. Send it again."
    return as_problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"retry-after": RETRY_AFTER})


async def _broken(_request: Request, error: Exception) -> JSONResponse:
    log.error("API request failed", error=type(error).__name__)
    return as_problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The fault is ours.")

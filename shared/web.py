"""Web frame: templates in the reader's language, error pages in plain words, and the parts that every service has."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from shared import i18n
from shared.db import passing
from shared.guard import API, LANGUAGE_COOKIE, BodyTooLargeError, Guard
from shared.i18n import N_, LanguageLink, Locale, texts
from shared.identity import NotAllowedError, NotSignedInError, Role, Sessions, Staff
from shared.log import logger
from shared.problems import as_problem
from shared.rate_limit import TooOftenError
from shared.realm import LIVE, Realm
from shared.settings import Settings

log = logger(__name__)

HERE = Path(__file__).parent
RETRY_AFTER = "10"
"""Seconds after which a program may ask again; a locked or restarted database is back by then."""

SITE = N_("Readiness of the associations of Kanta-Häme")
STAFF_PAGES: tuple[tuple[str, str, frozenset[Role]], ...] = (
    (N_("Situations"), "/situations", frozenset()),
    (N_("Registry"), "/registry", frozenset({Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR})),
    (N_("Who can help"), "/who-can", frozenset()),
    (N_("Work list"), "/work-list", frozenset({Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR})),
    (N_("Calls"), "/calls", frozenset({Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR})),
    (N_("Email replies"), "/replies", frozenset({Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR})),
    (N_("Guidance"), "/guidance", frozenset({Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR})),
    (N_("Subscribers"), "/subscribers", frozenset({Role.EDITOR, Role.ADMINISTRATOR})),
    (N_("Exercises"), "/exercises", frozenset({Role.EXERCISE_LEADER})),
    (N_("Reports of exercises"), "/exercises/reports", frozenset({Role.LIAISON})),
    (N_("Dead letters"), "/intake/dead-letters", frozenset({Role.ADMINISTRATOR})),
    (N_("People"), "/people", frozenset({Role.ADMINISTRATOR})),
    (N_("Partners"), "/partners", frozenset({Role.ADMINISTRATOR})),
    (N_("Channels"), "/channels", frozenset({Role.ADMINISTRATOR})),
    (N_("Audit"), "/audit", frozenset({Role.ADMINISTRATOR})),
    (N_("My page"), "/me", frozenset()),
)
"""The doors of the staff navigation: name, path, and who sees it (nobody named: all staff)."""

ROLE_NAMES = {
    Role.VIEWER: N_("viewer"),
    Role.LIAISON: N_("Security Forum liaison"),
    Role.CLERK: N_("clerk"),
    Role.EDITOR: N_("editor"),
    Role.APPROVER: N_("approver"),
    Role.EXERCISE_LEADER: N_("exercise leader"),
    Role.ADMINISTRATOR: N_("administrator"),
}


class TroubleError(Exception):
    """Something a person must be told: what happened, what is kept, what to do next (texts marked with N_)."""

    def __init__(self, status: HTTPStatus, message: str, *, what_next: str = "", **values: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.what_next = what_next
        self.values = values


class Pages:
    """Renders templates: one Jinja environment per language, since overlays break plurals."""

    def __init__(self, settings: Settings, *folders: Path) -> None:
        self._settings = settings
        self._environments = _environments(*folders, HERE / "templates")

    def html(self, request: Request, template: str, *, realm: Realm = LIVE, **values: Any) -> str:
        """The page as text, with everything that `base.html` and `desk.html` need."""
        locale: Locale = request.state.locale
        return (
            self._environments[locale]
            .get_template(template)
            .render(
                request=request,
                locale=locale,
                lang=locale.lang,
                languages=language_links(request, locale),
                path=request.url.path,
                realm=realm,
                phone=self._settings.phone,
                site=texts(locale)(SITE),
                **_staff_values(request, locale),
                **values,
            )
        )

    def fragment(self, locale: Locale, template: str, **values: Any) -> str:
        """A part of a page that is the same for everybody who reads in this language."""
        return self._environments[locale].get_template(template).render(locale=locale, lang=locale.lang, **values)

    def page(
        self, request: Request, template: str, *, status: int = 200, realm: Realm = LIVE, **values: Any
    ) -> Response:
        """The page as a response. On staff pages a chosen language is remembered in a cookie."""
        response = HTMLResponse(
            self.html(request, template, realm=realm, status=int(status), **values), status_code=status
        )
        response.headers["content-language"] = request.state.locale.lang
        if "lang" in request.query_params and getattr(request.state, "staff", None):
            response.set_cookie(
                LANGUAGE_COOKIE,
                request.state.locale,
                path="/",
                secure=self._settings.secure,
                httponly=True,
                samesite="lax",
            )
        return response


class GuardedApp(FastAPI):
    """FastAPI with the guard outside of everything, so that an error page too has the headers and the language."""

    def include_router(self, router: APIRouter, **options: Any) -> None:
        """The router's routes as they are, where nothing is added to them: FastAPI's own way would analyse each of
        them a second time, and look at every request twice."""
        if options:
            super().include_router(router, **options)
        else:
            self.router.routes.extend(router.routes)

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's own stack, guarded."""
        return Guard(super().build_middleware_stack())


def make_web(
    settings: Settings,
    *,
    pages: Pages,
    sessions: Sessions,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
) -> FastAPI:
    """An application with the frame: guard, static files, error pages. No page describes the API's inside."""
    app = GuardedApp(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.settings = settings
    app.state.pages = pages
    app.state.sessions = sessions
    app.mount("/static", CachedFiles(directory=HERE / "static"), name="static")
    app.add_exception_handler(TroubleError, _trouble)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(BodyTooLargeError, _too_large)
    app.add_exception_handler(NotSignedInError, _to_sign_in)
    app.add_exception_handler(NotAllowedError, _not_allowed)
    app.add_exception_handler(TooOftenError, _too_often)
    app.add_exception_handler(SQLAlchemyError, _database_away)
    app.add_exception_handler(OSError, _database_away)
    app.add_exception_handler(Exception, _broken)
    return app


class CachedFiles(StaticFiles):
    """Static files, kept by browsers for a year: their addresses change with their content."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, with a long life."""
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def pages_of(request: Request) -> Pages:
    """The pages of the service that answers this request."""
    pages: Pages = request.app.state.pages
    return pages


def language_links(request: Request, current: Locale) -> Sequence[LanguageLink]:
    """The language menu: this same page in each language, or the one that `request.state.home` names in its place."""
    path = getattr(request.state, "home", request.url.path)
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return [
        LanguageLink(
            locale=locale.value,
            name=locale.own_name,
            href=f"{path}?{urlencode([*kept, ('lang', locale.value)])}",
            lang=locale.lang,
            current=locale is current,
        )
        for locale in Locale
    ]


@cache
def static_url(name: str) -> str:
    """The address of a static file, with a part that changes with its content."""
    content = (HERE / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


@cache
def _environments(*folders: Path) -> Mapping[Locale, Environment]:
    """One for each language. All services of a process that read the same folders share what is compiled."""
    loader = FileSystemLoader(folders)
    return {locale: _environment(loader, locale) for locale in Locale}


def _environment(loader: FileSystemLoader, locale: Locale) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else each part of each page asks the disk whether it has changed
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(i18n.catalogue(locale), newstyle=True)  # type: ignore[attr-defined]
    environment.globals["static"] = static_url
    environment.filters["moment"] = lambda value: i18n.moment(value, locale)
    environment.filters["day"] = lambda value: i18n.day(value, locale)
    environment.filters["clock_time"] = lambda value: i18n.clock_time(value, locale)
    environment.filters["number"] = lambda value: i18n.number(value, locale)
    environment.filters["percent"] = lambda value: i18n.percent(value, locale)
    return environment


def _staff_values(request: Request, locale: Locale) -> dict[str, Any]:
    staff: Staff | None = getattr(request.state, "staff", None)
    if staff is None:
        return {"person": None, "nav": []}
    _ = texts(locale)
    nav = [
        {"label": _(label), "href": href, "current": request.url.path.startswith(href)}
        for label, href, roles in STAFF_PAGES
        if not roles or staff.may(*roles)
    ]
    return {"person": {"roles": [_(ROLE_NAMES[role]) for role in sorted(staff.roles)]}, "nav": nav}


def _route(request: Request) -> str:
    """The route's pattern: the path itself may carry a token."""
    return str(getattr(request.scope.get("route"), "path", "-"))


def _error_page(request: Request, status: int, message: str, what_next: str = "") -> Response:
    if getattr(request.state, "locale", None) is None:
        request.state.locale = Locale.FI
    _ = texts(request.state.locale)
    titles = {
        403: _("This page is not for you"),
        404: _("The page was not found"),
        500: _("Something broke"),
        503: _("The service is interrupted"),
    }
    return pages_of(request).page(
        request,
        "error.html",
        status=status,
        title=titles.get(status, _("That did not work")),
        message=message,
        what_next=what_next,
    )


async def _trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, TroubleError)  # noqa: S101 - Starlette gives each handler its own class
    _ = texts(request.state.locale)
    return _error_page(
        request,
        error.status,
        _(error.message) % error.values,
        _(error.what_next) % error.values if error.what_next else "",
    )


async def _http_error(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    if request.url.path.startswith(API):  # a path that not even the API's own application is asked about
        return as_problem(status, HTTPStatus(status).phrase)
    _ = texts(request.state.locale)
    message = _("There is nothing at this address.") if status == 404 else _("The request could not be carried out.")
    return _error_page(request, status, message, _("Check the address, or go to the front page."))


async def _unreadable(request: Request, _error: Exception) -> Response:
    _ = texts(request.state.locale)
    return _error_page(
        request,
        422,
        _("The form could not be read. Nothing was changed."),
        _("Go back, check the fields and send the form again."),
    )


async def _too_large(request: Request, _error: Exception) -> Response:
    _ = texts(request.state.locale)
    return _error_page(request, 413, _("What you sent is too large. Nothing was changed."))


async def _to_sign_in(_request: Request, error: Exception) -> Response:
    assert isinstance(error, NotSignedInError)  # noqa: S101 - Starlette gives each handler its own class
    return RedirectResponse(error.sign_in_url, status_code=303)


async def _not_allowed(request: Request, _error: Exception) -> Response:
    _ = texts(request.state.locale)
    return _error_page(
        request, 403, _("Your role does not include this page."), _("Ask the administrator if you need it.")
    )


async def _too_often(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooOftenError)  # noqa: S101 - Starlette gives each handler its own class
    _ = texts(request.state.locale)
    response = _error_page(
        request,
        429,
        _("This was tried too often in a short time. Nothing was recorded this time."),
        _("Try again in %(minutes)s min.") % {"minutes": -(-error.wait // 60)},
    )
    response.headers["retry-after"] = str(error.wait)
    return response


async def _database_away(request: Request, error: Exception) -> Response:
    """503 for a fault that passes, a refused connection among them; any other is ours and goes on to `_broken`."""
    if not passing(error):
        raise error
    log.error("database does not take it now", route=_route(request), error=type(error).__name__)
    _ = texts(request.state.locale)
    response = _error_page(
        request,
        503,
        _("The service cannot save anything just now. Nothing was recorded."),
        _("Try again in a moment, or call us."),
    )
    response.headers["retry-after"] = RETRY_AFTER
    return response


async def _broken(request: Request, error: Exception) -> Response:
    log.error("request failed", route=_route(request), error=type(error).__name__)
    _ = texts(request.state.locale) if hasattr(request.state, "locale") else N_
    return _error_page(
        request,
        500,
        _("The fault is ours. What you had already sent and seen confirmed is kept."),
        _("Try again in a moment. If it does not help, call us."),
    )

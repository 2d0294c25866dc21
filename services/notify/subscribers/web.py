"""Pages of the subscribers: asking, confirming, changing and leaving. No account, no cookie, no script."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from services.notify.subscribers.model import (
    AUDIENCE_NAMES,
    CONSENT_TEXT,
    Links,
    Problem,
    Wishes,
    consent,
    email_key,
    read_email,
    read_wishes,
)
from services.notify.subscribers.store import Known, SubscriberStore
from shared import region
from shared.i18n import N_, Locale, locale_or, texts
from shared.web import TroubleError, pages_of

ASKS_AN_HOUR = RateLimitItemPerHour(5)


@dataclass(frozen=True)
class WishesForm:
    """What the form shows: what was typed or is kept, and what is wrong with it."""

    locale: Locale
    language: Locale
    email: str = ""
    audiences: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    groups: dict[str, str] = field(default_factory=lambda: {key.value: name for key, name in AUDIENCE_NAMES.items()})
    places: tuple[region.Municipality, ...] = region.MUNICIPALITIES
    languages: tuple[Locale, ...] = tuple(Locale)

    def wrong(self, name: str) -> str:
        """What is wrong with this field, to be translated; empty if nothing is."""
        return next((problem.message for problem in self.problems if problem.field == name), "")


class AskLimit:
    """How often one address may be asked for in an hour, so that nobody can flood a stranger with our letters."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def permits(self, email: str) -> bool:
        """Count one request; False if it is one too many."""
        return self._limiter.hit(ASKS_AN_HOUR, email_key(email))


Erase = Callable[[UUID], Awaitable[object]]


def pages(subscribers: SubscriberStore, *, links: Links, erase: Erase) -> APIRouter:
    """`/subscribe`, and `/s/<id>/<token>` with all that a subscriber does by her own link; `erase` forgets her."""
    router = APIRouter()
    router.routes.extend(_asking(subscribers, AskLimit()).routes)
    router.routes.extend(_own(subscribers, links).routes)
    router.routes.extend(_erasing(subscribers, links, erase=erase).routes)
    return router


def _asking(subscribers: SubscriberStore, limit: AskLimit) -> APIRouter:
    router = APIRouter(prefix="/subscribe")

    @router.get("")
    async def form(request: Request) -> Response:
        """The empty form; nothing is chosen beforehand."""
        return _form(request, WishesForm(request.state.locale, request.state.locale))

    @router.post("")
    async def ask(request: Request) -> Response:
        """Take the request. What follows looks the same whether the address is known or not, or came too often."""
        sent = await request.form()
        typed = str(sent.get("email", ""))[:300]
        address = read_email(typed)
        wishes, problems = _wishes(sent.multi_items())
        if address is None:
            problems.insert(0, Problem("email", N_("Write an email address, for example name@example.org.")))
        if address is None or wishes is None:
            return _form(request, _typed(request, typed, sent.multi_items(), problems))
        if limit.permits(address):
            await subscribers.ask(address, wishes, consent=consent(texts(request.state.locale)))
        return RedirectResponse(f"/subscribe/sent?lang={quote(request.state.locale)}", status_code=303)

    @router.get("/sent")
    async def sent(request: Request) -> Response:
        """What to do next."""
        return pages_of(request).page(request, "subscribe_sent.html")

    return router


def _own(subscribers: SubscriberStore, links: Links) -> APIRouter:
    router = APIRouter(prefix="/s/{subscriber_id}/{token}")

    async def known(request: Request) -> Known:
        return await _known(request, subscribers, links)

    @router.get("")
    @router.get("/confirm")
    async def subscription(request: Request, said: str = "") -> Response:
        """The subscription as it stands. Opening it changes nothing."""
        return _subscription(request, await known(request), said=said)

    @router.post("")
    async def change(request: Request) -> Response:
        """Follow other groups or places, or in another language."""
        present = await known(request)
        sent = await request.form()
        wishes, problems = _wishes(sent.multi_items())
        if wishes is None:
            form = _typed(request, "", sent.multi_items(), problems)
            return _subscription(request, present, form=form, status=422)
        changed = await subscribers.change(present.subscriber_id, wishes)
        return RedirectResponse(f"{_home(request)}{'?said=saved' if changed else ''}", status_code=303)

    @router.post("/confirm")
    async def confirm(request: Request) -> Response:
        """Begin the subscription."""
        present = await known(request)
        begun = await subscribers.confirm(present.subscriber_id)
        return RedirectResponse(f"{_home(request)}{'?said=confirmed' if begun else ''}", status_code=303)

    @router.get("/one-click")
    async def leaving(request: Request) -> Response:
        """What a person sees who opens the mail program's link by hand. It changes nothing."""
        present = await known(request)
        return pages_of(request).page(request, "leave.html", known=present, home=_home(request))

    @router.post("/one-click")
    async def one_click(request: Request) -> Response:
        """RFC 8058: a mail program leaves for its owner, from anywhere, at once. Again is harmless."""
        present = await known(request)
        await subscribers.leave(present.subscriber_id)
        return PlainTextResponse(texts(request.state.locale)(N_("You are unsubscribed.")))

    @router.post("/leave")
    async def leave(request: Request) -> Response:
        """Leave by the button of our own page."""
        present = await known(request)
        await subscribers.leave(present.subscriber_id)
        return RedirectResponse(_home(request), status_code=303)

    return router


def _erasing(subscribers: SubscriberStore, links: Links, *, erase: Erase) -> APIRouter:
    router = APIRouter(prefix="/s/{subscriber_id}/{token}")

    @router.get("/erase")
    async def sure(request: Request) -> Response:
        """What it means to be erased. Opening it changes nothing."""
        present = await _known(request, subscribers, links)
        return pages_of(request).page(request, "erase.html", known=present, home=_home(request))

    @router.post("/erase")
    async def gone(request: Request) -> Response:
        """Erase her, and say so at once: from now on her link leads nowhere."""
        present = await _known(request, subscribers, links)
        await erase(present.subscriber_id)
        return pages_of(request).page(request, "erased.html")

    return router


async def _known(request: Request, subscribers: SubscriberStore, links: Links) -> Known:
    """The subscriber whose genuine link this is; the page then speaks her language. All others get the same 404."""
    try:
        subscriber_id = UUID(request.path_params["subscriber_id"])
    except ValueError:
        subscriber_id = UUID(int=0)
    genuine = links.genuine(subscriber_id, request.path_params["token"])
    found = await subscribers.get(subscriber_id) if genuine else None
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND,
            N_("This link is not valid, or no longer. Nothing was changed."),
            what_next=N_("Use the link of the newest message that you got from us, or subscribe again."),
        )
    if "lang" not in request.query_params:
        request.state.locale = found.wishes.locale
    return found


def _home(request: Request) -> str:
    return f"/s/{request.path_params['subscriber_id']}/{request.path_params['token']}"


def _wishes(sent: Iterable[tuple[str, object]]) -> tuple[Wishes | None, list[Problem]]:
    fields = list(sent)
    return read_wishes(_all(fields, "audience"), _all(fields, "municipality"), "".join(_all(fields, "language")))


def _all(fields: Iterable[tuple[str, object]], name: str) -> list[str]:
    return [str(value) for key, value in fields if key == name]


def _typed(request: Request, email: str, sent: Iterable[tuple[str, object]], problems: Iterable[Problem]) -> WishesForm:
    fields = list(sent)
    language = "".join(_all(fields, "language"))
    return WishesForm(
        locale=request.state.locale,
        language=locale_or(language, request.state.locale),
        email=email,
        audiences=frozenset(_all(fields, "audience")),
        municipalities=frozenset(_all(fields, "municipality")),
        problems=tuple(problems),
    )


def _form(request: Request, form: WishesForm) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.problems else HTTPStatus.OK
    return pages_of(request).page(request, "subscribe.html", status=status, form=form, consent=CONSENT_TEXT)


def _subscription(
    request: Request, known: Known, *, form: WishesForm | None = None, said: str = "", status: int = 200
) -> Response:
    kept = WishesForm(
        request.state.locale, known.wishes.locale, "", known.wishes.audiences, known.wishes.municipalities
    )
    return pages_of(request).page(
        request,
        "subscription.html",
        status=status,
        known=known,
        form=form or kept,
        said=said,
        home=_home(request),
        consent=CONSENT_TEXT,
    )

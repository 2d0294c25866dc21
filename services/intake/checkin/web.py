"""Check-in pages: the answer form behind a link. Opening it changes nothing, however often; only sending does."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from limits import RateLimitItemPerMinute
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from services.intake.checkin.answer_form import PLANS, Form, List, Wrong, read_form
from services.intake.checkin.capability_list import CapabilityLists, Shown, wrong_in_words
from services.intake.checkin.model import NOTE_LIMIT, STATUS_LABELS, Answer, Invited, Refused, Said, Until, in_words
from services.intake.checkin.store import CheckInStore
from services.intake.checkin.thanks_page import Shell, ThanksPages, gap
from shared.clock import Clock
from shared.events.intake import OperatingStatus
from shared.i18n import N_, Locale, locale_or, texts
from shared.ids import digest
from shared.rate_limit import RateLimit
from shared.web import Pages, pages_of

HINTS = {
    OperatingStatus.NORMAL: N_("No disruption."),
    OperatingStatus.LIMITED: N_("Part of our activity is paused."),
    OperatingStatus.SUSPENDED: N_("We cannot operate at present."),
}
CHOICES = tuple((status, label, HINTS[status]) for status, label in STATUS_LABELS.items())
UNTIL_LABELS = (
    (Until.NOT_KNOWN, N_("We do not know")),
    (Until.TODAY, N_("Until the end of today")),
    (Until.TOMORROW, N_("Until the end of tomorrow")),
    (Until.THIS_WEEK, N_("Until the end of this week")),
)
PLAN_LABELS = (
    ("", N_("We do not say")),
    ("yes", N_("Yes, we have one")),
    ("no", N_("No, we do not have one")),
)
PER_LINK = RateLimitItemPerMinute(30)
"""Nobody who thinks answers more often; a program that has gone astray does."""


def routes(store: CheckInStore, *, clock: Clock, pages: Pages) -> list[Route]:
    """The form behind every check-in link. Plain routes: FastAPI's own would double the cost of an answer."""
    lists = CapabilityLists(partial(list_html, pages))
    door = Door(store, clock, ThanksPages(partial(thanks_shell, pages)), lists)
    return [
        Route("/c/{token}", door.take, methods=["POST"]),
        Route("/c/{token}", door.show, methods=["GET"]),
        Route("/c/{token}/not-this-time", door.decline, methods=["POST"]),
    ]


class Door:
    """Shows the form and takes answers."""

    def __init__(self, store: CheckInStore, clock: Clock, thanks: ThanksPages, lists: CapabilityLists) -> None:
        self._store = store
        self._clock = clock
        self._thanks = thanks
        self._lists = lists
        self._pace = RateLimit(PER_LINK)

    async def show(self, request: Request) -> Response:
        """The form, with the present answer if there is one."""
        return await self._form_page(request)

    async def take(self, request: Request) -> Response:
        """Record the answer and show what was recorded; where something is wrong with it, the form again."""
        self._pace.count(request.path_params["token"])
        form = read_form(await request.body())
        if form.status is None or form.wrong:
            return await self._form_page(request, sent=form)
        now = self._clock.now()
        said = Said(
            status=form.status,
            until=form.until.moment(now),
            note=form.note,
            offers=form.offers.amounts,
            needs=form.needs.amounts,
            plan=form.plan,
        )
        token = request.path_params["token"]
        outcome = await self._store.put(Answer(door=digest(token), form_id=form.form_id, said=said, at=now))
        if isinstance(outcome, Refused):
            return _gone(request)
        _speak_to(request, outcome.invited)
        locale: Locale = request.state.locale
        html = self._thanks.page(
            outcome.invited, outcome.checkin, token=token, locale=locale, lang_asked="lang" in request.query_params
        )
        return HTMLResponse(html, headers={"content-language": locale.lang})

    async def decline(self, request: Request) -> Response:
        """Note "not this time" and lead back to the form, which says so."""
        token, now = request.path_params["token"], self._clock.now()
        self._pace.count(token)
        invited = await self._store.decline(token, now)
        if invited is None or not invited.takes_answers(now):
            return _gone(request)
        return RedirectResponse(f"/c/{token}{_query(request)}", status_code=HTTPStatus.SEE_OTHER)

    async def _form_page(self, request: Request, *, sent: Form | None = None) -> Response:
        """The form as it was sent, told what is wrong with it; else the form to begin with."""
        invited = await self._store.invited(request.path_params["token"])
        if invited is None or not invited.takes_answers(self._clock.now()):
            return _gone(request)
        _speak_to(request, invited)
        form = sent or Form.after(invited.present.said if invited.present else None)
        wrong, locale = sent.wrong if sent else (), request.state.locale
        return pages_of(request).page(
            request,
            "checkin.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            realm=invited.asked.realm,
            lists=[
                self._lists.html(which, form.marks(which), wrong=wrong, sent=sent is not None, locale=locale)
                for which in List
            ],
            query=_query(request),
            **_invited_values(invited, locale),
            **_form_values(form, wrong, locale),
        )


def _invited_values(invited: Invited, locale: Locale) -> dict[str, Any]:
    """Who is asked, until when, and what was answered so far."""
    present = invited.present
    return {
        "association": invited.association_name,
        "closes_at": invited.asked.closes_at,
        "declined": invited.declined,
        "present": present,
        "offers": in_words(present.said.offers, locale) if present else "",
        "needs": in_words(present.said.needs, locale) if present else "",
        "labels": STATUS_LABELS,
    }


def _form_values(form: Form, wrong: Sequence[Wrong], locale: Locale) -> dict[str, Any]:
    """The form's fields but for its lists, and what is wrong with all of them."""
    _ = texts(locale)
    errors = {one.field: _(one.message) for one in wrong}
    return {
        "form": form,
        "plan": next((value for value, has_one in PLANS.items() if has_one is form.plan), ""),
        "told": [{"message": wrong_in_words(one, locale), "href": f"#f-{one.field}"} for one in wrong],
        "errors": {"status": errors.get("status"), "note": errors.get("note")},
        "choices": CHOICES,
        "untils": [(until.value, _(label)) for until, label in UNTIL_LABELS],
        "plans": [(value, _(label)) for value, label in PLAN_LABELS],
        "note_limit": NOTE_LIMIT,
    }


def _query(request: Request) -> str:
    """The language that was asked for, to be asked for on the next page as well."""
    asked = "lang" in request.query_params
    return f"?{urlencode({'lang': request.state.locale.value})}" if asked else ""


def _speak_to(request: Request, invited: Invited) -> None:
    """The contact's language, unless another was asked for."""
    if "lang" not in request.query_params:
        request.state.locale = locale_or(invited.language)


def list_html(pages: Pages, locale: Locale, shown: Shown) -> str:
    """One list of the form."""
    return pages.fragment(locale, "capability_list.html", list=shown)


def thanks_shell(pages: Pages, shell: Shell) -> str:
    """The thank-you page with gaps, as it is answered to a request of that language."""
    query = urlencode({"lang": shell.locale.value}) if shell.lang_asked else ""
    path = f"/c/{gap('token')}"
    request = Request(
        {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [],
            "state": {"locale": shell.locale},
        }
    )
    return pages.html(
        request,
        "thanks.html",
        realm=shell.realm,
        association=gap("association"),
        status=shell.status.value,
        answer=texts(shell.locale)(STATUS_LABELS[shell.status]),
        recorded=gap("recorded"),
        until=gap("until") if shell.has_until else "",
        offers=gap("offers") if shell.has_offers else "",
        needs=gap("needs") if shell.has_needs else "",
        plan=shell.plan,
        note=gap("note") if shell.has_note else "",
        closes_at=shell.closes_at,
        again=f"{path}?{query}" if query else path,
    )


def _gone(request: Request) -> Response:
    """The one page for unknown, revoked and expired links: it must not tell them apart."""
    return pages_of(request).page(request, "link_gone.html", status=HTTPStatus.NOT_FOUND)

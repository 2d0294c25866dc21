"""Check-in pages: the answer form behind a link. Opening it changes nothing, however often; only sending does."""

from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from unicodedata import category
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from limits import RateLimitItemPerMinute
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from services.intake.checkin.model import NOTE_LIMIT, Answer, Invited, Refused, Said, Until
from services.intake.checkin.store import CheckInStore
from services.intake.checkin.thanks_page import Shell, ThanksPages, gap
from shared.clock import Clock
from shared.events.intake import OperatingStatus
from shared.i18n import N_, Locale, locale_or, texts
from shared.ids import digest, new_id
from shared.rate_limit import RateLimit
from shared.web import Pages, pages_of

CHOICES = (
    (OperatingStatus.NORMAL, N_("We operate normally"), N_("No disruption.")),
    (OperatingStatus.LIMITED, N_("We operate in part"), N_("Part of our activity is paused.")),
    (OperatingStatus.SUSPENDED, N_("Our activity is suspended"), N_("We cannot operate at present.")),
)
LABELS = {status: label for status, label, _ in CHOICES}
UNTIL_LABELS = (
    (Until.NOT_KNOWN, N_("We do not know")),
    (Until.TODAY, N_("Until the end of today")),
    (Until.TOMORROW, N_("Until the end of tomorrow")),
    (Until.THIS_WEEK, N_("Until the end of this week")),
)
FIELDS_LIMIT = 20
PER_LINK = RateLimitItemPerMinute(30)
"""Nobody who thinks answers more often; a program that has gone astray does."""


@dataclass(frozen=True)
class Form:
    """What a person sent, as far as it can be read."""

    status: OperatingStatus | None = None
    until: Until = Until.NOT_KNOWN
    note: str = ""
    form_id: UUID = field(default_factory=new_id)

    @property
    def errors(self) -> dict[str, str]:
        """What must be mended, by field."""
        if self.status is None:
            return {"status": N_("Choose one. Nothing has been sent yet.")}
        if len(self.note) > NOTE_LIMIT:
            return {"note": N_("The message is too long. Please shorten it. Nothing has been sent yet.")}
        return {}


def routes(store: CheckInStore, *, clock: Clock, pages: Pages) -> list[Route]:
    """The form behind every check-in link. Plain routes: FastAPI's own would double the cost of an answer."""
    door = Door(store, clock, ThanksPages(partial(thanks_shell, pages)))
    return [
        Route("/c/{token}", door.take, methods=["POST"]),
        Route("/c/{token}", door.show, methods=["GET"]),
    ]


class Door:
    """Shows the form and takes answers."""

    def __init__(self, store: CheckInStore, clock: Clock, thanks: ThanksPages) -> None:
        self._store = store
        self._clock = clock
        self._thanks = thanks
        self._pace = RateLimit(PER_LINK)

    async def show(self, request: Request) -> Response:
        """The form, with the present answer if there is one."""
        return await self._form_page(request, Form())

    async def take(self, request: Request) -> Response:
        """Record the answer and show what was recorded; without a choice, the form again."""
        self._pace.count(request.path_params["token"])
        form = read_form(await request.body())
        if form.status is None or form.errors:
            return await self._form_page(request, form, errors=form.errors)
        now = self._clock.now()
        outcome = await self._store.put(
            Answer(
                door=digest(request.path_params["token"]),
                form_id=form.form_id,
                said=Said(status=form.status, until=form.until.moment(now), note=form.note),
                at=now,
            )
        )
        if isinstance(outcome, Refused):
            return _gone(request)
        _speak_to(request, outcome.invited)
        locale: Locale = request.state.locale
        html = self._thanks.page(
            outcome.invited,
            outcome.checkin,
            token=request.path_params["token"],
            locale=locale,
            lang_asked="lang" in request.query_params,
        )
        return HTMLResponse(html, headers={"content-language": locale.lang})

    async def _form_page(self, request: Request, form: Form, *, errors: dict[str, str] | None = None) -> Response:
        invited = await self._store.invited(request.path_params["token"])
        if invited is None or not invited.takes_answers(self._clock.now()):
            return _gone(request)
        _speak_to(request, invited)
        _ = texts(request.state.locale)
        return pages_of(request).page(
            request,
            "checkin.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK,
            realm=invited.asked.realm,
            association=invited.association_name,
            present=invited.present,
            closes_at=invited.asked.closes_at,
            form=form,
            errors=errors or {},
            told=[{"message": _(message), "href": f"#f-{name}"} for name, message in (errors or {}).items()],
            choices=CHOICES,
            labels=LABELS,
            untils=[(until.value, _(label)) for until, label in UNTIL_LABELS],
            note_limit=NOTE_LIMIT,
        )


def read_form(body: bytes) -> Form:
    """The form's fields; what is missing or is none of the choices counts as not chosen. Never raises."""
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=FIELDS_LIMIT))
    except ValueError:  # more fields than any form of ours has
        return Form()
    status, until = fields.get("status", ""), fields.get("until", "")
    return Form(
        status=OperatingStatus(status) if status in OperatingStatus._value2member_map_ else None,
        until=Until(until) if until in Until._value2member_map_ else Until.NOT_KNOWN,
        note=_plain(fields.get("note", "")),
        form_id=_uuid_or_new(fields.get("checkin_id", "")),
    )


def _plain(text: str) -> str:
    """The text without control characters, with the line ends that browsers count as one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or category(c) not in {"Cc", "Cs"}).strip()


def _uuid_or_new(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return new_id()


def _speak_to(request: Request, invited: Invited) -> None:
    """The contact's language, unless another was asked for."""
    if "lang" not in request.query_params:
        request.state.locale = locale_or(invited.language)


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
        answer=texts(shell.locale)(LABELS[shell.status]),
        recorded=gap("recorded"),
        until=gap("until") if shell.has_until else "",
        note=gap("note") if shell.has_note else "",
        closes_at=shell.closes_at,
        again=f"{path}?{query}" if query else path,
    )


def _gone(request: Request) -> Response:
    """The one page for unknown, revoked and expired links: it must not tell them apart."""
    return pages_of(request).page(request, "link_gone.html", status=HTTPStatus.NOT_FOUND)

"""Check-in pages: the answer form behind a link. Opening it changes nothing, however often; only sending does."""

from dataclasses import dataclass, field
from http import HTTPStatus
from unicodedata import category
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.intake.checkin.model import NOTE_LIMIT, Answer, CheckIn, Invited, Refused, Until
from services.intake.checkin.store import CheckInStore
from shared.clock import Clock
from shared.events.intake import OperatingStatus
from shared.i18n import N_, locale_or, texts
from shared.ids import digest, new_id
from shared.web import pages_of

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


def pages(store: CheckInStore, *, clock: Clock) -> APIRouter:
    """The form behind every check-in link. Plain routes: FastAPI's own would double the cost of an answer."""
    door = Door(store, clock)
    router = APIRouter()
    router.add_route("/c/{token}", door.show, methods=["GET"])
    router.add_route("/c/{token}", door.take, methods=["POST"])
    return router


class Door:
    """Shows the form and takes answers."""

    def __init__(self, store: CheckInStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def show(self, request: Request) -> Response:
        """The form, with the present answer if there is one."""
        return await self._form_page(request, Form())

    async def take(self, request: Request) -> Response:
        """Record the answer and show what was recorded; without a choice, the form again."""
        form = read_form(await request.body())
        if form.status is None or form.errors:
            return await self._form_page(request, form, errors=form.errors)
        now = self._clock.now()
        outcome = await self._store.put(
            Answer(
                token_hash=digest(request.path_params["token"]),
                form_id=form.form_id,
                status=form.status,
                until=form.until.moment(now),
                note=form.note,
                at=now,
            )
        )
        if isinstance(outcome, Refused):
            return _gone(request)
        return _thanks(request, outcome.invited, outcome.checkin)

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


def _thanks(request: Request, invited: Invited, recorded: CheckIn) -> Response:
    """What was recorded, in words, and the way back to the form."""
    _speak_to(request, invited)
    lang = request.query_params.get("lang")
    return pages_of(request).page(
        request,
        "thanks.html",
        realm=invited.asked.realm,
        association=invited.association_name,
        recorded=recorded,
        answer=texts(request.state.locale)(LABELS[recorded.status]),
        closes_at=invited.asked.closes_at,
        again=f"{request.url.path}?{urlencode({'lang': lang})}" if lang else request.url.path,
    )


def _gone(request: Request) -> Response:
    """The one page for unknown, revoked and expired links: it must not tell them apart."""
    return pages_of(request).page(request, "link_gone.html", status=HTTPStatus.NOT_FOUND)

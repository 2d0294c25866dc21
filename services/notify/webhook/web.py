"""Pages of channels: the webhooks of partners with their results, and how the operator's messengers do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.notify.channel.model import Happening, Kind, Post, State
from services.notify.channel.store import RESULTS, ChannelStore, Standing
from services.notify.webhook.model import (
    BOTH_VALID,
    LABEL_LENGTH,
    URL_LENGTH,
    Endpoint,
    Flaw,
    Reach,
    Wanted,
    flaws,
)
from services.notify.webhook.store import EndpointStore
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]

FLAWS: Mapping[Flaw, tuple[str, str]] = {
    Flaw.NO_LABEL: ("label", N_("Say whose system it is, for example the rescue department.")),
    Flaw.NO_URL: ("url", N_("Give the whole address of the receiver, for example https://example.org/valmius.")),
    Flaw.NOT_HTTPS: ("url", N_("The address must begin with https://.")),
    Flaw.HAS_CREDENTIALS: ("url", N_("The address may hold no user name, no password and no #.")),
    Flaw.NOT_REACHED: ("url", N_("This address is of a private network, to which nothing is sent.")),
}
HAPPENINGS = {
    Happening.RELEASED: N_("Published"),
    Happening.CORRECTED: N_("Corrected"),
    Happening.WITHDRAWN: N_("Withdrawn"),
    Happening.EXPIRED: N_("Validity ended"),
    Happening.PING: N_("Test message"),
}
STATES = {
    State.WAITING: ("warning", N_("waiting")),
    State.SENT: ("success", N_("delivered")),
    State.GIVEN_UP: ("error", N_("given up")),
    State.REFUSED: ("info", N_("not sent")),
}
ANSWERS = {
    "timeout": N_("no answer in time"),
    "name": N_("the name was not found"),
    "address": N_("a private address, to which nothing is sent"),
    "ConnectError": N_("no connection"),
    "ConnectTimeout": N_("no connection"),
    "ReadTimeout": N_("no answer in time"),
    "stopped": N_("the channel was stopped"),
    "exercise": N_("exercises do not go there"),
    "forgotten": N_("the guidance is no longer kept"),
    "not taken": N_("the service did not take it"),
    "taken": N_("taken"),
    "our fault": N_("the fault is ours"),
    "410": N_("410: the receiver wants nothing any more"),
}
"""What was answered, in words; another status or fault is shown as it is."""

SAID = {
    "changed": N_("The changes are saved."),
    "pinged": N_("A test message was put into the queue. The result stands below in a moment."),
    "resumed": N_("Messages go there again, from now on."),
    "removed": N_("The webhook is removed. Nothing is sent to it any more."),
    "made": N_("The webhook was made already. Its secret is shown once only; if it is lost, make a new one."),
    "rotated": N_("A new secret was made in the meantime. If it is lost, make another."),
}


@dataclass(frozen=True)
class EndpointForm:
    """What stands in the form. The id is made with the empty form, so that sending it twice makes one webhook."""

    endpoint_id: UUID = field(default_factory=new_id)
    label: str = ""
    url: str = ""
    exercises: bool = False

    @property
    def wanted(self) -> Wanted:
        """The same as the model takes it."""
        return Wanted(self.label, self.url, self.exercises)


class Wakes(Protocol):
    """Whoever sends, as far as the pages know it."""

    def wake(self) -> None:
        """There is something to send."""
        ...


@dataclass(frozen=True)
class Desk:
    """What the pages stand on. `services` names the messengers by their channels."""

    endpoints: EndpointStore
    channels: ChannelStore
    courier: Wakes
    services: Mapping[str, str]
    reach: Reach
    clock: Clock

    async def one(self, endpoint_id: UUID) -> Endpoint:
        """The endpoint. Raises TroubleError where there is none."""
        endpoint = await self.endpoints.get(endpoint_id)
        if endpoint is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such webhook."))
        return endpoint


def pages(desk: Desk) -> APIRouter:
    """`/channels`."""
    router = APIRouter(prefix="/channels")

    @router.get("")
    async def listing(request: Request, _staff: Administrator, said: str = "") -> Response:
        """All channels, and how they do."""
        webhooks = {standing.name: standing for standing in await desk.channels.standings(Kind.WEBHOOK)}
        messengers = await desk.channels.standings(Kind.MESSENGER)
        known = [(one, webhooks[one.channel]) for one in await desk.endpoints.all() if one.channel in webhooks]
        return pages_of(request).page(
            request,
            "channels.html",
            webhooks=[(one, _standing(request, standing)) for one, standing in known],
            messengers=[(desk.services.get(one.name, one.name), _standing(request, one)) for one in messengers],
            said=SAID.get(said, ""),
        )

    @router.get("/new")
    async def new(request: Request, _staff: Administrator) -> Response:
        """An empty form."""
        return _form_page(request, EndpointForm())

    @router.post("/new")
    async def make(request: Request, staff: Administrator) -> Response:
        """Make a webhook and show its secret, once."""
        form = await _read(request)
        wrong = flaws(form.wanted, desk.reach)
        if wrong:
            return _form_page(request, form, wrong=wrong)
        secret = await desk.endpoints.add(form.endpoint_id, form.wanted, by=staff.person_id)
        if secret is None:
            return RedirectResponse("/channels?said=made", status_code=303)
        return _secret_page(request, form.endpoint_id, form.label, secret)

    _one(router, desk)
    _acts(router, desk)
    return router


def _one(router: APIRouter, desk: Desk) -> None:
    @router.get("/{endpoint_id:uuid}")
    async def show(
        request: Request, _staff: Administrator, endpoint_id: UUID, page: int = 1, said: str = ""
    ) -> Response:
        """One webhook with its results."""
        return await _endpoint_page(request, desk, await desk.one(endpoint_id), page=page, said=SAID.get(said, ""))

    @router.get("/{endpoint_id:uuid}/edit")
    async def edit(request: Request, _staff: Administrator, endpoint_id: UUID) -> Response:
        """The form with the webhook as it stands."""
        one = await desk.one(endpoint_id)
        form = EndpointForm(endpoint_id, one.label, one.url, one.exercises)
        return _form_page(request, form, known=True)

    @router.post("/{endpoint_id:uuid}/edit")
    async def change(request: Request, staff: Administrator, endpoint_id: UUID) -> Response:
        """Change it; or the form again with what is wrong."""
        await desk.one(endpoint_id)
        form = await _read(request)
        wrong = flaws(form.wanted, desk.reach)
        if wrong:
            return _form_page(request, form, wrong=wrong, known=True)
        await desk.endpoints.change(endpoint_id, form.wanted, by=staff.person_id)
        return RedirectResponse(f"/channels/{endpoint_id}?said=changed", status_code=303)


def _acts(router: APIRouter, desk: Desk) -> None:
    @router.post("/{endpoint_id:uuid}/ping")
    async def ping(_staff: Administrator, endpoint_id: UUID) -> Response:
        """Send a test message."""
        await desk.channels.ping((await desk.one(endpoint_id)).channel)
        desk.courier.wake()
        return RedirectResponse(f"/channels/{endpoint_id}?said=pinged", status_code=303)

    @router.post("/{endpoint_id:uuid}/rotate")
    async def rotate(request: Request, staff: Administrator, endpoint_id: UUID) -> Response:
        """Make a new secret and show it, once."""
        endpoint = await desk.one(endpoint_id)
        secret = await desk.endpoints.rotate(endpoint, by=staff.person_id)
        if secret is None:
            return RedirectResponse(f"/channels/{endpoint_id}?said=rotated", status_code=303)
        return _secret_page(request, endpoint_id, endpoint.label, secret, rotated=True)

    @router.post("/{endpoint_id:uuid}/resume")
    async def resume(_staff: Administrator, endpoint_id: UUID) -> Response:
        """Let messages go there again."""
        await desk.channels.resume((await desk.one(endpoint_id)).channel)
        return RedirectResponse(f"/channels/{endpoint_id}?said=resumed", status_code=303)

    @router.post("/{endpoint_id:uuid}/remove")
    async def remove(staff: Administrator, endpoint_id: UUID) -> Response:
        """Remove the webhook."""
        await desk.one(endpoint_id)
        await desk.endpoints.remove(endpoint_id, by=staff.person_id)
        return RedirectResponse("/channels?said=removed", status_code=303)


async def _read(request: Request) -> EndpointForm:
    async with request.form() as sent:
        try:
            endpoint_id = UUID(str(sent.get("endpoint_id", "")))
        except ValueError:
            endpoint_id = new_id()
        label = "".join(c if c.isprintable() else " " for c in str(sent.get("label", "")))
        url = str(sent.get("url", "")).strip()
        return EndpointForm(endpoint_id, " ".join(label.split()), url, bool(sent.get("exercises")))


def _form_page(request: Request, form: EndpointForm, *, wrong: Sequence[Flaw] = (), known: bool = False) -> Response:
    return pages_of(request).page(
        request,
        "channel_form.html",
        form=form,
        known=known,
        **wrong_with((FLAWS[flaw] for flaw in wrong), request.state.locale),
        label_length=LABEL_LENGTH,
        url_length=URL_LENGTH,
    )


def _secret_page(request: Request, endpoint_id: UUID, label: str, secret: str, *, rotated: bool = False) -> Response:
    return pages_of(request).page(
        request, "channel_secret.html", endpoint_id=endpoint_id, label=label, secret=secret, rotated=rotated
    )


async def _endpoint_page(request: Request, desk: Desk, endpoint: Endpoint, *, page: int, said: str) -> Response:
    number = min(max(page, 1), 100_000)
    posts, count = await desk.channels.results(endpoint.channel, number)
    standings = await desk.channels.standings(Kind.WEBHOOK)
    standing = next(one for one in standings if one.name == endpoint.channel)
    old_until = endpoint.rotated_at + BOTH_VALID if endpoint.version > 1 else None
    return pages_of(request).page(
        request,
        "channel.html",
        endpoint=endpoint,
        standing=_standing(request, standing),
        posts=[_row(request.state.locale, post) for post in posts],
        count=count,
        number=number,
        pages=max(1, -(-count // RESULTS)),
        old_until=old_until if old_until and old_until > desk.clock.now() else None,
        said=said,
    )


def _standing(request: Request, standing: Standing) -> dict[str, object]:
    _ = texts(request.state.locale)
    if standing.stopped_at:
        state, name = "error", _("stopped")
    elif standing.failing_since:
        state, name = "warning", _("does not work now")
    elif standing.last:
        state, name = "success", _("works")
    else:
        state, name = "info", _("nothing sent yet")
    return {
        "state": state,
        "state_name": name,
        "waiting": standing.waiting,
        "failing_since": standing.failing_since,
        "stopped_at": standing.stopped_at,
        "why": _answer(request.state.locale, standing.stopped_because),
        "last": _row(request.state.locale, standing.last) if standing.last else None,
    }


def _row(locale: Locale, post: Post) -> dict[str, object]:
    """What the pages show of one message."""
    _ = texts(locale)
    state, name = STATES[post.state]
    again: datetime | None = post.due_at if post.state is State.WAITING and post.attempts else None
    return {
        "sequence": post.sequence,
        "happening": _(HAPPENINGS[post.happening]),
        "exercise": not post.realm.live,
        "guidance_id": post.guidance_id if post.realm.live else None,
        "at": post.at,
        "state": state,
        "state_name": _(name),
        "attempts": post.attempts,
        "answer": _answer(locale, post.answer),
        "again": again,
    }


def _answer(locale: Locale, answer: str) -> str:
    return texts(locale)(ANSWERS[answer]) if answer in ANSWERS else answer

"""Reply pages: the tray of letters that a person must read, and those that were read by themselves."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.intake.reply.model import Aside, Interpretation, ReplyState, Why
from services.intake.reply.store import PAGE, Reply, ReplyStore
from shared.events.intake import OperatingStatus
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.realm import Realm
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]

STATUSES = {
    OperatingStatus.NORMAL: N_("We operate normally"),
    OperatingStatus.LIMITED: N_("We operate in part"),
    OperatingStatus.SUSPENDED: N_("Our activity is suspended"),
}
ASIDES: dict[Why | Aside, str] = {
    Aside.NO_ANSWER: N_("It is no answer"),
    Aside.HANDLED: N_("It was handled in another way"),
    Aside.SPAM: N_("It is spam or automatic"),
}
STATES = {
    ReplyState.WAITING: N_("Waiting for a person"),
    ReplyState.READ: N_("Read and recorded"),
    ReplyState.INTERPRETED: N_("Recorded by a person"),
    ReplyState.SET_ASIDE: N_("Set aside"),
    ReplyState.AUTOMATIC: N_("Automatic messages"),
}
REASONS: dict[Why | Aside, str] = {
    Why.PLAIN: N_("The answer was plain."),
    Why.UNCLEAR: N_("The message does not say plainly how the association operates."),
    Why.NO_WORDS: N_("The message has no text of its own."),
    Why.UNREADABLE: N_("The message could not be read."),
    Why.CLOSED: N_("The message came after the check-in was closed. No answer can be recorded from it."),
    Why.OVERTAKEN: N_("The association has answered after it wrote this message."),
    Why.AUTO_REPLY: N_("An automatic reply. It sets nothing."),
    Why.REPORT: N_("A delivery report. It sets nothing."),
    Why.LIST: N_("A mass mailing. It sets nothing."),
    **ASIDES,
}
DONE = {
    "recorded": N_("The answer is recorded."),
    "aside": N_("The message is set aside."),
    "quicker": N_("Somebody else has already handled that message."),
}


@dataclass(frozen=True)
class Chosen:
    """What was chosen on the page: a status or a reason for setting the message aside; or what must be mended."""

    status: OperatingStatus | None = None
    aside: Aside | None = None
    error: str = ""
    field: str = ""


def pages(store: ReplyStore) -> APIRouter:
    """The tray."""
    router = APIRouter(prefix="/replies")

    @router.get("")
    async def tray(request: Request, staff: Reader) -> Response:
        """Messages in one state, at first those that wait, oldest first."""
        asked = request.query_params
        state = _state(asked.get("state", ""))
        number = _number(asked.get("page", ""))
        replies, count = await store.page(staff, state, number=number)
        return pages_of(request).page(
            request,
            "replies.html",
            replies=[(reply, _situation(request, reply)) for reply in replies],
            count=count,
            state=state,
            states=STATES,
            statuses=STATUSES,
            reasons=REASONS,
            said=DONE.get(asked.get("said", ""), ""),
            page=number,
            pages=max(1, -(-count // PAGE)),
            href=f"/replies?state={state.value}&page={{page}}",
        )

    @router.get("/{reply_id}")
    async def one(request: Request, staff: Reader, reply_id: str) -> Response:
        """One message, with the form where it waits."""
        reply = await _found(store, staff, reply_id)
        return _reply_page(request, reply, Chosen())

    @router.post("/{reply_id}")
    async def decide(request: Request, staff: Reader, reply_id: str) -> Response:
        """Record what it says, or set it aside; then on to the next that waits."""
        reply = await _found(store, staff, reply_id)
        async with request.form() as form:
            chosen = _chosen(str(form.get("says", "")), str(form.get("reason", "")))
        if chosen.error:
            return _reply_page(request, reply, chosen)
        decided = await store.decide(reply, Interpretation(staff.person_id, chosen.status, chosen.aside))
        if decided.refused is not None:
            fresh = await _found(store, staff, reply_id)
            return _reply_page(request, fresh, Chosen(error=REASONS[decided.refused], field="says"))
        said = "quicker" if not decided.done else "recorded" if chosen.status else "aside"
        following = await store.next_waiting(staff)
        return RedirectResponse(f"/replies/{following}?said={said}" if following else f"/replies?said={said}", 303)

    return router


def _reply_page(request: Request, reply: Reply, chosen: Chosen) -> Response:
    row = reply.row
    overtaken = reply.answered_at is not None and reply.answered_at > row.received_at
    return pages_of(request).page(
        request,
        "reply.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if chosen.error else HTTPStatus.OK,
        realm=Realm(row.realm),
        reply=reply,
        situation=_situation(request, reply),
        waits=row.state == ReplyState.WAITING,
        records=reply.open and not overtaken,
        overtaken=overtaken,
        states=STATES,
        statuses=STATUSES,
        reasons=REASONS,
        asides=ASIDES,
        chosen=chosen,
        said=DONE.get(request.query_params.get("said", ""), ""),
    )


def _chosen(says: str, reason: str) -> Chosen:
    if says in set(OperatingStatus):
        return Chosen(status=OperatingStatus(says))
    if says != "aside":
        return Chosen(error=N_("Choose what the message says. Nothing was recorded."), field="says")
    if reason not in set(Aside):
        return Chosen(error=N_("Choose why the message is set aside. Nothing was recorded."), field="reason")
    return Chosen(aside=Aside(reason))


async def _found(store: ReplyStore, staff: Staff, reply_id: str) -> Reply:
    try:
        reply = await store.get(staff, UUID(reply_id))
    except ValueError:
        reply = None
    if reply is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such message here."))
    return reply


def _situation(request: Request, reply: Reply) -> str:
    """The situation's name in the reader's language, or in Finnish."""
    locale: Locale = request.state.locale
    return reply.names.get(locale.lang) or reply.names.get("fi") or next(iter(reply.names.values()), "")


def _state(text: str) -> ReplyState:
    return ReplyState(text) if text in set(ReplyState) else ReplyState.WAITING


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1

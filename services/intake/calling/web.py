"""Calling pages: the call list, one call at a time, and the answer as it is heard; all of it by keyboard alone."""

from datetime import time
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.intake.calling.model import CLAIM, NOTE_LIMIT, Outcome, attempt
from services.intake.calling.phone_form import phone_form
from services.intake.calling.store import PAGE, CallRound, CallStore, Card, Wanted
from services.intake.checkin.answer_form import Form, read_form
from services.intake.checkin.capability_list import CapabilityLists, Shown
from services.intake.checkin.model import NOTE_LIMIT as MESSAGE_LIMIT
from services.intake.checkin.model import STATUS_LABELS, Answer, Invited, Refused, Said, in_words
from services.intake.checkin.store import CheckInStore
from shared import region
from shared.clock import Clock
from shared.events.intake import Channel
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import Pages, TroubleError, pages_of

Caller = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]

OUTCOMES = {
    Outcome.NO_ANSWER: N_("Nobody picked up"),
    Outcome.CALL_BACK: N_("Wants to be called later"),
    Outcome.WRONG_NUMBER: N_("Wrong number"),
}
SAID = {
    "none": N_("There is nobody to call just now."),
    "tried": N_("The call is noted. Others can see it on the list."),
    "released": N_("The call is free for others again."),
}


def pages(store: CallStore, checkin: CheckInStore, *, clock: Clock, rendered: Pages) -> APIRouter:
    """The call list."""

    def list_html(locale: Locale, shown: Shown) -> str:
        return rendered.fragment(locale, "capability_list.html", list=shown)

    desk = CallDesk(store, checkin, clock, CapabilityLists(list_html))
    router = APIRouter(prefix="/calls")
    router.add_api_route("", desk.rounds, methods=["GET"])
    router.add_api_route("/rounds/{round_id:uuid}", desk.listing, methods=["GET"])
    router.add_api_route("/rounds/{round_id:uuid}/next", desk.next_call, methods=["POST"])
    router.add_api_route("/{invitation_id:uuid}", desk.one, methods=["GET"])
    router.add_api_route("/{invitation_id:uuid}/take", desk.take, methods=["POST"])
    router.add_api_route("/{invitation_id:uuid}/release", desk.release, methods=["POST"])
    router.add_api_route("/{invitation_id:uuid}/tried", desk.tried, methods=["POST"])
    router.add_api_route("/{invitation_id:uuid}/answer", desk.answer, methods=["POST"])
    router.add_api_route("/{invitation_id:uuid}/recorded", desk.recorded, methods=["GET"])
    return router


class CallDesk:
    """Where the calls are made from."""

    def __init__(self, store: CallStore, checkin: CheckInStore, clock: Clock, lists: CapabilityLists) -> None:
        self._store = store
        self._checkin = checkin
        self._clock = clock
        self._lists = lists

    async def rounds(self, request: Request, staff: Caller) -> Response:
        """The open rounds."""
        rounds = await self._store.rounds(staff.sight)
        locale: Locale = request.state.locale
        return pages_of(request).page(request, "calls.html", rounds=[(one, title(one, locale)) for one in rounds])

    async def listing(self, request: Request, staff: Caller, round_id: UUID) -> Response:
        """Who is called next, and after that."""
        call_round = await self._round(round_id)
        needed = await self._store.needed(round_id)
        wanted = _wanted(request, otherwise=next(iter(needed), ""))
        number = page_number(request)
        listed, count = await self._store.listing(round_id, wanted, staff.sight, page=number)
        locale: Locale = request.state.locale
        return pages_of(request).page(
            request,
            "call_list.html",
            realm=call_round.realm,
            round=call_round,
            title=title(call_round, locale),
            listed=listed,
            count=count,
            wanted=wanted,
            query=_query(wanted),
            page=number,
            pages=max(1, -(-count // PAGE)),
            municipalities=_options(region.MUNICIPALITIES, N_("Whole region"), locale),
            capabilities=_needs(needed, locale),
            names=names(locale),
            outcomes=OUTCOMES,
            me=staff.person_id,
            said=SAID.get(request.query_params.get("said", ""), ""),
        )

    async def next_call(self, request: Request, staff: Caller, round_id: UUID) -> Response:
        """Take the best call that nobody has, and go to it."""
        await self._round(round_id)
        wanted = _wanted(request)
        invitation_id = await self._store.next_call(round_id, wanted, staff.sight, person_id=staff.person_id)
        query = _query(wanted)
        if invitation_id is None:
            return RedirectResponse(f"/calls/rounds/{round_id}?{query}&said=none", HTTPStatus.SEE_OTHER)
        return RedirectResponse(f"/calls/{invitation_id}?{query}", HTTPStatus.SEE_OTHER)

    async def one(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """One association: whom to call, what was tried, and the form for what they say."""
        card, invited = await self._card(staff, invitation_id)
        return self._page(request, staff, card, invited, Form.after(invited.present.said if invited.present else None))

    async def take(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """Take this very call."""
        await self._called(staff, invitation_id)
        await self._store.take(invitation_id, person_id=staff.person_id)
        return RedirectResponse(f"/calls/{invitation_id}?{_query(_wanted(request))}", HTTPStatus.SEE_OTHER)

    async def release(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """Leave this call to others."""
        card, _invited = await self._card(staff, invitation_id)
        await self._store.release(invitation_id, person_id=staff.person_id)
        return _to_list(request, card, "released")

    async def tried(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """Note a call that brought no answer."""
        card, invited = await self._called(staff, invitation_id)
        async with request.form() as sent:
            fields = {name: str(sent.get(name, "")) for name in ("outcome", "at", "note")}
        if fields["outcome"] not in Outcome._value2member_map_ or len(fields["note"]) > NOTE_LIMIT:
            return self._page(request, staff, card, invited, Form(), tried=fields)
        outcome = Outcome(fields["outcome"])
        what = attempt(outcome, fields["note"].strip(), at=_time(fields["at"]), now=self._clock.now())
        await self._store.tried(invitation_id, what, person_id=staff.person_id)
        return _to_list(request, card, "tried")

    async def answer(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """Record what was said on the telephone; where something is missing, the form again with all that was typed."""
        card, invited = await self._called(staff, invitation_id)
        form = read_form(await request.body())
        if form.status is None or form.wrong:
            return self._page(request, staff, card, invited, form, sent=True)
        now = self._clock.now()
        said = Said(
            status=form.status,
            until=form.until.moment(now),
            note=form.note,
            offers=form.offers.amounts,
            needs=form.needs.amounts,
            plan=form.plan,
        )
        heard = Answer(
            door=invitation_id,
            form_id=form.form_id,
            said=said,
            at=now,
            channel=Channel.PHONE,
            entered_by=staff.person_id,
        )
        if isinstance(await self._checkin.put(heard), Refused):
            raise _closed()
        return RedirectResponse(f"/calls/{invitation_id}/recorded?{_query(_wanted(request))}", HTTPStatus.SEE_OTHER)

    async def recorded(self, request: Request, staff: Caller, invitation_id: UUID) -> Response:
        """What was recorded, and the next call one key away."""
        card, invited = await self._card(staff, invitation_id)
        locale: Locale = request.state.locale
        said = invited.present.said if invited.present else None
        return pages_of(request).page(
            request,
            "call_recorded.html",
            realm=card.realm,
            card=card,
            present=invited.present,
            answer=texts(locale)(STATUS_LABELS[said.status]) if said else "",
            offers=in_words(said.offers, locale) if said else "",
            needs=in_words(said.needs, locale) if said else "",
            query=_query(_wanted(request)),
        )

    def _page(
        self,
        request: Request,
        staff: Staff,
        card: Card,
        invited: Invited,
        form: Form,
        *,
        sent: bool = False,
        tried: dict[str, str] | None = None,
    ) -> Response:
        locale: Locale = request.state.locale
        wanted = _wanted(request)
        present = invited.present
        return pages_of(request).page(
            request,
            "call.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if sent or tried else HTTPStatus.OK,
            realm=card.realm,
            card=card,
            place=region.municipality(card.association.municipality).name(locale),
            language=Locale(card.association.language).own_name,
            me=staff.person_id,
            owner=card.claimed_by(self._clock.now()),
            minutes=int(CLAIM.total_seconds() // 60),
            answer=texts(locale)(STATUS_LABELS[present.said.status]) if present else "",
            present=present,
            entry=phone_form(form, locale, lists=self._lists, sent=sent),
            note_limit=NOTE_LIMIT,
            message_limit=MESSAGE_LIMIT,
            outcomes=OUTCOMES,
            tried=tried or {"outcome": "", "at": "", "note": ""},
            tried_wrong=tried is not None,
            query=_query(wanted),
        )

    async def _round(self, round_id: UUID) -> CallRound:
        call_round = await self._store.round(round_id)
        if call_round is None:
            raise _closed()
        return call_round

    async def _called(self, staff: Staff, invitation_id: UUID) -> tuple[Card, Invited]:
        """The same, of one that can be called: in an exercise somebody must take part in it."""
        card, invited = await self._card(staff, invitation_id)
        if card.invitation.simulated:
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("This association is simulated: the exercise answers for it. Nothing was recorded."),
                what_next=N_("Go back to the list. Call only those who take part."),
            )
        return card, invited

    async def _card(self, staff: Staff, invitation_id: UUID) -> tuple[Card, Invited]:
        """The call, if this person may see it and the round is still open."""
        card = await self._store.card(invitation_id)
        invited = await self._checkin.of_invitation(invitation_id)
        if card is None or invited is None or not staff.sees(card.association.municipality, card.networks):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such call."))
        if not invited.asked.open(self._clock.now()):
            raise _closed()
        return card, invited


def title(call_round: CallRound, locale: Locale) -> str:
    """The name of the round's situation in this language, else in Finnish, else in any."""
    known = call_round.names
    return known.get(locale.lang) or known.get("fi") or next(iter(known.values()), "")


def names(locale: Locale) -> dict[str, str]:
    """Municipalities and capabilities by code."""
    return {thing.code: thing.name(locale) for thing in (*region.MUNICIPALITIES, *region.CAPABILITIES)}


def page_number(request: Request) -> int:
    """The page asked for, from 1."""
    page = request.query_params.get("page", "")
    return max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1


def _closed() -> TroubleError:
    return TroubleError(
        HTTPStatus.CONFLICT,
        N_("The round is closed: it takes no answers any more. Nothing was recorded."),
        what_next=N_("Go back to the calls to see which rounds are open."),
    )


def _wanted(request: Request, *, otherwise: str = "") -> Wanted:
    """What the address asks for; of capabilities only those that there are. One that is not named is `otherwise`."""
    asked = request.query_params
    places = {place.code for place in region.MUNICIPALITIES}
    abilities = {ability.code for ability in region.CAPABILITIES}
    municipality, capability = asked.get("municipality", ""), asked.get("capability", otherwise)
    return Wanted(municipality if municipality in places else "", capability if capability in abilities else "")


def _query(wanted: Wanted) -> str:
    return urlencode({"municipality": wanted.municipality, "capability": wanted.capability})


def _to_list(request: Request, card: Card, said: str) -> Response:
    query = _query(_wanted(request))
    address = f"/calls/rounds/{card.invitation.round_id}?{query}&said={said}"
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _options(things: tuple[region.Named, ...], everything: str, locale: Locale) -> list[tuple[str, str]]:
    return [("", texts(locale)(everything)), *((thing.code, thing.name(locale)) for thing in things)]


def _needs(needed: dict[str, int], locale: Locale) -> list[tuple[str, Any]]:
    """The capabilities as options, those that are asked for first, with how many ask."""
    _ = texts(locale)
    by_code = {ability.code: ability.name(locale) for ability in region.CAPABILITIES}
    asked = [(code, _("%(what)s (%(count)s ask)") % {"what": by_code[code], "count": n}) for code, n in needed.items()]
    return [("", _("None in particular")), *asked, *((code, by_code[code]) for code in by_code if code not in needed)]


def _time(text: str) -> time | None:
    """The time of day that a browser sends, None where there is none."""
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None

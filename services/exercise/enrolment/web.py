"""Pages: what the public sees of an announced exercise, one's own sign-up, and the list of its leader."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from limits import RateLimitItemPerHour
from starlette.responses import RedirectResponse, Response

from services.exercise.announcement.model import Announced, Problem, Stage
from services.exercise.announcement.store import AnnouncementStore
from services.exercise.enrolment.model import (
    ASSOCIATION_LENGTH,
    SOURCE_NAMES,
    Asked,
    Refusal,
    SignUp,
    read_addresses,
    read_sign_up,
)
from services.exercise.enrolment.store import PAGE, EnrolmentStore
from services.exercise.exercise.model import Exercise, Refused, State
from services.exercise.exercise.store import ExerciseStore
from shared import region
from shared.i18n import N_, Locale, locale_or, texts
from shared.identity import Role, Staff, requires
from shared.ids import digest
from shared.rate_limit import RateLimit, TooOftenError
from shared.web import TroubleError, pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]
Alarmed = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER, Role.LIAISON, Role.ADMINISTRATOR))]

PER_ADDRESS = RateLimitItemPerHour(5)
PER_CLIENT = RateLimitItemPerHour(60)
"""A house of associations may sit behind one client address."""

REFUSALS = {
    Refusal.BEGUN: N_("The exercise has begun, so that nobody can join or leave any more. Nothing was changed."),
    Refusal.FULL: N_("So many take part already that the list is full. Nothing was changed."),
}
LANGUAGE_OPTIONS = [(one.value, one.own_name) for one in Locale]


class SignUpPages:
    """The public pages of this topic."""

    def __init__(self, store: EnrolmentStore, announcements: AnnouncementStore) -> None:
        self._store = store
        self._announcements = announcements
        self._by_client, self._by_address = RateLimit(PER_CLIENT), RateLimit(PER_ADDRESS)

    def router(self) -> APIRouter:
        """All public routes of this topic."""
        router, one, own = APIRouter(), "/exercise/announced/{exercise_id:uuid}", "/exercise/join/{token}"
        router.add_api_route(one, self.announced, methods=["GET"])
        router.add_api_route(one, self.sign_up, methods=["POST"])
        router.add_api_route(f"{one}/sent", self.sent, methods=["GET"])
        router.add_api_route(own, self.own, methods=["GET"])
        router.add_api_route(f"{own}/confirm", self.confirm, methods=["POST"])
        router.add_api_route(f"{own}/leave", self.leave, methods=["POST"])
        return router

    async def announced(self, request: Request, exercise_id: UUID, said: str = "") -> Response:
        """What the exercise is, and the form to sign up."""
        return _announced_page(request, await self._announcements.public(exercise_id), left=said == "left")

    async def sign_up(self, request: Request, exercise_id: UUID) -> Response:
        """Take a sign-up. What follows looks the same whether the address is known or not, or came too often."""
        announced = await self._announcements.public(exercise_id)
        async with request.form() as sent:
            typed = {name: str(sent.get(name, ""))[:400] for name in ("email", "association", "language")}
        asked = read_sign_up(typed["email"], typed["association"], typed["language"])
        if not isinstance(asked, Asked):
            return _announced_page(request, announced, typed=typed, problems=asked)
        self._by_client.count(request.client.host if request.client else "-")
        if self._permits(asked.address):
            _pass(await self._store.ask(exercise_id, asked))
        return RedirectResponse(
            f"/exercise/announced/{exercise_id}/sent?lang={quote(request.state.locale)}", status_code=303
        )

    async def sent(self, request: Request, exercise_id: UUID) -> Response:
        """What to do next."""
        announced = await self._announcements.public(exercise_id)
        return pages_of(request).page(
            request, "sign_up_sent.html", realm=announced.exercise.realm, exercise=announced.exercise
        )

    async def own(self, request: Request, token: str, said: str = "") -> Response:
        """One's own sign-up as it stands. Opening it changes nothing."""
        sign_up = await self._known(request, token)
        exercise = sign_up.announced.exercise
        return pages_of(request).page(
            request,
            "sign_up.html",
            realm=exercise.realm,
            sign_up=sign_up,
            exercise=exercise,
            announcement=sign_up.announced.announcement,
            stage=sign_up.announced.stage.value,
            home=f"/exercise/join/{quote(token)}",
            confirmed=said == "confirmed",
        )

    async def confirm(self, request: Request, token: str) -> Response:
        """Put her on the list."""
        await self._known(request, token)
        _pass(await self._store.confirm(token))
        return RedirectResponse(f"/exercise/join/{quote(token)}?said=confirmed", status_code=303)

    async def leave(self, request: Request, token: str) -> Response:
        """Take her off the list, and forget her."""
        sign_up = await self._known(request, token)
        _pass(await self._store.leave(token))
        place = f"/exercise/announced/{sign_up.announced.exercise.id}"
        return RedirectResponse(f"{place}?said=left&lang={quote(request.state.locale)}", status_code=303)

    def _permits(self, address: str) -> bool:
        try:
            self._by_address.count(digest(address).hex())
        except TooOftenError:
            return False
        return True

    async def _known(self, request: Request, token: str) -> SignUp:
        """The sign-up behind the link; the page then speaks her language. All others get the same 404."""
        sign_up = await self._store.opened(token)
        if sign_up is None:
            raise TroubleError(
                HTTPStatus.NOT_FOUND,
                N_("This link is not valid, or no longer. Nothing was changed."),
                what_next=N_("Use the link of the newest message that you got from us, or sign up again."),
            )
        if "lang" not in request.query_params:
            request.state.locale = sign_up.locale
        return sign_up


class ParticipantPages:
    """The pages of those who lead the exercise; and the one button for all who see that something real happens."""

    def __init__(self, store: EnrolmentStore, *, exercises: ExerciseStore) -> None:
        self._store = store
        self._exercises = exercises

    def router(self) -> APIRouter:
        """All routes of the staff in this topic."""
        router, one = APIRouter(), "/exercises/{exercise_id:uuid}"
        router.add_api_route(f"{one}/participants", self.participants, methods=["GET"])
        router.add_api_route(f"{one}/participants", self.add, methods=["POST"])
        router.add_api_route(f"{one}/participants/remove", self.remove, methods=["POST"])
        router.add_api_route(f"{one}/real-situation", self.real_situation, methods=["POST"])
        return router

    async def participants(self, request: Request, exercise_id: UUID, _staff: Leader, page: str = "1") -> Response:
        """Who takes part."""
        exercise = await self._exercises.one(exercise_id)
        return await self._page(
            request, exercise, number=int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
        )

    async def add(self, request: Request, exercise_id: UUID, _staff: Leader) -> Response:
        """Add addresses by hand; or the page again with what is wrong."""
        exercise = await self._exercises.one(exercise_id)
        async with request.form() as sent:
            typed, language = str(sent.get("participants", "")), str(sent.get("language", ""))
        addresses = read_addresses(typed)
        if isinstance(addresses, Problem):
            return await self._page(request, exercise, typed=typed, language=language, wrong=addresses.message)
        _pass(await self._store.add(exercise_id, addresses, locale_or(language)))
        return RedirectResponse(f"/exercises/{exercise_id}/participants", status_code=303)

    async def remove(self, request: Request, exercise_id: UUID, _staff: Leader) -> Response:
        """Take one address off the list."""
        async with request.form() as sent:
            address = str(sent.get("address", ""))
        _pass(await self._store.remove(exercise_id, address))
        return RedirectResponse(f"/exercises/{exercise_id}/participants", status_code=303)

    async def real_situation(self, exercise_id: UUID, _staff: Alarmed) -> Response:
        """Something real has happened: break the exercise off, and go on with what is real. Again is harmless."""
        outcome = await self._exercises.end(exercise_id, aborted=True)
        if isinstance(outcome, Refused):
            await self._exercises.one(exercise_id)
        return RedirectResponse("/situations?said=broken-off", status_code=303)

    async def _page(
        self,
        request: Request,
        exercise: Exercise,
        *,
        number: int = 1,
        typed: str = "",
        language: str = "",
        wrong: str = "",
    ) -> Response:
        _ = texts(request.state.locale)
        enrolled = await self._store.enrolled(exercise.realm, page=max(1, min(number, 1000)))
        message = _("“%(what)s” is not an email address. Write one address to a line.") % {"what": wrong[:100]}
        return pages_of(request).page(
            request,
            "participants.html",
            status=422 if wrong else 200,
            realm=exercise.realm,
            exercise=exercise,
            enrolled=enrolled,
            sources=SOURCE_NAMES,
            typed=typed,
            language=language or Locale.FI.value,
            language_options=LANGUAGE_OPTIONS,
            errors=[Problem("participants", message)] if wrong else [],
            number=number,
            pages=-(-enrolled.total // PAGE),
            fixed=exercise.state is not State.PLANNED,
        )


def _pass(refusal: Refusal | None) -> None:
    """Raises TroubleError if it was refused."""
    if refusal is not None:
        raise TroubleError(HTTPStatus.CONFLICT, REFUSALS[refusal], what_next=N_("If you have a question, call us."))


def _announced_page(
    request: Request,
    announced: Announced,
    *,
    typed: dict[str, str] | None = None,
    problems: Sequence[Problem] = (),
    left: bool = False,
) -> Response:
    locale: Locale = request.state.locale
    _ = texts(locale)
    errors = [Problem(problem.field, _(problem.message)) for problem in problems]
    text, lang = announced.announcement.text(locale)
    return pages_of(request).page(
        request,
        "announced.html",
        status=422 if problems else 200,
        realm=announced.exercise.realm,
        exercise=announced.exercise,
        announcement=announced.announcement,
        stage=announced.stage.value,
        open=announced.stage is Stage.OPEN,
        paragraphs=[line for line in text.splitlines() if line.strip()],
        text_lang=lang.lang,
        places=[region.municipality(code).name(locale) for code in announced.exercise.scenario.municipalities],
        typed=typed or {"email": "", "association": "", "language": locale.value},
        language_options=LANGUAGE_OPTIONS,
        association_length=ASSOCIATION_LENGTH,
        errors=errors,
        wrong={error.field: error.message for error in errors},
        left=left,
    )

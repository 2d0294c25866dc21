"""API: the live picture as server-sent events. One rendering and one encoding serve everybody who looks."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.routing import Route

from services.status.situation.store import SituationStore
from shared import live
from shared.clock import Clock
from shared.events.status import ReadinessChanged
from shared.i18n import Locale
from shared.identity import Sessions, Staff, Within, names_within

Render = Callable[[UUID, Locale, Within], Awaitable[str]]
"""Makes the fragment of a situation in a language, for those who may see so much."""


class Look(NamedTuple):
    """What is looked at: a situation in a language, by those who see alike."""

    situation_id: UUID
    locale: Locale
    within: Within = None


class Hub(live.Hub[Look]):
    """Keeps the open pictures of this process fresh."""

    def __init__(self, render: Render, *, clock: Clock) -> None:
        super().__init__(lambda look: render(*look), clock=clock)

    async def on_readiness_changed(self, event: ReadinessChanged) -> None:
        """Another process, or this one, says that a situation's figures changed."""
        self.look_again(lambda look: look.situation_id == event.situation_id)


class LiveEndpoint(live.LiveEndpoint[Look]):
    """`/situations/{situation_id}/live`: raw ASGI, for staff who are signed in."""

    def __init__(self, hub: Hub, *, situations: SituationStore, sessions: Sessions, clock: Clock) -> None:
        super().__init__(hub, sessions=sessions, clock=clock)
        self._situations = situations

    def route(self) -> Route:
        """The route at which it is served."""
        return Route("/situations/{situation_id:uuid}/live", self, methods=["GET"])

    async def key(self, request: Request, staff: Staff) -> Look | None:
        """The situation, in the reader's language, as far as this person sees it."""
        situation_id = request.path_params["situation_id"]
        if await self._situations.get(situation_id) is None:
            return None
        return Look(situation_id, request.state.locale, names_within(staff))

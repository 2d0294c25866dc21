"""Pages of suggestions: that one is not for us. They are shown in the list of situations, and opened from there."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from services.status.suggestion.store import SuggestionStore
from shared.identity import Role, Staff, requires

Opener = Annotated[Staff, Depends(requires(Role.LIAISON, Role.ADMINISTRATOR))]


class SuggestionPages:
    """The pages of this topic."""

    def __init__(self, store: SuggestionStore) -> None:
        self._store = store

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/situations/suggestions/{suggestion_id:uuid}/dismiss", self.dismiss, methods=["POST"])
        return router

    async def dismiss(self, suggestion_id: UUID, staff: Opener) -> Response:
        """It is not for us; it is shown no more, nor is what updates it without making it worse."""
        await self._store.dismiss(suggestion_id, by=staff.person_id)
        return RedirectResponse("/situations?said=dismissed", status_code=303)

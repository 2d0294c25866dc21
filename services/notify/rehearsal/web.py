"""Pages of rehearsal: the guidance of all exercises, apart from that of the real world, and its alerts for leaders."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.notify.cap.model import Issuer, alert_of, identified
from services.notify.feeds.cap_xml import MEDIA_TYPE, cap_xml
from services.notify.feeds.store import Releases
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

READERS = (Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR)
Reader = Annotated[Staff, Depends(requires(*READERS, Role.EXERCISE_LEADER))]
Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]


def pages(guidance: GuidanceStore, situations: SituationStore, releases: Releases, *, issuer: Issuer) -> APIRouter:
    """`/guidance/exercises` and the alerts below it."""
    router = APIRouter(prefix="/guidance/exercises")

    @router.get("")
    async def rehearsed(request: Request, staff: Reader) -> Response:
        """The guidance of all exercises, the newest first."""
        locale: Locale = request.state.locale
        listed = await guidance.rehearsed()
        known = await situations.known({one.draft.situation_id for one in listed if one.draft.situation_id})
        return pages_of(request).page(
            request,
            "guidance_exercises.html",
            revisions=listed,
            situations={situation_id: one.name(locale.value) for situation_id, one in known.items()},
            going=[(one.situation_id, one.name(locale.value)) for one in await situations.rehearsed()],
            may_read=staff.may(*READERS),
            may_edit=staff.may(Role.EDITOR),
            leads=staff.may(Role.EXERCISE_LEADER),
        )

    @router.get("/{identifier}.xml")
    async def alert(_staff: Leader, identifier: str) -> Response:
        """An alert of an exercise, marked as such, for who leads it: it stands in no feed."""
        found = identified(identifier)
        realm = await guidance.realm_of(found[0]) if found else LIVE
        release = await releases.one(*found, realm=realm) if found and not realm.live else None
        if release is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        attached = {"content-disposition": f'attachment; filename="exercise-{identifier}.xml"'}
        return Response(cap_xml(alert_of(release, issuer)), media_type=MEDIA_TYPE, headers=attached)

    return router

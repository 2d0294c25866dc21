"""Subscriber file pages: a list of people is chosen, looked over and imported; all subscribers are exported."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.notify.retention.store import RetentionStore
from services.notify.subscriber_file.columns import LIMITS
from services.notify.subscriber_file.export_file import csv_of
from services.notify.subscriber_file.model import BASIS_AT_LEAST, BASIS_AT_MOST, LISTED_AUDIENCES
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.model import AUDIENCE_NAMES, Audience
from shared.clock import Clock
from shared.downloads import CSV, download
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.list_pages import ListKind, ListPages
from shared.web import pages_of

importer = requires(Role.EDITOR, Role.ADMINISTRATOR, everywhere=True)
Importer = Annotated[Staff, Depends(importer)]
Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]

PEOPLE = ListKind(
    path="/subscribers/import",
    choosing="subscribers_import.html",
    reporting="subscribers_report.html",
    importer=importer,
    limits=LIMITS,
    forgotten=N_("This list is not kept any more. Lists are forgotten after a day, and when somebody is erased."),
)


class SubscriberListPages(ListPages):
    """A list of people says besides to which group they belong, and why we may write to them."""

    def __init__(self, store: SubscriberFileStore, *, clock: Clock, wake: Callable[[], None]) -> None:
        super().__init__(store, PEOPLE, clock=clock, wake=wake)
        self._store = store

    def about(self, request: Request, sent: FormData) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """The group and the basis."""
        _ = texts(request.state.locale)
        audience = str(sent.get("audience", ""))
        basis = " ".join(str(sent.get("basis", "")).split())
        wrong = {}
        if audience not in LISTED_AUDIENCES:
            wrong["audience"] = _("Choose the group to which these people belong.")
        if not BASIS_AT_LEAST <= len(basis) <= BASIS_AT_MOST:
            wrong["basis"] = _("Say in 10 to 500 characters why we may write to these people.")
        return {"audience": audience, "basis": basis[:BASIS_AT_MOST]}, wrong

    def asked(self) -> Mapping[str, Any]:
        """The groups from which to choose."""
        return {"groups": [(audience.value, AUDIENCE_NAMES[audience]) for audience in LISTED_AUDIENCES]}

    async def told(self, name: str) -> Mapping[str, Any]:
        """What was stated about this list."""
        audience, basis = await self._store.stated(name)
        return {"audience": AUDIENCE_NAMES[Audience(audience)] if audience else "", "basis": basis}


def pages(
    store: SubscriberFileStore, retention: RetentionStore, *, clock: Clock, wake: Callable[[], None]
) -> APIRouter:
    """`/subscribers`: how many there are, the import of lists, the export; `wake` has the job look for lists."""
    router = APIRouter()
    _overview(router, store, retention, clock=clock)
    router.routes.extend(SubscriberListPages(store, clock=clock, wake=wake).routes().routes)
    return router


def _overview(router: APIRouter, store: SubscriberFileStore, retention: RetentionStore, *, clock: Clock) -> None:
    @router.get("/subscribers")
    async def overview(request: Request, staff: Importer) -> Response:
        """How many subscribers there are and on what ground, and how long what is kept."""
        return pages_of(request).page(
            request,
            "subscribers.html",
            standing=await store.standing(),
            keeping=await retention.report(),
            groups=AUDIENCE_NAMES,
            administers=staff.may(Role.ADMINISTRATOR),
        )

    @router.post("/subscribers/export.csv")
    async def export(staff: Administrator) -> Response:
        """All subscribers with the records of their consent."""
        day = clock.now().astimezone(ZoneInfo("Europe/Helsinki")).date().isoformat()
        return download(csv_of(store.export(by=staff.person_id)), CSV, f"tilaajat-{day}.csv")

"""Guidance for tests: what an editor writes on the storm evening."""

from collections.abc import Mapping
from uuid import UUID

from fastapi import FastAPI

from services.notify.delivery.store import Ledger
from services.notify.guidance.model import Approval, Draft, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.model import Audience, ImportedSubscriber, Matching
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm

FORSSA, HATTULA = "061", "082"
FINNISH = {Locale.FI: Text("Sähköt poikki Forssassa", "Varautukaa **kylmään**.\n\n- Tarkistakaa naapurit")}
ALL_LANGUAGES = {
    **FINNISH,
    Locale.SELKO: Text("Sähköt ovat poikki", "Pukeudu lämpimästi."),
    Locale.SV: Text("Strömavbrott i Forssa", "Förbered er på **kyla**."),
    Locale.EN: Text("Power cut in Forssa", "Prepare for **cold**."),
}


def draft(
    texts: Mapping[Locale, Text] = FINNISH,
    *,
    audiences: frozenset[Audience] = frozenset({Audience.RESIDENTS}),
    areas: frozenset[str] = frozenset({FORSSA}),
    valid_hours: int = 24,
    situation_id: UUID | None = None,
) -> Draft:
    return Draft(texts, Matching(audiences, areas), valid_hours, situation_id)


async def resident(subscribers: SubscriberStore, email: str = "aino@example.org", *places: str) -> None:
    """A confirmed subscriber among the residents of Forssa, or of these places."""
    row = ImportedSubscriber(email, Audience.RESIDENTS, places or (FORSSA,), Locale.FI)
    await subscribers.import_many([row])


async def submitted(guidance: GuidanceStore, what: Draft, *, by: UUID | None = None) -> Revision:
    """This draft, waiting for approval."""
    guidance_id = await guidance.write(what, by=by or new_id())
    assert await guidance.submit(await present(guidance, guidance_id))
    return await present(guidance, guidance_id)


async def published(guidance: GuidanceStore, what: Draft | None = None) -> Revision:
    """This draft, written by one and released by another; somebody must match it."""
    revision = await submitted(guidance, what or draft())
    decided = await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="TOSI", edition=revision.edition)
    assert isinstance(decided, Approval)
    return await present(guidance, revision.guidance_id)


async def in_exercise(app: FastAPI, realm: Realm, what: Draft | None = None) -> UUID:
    """This draft, released to somebody in an exercise; its id."""
    ledger: Ledger = app.state.ledger
    guidance: GuidanceStore = app.state.guidance
    await ledger.enrol(realm, ["aino@example.org"])
    guidance_id = await guidance.write(what or draft(), by=new_id(), realm=realm)
    written = await guidance.get(realm, guidance_id)
    assert written is not None
    assert await guidance.submit(written)
    assert isinstance(
        await guidance.approve(realm, guidance_id, by=new_id(), word="HARJOITUS", edition=written.edition), Approval
    )
    return guidance_id


async def present(guidance: GuidanceStore, guidance_id: UUID) -> Revision:
    revision = await guidance.get(LIVE, guidance_id)
    assert revision is not None
    return revision

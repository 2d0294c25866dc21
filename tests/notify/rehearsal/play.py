"""An exercise for tests: its roster, its situation, and guidance that is released in it."""

from uuid import UUID

from fastapi import FastAPI

from services.notify.delivery.store import Ledger
from services.notify.guidance.model import Approval, Kind, Refusal, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.handlers import RehearsalHandlers
from services.notify.rehearsal.store import Rosters
from services.notify.situations.store import SituationStore
from shared.events.exercise import ExerciseEnded, InjectFired, RosterFrozen
from shared.events.status import SituationOpened
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import Realm
from shared.rehearsals import EndedExercises
from tests.fakes import STORM_EVENING
from tests.notify.guidance.drafts import draft

EXERCISE = UUID("0199a000-0000-7000-8000-0000000000aa")
REALM = Realm(f"ex-{EXERCISE.hex}")
STORM = UUID("0199a000-0000-7000-8000-0000000000bb")
TOLD = "Harjoitussana"
"""It stands in every text of the exercise, and in nothing else."""

TEXTS = {locale: Text(f"{TOLD} {locale.value}", f"{TOLD}: menkää sisälle.") for locale in Locale}
OPENED = SituationOpened(
    happened_at=STORM_EVENING,
    realm=REALM,
    situation_id=STORM,
    kind="storm",
    names={"fi": f"Myrsky {TOLD}", "sv": f"Stormen {TOLD}", "en": f"Storm {TOLD}"},
    municipalities=("061",),
)
ENDED = ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE)
INJECT = InjectFired(
    happened_at=STORM_EVENING,
    realm=REALM,
    exercise_id=EXERCISE,
    number=4,
    offset_seconds=0,
    channel="email",
    texts={"fi": f"HARJOITUS: {TOLD}", "sv": f"ÖVNING: {TOLD}", "en": f"EXERCISE: {TOLD}"},
    leader=new_id(),
    mailed=True,
    senders={"fi": "pelastuslaitos", "sv": "räddningsverket", "en": "rescue department"},
)


def frozen(*addresses: str) -> RosterFrozen:
    """A part of the roster, as it is told."""
    return RosterFrozen(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE, addresses=addresses)


def handlers_of(app: FastAPI) -> RehearsalHandlers:
    """What notify does when an exercise tells something."""
    house: House = app.state.house
    ledger: Ledger = app.state.ledger
    ended = EndedExercises(house.database, clock=house.clock, service="notify")
    rosters = Rosters(house.database, clock=house.clock, ledger=ledger)
    injects = InjectLetters(house.database, clock=house.clock, ledger=ledger)
    return RehearsalHandlers(ledger, rosters, ended, injects)


async def begun(app: FastAPI, *addresses: str) -> RehearsalHandlers:
    """The exercise has begun with these, and its storm is there."""
    handlers, situations = handlers_of(app), app.state.situations
    assert isinstance(situations, SituationStore)
    await handlers.on_roster_frozen(frozen(*addresses))
    await situations.tell(OPENED)
    return handlers


async def rehearsed(guidance: GuidanceStore, kind: Kind = Kind.ALERT, of: Revision | None = None) -> Revision:
    """Guidance of the exercise, or a correction of it, that waits for approval."""
    if of is not None:
        assert await guidance.correct(of, kind, draft(TEXTS), by=new_id(), edition=of.edition)
        found = await guidance.unreleased(REALM, of.guidance_id)
    else:
        guidance_id = await guidance.write(draft(TEXTS, situation_id=STORM), by=new_id(), realm=REALM)
        written = await guidance.unreleased(REALM, guidance_id)
        assert written is not None
        assert await guidance.submit(written)
        found = await guidance.unreleased(REALM, guidance_id)
    assert found is not None
    return found


async def approve(guidance: GuidanceStore, revision: Revision, word: str = "HARJOITUS") -> Approval | Refusal:
    """What becomes of it when another person approves it with this word."""
    return await guidance.approve(
        revision.realm, revision.guidance_id, by=new_id(), word=word, edition=revision.edition
    )


async def released(guidance: GuidanceStore, kind: Kind = Kind.ALERT, of: Revision | None = None) -> Revision:
    """The same, released."""
    assert isinstance(await approve(guidance, await rehearsed(guidance, kind, of)), Approval)
    found = (await guidance.rehearsed())[0]
    assert found.state.released
    return found

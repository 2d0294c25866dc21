"""Situations are known as status told them last, in whatever order the tellings come."""

from datetime import timedelta
from itertools import permutations

import pytest
from fastapi import FastAPI

from services.notify.situations.handlers import SituationHandlers
from services.notify.situations.store import SituationStore
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING

STORM = new_id()
OPENED = SituationOpened(
    happened_at=STORM_EVENING,
    realm=LIVE,
    situation_id=STORM,
    kind="storm",
    names={"fi": "Myrsky", "sv": "Storm"},
    municipalities=("061",),
)
CHANGED = SituationChanged(
    happened_at=STORM_EVENING + timedelta(hours=1),
    realm=LIVE,
    situation_id=STORM,
    kind="power-cut",
    names={"fi": "Sähkökatko"},
    municipalities=("061", "082"),
)
CLOSED = SituationClosed(happened_at=STORM_EVENING + timedelta(hours=2), realm=LIVE, situation_id=STORM)

Told = SituationOpened | SituationChanged | SituationClosed


@pytest.fixture
def situations(app: FastAPI) -> SituationStore:
    store: SituationStore = app.state.situations
    return store


async def tell(situations: SituationStore, *events: Told) -> None:
    handlers = SituationHandlers(situations)
    for event in events:
        match event:
            case SituationOpened():
                await handlers.on_situation_opened(event)
            case SituationChanged():
                await handlers.on_situation_changed(event)
            case SituationClosed():
                await handlers.on_situation_closed(event)


@pytest.mark.parametrize("order", list(permutations([OPENED, CHANGED])))
async def test_the_newest_telling_counts(situations: SituationStore, order: tuple[Told, ...]) -> None:
    await tell(situations, *order, *order)

    [known] = await situations.open_ones()
    assert (known.kind, known.municipalities) == ("power-cut", frozenset({"061", "082"}))
    assert (known.name("fi"), known.name("sv")) == ("Sähkökatko", "Sähkökatko")


@pytest.mark.parametrize("order", list(permutations([OPENED, CHANGED, CLOSED])))
async def test_what_is_closed_stays_closed(situations: SituationStore, order: tuple[Told, ...]) -> None:
    await tell(situations, *order, OPENED)

    assert await situations.open_ones() == []


async def test_a_situation_of_an_exercise_is_not_one_of_the_real_world(situations: SituationStore) -> None:
    exercise = Realm("ex-1")
    await tell(situations, OPENED.model_copy(update={"realm": exercise}))

    assert await situations.open_ones() == []
    [known] = await situations.open_ones(exercise)
    assert (known.name("sv"), known.name("fi@selko")) == ("Storm", "Myrsky")

"""The gate holds over all interleavings of what is real and what is rehearsed, and each hole in it is found."""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.delivery import jobs, sending
from services.notify.delivery import store as ledger_store
from services.notify.delivery.ledger_rows import claim_rows
from services.notify.delivery.letter_format import build
from services.notify.delivery.model import Letter, Recipient, Verdict
from services.notify.delivery.store import Ledger
from services.notify.roster import store as roster
from services.notify.subscribers.store import Subscriber
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.notify.delivery.relay import Relay, relaying
from tests.notify.gate.world import PARTS, PEOPLE, LeakError, Real, Step, Verb, World, prepare

ANY = st.lists(st.builds(Step, st.sampled_from(Verb), st.integers(0, 3)), max_size=24)
BEGUN = (Step(Verb.ENROL), Step(Verb.RELEASE), Step(Verb.RELEASE_IN_EXERCISE), Step(Verb.PLAN))
"""Much cannot happen before this has: half of all runs begin with it."""

STEPS = st.one_of(ANY, ANY.map(lambda steps: [*BEGUN, *steps]))
ERASED_THEN_TOLD_AGAIN = [*BEGUN, Step(Verb.ERASE), Step(Verb.ENROL), Step(Verb.INJECT), Step(Verb.SEND)]
"""What chance alone comes upon too seldom."""
AT_THE_END = (Step(Verb.PLAN), Step(Verb.PASS, 3), Step(Verb.SEND), Step(Verb.PASS, 3), Step(Verb.SEND))
"""So that nothing which may go out stays behind unseen."""

pytestmark = pytest.mark.timeout(900)

QUIET: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "derandomize": True,
    "report_multiple_bugs": False,
    "suppress_health_check": list(HealthCheck),
}


@pytest.fixture(scope="module")
def beginning(migrated: Migrated) -> Iterator[Path]:
    """A database with subscribers, and with texts of both realms that wait for approval."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "beginning.db"

        async def make() -> None:
            await migrated.copy_to(f"sqlite+aiosqlite:///{file}", "notify")
            await prepare(file)

        asyncio.run(make())
        yield file


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jitter of retries is drawn letter by letter: what is drawn for one must not change that of another."""
    monkeypatch.setattr(jobs, "random", SimpleNamespace(random=lambda: 0.5))


async def played(beginning: Path, steps: Sequence[Step]) -> Real:
    """What the real world got when these steps were played."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "world.db"
        await asyncio.to_thread(shutil.copyfile, beginning, file)
        async with relaying(Relay()) as relay:
            world = World(file, FakeClock(), relay)
            try:
                for step in (*steps, *AT_THE_END):
                    await world.play(step)
                return await world.real()
            finally:
                await world.close()


def hold(beginning: Path, steps: Sequence[Step]) -> None:
    """Play them, and play what is real of them alone: nothing leaks, and what is real is the same. Raises LeakError."""

    async def both() -> None:
        alone = [step for step in steps if not step.verb.rehearsed]
        with_exercise = await played(beginning, steps)
        if len(alone) != len(steps) and with_exercise != await played(beginning, alone):
            raise LeakError("the exercise changed what is real")

    asyncio.run(both())


def search(beginning: Path, examples: int) -> None:
    """Look for a hole in so many runs."""

    @settings(max_examples=examples, phases=[Phase.explicit, Phase.generate], **QUIET)
    @given(STEPS)
    @example(ERASED_THEN_TOLD_AGAIN)
    def machine(steps: list[Step]) -> None:
        hold(beginning, steps)

    machine()


def test_letters_of_both_realms_do_go_out(beginning: Path) -> None:
    steps = (*BEGUN, Step(Verb.INJECT), Step(Verb.ASK), Step(Verb.ASK_IN_EXERCISE), Step(Verb.SEND))

    async def count() -> tuple[int, int]:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "world.db"
            shutil.copyfile(beginning, file)
            async with relaying(Relay()) as relay:
                world = World(file, FakeClock(), relay)
                for step in steps:
                    await world.play(step)
                await world.close()
                real = sum(b"X-Valmius-Realm" not in letter.message for letter in relay.taken)
                return real, len(relay.taken) - real

    real, rehearsed = asyncio.run(count())

    assert real == len(PEOPLE) * 2
    assert rehearsed >= len(PARTS[0]) * 3


def test_nothing_leaks(beginning: Path) -> None:
    search(beginning, 3)


@pytest.mark.slow
def test_nothing_leaks_in_many_runs(beginning: Path) -> None:
    search(beginning, 50)


@dataclass(frozen=True)
class Hole:
    """Something that is broken on purpose: what of which module, and by what it is replaced."""

    name: str
    where: Any
    what: str
    broken: Callable[..., Any]


async def everybody(session: AsyncSession, _realm: Realm, **_: Any) -> list[Recipient]:
    """The planner takes the subscribers."""
    rows = await session.execute(select(col(Subscriber.id), col(Subscriber.email), col(Subscriber.locale)))
    return [Recipient(own, email, locale) for own, email, locale in rows]


async def drop_nothing(_ledger: Ledger, _realm: Realm) -> int:
    """The end is forgotten."""
    return 0


def unmarked(letter: Letter, *rest: Any, **more: Any) -> Any:
    """The letter is written as if it were real."""
    return BUILD(replace(letter, realm=LIVE), *rest, **more)


async def enrol_again(ledger: Ledger, realm: Realm, addresses: Sequence[str], **_: Any) -> None:
    """What is told again brings back who was erased."""
    await ENROL(ledger, realm, addresses)


def exercises_first(*args: Any, live: bool, **rest: Any) -> Any:
    """A sender prefers what is rehearsed."""
    return CLAIM(*args, live=not live, **rest)


BUILD, ENROL, CLAIM = build, Ledger.enrol, claim_rows
HOLES = (
    Hole("a gate that lets everybody through", jobs, "permit", lambda *_: Verdict(permitted=True)),
    Hole("a planner that takes subscribers", roster, "recipients", everybody),
    Hole("a drop that forgets", Ledger, "drop", drop_nothing),
    Hole("a letter without its marks", sending, "build", unmarked),
    Hole("a roster that is told twice", Ledger, "enrol", enrol_again),
    Hole("a sender that prefers exercises", ledger_store, "claim_rows", exercises_first),
)


@pytest.mark.slow
@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_each_hole_is_found(beginning: Path, hole: Hole, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hole.where, hole.what, hole.broken)

    with pytest.raises(LeakError):
        search(beginning, 50)

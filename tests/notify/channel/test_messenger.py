"""Short messages by Apprise, to a real receiver: once for each release, never of an exercise, and off by default."""

import asyncio
import builtins
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.notify.app import make_app
from services.notify.channel.jobs import Courier
from services.notify.channel.model import Kind, State
from services.notify.channel.store import ChannelStore
from shared.realm import Realm
from shared.settings import Settings, SettingsError
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, in_exercise, published, resident
from tests.notify.webhook.receiver import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
async def told(settings: Settings, clock: FakeClock, migrated: Migrated, receiver: Receiver) -> AsyncIterator[FastAPI]:
    """Notify with one messenger, which is our receiver."""
    await migrated.copy_to(settings.database_of("notify"), "notify")
    address = SecretStr(f"json://aino:secret@127.0.0.1:{receiver.port}/")
    app = make_app(settings.model_copy(update={"channels": address}), clock=clock)
    await resident(app.state.subscribers)
    await app.state.courier.plan()
    yield app
    await app.state.house.database.close()


async def send_all(app: FastAPI) -> None:
    courier: Courier = app.state.courier
    await courier.plan()
    more = True
    while more:
        more = await courier.unit()


async def test_a_release_is_told_once_in_short(told: FastAPI, receiver: Receiver, clock: FakeClock) -> None:
    released = await published(told.state.guidance, draft(ALL_LANGUAGES, valid_hours=3))

    await send_all(told)
    clock.move(hours=3)
    await send_all(told)

    [message] = receiver.received
    assert message.event["title"] == "Ohje julkaistu: Sähköt poikki Forssassa"
    lines = message.event["message"].splitlines()
    assert lines[0] == "Anvisning publicerad: Strömavbrott i Forssa"
    assert lines[1] == "Koskee: Forssa"
    assert lines[2] == f"http://127.0.0.1:8000/g/{released.guidance_id}?lang=fi"
    assert lines[3].endswith("Hätätilanteessa soita 112.")
    assert len(message.event["message"]) < 320


async def test_an_exercise_is_never_told(told: FastAPI, receiver: Receiver) -> None:
    await in_exercise(told, Realm("ex-myrsky"))

    await send_all(told)

    assert receiver.received == []


async def test_what_is_not_taken_is_tried_again(
    told: FastAPI, receiver: Receiver, clock: FakeClock, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.manner = "500"
    await published(told.state.guidance)
    await send_all(told)
    store: ChannelStore = told.state.channels
    [failing] = await store.standings(Kind.MESSENGER)
    receiver.manner = "200"
    clock.move(seconds=7)
    await send_all(told)
    [works] = await store.standings(Kind.MESSENGER)

    assert failing.last is not None
    assert works.last is not None
    assert (failing.last.state, failing.last.answer) == (State.WAITING, "not taken")
    assert (works.last.state, works.last.attempts) == (State.SENT, 2)
    assert "secret" not in "".join(capfd.readouterr())


async def test_two_processes_tell_it_once(
    told: FastAPI, settings: Settings, receiver: Receiver, clock: FakeClock
) -> None:
    address = SecretStr(f"json://aino:secret@127.0.0.1:{receiver.port}/")
    other = make_app(settings.model_copy(update={"channels": address}), clock=clock)
    await published(told.state.guidance)

    await asyncio.gather(send_all(told), send_all(other))
    await other.state.house.database.close()

    assert len(receiver.received) == 1


@pytest.mark.usefixtures("told")
async def test_what_the_settings_name_no_more_is_forgotten(settings: Settings, clock: FakeClock) -> None:
    without = make_app(settings, clock=clock)

    await without.state.courier.plan()

    assert await without.state.channels.standings(Kind.MESSENGER) == []
    await without.state.house.database.close()


def test_an_address_that_is_none_is_named_by_its_number_alone(settings: Settings) -> None:
    wrong = settings.model_copy(update={"channels": SecretStr("json://127.0.0.1 nonsense-with-a-secret")})

    with pytest.raises(SettingsError) as told_so:
        make_app(wrong)

    assert "number 2" in str(told_so.value)
    assert "nonsense" not in str(told_so.value)


def test_a_missing_package_is_said_with_what_to_do(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_apprise(name: str, *rest: Any, **more: Any) -> Any:
        if name == "apprise":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_apprise)

    with pytest.raises(SettingsError, match=r"install valmius\[channels\]"):
        make_app(settings.model_copy(update={"channels": SecretStr("json://127.0.0.1")}))

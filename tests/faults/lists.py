"""Lists: the services that take lists in, and a list that is looked over and to be imported in each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from fastapi import FastAPI

from services.intake.app import make_app as make_intake
from services.notify.app import make_app as make_notify
from shared.clock import SystemClock
from shared.house import House
from shared.list_report import UploadState
from shared.list_work import ListWork
from shared.migrate import migrate
from shared.settings import Settings
from shared.uploads import LEASE, Kept


@dataclass(frozen=True)
class Keeper:
    """A service with lists: under which name its application holds them, and what must be stated with one."""

    make_app: Callable[..., FastAPI]
    state: str
    about: Mapping[str, str]

    def lists(self, app: FastAPI) -> ListWork[Any]:
        """What the application imports them with."""
        lists: ListWork[Any] = getattr(app.state, self.state)
        return lists


KEEPERS = {
    "intake": Keeper(make_intake, "register_files", {}),
    "notify": Keeper(make_notify, "subscriber_files", {"audience": "members", "basis": "annual meeting 2026"}),
}


class Later(SystemClock):
    """The clock of a process that starts when the claim of the dead one has lapsed."""

    def now(self) -> datetime:
        return super().now() + 2 * LEASE


async def prepared(keeper: Keeper, settings: Settings, bodies: Sequence[bytes]) -> str:
    """An installation in which all lists but the last are imported, and the last is looked over, to be imported."""
    app = keeper.make_app(settings)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    lists, name = keeper.lists(app), ""
    for body in bodies:
        name = await lists.receive(BytesIO(body), file_name="lista.csv", person_id=None, about=keeper.about)
        await lists.work()
        await lists.uploads.start(name, person_id=None)
        if body is not bodies[-1]:
            await lists.work()
    await house.database.close()
    return name


async def kept(keeper: Keeper, app: FastAPI, name: str) -> Kept:
    """The list as it stands."""
    found = await keeper.lists(app).uploads.get(name, person_id=None)
    assert found is not None
    return found


async def ended(keeper: Keeper, app: FastAPI, name: str) -> bool:
    return (await kept(keeper, app, name)).state is UploadState.DONE

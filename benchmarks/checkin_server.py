"""Servers that take check-ins: intake as it is, the same without its database, and a bare FastAPI application."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import col

from services.demo.registry import demo_associations, write_csv
from services.intake.app import make_app
from services.intake.checkin import web as checkin_web
from services.intake.checkin.model import Accepted, Answer, Invited, Refused, Repeated, accept
from services.intake.checkin.store import CheckInStore
from services.intake.register_file.table_file import read_table
from shared.clock import SystemClock
from shared.events.notify import LetterRequested
from shared.events.status import ASKED_PER_EVENT, RoundOpened
from shared.house import House
from shared.ids import digest, new_id
from shared.log import configure
from shared.migrate import migrate
from shared.plumbing import OutboxRow
from shared.realm import LIVE
from shared.settings import Nats, Settings

SEED = 2026


def settings_in(folder: Path) -> Settings:
    """An installation of its own, on SQLite, without a bus: its events wait in the outbox."""
    return Settings.model_validate(
        {
            "database": f"sqlite+aiosqlite:///{folder.absolute()}/{{service}}.db",
            "secret": "a secret for measurements, of no use elsewhere",
            "nats": Nats(url="nats://127.0.0.1:1"),
            "log": "text",
            "var": folder,
        }
    )


class UnstoredCheckIns(CheckInStore):
    """Decides as the real store does, from memory, and keeps nothing."""

    def __init__(self, house: House) -> None:
        super().__init__(house.database)
        self._known: dict[bytes | UUID, Invited] = {}

    async def learn(self, tokens: list[str]) -> None:
        """Read once where all links lead."""
        found = {digest(token): await self.invited(token) for token in tokens}
        self._known = {key: invited for key, invited in found.items() if invited is not None}

    async def put(self, answer: Answer) -> Accepted | Repeated | Refused:
        """Accept, and forget."""
        return accept(answer, self._known.get(answer.door))


def stored(folder: Path) -> FastAPI:
    """Intake as it is."""
    return make_app(settings_in(folder))


async def unstored(folder: Path) -> FastAPI:
    """Intake whose door to check-ins leads nowhere; all else is the same."""
    app = make_app(settings_in(folder))
    house: House = app.state.house
    store = UnstoredCheckIns(house)
    await store.learn(tokens_file(folder).read_text(encoding="ascii").split())
    app.router.routes[:0] = checkin_web.routes(store, clock=SystemClock(), pages=house.pages)
    return app


def bare() -> FastAPI:
    """FastAPI alone: an empty POST."""
    app = FastAPI(openapi_url=None)

    @app.post("/c/{token}")
    async def take(token: str) -> None:
        """Take anything."""

    return app


async def prepare(folder: Path) -> None:
    """The demo registry and one open round to all of it; the tokens of its links in a file beside the database."""
    app = make_app(settings_in(folder))
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    write_csv(demo_associations(SEED), folder / "registry.csv")
    with (folder / "registry.csv").open("rb") as source:
        async for _ in app.state.register_files.import_rows(read_table(source)):
            continue
    asked = await _association_ids(house)
    now = house.clock.now()
    round_id, situation_id = new_id(), new_id()
    for at in range(0, len(asked), ASKED_PER_EVENT):
        await app.state.invitation.invite(
            RoundOpened(
                happened_at=now,
                realm=LIVE,
                situation_id=situation_id,
                round_id=round_id,
                names={"fi": "Myrsky", "sv": "Storm"},
                closes_at=now + timedelta(hours=24),
                association_ids=tuple(asked[at : at + ASKED_PER_EVENT]),
            )
        )
    tokens_file(folder).write_text("\n".join(await _tokens(house)), encoding="ascii")
    await house.database.close()


def tokens_file(folder: Path) -> Path:
    """Where the tokens of all links stand, one a line."""
    return folder / "tokens"


async def _association_ids(house: House) -> list[UUID]:
    association = house.tables.tables["association"]
    async with house.database.read() as session:
        return list((await session.execute(select(association.c.id))).scalars())


async def _tokens(house: House) -> list[str]:
    subject = LetterRequested.filter_subject().rpartition(".")[2]
    async with house.database.read() as session:
        rows = await session.execute(select(col(OutboxRow.body)).where(col(OutboxRow.subject).endswith(subject)))
        wishes = [LetterRequested.model_validate_json(body) for body in rows.scalars()]
    return [wish.personal["link"].rpartition("/")[2] for wish in wishes]


def main() -> None:
    """`prepare FOLDER`, or `stored|unstored|bare FOLDER PORT`."""
    what, folder, *port = sys.argv[1:]
    configure("text")
    if what == "prepare":
        asyncio.run(prepare(Path(folder)))
        return
    apps = {"stored": lambda: stored(Path(folder)), "unstored": lambda: asyncio.run(unstored(Path(folder)))}
    uvicorn.run(
        apps.get(what, bare)(),
        host="127.0.0.1",
        port=int(port[0]),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
    )


if __name__ == "__main__":
    main()

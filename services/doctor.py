"""Doctor: looks at each part of an installation from outside, and says what is wrong and what to do about it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import nats
import nats.errors
from aiosmtplib import SMTP, SMTPException
from alembic.util.exc import CommandError
from nats.aio.client import Client
from nats.js.errors import APIError, NotFoundError
from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from services.composition import Service
from services.notify.delivery.dkim_format import signing_keys
from shared.events import Event
from shared.house import House
from shared.keys import seed_file
from shared.migrate import missing
from shared.settings import Dkim, Nats, Settings, SettingsError, Smtp
from shared.streams import consumer_name

PATIENCE = 5.0
"""Seconds after which a part that does not answer counts as silent."""

EXAMPLE = "change-this"
"""What every secret of deploy/env.example begins with."""


@dataclass(frozen=True)
class Finding:
    """One part, what is wrong with it (nothing: all is well), and what to do."""

    part: str
    problem: str = ""
    remedy: str = ""

    def line(self) -> str:
        """The finding for people."""
        if not self.problem:
            return f"ok     {self.part}"
        return f"WRONG  {self.part}: {self.problem}\n       {self.remedy}"

    def told(self) -> dict[str, str | bool]:
        """The finding for programs."""
        return {"ok": not self.problem, **asdict(self)}


async def examine(settings: Settings, services: Sequence[Service]) -> list[Finding]:
    """What is to be said of each part, in the order in which they build on one another."""
    findings = [_settings(settings)]
    if unfit := _unfit_keys(settings):
        findings.append(unfit)
        settings = settings.model_copy(update={"dkim": Dkim()})
    findings += [await _database(service, settings) for service in services]
    for service in services:
        findings += await _bus(service, settings.nats)
    return [*findings, await _relay(settings.smtp)]


def _settings(settings: Settings) -> Finding:
    part = "settings"
    if settings.secret.get_secret_value().startswith(EXAMPLE):
        return Finding(part, "VALMIUS_SECRET is the one of the example", "Write a random one of 32 characters or more.")
    local = urlsplit(settings.public_url).hostname in {"127.0.0.1", "localhost", "::1"}
    if not settings.secure and not local:
        return Finding(
            part,
            f"VALMIUS_PUBLIC_URL is {settings.public_url}: sessions and links go over the network unencrypted",
            "Serve the pages over https and say so in VALMIUS_PUBLIC_URL.",
        )
    return Finding(part)


def _unfit_keys(settings: Settings) -> Finding | None:
    """What is wrong with the keys that sign letters: with them notify does not start."""
    try:
        signing_keys(settings.dkim)
    except SettingsError as error:
        remedy = "Make a key as docs/operations.md tells, or take VALMIUS_DKIM__* away: letters then go unsigned."
        return Finding("keys of letters", str(error), remedy)
    return None


async def _database(service: Service, settings: Settings) -> Finding:
    part = f"database of {service.name}"
    url = make_url(settings.database_of(service.name))
    start = f"Start {service.name}, or run `valmius migrate {service.name}`."
    if not _exists(url):
        return Finding(part, f"there is no file {url.database}", start)
    house: House = service.make_app(settings).state.house
    try:
        async with asyncio.timeout(PATIENCE):
            behind = await missing(house.database, house.migrations)
    except CommandError as error:
        return Finding(part, f"it is newer than this program ({error})", "Install the version that last ran here.")
    except (SQLAlchemyError, OSError) as error:
        where = f"{url.host}:{url.port}" if url.host else str(url.database)
        return Finding(
            part, f"{where} does not let us in ({_cause(error)})", "See that it runs; check VALMIUS_DATABASE."
        )
    finally:
        await house.database.close()
    return Finding(part, f"migrations {', '.join(behind)} are missing", start) if behind else Finding(part)


def _exists(url: URL) -> bool:
    """False for an SQLite file that is not there: connecting would make it."""
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()


async def _bus(service: Service, settings: Nats) -> list[Finding]:
    """The bus as this service reaches it, with its identity, and what it hears there."""
    part = f"bus for {service.name}"
    if settings.seeds is not None and not seed_file(settings.seeds, service.name).is_file():
        seed = seed_file(settings.seeds, service.name)
        return [Finding(part, f"there is no identity {seed}", "Run `valmius bus-config`, then start nats-server anew.")]
    try:
        async with _connected(service.name, settings) as connection:
            problems = [await _consumer(connection, service.name, event) for event in service.voice.hears]
    except (nats.errors.Error, OSError) as error:
        remedy = "See that nats-server runs with the nats.conf of `valmius bus-config`; check VALMIUS_NATS__URL."
        return [Finding(part, f"{settings.url} does not let us in ({_cause(error)})", remedy)]
    return [Finding(part), _worst(f"consumers of {service.name}", problems)]


@asynccontextmanager
async def _connected(service: str, settings: Nats) -> AsyncIterator[Client]:
    said: list[Exception] = []

    async def note(error: Exception) -> None:
        said.append(error)

    try:
        async with asyncio.timeout(PATIENCE):
            connection = await nats.connect(
                settings.url,
                nkeys_seed=str(seed_file(settings.seeds, service)) if settings.seeds else None,
                inbox_prefix=f"_INBOX.{service}".encode(),
                error_cb=note,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=2,
            )
    except (nats.errors.NoServersError, TimeoutError) as error:
        raise (said[-1] if said and isinstance(said[-1], nats.errors.Error | OSError) else error) from error
    try:
        yield connection
    finally:
        await connection.close()


async def _consumer(connection: Client, service: str, event: type[Event]) -> Finding:
    name = consumer_name(service, event)
    try:
        info = await connection.jetstream(timeout=PATIENCE).consumer_info(event.stream, name)
    except NotFoundError:
        return Finding(name, f"{name} is not there", "Run `valmius provision`.")
    except (nats.errors.Error, APIError) as error:
        return Finding(name, f"{name}: {_cause(error)}", "See that JetStream is enabled and its disk is not full.")
    if not info.push_bound:
        return Finding(name, f"nobody listens to {name}", f"Start {service}, or look into its log.")
    return Finding(name)


def _worst(part: str, findings: Iterable[Finding]) -> Finding:
    """All problems as one finding, with the remedy of the first."""
    wrong = [finding for finding in findings if finding.problem]
    return Finding(part, "; ".join(one.problem for one in wrong), wrong[0].remedy) if wrong else Finding(part)


async def _relay(settings: Smtp) -> Finding:
    smtp = SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password.get_secret_value() or None,
        use_tls=settings.tls == "implicit",
        start_tls=settings.tls == "starttls",
        timeout=PATIENCE,
    )
    try:
        async with smtp:
            await smtp.noop()
    except (SMTPException, OSError) as error:
        problem = f"{settings.host}:{settings.port} does not take letters ({_cause(error)})"
        return Finding("mail relay", problem, "Check VALMIUS_SMTP__*; letters wait meanwhile and are not lost.")
    return Finding("mail relay")


def _cause(error: BaseException) -> str:
    """The error that began it, by its kind and its words; its kind alone where it has none."""
    while isinstance(error, SQLAlchemyError) and error.__cause__ is not None:
        error = error.__cause__
    words = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__

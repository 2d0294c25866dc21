"""Composition: which services there are, and which doors lead to them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

import services.exercise
import services.exercise.app
import services.intake
import services.intake.app
import services.notify
import services.notify.app
import services.status
import services.status.app
from shared.streams import Voice


@dataclass(frozen=True)
class Service:
    """One service: its place on the bus, the path prefixes it answers, and how its application is made."""

    voice: Voice
    serves: tuple[str, ...]
    make_app: Callable[..., FastAPI]

    @property
    def name(self) -> str:
        """The service's name."""
        return self.voice.service


SERVICES: tuple[Service, ...] = (
    Service(services.intake.VOICE, services.intake.SERVES, services.intake.app.make_app),
    Service(services.status.VOICE, services.status.SERVES, services.status.app.make_app),
    Service(services.exercise.VOICE, services.exercise.SERVES, services.exercise.app.make_app),
    Service(services.notify.VOICE, services.notify.SERVES, services.notify.app.make_app),
)

VOICES: tuple[Voice, ...] = tuple(service.voice for service in SERVICES)


def service_named(name: str) -> Service:
    """The service of that name. Raises KeyError."""
    return {service.name: service for service in SERVICES}[name]


class Doors:
    """All services behind one address: the longest prefix decides; `/` alone and what nobody claims is the last's."""

    def __init__(self, apps: Mapping[str, FastAPI], doors: Sequence[Service] = SERVICES) -> None:
        self._apps = list(apps.values())
        prefixes = [(prefix, apps[service.name]) for service in doors for prefix in service.serves]
        self._prefixes = sorted(prefixes, key=lambda entry: -len(entry[0]))
        self._lifespans = Router(lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespans(scope, receive, send)
            return
        await self.app_for(scope["path"])(scope, receive, send)

    def app_for(self, path: str) -> ASGIApp:
        """Whose page it is."""
        return next(app for prefix, app in self._prefixes if path.startswith(prefix))

    @asynccontextmanager
    async def _lifespan(self, _app: ASGIApp) -> AsyncIterator[None]:
        """A mounted application's lifespan is not entered by itself: enter each."""
        async with AsyncExitStack() as stack:
            for app in self._apps:
                await stack.enter_async_context(app.router.lifespan_context(app))
            yield

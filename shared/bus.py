"""Bus: how a service attaches to NATS JetStream; one failure policy, one relay, and no silent loss."""

import asyncio
import contextlib
import os
import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from json import JSONDecodeError
from typing import Any, TypeVar
from uuid import UUID

import nats.errors
from faststream import AckPolicy, BaseMiddleware
from faststream.exceptions import HandlerException, NackMessage, RejectMessage
from faststream.message import StreamMessage
from faststream.nats import JStream, NatsBroker
from faststream.nats.security import NatsNKey
from nats.aio.msg import Msg
from nats.js.errors import APIError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from structlog.contextvars import bound_contextvars

from shared.clock import Clock
from shared.db import Database, unfit
from shared.dead_letters import DeadLetters
from shared.events import Event, NotPermittedError
from shared.ids import new_id
from shared.keys import seed_file
from shared.log import logger
from shared.outbox import Relay
from shared.plumbing import DeadLetter
from shared.receipts import Receipt, Receipts
from shared.settings import Nats
from shared.streams import MAX_WORKERS, Voice, consumer_name, receipts_awaited

log = logger(__name__)

E = TypeVar("E", bound=Event)
Handler = Callable[[E], Awaitable[None]]

PERMANENT = (
    ValidationError,
    JSONDecodeError,
    UnicodeDecodeError,
    RecursionError,
    NotPermittedError,
)
"""Faults of the message itself, beside values that are unfit for the database: trying again cannot help."""

TOO_OLD = timedelta(hours=24)
"""A message that still fails at this age is buried; younger ones are tried again, so an outage uses nothing up."""

NOT_BOUND_AFTER = 1.5
LINK_DEAD = 70
"""Exit code of a process whose NATS connection is closed for good (EX_SOFTWARE): the supervisor starts a new one."""


class FailurePolicy(BaseMiddleware[Any, Any]):
    """Passing faults are tried again with growing, jittered delay; a message that can never work is buried."""

    def __init__(
        self, msg: Any | None, /, *, context: Any, dead_letters: DeadLetters, receipts: Receipts, clock: Clock
    ) -> None:
        super().__init__(msg, context=context)
        self._receipts = receipts
        self._dead_letters = dead_letters
        self._clock = clock

    async def consume_scope(
        self, call_next: Callable[[StreamMessage[Any]], Awaitable[Any]], msg: StreamMessage[Any]
    ) -> Any:
        """Handle one message; what it raises decides ack, delay or burial."""
        cause = msg.headers.get("ce-correlationid") or str(new_id())
        with bound_contextvars(correlation_id=cause):
            try:
                return await call_next(msg)
            except HandlerException:
                raise
            except Exception as error:
                if isinstance(error, PERMANENT) or unfit(error):
                    await self._bury(msg.raw_message, error)
                    raise RejectMessage from error
                await self._later(msg.raw_message, error)

    async def _later(self, raw: Msg, error: Exception) -> None:
        if not raw.reply:  # overheard, not delivered: there is nothing to redeliver
            log.warning("overheard event not handled", subject=raw.subject, error=repr(error))
            return
        tries = raw.metadata.num_delivered or 1
        if self._clock.now() - raw.metadata.timestamp > TOO_OLD:
            await self._bury(raw, error)
            raise RejectMessage from error
        delay = min(0.2 * 2 ** min(tries, 9), 60) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
        log.warning("event will be tried again", subject=raw.subject, tries=tries, delay=delay, error=repr(error))
        raise NackMessage(delay=delay) from error

    async def _bury(self, raw: Msg, error: Exception) -> None:
        reason = f"{type(error).__name__}: {_plain(error)}"
        log.error("event buried", subject=raw.subject, reason=type(error).__name__)
        if not raw.reply:
            return
        try:
            await self._dead_letters.bury(raw, reason)
        except Exception as unwritten:
            raise NackMessage(delay=5) from unwritten
        with contextlib.suppress(KeyError, ValueError):  # what is no event of ours is awaited by nobody
            self._receipts.heard(raw.subject.partition(".")[0], UUID((raw.headers or {})["ce-id"]))


class Bus:
    """One service's place on the bus: what it hears, its relay, and whether all of that is well."""

    def __init__(
        self,
        voice: Voice,
        settings: Nats,
        *,
        database: Database,
        clock: Clock,
        on_closed: Callable[[int], Any] = os._exit,
    ) -> None:
        self.voice = voice
        self.dead_letters = DeadLetters(database, clock=clock)
        self.relay = Relay(database, clock=clock)
        self._clock = clock
        self._on_closed = on_closed
        self._handlers: dict[str, tuple[type[Event], Callable[[Any], Awaitable[None]]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._started = False
        self._stopping = False
        self._receipts = Receipts(voice.service)
        policy = partial(FailurePolicy, dead_letters=self.dead_letters, receipts=self._receipts, clock=clock)
        self._broker = _broker(voice.service, settings, policy)
        # FastStream's own wrapper re-raises inside nats-py's reconnect task and so ends it for good: set both past it.
        self._broker._connection_kwargs["error_cb"] = self._on_error  # noqa: SLF001
        self._broker._connection_kwargs["closed_cb"] = self._on_close  # noqa: SLF001
        for subject in receipts_awaited(voice):
            self._broker.subscriber(subject, queue=voice.service, no_reply=True, decoder=_undecoded)(self._on_receipt)

    def hears(self, event: type[E], handler: Handler[E]) -> None:
        """Have every such event handled at least once, by one replica of this service."""
        name = consumer_name(self.voice.service, event)
        self._handlers[name] = (event, handler)
        self._broker.subscriber(
            event.filter_subject(),
            queue=name,
            stream=JStream(event.stream, declare=False),
            max_workers=MAX_WORKERS,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            no_reply=True,
            inbox_prefix=f"_INBOX.{self.voice.service}".encode(),
            decoder=_undecoded,
        )(_typed(event, self._confirmed(handler)))

    def overhears(self, event: type[E], handler: Handler[E]) -> None:
        """Have such events handled by every replica, while it listens: for waking up, never for state."""
        self._broker.subscriber(event.filter_subject(), no_reply=True, decoder=_undecoded)(_typed(event, handler))

    async def start(self) -> None:
        """Attach in the background: pages are served whether NATS is there or not."""
        self._tasks.append(asyncio.create_task(self._attach(), name=f"{self.voice.service} bus"))

    async def confirm(self) -> bool:
        """Tell those who said it what was heard."""
        if self._started:
            await self._receipts.tell(self._broker.connection)
        return False

    async def publish_again(self) -> bool:
        """Publish once more what was not confirmed in time; True if there may be more."""
        return self._started and await self.relay.again(self._broker.connection)

    async def stop(self) -> None:
        """Finish what is in flight; what waits is redelivered to somebody else."""
        self._stopping = True
        while waiting := [task for task in self._tasks if not task.done()]:
            for task in waiting:  # again and again: nats-py's connecting can lose a cancellation in asyncio.wait_for
                task.cancel()
            await asyncio.wait(waiting, timeout=0.5)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(nats.errors.Error, OSError):
            await self.confirm()
            await self._broker.stop()

    async def problems(self) -> list[str]:
        """What is wrong with this service's place on the bus, in words for the operator; empty when all is well."""
        if not self._started:
            return ["bus: not attached yet"]
        found = [await self._consumer_problem(event) for event in self.voice.hears]
        found.append(await self._outbox_problem())
        return [problem for problem in found if problem]

    async def replay(self, letter: DeadLetter) -> None:
        """Handle a dead letter once more, here and now; raises what its handler raises."""
        event, handler = self._handlers[letter.consumer]
        await handler(event.model_validate_json(letter.body))

    def _confirmed(self, handler: Handler[E]) -> Handler[E]:
        """The same handler; what it has applied is confirmed soon."""

        async def take(event: E) -> None:
            await handler(event)
            self._receipts.heard(event.service, event.event_id)

        return take

    async def _on_receipt(self, body: bytes) -> None:
        await self.relay.unconfirmed.confirm(Receipt.model_validate_json(body))

    async def _outbox_problem(self) -> str:
        try:
            waiting = await self.relay.oldest()
        except (SQLAlchemyError, OSError) as error:
            return f"outbox: {type(error).__name__}"
        late = waiting is not None and self._clock.now() - waiting.saved_at > timedelta(seconds=30)
        return f"outbox: oldest event waits since {waiting.saved_at.isoformat()}" if waiting and late else ""

    async def _consumer_problem(self, event: type[Event]) -> str:
        name = consumer_name(self.voice.service, event)
        js = self._broker.connection.jetstream()
        try:
            info = await asyncio.wait_for(js.consumer_info(event.stream, name), NOT_BOUND_AFTER)
        except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
            return f"consumer {name}: {error!r}"
        return "" if info.push_bound else f"consumer {name}: nobody listens"

    async def _attach(self) -> None:
        connection = await self._broker.connect()
        for event in self.voice.hears:
            await self._provisioned(event)
        await self._subscribe()
        self._started = True
        log.info("attached to the bus", service=self.voice.service)
        await self.relay.run(connection)

    async def _subscribe(self) -> None:
        """Listen to everything; a server that dies just now is waited for, since nobody else would try again.

        What listens already is left alone: FastStream's `start` would give it a new queue that nobody reads.
        """
        for subscriber in self._broker.subscribers:
            while not subscriber.running:
                try:
                    await subscriber.start()
                except (nats.errors.Error, APIError, TimeoutError, OSError) as error:
                    log.warning("cannot listen yet", service=self.voice.service, error=repr(error))
                    await subscriber.stop()
                    await self._clock.sleep(1)

    async def _provisioned(self, event: type[Event]) -> None:
        """Wait for the consumer: nats-py would silently make one with other settings where it is missing."""
        name = consumer_name(self.voice.service, event)
        js = self._broker.connection.jetstream()
        while True:
            try:
                await js.consumer_info(event.stream, name)
            except (nats.errors.Error, APIError, TimeoutError) as error:
                log.warning("consumer is not provisioned yet", consumer=name, error=repr(error))
                await self._clock.sleep(1)
            else:
                return

    async def _on_error(self, error: Exception) -> None:
        log.warning("bus connection", service=self.voice.service, error=repr(error))

    async def _on_close(self) -> None:
        if not self._stopping:
            log.error("bus connection closed for good", service=self.voice.service)
            self._on_closed(LINK_DEAD)


async def _undecoded(message: StreamMessage[Any]) -> bytes:
    """The body as it came."""
    return message.body


def _typed(event: type[E], handler: Handler[E]) -> Callable[[bytes], Awaitable[None]]:
    """A handler of bytes. What is no such event raises pydantic's ValidationError, which buries the message."""

    async def take(body: bytes) -> None:
        await handler(event.model_validate_json(body))

    return take


def _broker(service: str, settings: Nats, policy: Any) -> NatsBroker:
    security = NatsNKey(str(seed_file(settings.seeds, service))) if settings.seeds else None
    return NatsBroker(
        settings.url,
        security=security,
        graceful_timeout=20,
        middlewares=[policy],
        apply_types=False,  # the event validates itself: FastStream's own injection costs more than the handler
        logger=None,
        inbox_prefix=f"_INBOX.{service}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=5,
        max_outstanding_pings=2,
        connect_timeout=5,
    )


def _plain(error: Exception) -> str:
    """The error's words without the values that it quotes: a dead letter's reason must not show personal data."""
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(": ".join([*map(str, problem["loc"]), problem["msg"]]) for problem in problems[:5])
    if isinstance(error, DBAPIError):
        return type(error.orig).__name__
    return str(error)[:200]

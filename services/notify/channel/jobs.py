"""Jobs of channels: what happened is planned for each, and each is told what is due, one message after another."""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from services.notify.cap.model import Release, sent_at
from services.notify.channel.model import (
    Channel,
    ChannelError,
    Kind,
    Message,
    Outcome,
    Post,
    Wishes,
    failed,
    refused,
    sent,
)
from services.notify.channel.store import ChannelStore, Claim
from services.notify.guidance.model import Earlier
from services.notify.guidance.store import GuidanceStore
from shared.clock import Clock
from shared.log import logger
from shared.realm import Realm

log = logger(__name__)

AT_ONCE: Final = 20
"""Messages sent under one claim at most, so that a long queue lets others have their turn."""

Opener = Callable[[str], Awaitable[Channel | None]]
"""Finds a channel by its name; None where there is none any more."""


class Courier:
    """Plans and sends. Several units may send at a time, in any number of processes; each channel has one sender."""

    def __init__(
        self,
        store: ChannelStore,
        *,
        openers: Mapping[Kind, Opener],
        messengers: Sequence[str],
        guidance: GuidanceStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._messengers: Sequence[str] | None = messengers
        self._openers = openers
        self._guidance = guidance
        self._clock = clock
        self._wakers: list[Callable[[], None]] = []

    def on_planned(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when there may be something to send."""
        self._wakers.append(wake)

    def wake(self) -> None:
        """There may be something to send."""
        for wake in self._wakers:
            wake()

    async def plan(self) -> bool:
        """Put what happened into the queues; True if there may be more. The first look begins with the messengers."""
        if self._messengers is not None:
            await self._store.attach(self._messengers, Wishes(Kind.MESSENGER))
            self._messengers = None
        more = await self._store.plan()
        self.wake()
        return more

    async def unit(self) -> bool:
        """Send what is due over one channel; True if there may be more over any."""
        claim = await self._store.claim()
        if claim is None:
            return False
        opener = self._openers.get(claim.wishes.kind)
        channel = await opener(claim.channel) if opener else None
        rests = True
        try:
            rests = channel is None or not await self._empty(claim, channel)
        finally:
            await self._store.release(claim, rests=rests)
        return True

    async def _empty(self, claim: Claim, channel: Channel) -> bool:
        """Send one after another; False as soon as nobody answers.

        A message that is refused does not hold up those behind it: a withdrawal must not wait for a text that the
        receiver cannot digest.
        """
        for _ in range(AT_ONCE):
            held = await self._store.hold(claim)
            post = await self._store.next_due(held) if held else None
            if held is None or post is None:
                return True
            outcome, answered = await self._send(held, post, channel)
            await self._store.settle(held, post, outcome)
            if outcome.stops:
                log.warning("channel is stopped", channel=claim.channel, reason=outcome.answer)
            if outcome.stops or not answered:
                return answered
        return True

    async def _send(self, claim: Claim, post: Post, channel: Channel) -> tuple[Outcome, bool]:
        """Gate, text, receiver: what becomes of a message, and whether anybody answered."""
        if not claim.wishes.permit(post.realm):
            return refused(post, "exercise"), True
        release = await self._release(post.realm, post.guidance_id, post.number) if post.guidance_id else None
        if post.guidance_id and release is None:
            return refused(post, "forgotten"), True
        message = Message(post.message_id, post.sequence, post.happening, post.realm, post.at, release)
        try:
            return sent(post, await _given(channel, message)), True
        except ChannelError as error:
            now, jitter = self._clock.now(), random.uniform(-1, 1)  # noqa: S311 - jitter, not a secret
            outcome = failed(post, error, now=now, jitter=jitter, failing_since=claim.failing_since)
            log.info("channel failed", channel=channel.name, reason=error.reason, state=outcome.state)
            return outcome, error.answered

    async def _release(self, realm: Realm, guidance_id: UUID, number: int) -> Release | None:
        history = await self._guidance.history(realm, guidance_id)
        found = next((known for known in history if known.number == number), None)
        if found is None:
            return None
        before = (known for known in reversed(history) if known.number < number)
        return Release(found, tuple(Earlier(guidance_id, one.number, one.kind, sent_at(one)) for one in before))


async def _given(channel: Channel, message: Message) -> str:
    """What the receiver answered. A fault of ours in one message must not hold up those behind it."""
    try:
        return await channel.send(message)
    except ChannelError:
        raise
    except Exception as error:
        log.exception("a message could not be made", channel=channel.name, message_id=str(message.message_id))
        raise ChannelError("our fault") from error

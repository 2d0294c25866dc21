"""Model of channels: what is told over them, to whom never, when it is tried again and when it is given up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID, uuid5

from services.notify.cap.model import Release
from shared.realm import REALM_PATTERN, Realm

TRIED_FOR = timedelta(hours=24)
"""So long a message is tried, counted from the moment at which it was put into the queue."""

STOPS_AFTER = timedelta(hours=72)
"""A channel that has failed for so long is stopped when it fails a message for good."""

DELAYS = (5, 30, 120, 300, 900, 1800, 3600)
"""Seconds before the second try, the third and so on; LAST_DELAY before each one after these."""

LAST_DELAY = 7200
REALM = re.compile(REALM_PATTERN)
SPREAD = 0.2
"""The share by which a delay may be longer or shorter, so that many that failed together do not come back together."""


class Kind(StrEnum):
    """What stands at the other end."""

    WEBHOOK = "webhook"
    MESSENGER = "messenger"


class Happening(StrEnum):
    """What a message tells."""

    RELEASED = "released"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    PING = "ping"


OF_KIND: Mapping[str, Happening] = {
    "alert": Happening.RELEASED,
    "update": Happening.CORRECTED,
    "cancel": Happening.WITHDRAWN,
}
"""The release of a revision of each kind."""


class State(StrEnum):
    """Where a message stands. `refused`: the gate did not let it out."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given_up"
    REFUSED = "refused"


@dataclass(frozen=True)
class News:
    """Something that happened to guidance, as the planning finds it."""

    realm: Realm
    guidance_id: UUID
    number: int
    happening: Happening
    at: datetime

    def message_id(self, channel: str) -> UUID:
        """The id of the message that tells it over this channel: always the same, so that it is told once."""
        return uuid5(self.guidance_id, f"{channel}/{self.number}/{self.happening}")


@dataclass(frozen=True)
class Wishes:
    """What a channel is to be told."""

    kind: Kind
    exercises: bool = False

    def permit(self, realm: Realm) -> bool:
        """The gate: what is not of the real world leaves only where somebody said that it may, and never as a message
        to people; an unknown realm is no world at all. Each message passes it when planned and when it goes out."""
        exercise = not realm.live and REALM.fullmatch(realm) is not None
        return realm.live or (exercise and self.exercises and self.kind is Kind.WEBHOOK)

    def takes(self, news: News, now: datetime) -> bool:
        """True for what is to be told. People are not told that time has passed, nor anything that is a day old."""
        for_people = self.kind is Kind.MESSENGER
        stale = for_people and (news.happening is Happening.EXPIRED or now - news.at > TRIED_FOR)
        return self.permit(news.realm) and not stale


@dataclass(frozen=True)
class Message:
    """One message to one channel. `sequence` counts from 1 within the channel; a ping has no release."""

    message_id: UUID
    sequence: int
    happening: Happening
    realm: Realm
    at: datetime
    release: Release | None


class ChannelError(Exception):
    """The receiver did not take it; the text is a word or two for the page, never anything that it said itself.

    `answered` is False where nobody answered at all, `gone` is True where the receiver wants nothing any more.
    """

    def __init__(self, reason: str, *, answered: bool = True, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answered = answered
        self.gone = gone


class Channel(Protocol):
    """One way out of the house."""

    @property
    def name(self) -> str:
        """Its key in the queue."""
        ...

    async def send(self, message: Message) -> str:
        """Give the message to the receiver, within seconds; what it answered, in a word. Raises ChannelError.

        Return only when the receiver has it. The same message may be given again when a sender dies in between.
        """
        ...


@dataclass(frozen=True)
class Post:
    """A message as it stands in the queue. `guidance_id` is None for a ping."""

    id: int
    realm: Realm
    channel: str
    sequence: int
    message_id: UUID
    happening: Happening
    at: datetime
    guidance_id: UUID | None
    number: int
    state: State
    attempts: int
    answer: str
    due_at: datetime
    until: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """What becomes of a post after a try."""

    state: State
    answer: str
    due_at: datetime
    stops: bool = False


def sent(post: Post, answer: str) -> Outcome:
    """The receiver has it."""
    return Outcome(State.SENT, answer, post.due_at)


def refused(post: Post, reason: str) -> Outcome:
    """It must not go out, now or ever."""
    return Outcome(State.REFUSED, reason, post.due_at)


def failed(
    post: Post, error: ChannelError, *, now: datetime, jitter: float, failing_since: datetime | None = None
) -> Outcome:
    """Try again later, or give it up. `jitter` is between -1 and 1, `failing_since` when the channel worked no more.

    A channel stops when it is gone, or when it gives something up after failing for STOPS_AFTER.
    """
    again = now + delay(post.attempts, jitter)
    if error.gone:
        return Outcome(State.GIVEN_UP, error.reason, now, stops=True)
    if again <= post.until:
        return Outcome(State.WAITING, error.reason, again)
    long = failing_since is not None and now - failing_since >= STOPS_AFTER
    return Outcome(State.GIVEN_UP, error.reason, now, stops=long)


def delay(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many tries failed before this one."""
    seconds = DELAYS[attempts] if attempts < len(DELAYS) else LAST_DELAY
    return timedelta(seconds=seconds * (1 + SPREAD * jitter))

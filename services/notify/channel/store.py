"""Store of channels: releases are put into their queues, claimed, and settled. Nothing is missed, nothing told twice.

The queue is derived from the released revisions: each look begins an hour before the last one ended, which is longer
than any release takes to be committed, and what is known already is not written again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.channel.model import TRIED_FOR, Happening, Kind, News, Outcome, Post, State, Wishes
from services.notify.channel.post_rows import news_since, planned, post_of, post_values
from services.notify.channel.schema import ChannelRow, PostRow
from services.notify.subscribers.store import changed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.ids import new_id
from shared.realm import LIVE

OVERLAP = timedelta(hours=1)
"""So much of the past is looked at again: a release that was decided earlier may be committed later."""

LEASE = timedelta(seconds=60)
REST = timedelta(seconds=30)
"""How long a channel is left alone when nobody answered."""

KEPT = timedelta(days=90)
RESULTS = 20
"""Results on one page."""

CANDIDATES = 20


@dataclass(frozen=True)
class Claim:
    """A channel that one sender has for itself until `until`."""

    channel: str
    wishes: Wishes
    by: str
    until: datetime
    failing_since: datetime | None


@dataclass(frozen=True)
class Standing:
    """How a channel does: its newest post, how many wait, since when it fails, when and why it was stopped."""

    name: str
    last: Post | None
    waiting: int
    failing_since: datetime | None
    stopped_at: datetime | None
    stopped_because: str


class ChannelStore:
    """The queues of all channels, which are their ledger too."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def open(self, session: AsyncSession, name: str, wishes: Wishes) -> None:
        """In the session's transaction, begin to tell this channel what happens from now on; known ones go on."""
        values = {
            "name": name,
            "kind": wishes.kind,
            "exercises": wishes.exercises,
            "planned_to": self._clock.now(),
            "sequence": 0,
            "claimed_by": "",
            "stopped_because": "",
        }
        await session.execute(insert_into(self._database.dialect, ChannelRow).on_conflict_do_nothing(), values)

    async def close(self, session: AsyncSession, name: str) -> None:
        """In the session's transaction, forget the channel and all that was told over it."""
        await session.execute(delete(PostRow).where(col(PostRow.channel) == name))
        await session.execute(delete(ChannelRow).where(col(ChannelRow.name) == name))

    async def wish(self, session: AsyncSession, name: str, wishes: Wishes) -> None:
        """In the session's transaction, tell the channel of exercises from now on, or no more."""
        await session.execute(update(ChannelRow).where(col(ChannelRow.name) == name).values(exercises=wishes.exercises))

    async def attach(self, names: Iterable[str], wishes: Wishes) -> None:
        """Begin to tell these channels, and them alone of their kind."""
        wanted = sorted(names)
        async with self._database.write() as session:
            for name in wanted:
                await self.open(session, name, wishes)
            others = select(col(ChannelRow.name)).where(
                col(ChannelRow.kind) == wishes.kind, col(ChannelRow.name).not_in(wanted)
            )
            for name in (await session.execute(others)).scalars().all():
                await self.close(session, name)

    async def plan(self) -> bool:
        """Put what happened into the queues of all channels that want it; True if there may be more."""
        now = self._clock.now()
        async with self._database.read() as session:
            channels = await _running(session)
            if not channels:
                return False
            news, more = await news_since(session, min(row.planned_to for row in channels), now)
            new = any([await _untold(session, row, news, now) for row in channels])
        if not new and not more and all(now - row.planned_to < 2 * OVERLAP for row in channels):
            return False
        end = news[-1].at if more else now - OVERLAP
        async with self._database.write() as session:
            for row in await _running(session, lock=True):
                await self._plan_one(session, row, news, planned_to=end)
        return more

    async def _plan_one(
        self, session: AsyncSession, row: ChannelRow, news: Sequence[News], *, planned_to: datetime
    ) -> None:
        now = self._clock.now()
        untold = await _untold(session, row, news, now)
        rows = [
            post_values(told, row.name, sequence=row.sequence + count, now=now, until=now + TRIED_FOR)
            for count, told in enumerate(untold, start=1)
        ]
        if rows:
            await session.execute(insert(PostRow), rows)
        await session.execute(
            update(ChannelRow)
            .where(col(ChannelRow.name) == row.name)
            .values(planned_to=max(row.planned_to, planned_to), sequence=row.sequence + len(rows))
        )

    async def ping(self, name: str) -> bool:
        """Put a message into the queue that says nothing and is tried once; False for no such running channel."""
        now = self._clock.now()
        async with self._database.write() as session:
            counted = (
                update(ChannelRow)
                .where(col(ChannelRow.name) == name, col(ChannelRow.stopped_at).is_(None))
                .values(sequence=col(ChannelRow.sequence) + 1)
                .returning(col(ChannelRow.sequence))
            )
            sequence = (await session.execute(counted)).scalar_one_or_none()
            if sequence is None:
                return False
            session.add(
                PostRow(
                    realm=LIVE,
                    channel=name,
                    sequence=sequence,
                    message_id=new_id(),
                    happening=Happening.PING,
                    at=now,
                    state=State.WAITING,
                    due_at=now,
                    until=now,
                )
            )
        return True

    async def claim(self) -> Claim | None:
        """A channel with something due that nobody else sends to, taken for LEASE; None if there is none."""
        now = self._clock.now()
        free = or_(col(ChannelRow.claimed_until).is_(None), col(ChannelRow.claimed_until) <= now)
        due = (
            select(ChannelRow)
            .join(PostRow, col(PostRow.channel) == col(ChannelRow.name))
            .where(col(PostRow.state) == State.WAITING, col(PostRow.due_at) <= now, free)
            .group_by(*ChannelRow.__table__.columns)  # type: ignore[attr-defined]  # SQLModel does not declare it
            .order_by(func.min(col(PostRow.due_at)), col(ChannelRow.name))
            .limit(CANDIDATES)
        )
        async with self._database.read() as session:
            candidates = list((await session.execute(due)).scalars())
        for row in candidates:
            claim = Claim(row.name, _wishes(row), str(new_id()), now + LEASE, row.failing_since)
            async with self._database.write() as session:
                mine = update(ChannelRow).where(col(ChannelRow.name) == row.name, free)
                if await changed(session, mine.values(claimed_by=claim.by, claimed_until=claim.until)):
                    return claim
        return None

    async def hold(self, claim: Claim) -> Claim | None:
        """The claim for LEASE from now; None if it was lost to somebody else, or the channel is closed."""
        longer = replace(claim, until=self._clock.now() + LEASE)
        async with self._database.write() as session:
            mine = select(ChannelRow).where(*_claimed(claim)).with_for_update()
            row = (await session.execute(mine)).scalar_one_or_none()
            if row is None:
                return None
            row.claimed_until = longer.until
        return replace(longer, wishes=_wishes(row), failing_since=row.failing_since)

    async def release(self, claim: Claim, *, rests: bool = False) -> None:
        """Let others have the channel, at once or after REST."""
        until = self._clock.now() + REST if rests else None
        async with self._database.write() as session:
            await session.execute(update(ChannelRow).where(*_claimed(claim)).values(claimed_by="", claimed_until=until))

    async def next_due(self, claim: Claim) -> Post | None:
        """The oldest message of a claimed channel that is due."""
        due = (
            select(PostRow)
            .where(col(PostRow.channel) == claim.channel, col(PostRow.state) == State.WAITING)
            .where(col(PostRow.due_at) <= self._clock.now())
            .order_by(col(PostRow.sequence))
            .limit(1)
        )
        async with self._database.read() as session:
            row = (await session.execute(due)).scalar_one_or_none()
        return post_of(row) if row else None

    async def settle(self, claim: Claim, post: Post, outcome: Outcome) -> None:
        """Write what became of a post, and what that says of its channel."""
        now = self._clock.now()
        over = outcome.state is not State.WAITING
        values: dict[str, Any] = {
            "state": outcome.state,
            "answer": outcome.answer,
            "due_at": outcome.due_at,
            "attempts": post.attempts + 1,
            "settled_at": now if over else None,
        }
        async with self._database.write() as session:
            await session.execute(
                update(PostRow).where(col(PostRow.id) == post.id, col(PostRow.state) == State.WAITING).values(**values)
            )
            await _note(session, claim.channel, outcome, now)
            if outcome.stops:
                await _stop(session, claim.channel, outcome.answer, now)

    async def resume(self, name: str) -> bool:
        """Tell a stopped channel what happens from now on; False if it was not stopped."""
        resumed = (
            update(ChannelRow)
            .where(col(ChannelRow.name) == name, col(ChannelRow.stopped_at).is_not(None))
            .values(stopped_at=None, stopped_because="", failing_since=None, planned_to=self._clock.now())
        )
        async with self._database.write() as session:
            return await changed(session, resumed)

    async def standings(self, kind: Kind) -> list[Standing]:
        """How all channels of a kind do."""
        async with self._database.read() as session:
            rows = (await session.execute(select(ChannelRow).where(col(ChannelRow.kind) == kind))).scalars().all()
            names = [row.name for row in rows]
            newest = select(func.max(col(PostRow.id))).where(col(PostRow.channel).in_(names))
            last = select(PostRow).where(col(PostRow.id).in_(newest.group_by(col(PostRow.channel))))
            posts = {post.channel: post_of(post) for post in (await session.execute(last)).scalars()}
            wait = select(col(PostRow.channel), func.count()).where(
                col(PostRow.channel).in_(names), col(PostRow.state) == State.WAITING
            )
            counted = (await session.execute(wait.group_by(col(PostRow.channel)))).all()
        waiting = {row[0]: row[1] for row in counted}
        return [
            Standing(
                row.name,
                posts.get(row.name),
                waiting.get(row.name, 0),
                row.failing_since,
                row.stopped_at,
                row.stopped_because,
            )
            for row in rows
        ]

    async def results(self, name: str, page: int) -> tuple[list[Post], int]:
        """A page of a channel's messages, newest first, and how many there are; pages count from 1."""
        mine = col(PostRow.channel) == name
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(PostRow).where(mine)) or 0
            newest = select(PostRow).where(mine).order_by(col(PostRow.sequence).desc())
            rows = await session.execute(newest.limit(RESULTS).offset((page - 1) * RESULTS))
            return [post_of(row) for row in rows.scalars()], count

    async def forget(self) -> bool:
        """Forget what was settled KEPT ago. Never asks to be called again."""
        async with self._database.write() as session:
            await session.execute(delete(PostRow).where(col(PostRow.settled_at) < self._clock.now() - KEPT))
        return False


async def _running(session: AsyncSession, *, lock: bool = False) -> Sequence[ChannelRow]:
    statement = select(ChannelRow).where(col(ChannelRow.stopped_at).is_(None)).order_by(col(ChannelRow.name))
    return (await session.execute(statement.with_for_update() if lock else statement)).scalars().all()


async def _untold(session: AsyncSession, row: ChannelRow, news: Sequence[News], now: datetime) -> list[News]:
    wishes = _wishes(row)
    wanted = [told for told in news if told.at >= row.planned_to and wishes.takes(told, now)]
    known = await planned(session, row.name, [told.message_id(row.name) for told in wanted]) if wanted else set()
    return [told for told in wanted if told.message_id(row.name) not in known]


async def _stop(session: AsyncSession, name: str, reason: str, now: datetime) -> None:
    """Stop a channel: what waits for it is given up, for all to see."""
    await session.execute(
        update(ChannelRow).where(col(ChannelRow.name) == name).values(stopped_at=now, stopped_because=reason)
    )
    await session.execute(
        update(PostRow)
        .where(col(PostRow.channel) == name, col(PostRow.state) == State.WAITING)
        .values(state=State.GIVEN_UP, answer="stopped", settled_at=now)
    )


async def _note(session: AsyncSession, name: str, outcome: Outcome, now: datetime) -> None:
    """Remember since when a channel fails, or that it works; what the gate refused says nothing of that."""
    mine = update(ChannelRow).where(col(ChannelRow.name) == name)
    if outcome.state is State.SENT:
        await session.execute(mine.values(failing_since=None))
    elif outcome.state is not State.REFUSED:
        await session.execute(mine.where(col(ChannelRow.failing_since).is_(None)).values(failing_since=now))


def _wishes(row: ChannelRow) -> Wishes:
    return Wishes(Kind(row.kind), exercises=row.exercises)


def _claimed(claim: Claim) -> tuple[Any, ...]:
    return col(ChannelRow.name) == claim.channel, col(ChannelRow.claimed_by) == claim.by

"""Post rows: what the queue of channels holds, read into the model and written from it; what happened to guidance."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.channel.model import OF_KIND, Happening, News, Post, State
from services.notify.channel.schema import PostRow
from services.notify.guidance.model import Kind
from services.notify.guidance.model import State as GuidanceState
from services.notify.guidance.revision_rows import PRESENT
from services.notify.guidance.schema import GuidanceRow, RevisionRow
from shared.realm import Realm

PAGE = 500
OVER = (GuidanceState.PUBLISHED, GuidanceState.EXPIRED)
"""The states in which time alone ends guidance, whether or not somebody has marked it yet."""


async def news_since(session: AsyncSession, since: datetime, now: datetime) -> tuple[list[News], bool]:
    """What was released or expired from `since` on, oldest first, and whether that may not be all of it."""
    key = (col(RevisionRow.realm), col(RevisionRow.guidance_id), col(RevisionRow.number), col(RevisionRow.kind))
    approved_at, expires_at = col(RevisionRow.approved_at), col(RevisionRow.expires_at)
    same = (col(RevisionRow.realm) == col(GuidanceRow.realm)) & (col(RevisionRow.guidance_id) == col(GuidanceRow.id))
    releases = select(*key, approved_at).where(approved_at >= since).order_by(approved_at, key[1]).limit(PAGE)
    ends = (
        select(*key, expires_at)
        .join(GuidanceRow, same)
        .where(col(GuidanceRow.state).in_(OVER), PRESENT, key[3] != Kind.CANCEL)
        .where(expires_at >= since, expires_at <= now)
        .order_by(expires_at, key[1])
        .limit(PAGE)
    )
    released = [
        News(Realm(realm), id_, number, OF_KIND[kind], at)
        for realm, id_, number, kind, at in await session.execute(releases)
        if at
    ]
    ended = [
        News(Realm(realm), id_, number, Happening.EXPIRED, at)
        for realm, id_, number, _, at in await session.execute(ends)
        if at
    ]
    told = sorted([*released, *ended], key=lambda news: (news.at, news.number))
    full = [told_of[-1].at for told_of in (released, ended) if len(told_of) == PAGE]
    whole = [news for news in told if not full or news.at <= min(full)]
    return whole, bool(full)


def post_values(news: News, channel: str, *, sequence: int, now: datetime, until: datetime) -> dict[str, Any]:
    """A new row for a message that is due at once."""
    return {
        "realm": news.realm,
        "channel": channel,
        "sequence": sequence,
        "message_id": news.message_id(channel),
        "happening": news.happening,
        "at": news.at,
        "guidance_id": news.guidance_id,
        "number": news.number,
        "state": State.WAITING,
        "due_at": now,
        "until": until,
    }


async def planned(session: AsyncSession, channel: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these messages that the channel's queue or ledger knows."""
    found = select(col(PostRow.message_id)).where(col(PostRow.channel) == channel, col(PostRow.message_id).in_(ids))
    return set((await session.execute(found)).scalars())


def post_of(row: PostRow) -> Post:
    """The post that a row tells of."""
    values = row.model_dump()
    return Post(
        **{
            **values,
            "id": row.id or 0,
            "realm": Realm(row.realm),
            "happening": Happening(row.happening),
            "state": State(row.state),
        }
    )

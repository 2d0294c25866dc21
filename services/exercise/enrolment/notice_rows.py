"""Rows of notices: those who have signed up for an exercise of which something else is told than they know."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.exercise.announcement.model import Announced
from services.exercise.enrolment.model import SignUpState, notice, standing
from services.exercise.enrolment.schema import SignUpLink, SignUpRow
from shared.ids import digest, new_id, new_token
from shared.outbox import announce

AT_ONCE = 100


async def tell_of(session: AsyncSession, announced: Announced, *, public_url: str, now: datetime) -> int:
    """Tell AT_ONCE of those who have signed up what holds now, where they know something else; how many."""
    standing_now = standing(announced)
    confirmed = and_(col(SignUpRow.realm) == announced.exercise.realm, col(SignUpRow.state) == SignUpState.CONFIRMED)
    unaware = or_(col(SignUpRow.told).is_(None), col(SignUpRow.told) != standing_now)
    found = select(SignUpRow).where(confirmed, unaware).order_by(col(SignUpRow.id)).limit(AT_ONCE)
    rows = (await session.execute(found.with_for_update(skip_locked=True))).scalars().all()
    await _write_to([row for row in rows if row.told is not None], session, announced, public_url=public_url, now=now)
    ids: list[UUID] = [row.id for row in rows]
    if ids:
        told = update(SignUpRow).where(col(SignUpRow.id).in_(ids))
        await session.execute(told.values(told=standing_now))
    return len(rows)


async def _write_to(
    rows: Sequence[SignUpRow], session: AsyncSession, announced: Announced, *, public_url: str, now: datetime
) -> None:
    """A letter to each, with a link of its own to the sign-up."""
    if not rows:
        return
    tokens = [new_token() for _ in rows]
    links = [
        {"token_hash": digest(token), "sign_up_id": row.id, "made_at": now}
        for token, row in zip(tokens, rows, strict=True)
    ]
    await session.execute(insert(SignUpLink), links)
    letter_id = new_id()
    wishes = [
        notice(
            announced,
            {"address": row.address, "locale": row.locale},
            letter_id=letter_id,
            sign_up_id=row.id,
            link=f"{public_url}/exercise/join/{token}",
            now=now,
        )
        for token, row in zip(tokens, rows, strict=True)
    ]
    await announce(session, wishes)

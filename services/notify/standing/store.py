"""Store of standing guidance: every text that was released is kept, and at most one waits in its place."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.guidance.model import Refusal, Text
from services.notify.standing.model import Advice, Form, Stage, Standing
from services.notify.standing.schema import StandingRow
from services.notify.subscribers.store import changed
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm

MOST = 200
"""Texts that are shown, those written last first."""

WAITS = col(StandingRow.approved_at).is_(None)


class StandingStore:
    """Preparedness models and checklists."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def write(self, advice: Advice, *, by: UUID, realm: Realm = LIVE) -> UUID:
        """Keep a new text and ask for its approval; its id."""
        first = Standing(realm, new_id(), 1, 1, advice, by, frozenset({by}), self._clock.now())
        async with self._database.write() as session:
            await session.execute(insert(StandingRow).values(**_values(first)))
            await record(session, _submitted(first))
        return first.standing_id

    async def follow(self, present: Standing, advice: Advice, *, by: UUID) -> bool:
        """Have this text wait in the place of what the writer had before her; False if somebody else was first."""
        following = present.follow(advice, by=by, now=self._clock.now())
        try:
            async with self._database.write() as session:
                if following.number == present.number:
                    anew = update(StandingRow).where(*_still(present)).values(**_values(following))
                    if not await changed(session, anew):
                        return False
                else:
                    await session.execute(insert(StandingRow).values(**_values(following)))
                await record(session, _submitted(following))
        except IntegrityError:
            return False
        return True

    async def discard(self, waiting: Standing, *, by: UUID | None = None) -> bool:
        """Forget a text that nobody approved; False if it is not any more what was read. `by` None is the operator."""
        async with self._database.write() as session:
            rows = await session.execute(delete(StandingRow).where(*_still(waiting)).returning(col(StandingRow.number)))
            gone = rows.scalar_one_or_none() is not None
            if gone:
                await record(session, _deed(Act.STANDING_DISCARDED, waiting, by=by, now=self._clock.now()))
        return gone

    async def approve(self, waiting: Standing, *, by: UUID, edition: int) -> Refusal | None:
        """Put it on the public page, or take away what it withdraws; None when that is done."""
        refusal = waiting.refusal(by=by, edition=edition)
        if refusal:
            return refusal
        now = self._clock.now()
        act = Act.STANDING_WITHDRAWN if waiting.advice.withdraws else Act.STANDING_APPROVED
        async with self._database.write() as session:
            approved = update(StandingRow).where(*_still(waiting)).values(approved_by=by, approved_at=now)
            done = await changed(session, approved)
            if done:
                await record(session, _deed(act, waiting, by=by, now=now))
        return None if done else Refusal.CHANGED

    async def newest(self, realm: Realm, standing_id: UUID) -> list[Standing]:
        """What waits of one text and what the public had of it last, in this order; nothing for an unknown one."""
        return await self._read(realm, col(StandingRow.standing_id) == standing_id)

    async def all(self, realm: Realm) -> list[Standing]:
        """The same of all of them, at most MOST."""
        return await self._read(realm)

    async def current(self) -> list[Standing]:
        """What stands on the public page: never anything of an exercise."""
        return [one for one in await self._read(LIVE, ~WAITS) if one.stage is Stage.PUBLISHED]

    async def _read(self, realm: Realm, *conditions: ColumnElement[bool]) -> list[Standing]:
        newer = aliased(StandingRow)
        replaced = exists().where(
            col(newer.realm) == col(StandingRow.realm),
            col(newer.standing_id) == col(StandingRow.standing_id),
            col(newer.number) > col(StandingRow.number),
            col(newer.approved_at).is_not(None),
        )
        order = (col(StandingRow.written_at).desc(), col(StandingRow.standing_id), col(StandingRow.number).desc())
        async with self._database.read() as session:
            rows = await session.execute(
                select(StandingRow)
                .where(col(StandingRow.realm) == realm, ~replaced, *conditions)
                .order_by(*order)
                .limit(MOST)
            )
            return [_standing(row) for row in rows.scalars()]


def _submitted(standing: Standing) -> Deed:
    return _deed(Act.STANDING_SUBMITTED, standing, by=standing.written_by, now=standing.written_at)


def _deed(act: Act, standing: Standing, *, by: UUID | None, now: datetime) -> Deed:
    told: dict[str, str | int] = {"number": standing.number}
    if standing.realm != LIVE:
        told["realm"] = standing.realm
    return Deed(now, act, by, str(standing.standing_id), told)


def _values(standing: Standing) -> dict[str, Any]:
    advice = standing.advice
    return {
        "realm": standing.realm,
        "standing_id": standing.standing_id,
        "number": standing.number,
        "edition": standing.edition,
        "form": advice.form.value,
        "texts": {
            locale.value: {"headline": text.headline, "text": text.text} for locale, text in advice.texts.items()
        },
        "areas": sorted(advice.areas),
        "withdraws": advice.withdraws,
        "written_by": standing.written_by,
        "writers": sorted(map(str, standing.writers)),
        "written_at": standing.written_at,
    }


def _standing(row: StandingRow) -> Standing:
    texts = {Locale(name): Text(**text) for name, text in row.texts.items()}
    return Standing(
        realm=Realm(row.realm),
        standing_id=row.standing_id,
        number=row.number,
        edition=row.edition,
        advice=Advice(texts, Form(row.form), frozenset(row.areas), withdraws=row.withdraws),
        written_by=row.written_by,
        writers=frozenset(map(UUID, row.writers)),
        written_at=row.written_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
    )


def _still(standing: Standing) -> tuple[ColumnElement[bool], ...]:
    """It is as it was read, and nobody has approved it."""
    return (
        col(StandingRow.realm) == standing.realm,
        col(StandingRow.standing_id) == standing.standing_id,
        col(StandingRow.number) == standing.number,
        col(StandingRow.edition) == standing.edition,
        WAITS,
    )

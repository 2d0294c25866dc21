"""Store of planned releases: each is released once, or given up with its reason."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.guidance.deeds import done, planned
from services.notify.guidance.model import Approval, Plan, PlanState, Refusal, Revision
from services.notify.guidance.revision_rows import load_number, load_unreleased
from services.notify.guidance.schema import ReleasePlanRow
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import is_over
from services.notify.subscribers.store import changed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.log import logger
from shared.realm import Realm

log = logger(__name__)

WAITS = col(ReleasePlanRow.state) == PlanState.WAITING


class Schedule:
    """Guidance that is approved and waits for its moment."""

    def __init__(self, database: Database, *, clock: Clock, guidance: GuidanceStore) -> None:
        self._database = database
        self._clock = clock
        self._guidance = guidance

    async def plan(
        self, realm: Realm, guidance_id: UUID, *, release_at: datetime, by: UUID, word: str, edition: int
    ) -> Plan | Refusal:
        """Approve what is not released yet for a later moment, if the model permits it."""
        try:
            async with self._database.write() as session:
                revision = await load_unreleased(session, realm, guidance_id)
                if revision is None:
                    return Refusal.NOT_SUBMITTED
                reach = await self._guidance.reach_now(session, revision)
                now = self._clock.now()
                decided = revision.planned(release_at, by=by, word=word, edition=edition, reach=reach, now=now)
                if isinstance(decided, Plan) and not await self._keep(session, revision, decided):
                    decided = Refusal.CHANGED
                if isinstance(decided, Plan):
                    await record(session, planned(revision, decided))
        except IntegrityError:
            return Refusal.CHANGED
        return decided

    async def _keep(self, session: AsyncSession, revision: Revision, plan: Plan) -> bool:
        """Write the plan in the place of one that has ended; False if one waits already. The database refuses it if
        the text has changed meanwhile."""
        values: dict[str, Any] = {
            "edition": revision.edition,
            "holds": revision.edition,
            "written_by": revision.written_by,
            "planned_by": plan.planned_by,
            "planned_at": plan.planned_at,
            "release_at": plan.release_at,
            "expected": plan.expected,
            "state": PlanState.WAITING.value,
            "ended_at": None,
            "ended_by": None,
            "reached": None,
        }
        key = {"realm": revision.realm, "guidance_id": revision.guidance_id, "number": revision.number}
        kept = insert_into(self._database.dialect, ReleasePlanRow).values(**key, **values)
        anew = kept.on_conflict_do_update(index_elements=list(key), set_=values, where=~WAITS)
        written = await session.execute(anew.returning(col(ReleasePlanRow.number)))
        return written.scalar_one_or_none() is not None

    async def take_back(self, realm: Realm, guidance_id: UUID, *, by: UUID, edition: int) -> bool:
        """Stop a planned release of the text that was read: it waits for approval again. False if none waits."""
        async with self._database.write() as session:
            revision = await load_unreleased(session, realm, guidance_id)
            if revision is None or revision.edition != edition:
                return False
            ended = await self._end(session, revision, PlanState.TAKEN_BACK, by=by)
            if ended:
                await record(session, done(Act.RELEASE_TAKEN_BACK, revision, by=by, now=self._clock.now()))
        return ended

    async def release_now(
        self, realm: Realm, guidance_id: UUID, *, by: UUID, word: str, edition: int
    ) -> Approval | Refusal:
        """Release before its moment what is planned, under the rules of any release."""
        async with self._database.write() as session:
            waiting = await load_unreleased(session, realm, guidance_id)
            if waiting is None:
                return Refusal.NOT_SUBMITTED
            reach = await self._guidance.reach_now(session, waiting)
            ended = await self._end(session, waiting, PlanState.RELEASED_NOW, by=by, reached=reach.total)
            revision = await load_unreleased(session, realm, guidance_id) if ended else None
            decided: Approval | Refusal = Refusal.NOT_SUBMITTED
            if revision is not None:
                now = self._clock.now()
                decided = revision.approve(by=by, word=word, edition=edition, reach=reach, now=now)
            if isinstance(decided, Refusal):
                await session.rollback()
            elif revision is None or not await self._guidance.release(session, revision, decided):
                await session.rollback()
                decided = Refusal.CHANGED
        if isinstance(decided, Approval):
            self._guidance.wake()
        return decided

    async def release_due(self) -> bool:
        """Release, or give up, the one plan whose moment came first; True if there was one."""
        async with self._database.read() as session:
            due = await session.execute(
                select(ReleasePlanRow)
                .where(WAITS, col(ReleasePlanRow.release_at) <= self._clock.now())
                .order_by(col(ReleasePlanRow.release_at))
                .limit(1)
            )
            row = due.scalar_one_or_none()
        if row is None:
            return False
        async with self._database.write() as session:
            became = await self._decide(session, row)
        if became is PlanState.RELEASED:
            self._guidance.wake()
        elif became is not None:
            log.warning("planned guidance was not released", guidance_id=str(row.guidance_id), reason=became.value)
        return True

    async def _decide(self, session: AsyncSession, row: ReleasePlanRow) -> PlanState | None:
        """What became of it, None if somebody else was first. All of it is one transaction with the release."""
        realm = Realm(row.realm)
        revision = await load_number(session, realm, row.guidance_id, row.number)
        plan = revision.plan if revision else None
        if revision is None or plan is None:
            return None
        now = self._clock.now()
        reach = await self._guidance.reach_now(session, revision)
        over = await is_over(session, realm, revision.draft.situation_id)
        became = revision.when_due(plan, reach=reach, situation_over=over, now=now)
        if not await self._end(session, revision, became, reached=reach.total):
            return None
        if became is PlanState.RELEASED:
            await self._guidance.release(session, revision, revision.release(plan, now))
        return became

    async def _end(
        self,
        session: AsyncSession,
        revision: Revision,
        state: PlanState,
        *,
        by: UUID | None = None,
        reached: int | None = None,
    ) -> bool:
        """Let go of the text; False if no plan of it waits any more."""
        return await changed(
            session,
            update(ReleasePlanRow)
            .where(*_of(revision), WAITS)
            .values(state=state.value, holds=None, ended_at=self._clock.now(), ended_by=by, reached=reached),
        )


def _of(revision: Revision) -> tuple[ColumnElement[bool], ...]:
    return (
        col(ReleasePlanRow.realm) == revision.realm,
        col(ReleasePlanRow.guidance_id) == revision.guidance_id,
        col(ReleasePlanRow.number) == revision.number,
    )

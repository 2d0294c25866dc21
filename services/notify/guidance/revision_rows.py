"""Revision rows: guidance as it stands in its tables, read into the model and written from it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.guidance.model import Draft, Earlier, Kind, Plan, PlanState, Revision, State, Text
from services.notify.guidance.schema import GuidanceRow, ReleasePlanRow, RevisionRow
from services.notify.subscribers.model import Audience, Matching
from shared.i18n import Locale
from shared.realm import Realm

SHOWN = 100

UNRELEASED = col(RevisionRow.approved_at).is_(None)
PRESENT = col(RevisionRow.number) == col(GuidanceRow.revision)
"""The revision that the public has, or the first while nothing is released."""


async def load(session: AsyncSession, realm: str, guidance_id: UUID) -> Revision | None:
    """The revision that the public has, or the first while nothing is released; None for no such guidance."""
    return await _one(session, realm, guidance_id, PRESENT)


async def load_number(session: AsyncSession, realm: str, guidance_id: UUID, number: int) -> Revision | None:
    """One revision by its number, or None."""
    return await _one(session, realm, guidance_id, col(RevisionRow.number) == number)


async def load_unreleased(session: AsyncSession, realm: str, guidance_id: UUID) -> Revision | None:
    """The revision that nobody has released yet, the first or a correction, or None. There is at most one."""
    return await _one(session, realm, guidance_id, UNRELEASED)


async def headlines(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, str]:
    """The Finnish headline of the newest text of each of these guidances, as far as it has one."""
    newest = select(col(RevisionRow.guidance_id), col(RevisionRow.texts)).order_by(col(RevisionRow.number))
    rows = await session.execute(newest.where(col(RevisionRow.guidance_id).in_(sorted(ids))))
    found = {guidance_id: texts.get(Locale.FI, {}).get("headline", "") for guidance_id, texts in rows}
    return {guidance_id: headline for guidance_id, headline in found.items() if headline}


async def _one(session: AsyncSession, realm: str, guidance_id: UUID, which: ColumnElement[bool]) -> Revision | None:
    found = await revisions(session, col(GuidanceRow.realm) == realm, col(GuidanceRow.id) == guidance_id, which)
    return found[0] if found else None


async def revisions(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Revision]:
    """The revisions under these conditions, those of the newest guidance first, at most SHOWN."""
    newest = (col(GuidanceRow.created_at).desc(), col(GuidanceRow.id).desc(), col(RevisionRow.number).desc())
    rows = await session.execute(_joined().where(*conditions).order_by(*newest).limit(SHOWN))
    return [_revision(guidance, revision, plan) for guidance, revision, plan in rows]


async def earlier(session: AsyncSession, realm: str, ids: Collection[UUID]) -> dict[UUID, list[Earlier]]:
    """All released revisions of these guidances but the present ones, by guidance, in their order."""
    rows = await session.execute(
        _joined()
        .where(col(GuidanceRow.realm) == realm, col(GuidanceRow.id).in_(sorted(ids)), ~UNRELEASED, ~PRESENT)
        .order_by(col(RevisionRow.guidance_id), col(RevisionRow.number))
    )
    found: dict[UUID, list[Earlier]] = {guidance_id: [] for guidance_id in ids}
    for guidance, row, _plan in rows:
        if row.approved_at is not None:
            found[guidance.id].append(Earlier(guidance.id, row.number, Kind(row.kind), row.approved_at))
    return found


def _joined() -> Select[GuidanceRow, RevisionRow, ReleasePlanRow]:
    same = (col(RevisionRow.realm) == col(GuidanceRow.realm)) & (col(RevisionRow.guidance_id) == col(GuidanceRow.id))
    joined = select(GuidanceRow, RevisionRow, ReleasePlanRow).join(RevisionRow, same)
    return joined.outerjoin(ReleasePlanRow, _planned())


def _planned() -> ColumnElement[bool]:
    return (
        (col(ReleasePlanRow.realm) == col(RevisionRow.realm))
        & (col(ReleasePlanRow.guidance_id) == col(RevisionRow.guidance_id))
        & (col(ReleasePlanRow.number) == col(RevisionRow.number))
    )


def _plan(row: ReleasePlanRow | None, edition: int) -> Plan | None:
    """The plan of this text; what was planned of an earlier one is not told any more."""
    if row is None or row.edition != edition:
        return None
    return Plan(
        planned_by=row.planned_by,
        planned_at=row.planned_at,
        release_at=row.release_at,
        expected=row.expected,
        state=PlanState(row.state),
        ended_at=row.ended_at,
        reached=row.reached,
    )


def _revision(guidance: GuidanceRow, revision: RevisionRow, planned: ReleasePlanRow | None) -> Revision:
    plan = _plan(planned, revision.edition)
    texts = {Locale(name): Text(**text) for name, text in revision.texts.items()}
    matching = Matching(frozenset(map(Audience, guidance.audiences)), frozenset(guidance.areas))
    return Revision(
        realm=Realm(guidance.realm),
        guidance_id=guidance.id,
        number=revision.number,
        kind=Kind(revision.kind),
        state=_state(guidance, revision, plan),
        draft=Draft(texts, matching, revision.valid_hours, guidance.situation_id),
        edition=revision.edition,
        written_by=revision.written_by,
        writers=frozenset(map(UUID, revision.writers)),
        created_at=guidance.created_at,
        submitted_at=revision.submitted_at,
        approved_by=revision.approved_by,
        approved_at=revision.approved_at,
        expires_at=revision.expires_at,
        alone_because=revision.alone_because,
        plan=plan,
    )


def _state(guidance: GuidanceRow, revision: RevisionRow, plan: Plan | None) -> State:
    if revision.approved_at is None and plan and plan.waiting:
        return State.APPROVED
    if revision.approved_at is None:
        return State.IN_REVIEW if revision.submitted_at else State.DRAFT
    return State(guidance.state) if revision.number == guidance.revision else State.UPDATED


def row_of(revision: Revision) -> RevisionRow:
    """The row of a revision that is not released."""
    return RevisionRow(
        realm=revision.realm,
        guidance_id=revision.guidance_id,
        number=revision.number,
        kind=revision.kind,
        edition=revision.edition,
        written_by=revision.written_by,
        writers=sorted(map(str, revision.writers)),
        submitted_at=revision.submitted_at,
        **words(revision.draft),
    )


def frame(draft: Draft) -> dict[str, Any]:
    """What a draft says of all its revisions."""
    return {
        "situation_id": draft.situation_id,
        "areas": sorted(draft.matching.areas),
        "audiences": sorted(draft.matching.audiences),
    }


def words(draft: Draft) -> dict[str, Any]:
    """What a draft says of one revision."""
    texts: Mapping[str, Any] = {
        locale.value: {"headline": text.headline, "text": text.text, "note": text.note}
        for locale, text in draft.texts.items()
    }
    return {"texts": texts, "valid_hours": draft.valid_hours}


def guidance_of(revision: Revision) -> tuple[ColumnElement[bool], ...]:
    """The guidance to which a revision belongs."""
    return col(GuidanceRow.realm) == revision.realm, col(GuidanceRow.id) == revision.guidance_id


def still(revision: Revision) -> tuple[ColumnElement[bool], ...]:
    """The revision is as it was read, and nobody has approved it, neither for now nor for later."""
    return (
        col(RevisionRow.realm) == revision.realm,
        col(RevisionRow.guidance_id) == revision.guidance_id,
        col(RevisionRow.number) == revision.number,
        col(RevisionRow.edition) == revision.edition,
        UNRELEASED,
        ~exists().where(_planned(), col(ReleasePlanRow.state) == PlanState.WAITING),
    )

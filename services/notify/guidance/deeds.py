"""Deeds (format): what is written into the audit of what somebody does with guidance."""

from datetime import datetime
from uuid import UUID

from services.notify.audit.model import Act
from services.notify.guidance.model import Approval, Kind, Plan, Revision
from shared.audit import Deed
from shared.realm import LIVE

RELEASED = {
    Kind.ALERT: Act.GUIDANCE_RELEASED,
    Kind.UPDATE: Act.GUIDANCE_CORRECTED,
    Kind.CANCEL: Act.GUIDANCE_WITHDRAWN,
}


def done(act: Act, revision: Revision, *, by: UUID | None, now: datetime, **details: str | int) -> Deed:
    """What somebody did with this revision."""
    told: dict[str, str | int] = {"number": revision.number, **details}
    if revision.realm != LIVE:
        told["realm"] = revision.realm
    return Deed(now, act, by, str(revision.guidance_id), told)


def asked(correction: Revision) -> Deed:
    """The asking for approval of a correction, by whoever wrote it last."""
    return done(Act.CORRECTION_SUBMITTED, correction, by=correction.written_by, now=correction.created_at)


def released(revision: Revision, approval: Approval) -> Deed:
    """The release, by whoever approved it; what one person did alone is told as such, with her reason."""
    by, now = approval.approved_by, approval.approved_at
    if approval.alone_because:
        return done(Act.GUIDANCE_RELEASED_ALONE, revision, by=by, now=now, reason=approval.alone_because)
    return done(RELEASED[revision.kind], revision, by=by, now=now)


def planned(revision: Revision, plan: Plan) -> Deed:
    """The approval for a later moment."""
    return done(
        Act.RELEASE_PLANNED,
        revision,
        by=plan.planned_by,
        now=plan.planned_at,
        release=plan.release_at.isoformat(timespec="minutes"),
        recipients=plan.expected,
    )

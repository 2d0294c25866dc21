"""Model: what a partner link opens, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.status.situation.model import Situation, plain
from shared.realm import Realm

HOURS = range(1, 30 * 24 + 1)
USUAL_HOURS = 72
PURPOSE_LENGTH = 80


class Flaw(StrEnum):
    """Why a link was not made."""

    PURPOSE_MISSING = "purpose missing"
    PURPOSE_TOO_LONG = "purpose too long"
    HOURS_OUT_OF_RANGE = "hours out of range"
    NO_SUCH_REPORT = "no such report"


class Standing(StrEnum):
    """Whether a link still opens anything."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Link:
    """Opens one report, or always the newest (`number` is None), until it expires or is revoked. The token itself is
    known to its holder alone."""

    realm: Realm
    id: UUID
    situation_id: UUID
    number: int | None
    purpose: str
    made_by: UUID
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: UUID | None = None

    def standing(self, now: datetime) -> Standing:
        """Whether it opens anything at this moment."""
        if self.revoked_at is not None:
            return Standing.REVOKED
        return Standing.VALID if now < self.expires_at else Standing.EXPIRED


@dataclass(frozen=True)
class LinkDraft:
    """A link as a person wrote it into the form. `newest` counts more than `number`."""

    purpose: str
    hours: int | None
    newest: bool
    number: int | None


@dataclass(frozen=True)
class Refused:
    """It was not done, for these reasons."""

    flaws: tuple[Flaw, ...]


def share(
    situation: Situation, draft: LinkDraft, *, reports: int, link_id: UUID, made_by: UUID, now: datetime
) -> Link | Refused:
    """A link into this situation, which has so many reports, or every reason why not."""
    purpose = " ".join(plain(draft.purpose).split())
    number = None if draft.newest else draft.number
    checks = (
        (bool(purpose), Flaw.PURPOSE_MISSING),
        (len(purpose) <= PURPOSE_LENGTH, Flaw.PURPOSE_TOO_LONG),
        (draft.hours in HOURS, Flaw.HOURS_OUT_OF_RANGE),
        (draft.newest or number in range(1, reports + 1), Flaw.NO_SUCH_REPORT),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws or draft.hours is None:
        return Refused(flaws)
    return Link(
        realm=situation.realm,
        id=link_id,
        situation_id=situation.id,
        number=number,
        purpose=purpose,
        made_by=made_by,
        made_at=now,
        expires_at=now + timedelta(hours=draft.hours),
    )

"""Partner model: what a key permits, for how long, and how it is written."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from shared.partner_keys import Scope

LONGEST_VALID = timedelta(days=731)


class KeyState(StrEnum):
    """What has become of a key."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KeyEntry:
    """A key as an administrator asks for it; `municipalities` and `networks` limit what it sees, both empty: all."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime
    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Key:
    """A key as it is kept: everything but its secret."""

    key_id: UUID
    prefix: str
    entry: KeyEntry
    made_at: datetime
    revoked_at: datetime | None = None
    last_used_on: date | None = None

    def state(self, now: datetime) -> KeyState:
        """Whether it opens anything now."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.GOOD if now < self.entry.expires_at else KeyState.EXPIRED


def form_id(key_id: UUID, idempotency_key: str) -> UUID:
    """The same for the same key of the same partner, so that what is sent again is known again."""
    return uuid5(key_id, idempotency_key)

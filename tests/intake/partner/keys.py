"""Keys for tests of the partners' API."""

from datetime import timedelta
from uuid import UUID

from services.intake.partner.model import KeyEntry
from shared.ids import new_id
from shared.partner_keys import Scope
from tests.intake.house import Intake

BASE = "/api/v1"


async def make_key(
    intake: Intake,
    *scopes: Scope,
    municipalities: frozenset[str] = frozenset(),
    networks: frozenset[str] = frozenset(),
    key_id: UUID | None = None,
) -> dict[str, str]:
    """The header that carries a new key with these scopes, good for a month."""
    entry = KeyEntry(
        "Rescue department", frozenset(scopes), intake.clock.now() + timedelta(days=31), municipalities, networks
    )
    key = await intake.app.state.partners.make_key(key_id or new_id(), entry, by=new_id())
    return {"authorization": f"Bearer {key}"}

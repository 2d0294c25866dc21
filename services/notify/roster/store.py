"""Store of rosters: whom something of an exercise reaches, and whether it may still go out. It asks the gate's list."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.delivery.model import Recipient
from services.notify.delivery.schema import RosterRow
from services.notify.subscribers.model import Reach
from shared.i18n import locale_or
from shared.realm import Realm
from shared.rehearsals import is_over

SERVICE = "notify"


async def reach(session: AsyncSession, realm: Realm, *, among: Select[UUID] | None = None) -> Reach:
    """How many take part, all or `among` these recipients. An exercise that has ended reaches nobody."""
    if await is_over(session, realm, service=SERVICE):
        return Reach(0, {}, over=True)
    return Reach(len(await recipients(session, realm, among=among)), {})


async def recipients(session: AsyncSession, realm: Realm, *, among: Select[UUID] | None = None) -> list[Recipient]:
    """Who takes part, all or `among` these recipients; nobody once the exercise has ended. They signed up one by one:
    they are some hundreds, and one transaction writes to all of them."""
    if await is_over(session, realm, service=SERVICE):
        return []
    rows = await session.execute(
        select(col(RosterRow.recipient_id), col(RosterRow.address), col(RosterRow.locale))
        .where(col(RosterRow.realm) == realm.id)
        .order_by(col(RosterRow.address))
    )
    all_of_them = [Recipient(id_, address, locale_or(locale)) for id_, address, locale in rows]
    if among is None:
        return all_of_them
    wanted = set((await session.execute(among)).scalars())
    return [one for one in all_of_them if one.recipient_id in wanted]

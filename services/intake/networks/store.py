"""Networks store: groups, and who belongs to them; what changes is announced and audited."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.networks.model import Group, code_of, may_be_below
from services.intake.registry.store import Association, AssociationNetwork, Network, in_sight, tell
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events.intake import NetworkChanged
from shared.identity import Staff
from shared.outbox import announce
from shared.realm import LIVE


class NetworkStore:
    """The networks of the register."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def counts(self) -> Mapping[str, int]:
        """How many associations in use belong to each network, by code; none is left out."""
        member = AssociationNetwork
        counting = (
            select(col(member.network), func.count())
            .join(Association, col(Association.id) == col(member.association_id))
            .where(col(Association.retired).is_(False))
            .group_by(col(member.network))
        )
        async with self._database.read() as session:
            return {code: int(count) for code, count in await session.execute(counting)}

    async def members(self, code: str, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these associations that belong to the network."""
        member = AssociationNetwork
        among = select(col(member.association_id)).where(
            col(member.network) == code, col(member.association_id).in_(ids)
        )
        async with self._database.read() as session:
            return set((await session.execute(among)).scalars())

    async def add(self, group: Group, *, by: UUID | None, code: str = "") -> str:
        """Make a network; its code, made of the Finnish name unless one is given. One that is there stays as it is."""
        async with self._database.write() as session:
            parents = await _parents(session)
            if code in parents:
                return code
            code = code or code_of(group.names["fi"], parents)
            parent = group.parent if group.parent in parents else None
            values = {"code": code, "names": group.names, "parent": parent, "retired": group.retired}
            await session.execute(insert(Network), values)
            await self._said(session, code, group, parent, by=by)
        return code

    async def save(self, code: str, group: Group, *, by: UUID) -> bool:
        """Change a network; False if there is none. A parent below which it cannot stand is passed over."""
        async with self._database.write() as session:
            present = await session.get(Network, code)
            if present is None:
                return False
            parents = await _parents(session)
            parent = group.parent if group.parent in may_be_below(code, parents) else None
            wanted = {"names": group.names, "parent": parent, "retired": group.retired}
            if any(getattr(present, name) != value for name, value in wanted.items()):
                await session.execute(update(Network).where(col(Network.code) == code).values(**wanted))
                await self._said(session, code, group, parent, by=by)
        return True

    async def add_members(self, code: str, ids: Sequence[UUID], *, staff: Staff) -> int:
        """Have these associations belong to the network, as far as this person may see them; how many are new."""
        async with self._database.write() as session:
            seen = await _seen(session, ids, staff)
            if not seen or await session.get(Network, code) is None:
                return 0
            statement = insert_into(self._database.dialect, AssociationNetwork).on_conflict_do_nothing()
            rows = [{"association_id": own, "network": code} for own in seen]
            made = statement.returning(col(AssociationNetwork.association_id))
            new = sorted((await session.execute(made, rows)).scalars())
            await self._members_changed(session, Act.MEMBERS_ADDED, code, new, by=staff.person_id)
        return len(new)

    async def remove_members(self, code: str, ids: Sequence[UUID], *, staff: Staff) -> int:
        """Have these associations belong to the network no more; how many did."""
        async with self._database.write() as session:
            member = AssociationNetwork
            leaving = (
                delete(member)
                .where(col(member.network) == code, col(member.association_id).in_(await _seen(session, ids, staff)))
                .returning(col(member.association_id))
            )
            gone = sorted((await session.execute(leaving)).scalars())
            await self._members_changed(session, Act.MEMBERS_REMOVED, code, gone, by=staff.person_id)
        return len(gone)

    async def _members_changed(
        self, session: AsyncSession, act: Act, code: str, ids: Sequence[UUID], *, by: UUID
    ) -> None:
        if not ids:
            return
        raised = update(Association).where(col(Association.id).in_(ids))
        await session.execute(raised.values(version=col(Association.version) + 1))
        now = self._clock.now()
        await tell(session, ids, now)
        await record(session, Deed(now, act, by, code, {"associations": len(ids)}))

    async def _said(
        self, session: AsyncSession, code: str, group: Group, parent: str | None, *, by: UUID | None
    ) -> None:
        now = self._clock.now()
        changed = NetworkChanged(
            happened_at=now, realm=LIVE, code=code, names=group.names, parent=parent, retired=group.retired
        )
        await announce(session, [changed])
        await record(session, Deed(now, Act.NETWORK_CHANGED, by, code, {"retired": int(group.retired)}))


async def _parents(session: AsyncSession) -> dict[str, str | None]:
    rows = await session.execute(select(col(Network.code), col(Network.parent)))
    return dict(rows.all())


async def _seen(session: AsyncSession, ids: Sequence[UUID], staff: Staff) -> list[UUID]:
    """Those of them that are there, and that this person may see, in order: so writers never wait crosswise."""
    which = select(col(Association.id)).where(
        col(Association.id).in_(ids), in_sight(staff.municipalities, staff.networks)
    )
    return sorted((await session.execute(which)).scalars())

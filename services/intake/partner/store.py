"""Partner store: keys, known by their hashes only, and what partners may read of the registry and of rounds."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Date, LargeBinary, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation, RoundRow
from services.intake.partner.model import Key, KeyEntry, KeyState
from services.intake.registry.model import name_key
from services.intake.registry.store import Association, AssociationCapability, AssociationNetwork, Contact, Network
from services.intake.schema import IntakeTable
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import PartnerKeyChanged
from shared.identity import Sight
from shared.ids import digest, new_token
from shared.outbox import announce
from shared.partner_keys import PREFIX_LENGTH, Partner, Scope, opens, prefix_of, scopes_of, written
from shared.realm import LIVE


class ApiKey(IntakeTable, table=True):
    """A partner's key. The key itself is shown once and kept nowhere."""

    __tablename__ = "api_key"

    id: UUID = Field(primary_key=True)
    prefix: str = Field(unique=True)
    key_hash: bytes = Field(sa_type=LargeBinary)
    name: str
    scopes: list[str] = Field(sa_type=JSON)
    municipalities: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_on: date | None = Field(default=None, sa_type=Date)


@dataclass(frozen=True)
class Filter:
    """Which associations a partner looks for; what is empty narrows nothing."""

    text: str = ""
    municipality: str = ""
    sector: str = ""
    network: str = ""
    capability: str = ""
    retired: bool = False


@dataclass(frozen=True)
class Told:
    """An association with everything that is told of it."""

    association: Association
    networks: Sequence[str]
    capabilities: Sequence[AssociationCapability]
    contacts: Sequence[Contact]


class PartnerStore:
    """Keys, and what they open."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make_key(self, key_id: UUID, entry: KeyEntry, *, by: UUID) -> str | None:
        """Make a key; what its holder writes, which nobody can learn again. None if this id has one already."""
        prefix, secret = new_token().replace("_", "x").replace("-", "y")[:PREFIX_LENGTH], new_token()
        key, now = written(prefix, secret), self._clock.now()
        values = {
            "id": key_id,
            "prefix": prefix,
            "key_hash": digest(key),
            "name": entry.name,
            "scopes": sorted(entry.scopes),
            "municipalities": sorted(entry.municipalities),
            "networks": sorted(entry.networks),
            "made_at": now,
            "expires_at": entry.expires_at,
        }
        details: dict[str, str | int] = {
            "scopes": " ".join(sorted(entry.scopes)),
            "municipalities": " ".join(sorted(entry.municipalities)),
            "networks": " ".join(sorted(entry.networks)),
            "expires": entry.expires_at.date().isoformat(),
        }
        statement = insert_into(self._database.dialect, ApiKey).on_conflict_do_nothing(index_elements=["id"])
        async with self._database.write() as session:
            made = await session.execute(statement.returning(col(ApiKey.id)), values)
            if made.one_or_none() is None:
                return None
            row = (await session.execute(select(ApiKey).where(col(ApiKey.id) == key_id))).scalar_one()
            await _tell(session, row, now)
            await record(session, Deed(now, Act.KEY_MADE, by, str(key_id), details))
        return key

    async def revoke(self, key_id: UUID, *, by: UUID) -> bool:
        """Honour the key no longer, from the next request on; False if there is none. Again changes nothing."""
        now = self._clock.now()
        revoking = update(ApiKey).where(col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
        async with self._database.write() as session:
            row = await session.get(ApiKey, key_id)
            if row is None:
                return False
            done = await session.execute(revoking.values(revoked_at=now).returning(col(ApiKey.id)))
            if done.one_or_none() is not None:
                await _tell(session, row, now, revoked=True)
                await record(session, Deed(now, Act.KEY_REVOKED, by, str(key_id)))
        return True

    async def keys(self) -> list[Key]:
        """All keys, the newest first."""
        async with self._database.read() as session:
            rows = await session.execute(select(ApiKey).order_by(col(ApiKey.made_at).desc(), col(ApiKey.id)))
            return [_key_of(row) for row in rows.scalars()]

    async def names(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of those of these ids that are keys."""
        named = select(col(ApiKey.id), col(ApiKey.name)).where(col(ApiKey.id).in_(sorted(ids)))
        async with self._database.read() as session:
            return {row[0]: row[1] for row in await session.execute(named)}

    async def networks(self) -> dict[str, dict[str, str]]:
        """The networks to which a key can be limited: names by locale, by code."""
        async with self._database.read() as session:
            rows = await session.execute(select(Network).order_by(col(Network.code)))
            return {row.code: row.names for row in rows.scalars() if not row.retired}

    async def partner(self, key: str) -> Partner | None:
        """Whose key this is, if it is good now; the day of its use is remembered."""
        now, prefix = self._clock.now(), prefix_of(key)
        async with self._database.read() as session:
            found = await session.execute(select(ApiKey).where(col(ApiKey.prefix) == (prefix or "")))
            row = found.scalar_one_or_none()
        if row is None or not opens(row.key_hash, digest(key)) or _key_of(row).state(now) is not KeyState.GOOD:
            return None
        if row.last_used_on != now.date():
            async with self._database.write() as session:
                await session.execute(update(ApiKey).where(col(ApiKey.id) == row.id).values(last_used_on=now.date()))
        sight = Sight(frozenset(row.municipalities), frozenset(row.networks))
        return Partner(row.id, scopes_of(row.scopes), sight)

    async def associations(
        self, sight: Sight, wanted: Filter, *, after: UUID | None, limit: int, contacts: bool
    ) -> list[Told]:
        """The next associations after that id, in the order of ids."""
        statement = _seen(sight, wanted).order_by(col(Association.id)).limit(limit)
        if after is not None:
            statement = statement.where(col(Association.id) > after)
        async with self._database.read() as session:
            rows = list((await session.execute(statement)).scalars())
            return await _told(session, rows, contacts=contacts)

    async def association(self, sight: Sight, association_id: UUID, *, contacts: bool) -> Told | None:
        """One association, retired or not, if the sight includes it."""
        statement = _seen(sight, Filter(retired=True)).where(col(Association.id) == association_id)
        async with self._database.read() as session:
            rows = list((await session.execute(statement)).scalars())
            return next(iter(await _told(session, rows, contacts=contacts)), None)

    async def open_rounds(self) -> list[RoundRow]:
        """The rounds that take answers now, of every realm, the one that closes first at first."""
        now = self._clock.now()
        rounds = (
            select(RoundRow)
            .where(col(RoundRow.closed_at).is_(None), col(RoundRow.closes_at) > now)
            .order_by(col(RoundRow.closes_at), col(RoundRow.round_id))
        )
        async with self._database.read() as session:
            return list((await session.execute(rounds)).scalars())

    async def invitation(self, sight: Sight, round_id: UUID, association_id: UUID) -> UUID | None:
        """The invitation of the association in that round, if the sight includes it."""
        seen = _seen(sight, Filter(retired=True)).where(col(Association.id) == association_id)
        asked = select(col(Invitation.id)).where(
            col(Invitation.round_id) == round_id, col(Invitation.association_id) == association_id
        )
        async with self._database.read() as session:
            if (await session.execute(seen)).scalar_one_or_none() is None:
                return None
            found: UUID | None = await session.scalar(asked)
            return found

    async def recorded(self, association_id: UUID, form_id: UUID) -> CheckInRow | None:
        """What was recorded under this form id before, if anything."""
        rows = (
            select(CheckInRow)
            .where(col(CheckInRow.association_id) == association_id, col(CheckInRow.form_id) == form_id)
            .order_by(col(CheckInRow.reported_at).desc())
            .limit(1)
        )
        async with self._database.read() as session:
            return (await session.execute(rows)).scalar_one_or_none()


async def _tell(session: AsyncSession, row: ApiKey, now: datetime, *, revoked: bool = False) -> None:
    """Tell the service that shows the picture of a key for it; nobody else needs to know any key."""
    if Scope.PICTURE_READ in row.scopes:
        told = PartnerKeyChanged(
            happened_at=now,
            realm=LIVE,
            key_id=row.id,
            prefix=row.prefix,
            key_hash=row.key_hash.hex(),
            scopes=(Scope.PICTURE_READ.value,),
            municipalities=tuple(row.municipalities),
            networks=tuple(row.networks),
            expires_at=row.expires_at,
            revoked=revoked,
        )
        await announce(session, [told])


def _seen(sight: Sight, wanted: Filter) -> Select[Any]:
    """The associations in sight that are wanted."""
    statement = select(Association).where(col(Association.realm) == LIVE.id)
    if sight.limited:
        of_networks = _in_networks(sorted(sight.networks))
        inside = col(Association.municipality).in_(sorted(sight.municipalities))
        statement = statement.where(or_(inside, col(Association.id).in_(of_networks)))
    if not wanted.retired:
        statement = statement.where(col(Association.retired).is_(False))
    if wanted.text:
        statement = statement.where(col(Association.name_key).contains(name_key(wanted.text), autoescape=True))
    if wanted.municipality:
        statement = statement.where(col(Association.municipality) == wanted.municipality)
    if wanted.sector:
        statement = statement.where(col(Association.sector) == wanted.sector)
    if wanted.network:
        statement = statement.where(col(Association.id).in_(_in_networks([wanted.network])))
    if wanted.capability:
        able = select(col(AssociationCapability.association_id)).where(
            col(AssociationCapability.capability) == wanted.capability
        )
        statement = statement.where(col(Association.id).in_(able))
    return statement


def _in_networks(codes: Sequence[str]) -> Select[Any]:
    return select(col(AssociationNetwork.association_id)).where(col(AssociationNetwork.network).in_(codes))


async def _told(session: AsyncSession, rows: Sequence[Association], *, contacts: bool) -> list[Told]:
    ids = [row.id for row in rows]
    networks: defaultdict[UUID, list[str]] = defaultdict(list)
    capabilities: defaultdict[UUID, list[AssociationCapability]] = defaultdict(list)
    people: defaultdict[UUID, list[Contact]] = defaultdict(list)
    for member in await _of(session, AssociationNetwork, ids, col(AssociationNetwork.network)):
        networks[member.association_id].append(member.network)
    for able in await _of(session, AssociationCapability, ids, col(AssociationCapability.capability)):
        capabilities[able.association_id].append(able)
    if contacts:
        for contact in await _of(session, Contact, ids, col(Contact.position)):
            people[contact.association_id].append(contact)
    return [Told(row, networks[row.id], capabilities[row.id], people[row.id]) for row in rows]


async def _of(session: AsyncSession, table: Any, ids: Sequence[UUID], order: Any) -> list[Any]:
    rows = await session.execute(select(table).where(table.association_id.in_(ids)).order_by(order))
    return list(rows.scalars())


def _key_of(row: ApiKey) -> Key:
    entry = KeyEntry(
        name=row.name,
        scopes=scopes_of(row.scopes),
        expires_at=row.expires_at,
        municipalities=frozenset(row.municipalities),
        networks=frozenset(row.networks),
    )
    return Key(row.id, row.prefix, entry, row.made_at, row.revoked_at, row.last_used_on)

"""Batch: what some hundred rows of a register file would do to the register, and the doing of it, in one session."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.register_file.model import (
    CONTACTS,
    Changed,
    ContactEntry,
    Decision,
    Holding,
    Known,
    Listed,
    New,
    compare,
)
from services.intake.registry.model import ContactState, Entry, Plan, name_key
from services.intake.registry.store import (
    Association,
    AssociationCapability,
    AssociationNetwork,
    Contact,
    Network,
    tell,
)
from shared.audit import Deed
from shared.i18n import N_
from shared.ids import new_id
from shared.list_report import Bad, RowError
from shared.realm import LIVE

CONTACT_COLUMNS = (
    *(col(Contact.id), col(Contact.association_id), col(Contact.position)),
    *(col(Contact.name), col(Contact.email), col(Contact.phone), col(Contact.best_time), col(Contact.language)),
)
NAMESAKE = N_("An association of this name in this municipality is in the register as number %(number)s.")
FIRST = {"version": 1, "retired": False, "merged_into": None}
FRESH = {"state": ContactState.UNCONFIRMED.value, "confirmed_at": None}
"""A new address was never confirmed, whatever was known of the old one."""


async def network_codes(session: AsyncSession) -> dict[str, str]:
    """The code of each network by the `name_key` of its code and of its names."""
    rows = await session.execute(select(col(Network.code), col(Network.names)))
    return {name_key(word): code for code, names in rows for word in (*names.values(), code)}


async def plan(
    session: AsyncSession, batch: Sequence[Listed | Bad], *, networks: Mapping[str, str], locked: bool = False
) -> list[Decision]:
    """What each row would do, by one look at the register; `locked` against others until the transaction ends."""
    listed = [row for row in batch if isinstance(row, Listed)]
    meant = or_(
        col(Association.register_number).in_([row.register_number for row in listed]),
        col(Association.name_key).in_([name_key(row.name) for row in listed]),
    )
    known = await holdings(session, and_(col(Association.realm) == LIVE.id, meant), locked=locked)
    look = _Look(known, networks)
    return [row if isinstance(row, Bad) else look.decide(row) for row in batch]


class _Look:
    """What is known of the associations that a batch is about."""

    def __init__(self, known: Sequence[Known], networks: Mapping[str, str]) -> None:
        self._networks = networks
        self._by_number = {one.holding.entry.register_number: one for one in known}
        self._by_name = {_named(one.holding.entry): one for one in known if not one.retired}

    def decide(self, row: Listed) -> Decision:
        present = self._by_number.get(row.register_number)
        name = (name_key(row.name), row.municipality)
        if present is None or _named(present.holding.entry) != name:  # a name that comes or changes
            if row.namesake:
                message = N_("The same name and municipality are already on row %(first)s.")
                return _bad(row, message, first=str(row.namesake))
            namesake = self._by_name.get(name)
            if namesake is not None and namesake is not present:
                message = N_(
                    "An association of this name in this municipality is in the register as number %(number)s."
                )
                return _bad(row, message, number=namesake.holding.entry.register_number)
        return compare(present, row, networks=self._networks)


def _named(entry: Entry) -> tuple[str, str]:
    return name_key(entry.name), entry.municipality


def _bad(row: Listed, message: str, **values: str) -> Bad:
    error = RowError(row=row.row, column="Nimi", field="name", message=message, values=values)
    return Bad(row.row, (error,), row.cells)


async def holdings(session: AsyncSession, which: Any, *, locked: bool = False) -> list[Known]:
    """The associations that meet the condition, by id, with all that belongs to them."""
    statement = select(*Association.__table__.c).where(which).order_by(col(Association.id))  # type: ignore[attr-defined]
    rows = list(await session.execute(statement.with_for_update() if locked else statement))
    return await _with_belongings(session, rows)


async def _with_belongings(session: AsyncSession, rows: Sequence[Any]) -> list[Known]:
    ids = [row.id for row in rows]
    networks: defaultdict[UUID, set[str]] = defaultdict(set)
    capabilities: defaultdict[UUID, dict[str, int | None]] = defaultdict(dict)
    contacts: defaultdict[UUID, dict[int, ContactEntry]] = defaultdict(dict)
    contact_ids: defaultdict[UUID, dict[int, UUID]] = defaultdict(dict)
    member, able = AssociationNetwork, AssociationCapability
    members = select(col(member.association_id), col(member.network)).where(col(member.association_id).in_(ids))
    for association_id, code in await session.execute(members):
        networks[association_id].add(code)
    ables = select(col(able.association_id), col(able.capability), col(able.amount))
    for association_id, code, amount in await session.execute(ables.where(col(able.association_id).in_(ids))):
        capabilities[association_id][code] = amount
    people = select(*CONTACT_COLUMNS).where(col(Contact.association_id).in_(ids), col(Contact.position) <= CONTACTS)
    for contact_id, association_id, position, name, email, phone, best_time, language in await session.execute(people):
        contacts[association_id][position] = ContactEntry(name, email, phone, best_time, language)
        contact_ids[association_id][position] = contact_id
    return [
        Known(
            association_id=row.id,
            version=row.version,
            holding=Holding(
                entry=Entry(row.register_number, row.name, row.municipality, row.sector, row.language),
                plan=Plan(row.plan),
                plan_year=row.plan_year,
                networks=frozenset(networks[row.id]),
                capabilities=capabilities[row.id],
                contacts=contacts[row.id],
            ),
            retired=row.retired,
            contact_ids=contact_ids[row.id],
        )
        for row in rows
    ]


async def apply(session: AsyncSession, decisions: Sequence[Decision], *, by: UUID | None, now: datetime) -> None:
    """Write what is new and what changed, tell of it, and write down who did it; nothing where nothing changes."""
    new = [_Written(new_id(), one.holding, Holding(one.holding.entry)) for one in decisions if isinstance(one, New)]
    changed = [one for one in decisions if isinstance(one, Changed)]
    if not new and not changed:
        return
    told = sorted((one for one in changed if one.told), key=lambda one: one.present.association_id)
    await _insert(session, Association, [{**_association(one.id, one.holding), **FIRST} for one in new])
    if told:
        rows = [{**_association(one.present.association_id, one.holding), **_next(one.present)} for one in told]
        await session.execute(update(Association), rows)
    written = [*new, *(_rewritten(one) for one in changed)]
    await _write_networks(session, written)
    await _write_capabilities(session, written)
    await _write_contacts(session, written)
    await tell(session, [*(one.id for one in new), *(one.present.association_id for one in told)], now)
    details: dict[str, str | int] = {"new": len(new), "changed": len(changed)}
    await record(session, Deed(now, Act.REGISTRY_IMPORTED, by, "registry", details))


@dataclass(frozen=True)
class _Written:
    """What is to stand in the register, and what stood there; the contacts that stood there have ids."""

    id: UUID
    holding: Holding
    before: Holding
    contact_ids: Mapping[int, UUID] = field(default_factory=dict)


def _rewritten(one: Changed) -> _Written:
    return _Written(one.present.association_id, one.holding, one.present.holding, one.present.contact_ids)


async def _insert(session: AsyncSession, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await _each(session, insert(table.__table__), rows)


def _association(association_id: UUID, holding: Holding) -> dict[str, Any]:
    own = {"id": association_id, "realm": LIVE.id, "name_key": name_key(holding.entry.name)}
    return {**vars(holding.entry), **own, "plan": holding.plan.value, "plan_year": holding.plan_year}


def _next(present: Known) -> dict[str, Any]:
    return {"version": present.version + 1}


async def _write_networks(session: AsyncSession, written: Iterable[_Written]) -> None:
    left, joined = [], []
    for one in written:
        left += [{"of": one.id, "what": code} for code in sorted(one.before.networks - one.holding.networks)]
        joined += [
            {"association_id": one.id, "network": code} for code in sorted(one.holding.networks - one.before.networks)
        ]
    if left:
        table = AssociationNetwork
        which = (col(table.association_id) == bindparam("of"), col(table.network) == bindparam("what"))
        await _each(session, delete(table).where(*which), left)
    await _insert(session, AssociationNetwork, joined)


async def _write_capabilities(session: AsyncSession, written: Iterable[_Written]) -> None:
    """A note stays with a capability that stays."""
    lost, gained, counted = [], [], []
    for one in written:
        before, after = one.before.capabilities, one.holding.capabilities
        lost += [{"of": one.id, "what": code} for code in before if code not in after]
        for code, amount in after.items():
            if code not in before:
                gained.append({"association_id": one.id, "capability": code, "amount": amount, "note": ""})
            elif amount != before[code]:
                counted.append({"of": one.id, "what": code, "now": amount})
    table = AssociationCapability
    which = (col(table.association_id) == bindparam("of"), col(table.capability) == bindparam("what"))
    if lost:
        await _each(session, delete(table).where(*which), lost)
    if counted:
        await _each(session, update(table).where(*which).values(amount=bindparam("now")), counted)
    await _insert(session, table, gained)


async def _write_contacts(session: AsyncSession, written: Iterable[_Written]) -> None:
    added, changed, fresh = [], [], []
    for one in written:
        for place, contact in one.holding.contacts.items():
            before = one.before.contacts.get(place)
            if before is None:
                own = {"id": new_id(), "association_id": one.id, "position": place}
                added.append({**vars(contact), **own, **FRESH})
            elif contact != before:
                changed.append({"id": one.contact_ids[place], **vars(contact)})
                fresh += [{"id": one.contact_ids[place], **FRESH}] if contact.email != before.email else []
    await _insert(session, Contact, added)
    for rows in (changed, fresh):
        if rows:
            await session.execute(update(Contact), sorted(rows, key=lambda row: str(row["id"])))


async def _each(session: AsyncSession, statement: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Execute the statement once for each row of parameters, past the mapper, which costs more than the database."""
    connection = await session.connection()
    await connection.execute(statement, rows)

"""Store: offers and needs of the present answers, and how far each has come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Index, Select, and_, bindparam, delete, func, or_, select, update
from sqlmodel import Field

from services.status.aid.model import Aid, Course, Side, told
from services.status.association.store import ASSOCIATION, ids_in_sight
from services.status.schema import StatusTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.events.intake import CheckInReceived
from shared.identity import Within
from shared.realm import LIVE, Realm
from shared.rows import RowReader, RowWriter

LIST_PAGE = 50
OFFERS_LOOKED_AT = 500
"""Open offers of the capabilities on one page of needs among which the best are looked for."""


class AidRow(StatusTable, table=True):
    """An offer or a need, as the association's present answer tells it. `fresh_until` is that of the answer."""

    __tablename__ = "aid"
    __table_args__ = (Index("aid_by_capability", "realm", "situation_id", "side", "course", "capability"),)

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    side: str = Field(primary_key=True)
    capability: str = Field(primary_key=True)
    amount: int | None = None
    reported_at: datetime = Field(sa_type=UtcDateTime)
    fresh_until: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    course: str = Course.OPEN.value
    moved_by: UUID | None = None
    moved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


AID = StatusTable.metadata.tables["aid"]
KEY = ("realm", "situation_id", "association_id", "side", "capability")
RowKey = tuple[str, UUID, UUID, str, str]


@dataclass(frozen=True)
class AidKey:
    """Which offer or need of which association."""

    association_id: UUID
    side: Side
    capability: str


class Answered(NamedTuple):
    """An answer that counts, the association to which it belongs, and until when it is fresh."""

    checkin: CheckInReceived
    association_id: UUID
    fresh_until: datetime


class Before(NamedTuple):
    """How an offer or a need stood before an answer."""

    amount: int | None
    course: str
    moved_by: UUID | None
    moved_at: datetime | None


class AidStore:
    """What is offered and needed."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(
        self,
        realm: Realm,
        situation_id: UUID,
        side: Side,
        *,
        courses: Sequence[Course],
        capability: str,
        page: int,
        within: Within = None,
    ) -> tuple[list[Aid], int]:
        """One page (from 1) of offers or needs, newest first, and how many there are in all; `capability` "" is all.
        Here and below, only associations that may be seen `within` are named."""
        wanted = [
            *_in(realm, situation_id),
            AID.c.side == side,
            AID.c.course.in_(sorted(courses)),
            *_seen(within),
        ]
        if capability:
            wanted.append(AID.c.capability == capability)
        newest_first = (AID.c.reported_at.desc(), AID.c.association_id, AID.c.capability)
        rows = _with_names().where(*wanted).order_by(*newest_first).offset((page - 1) * LIST_PAGE).limit(LIST_PAGE)
        async with self._database.read() as session:
            found = [_aid(row, self._clock.now()) for row in await session.execute(rows)]
            total = await session.execute(select(func.count()).select_from(AID).where(*wanted))
            return found, int(total.scalar_one())

    async def open_offers(
        self, realm: Realm, situation_id: UUID, capabilities: Iterable[str], *, within: Within = None
    ) -> list[Aid]:
        """The newest OFFERS_LOOKED_AT open and fresh offers of these capabilities."""
        now = self._clock.now()
        rows = (
            _with_names()
            .where(*_in(realm, situation_id), AID.c.side == Side.OFFER, AID.c.course == Course.OPEN)
            .where(
                AID.c.capability.in_(sorted(set(capabilities))),
                AID.c.fresh_until > now,
                *_seen(within),
            )
            .order_by(AID.c.reported_at.desc(), AID.c.association_id)
            .limit(OFFERS_LOOKED_AT)
        )
        async with self._database.read() as session:
            return [_aid(row, now) for row in await session.execute(rows)]

    async def move(
        self,
        realm: Realm,
        situation_id: UUID,
        keys: Sequence[AidKey],
        course: Course,
        *,
        by: UUID,
        within: Within = None,
    ) -> int:
        """Set how far these have come, all of them or none; how many there were."""
        now = self._clock.now()
        async with self._database.write() as session:
            moved = await session.execute(
                update(AID)
                .where(
                    *_in(realm, situation_id),
                    or_(*(_is(key) for key in keys)),
                    *_seen(within),
                )
                .values(course=course.value, moved_by=by, moved_at=now)
                .returning(AID.c.association_id)
            )
            return len(moved.all())


_SAVE = RowWriter(
    AidRow,
    rest=lambda statement: statement.on_conflict_do_update(
        index_elements=list(KEY),
        set_={column.name: statement.excluded[column.name] for column in AID.c if column.name not in KEY},
    ),
)


def replace_aid(connection: Connection, answers: Sequence[Answered]) -> None:
    """The associations' offers and needs are now those of these answers, one answer of each in a situation.

    What is named again as before keeps how far it has come; with another amount it is open again.
    """
    wanted = {row_key: amount for answer in answers for row_key, amount in _wanted(answer).items()}
    known = _known(connection, answers)
    gone = [row_key for row_key in known if row_key not in wanted]
    if gone:
        named = [AID.c[name] == bindparam(f"the_{name}") for name in KEY]
        keys = [{f"the_{name}": part for name, part in zip(KEY, row_key, strict=True)} for row_key in sorted(gone)]
        connection.execute(delete(AID).where(*named), keys)
    if wanted:
        by_association = {_key_of(answer): answer for answer in answers}
        rows = [
            _row(row_key, amount, by_association[row_key[:3]], known.get(row_key))
            for row_key, amount in sorted(wanted.items())
        ]
        _SAVE(connection, rows)


def hand_over_aid(connection: Connection, place: tuple[str, UUID], gone: UUID, *, heir: UUID | None) -> None:
    """An association has left: what it offered and needed goes with its answer to the heir, or is forgotten."""
    here = [AID.c.realm == place[0], AID.c.situation_id == place[1]]
    if heir is None:
        connection.execute(delete(AID).where(*here, AID.c.association_id == gone))
        return
    connection.execute(delete(AID).where(*here, AID.c.association_id == heir))
    connection.execute(update(AID).where(*here, AID.c.association_id == gone).values(association_id=heir))


def _wanted(answer: Answered) -> dict[RowKey, int | None]:
    """The rows that an answer asks for, and their amounts."""
    own = _key_of(answer)
    return {(*own, side.value, capability): amount for (side, capability), amount in told(answer.checkin).items()}


_OF_OWNERS = RowReader(
    select(*(AID.c[name] for name in (*KEY, *Before._fields))).where(
        AID.c.situation_id.in_(bindparam("situations", expanding=True)),
        AID.c.association_id.in_(bindparam("associations", expanding=True)),
    )
)


def _known(connection: Connection, answers: Sequence[Answered]) -> dict[RowKey, Before]:
    """The rows that there are of these associations in these situations."""
    owners = {_key_of(answer) for answer in answers}
    situations, associations = ({key[part] for key in owners} for part in (1, 2))
    found = _OF_OWNERS(connection, situations=sorted(situations), associations=sorted(associations))
    return {row[:5]: Before(*row[5:]) for row in found if row[:3] in owners}


def _row(row_key: RowKey, amount: int | None, answer: Answered, before: Before | None) -> dict[str, Any]:
    same = before is not None and before.amount == amount
    course = before if before is not None and same else Before(amount, Course.OPEN.value, None, None)
    return {
        **dict(zip(KEY, row_key, strict=True)),
        **course._asdict(),
        "reported_at": answer.checkin.reported_at,
        "fresh_until": answer.fresh_until,
        "until": answer.checkin.until,
    }


def _key_of(answer: Answered) -> tuple[str, UUID, UUID]:
    return str(answer.checkin.realm), answer.checkin.situation_id, answer.association_id


def _with_names() -> Select[Any]:
    named = and_(ASSOCIATION.c.association_id == AID.c.association_id, ASSOCIATION.c.realm == LIVE)
    columns = (AID.c.association_id, ASSOCIATION.c.name, ASSOCIATION.c.municipality, AID.c.side, AID.c.capability)
    return select(*columns, AID.c.amount, AID.c.reported_at, AID.c.until, AID.c.fresh_until, AID.c.course).join(
        ASSOCIATION, named
    )


def _aid(row: Any, now: datetime) -> Aid:
    return Aid(
        association_id=row.association_id,
        name=row.name,
        municipality=row.municipality,
        side=Side(row.side),
        capability=row.capability,
        amount=row.amount,
        reported_at=row.reported_at,
        until=row.until,
        fresh=row.fresh_until > now,
        course=Course(row.course),
    )


def _in(realm: str, situation_id: UUID) -> tuple[Any, Any]:
    return AID.c.realm == realm, AID.c.situation_id == situation_id


def _seen(within: Within) -> tuple[Any, ...]:
    return ids_in_sight(within, AID.c.association_id)


def _is(key: AidKey) -> Any:
    return and_(AID.c.association_id == key.association_id, _named(key.side, key.capability))


def _named(side: Side, capability: str) -> Any:
    return and_(AID.c.side == side.value, AID.c.capability == capability)

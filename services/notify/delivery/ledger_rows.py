"""Ledger rows: the statements of the ledger, as plain synchronous functions within a transaction of the store."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col

from services.notify.delivery.model import (
    AMBIGUOUS_LIMIT,
    REPORTED,
    Claimed,
    Kind,
    Lane,
    Letter,
    Outcome,
    Recipient,
    State,
    known,
)
from services.notify.delivery.schema import DeliveryRow, LaneState, LetterRow
from shared.db import UtcDateTime, insert_into
from shared.events import Event
from shared.events.notify import LetterFailed, LetterSent, LetterWish, UrgentLetterRequested
from shared.ids import new_id
from shared.outbox import announce_all
from shared.realm import LIVE, Realm

LEASES = {Lane.URGENT: timedelta(minutes=5), Lane.BULK: timedelta(minutes=15)}
"""Longer than a letter can be on its way: until it is begun, until the relay takes it, and until it has answered the
final dot. Else a living sender's letters would be sent by another."""

LOST = "sender died while it sent"
UNSETTLED = col(DeliveryRow.settled_at).is_(None)
"""Not final. By this column and not by `state`, which would lead SQLite away from the primary key to an index that
holds every waiting row."""


def wished(wish: LetterWish) -> tuple[Letter, Recipient]:
    """The letter and the recipient that a wish names."""
    letter = Letter(
        realm=wish.realm,
        letter_id=wish.letter_id,
        kind=Kind(wish.kind),
        lane=Lane.URGENT if isinstance(wish, UrgentLetterRequested) else Lane.BULK,
        not_after=wish.not_after,
        shared=wish.shared,
    )
    return letter, Recipient(wish.recipient_id, wish.address, locale=wish.locale, personal=wish.personal)


def delivery_values(letter: Letter, recipient: Recipient, now: datetime) -> dict[str, Any]:
    """A new row, ready for an INSERT."""
    return {
        "realm": letter.realm.id,
        "letter_id": letter.letter_id,
        "recipient_id": recipient.recipient_id,
        "lane": letter.lane,
        "address": recipient.address,
        "locale": recipient.locale,
        "personal": dict(recipient.personal),
        "state": State.WAITING,
        "reason": "",
        "attempts": 0,
        "ambiguous": 0,
        "due_at": now,
        "claimed_by": "",
    }


def write_letters(connection: Connection, letters: Sequence[Letter], now: datetime) -> dict[tuple[str, UUID], str]:
    """Write the letters that are not there yet; the kind of each as it stands."""
    unique = {(letter.realm.id, letter.letter_id): letter for letter in letters}
    statement = insert_into(connection.dialect.name, LetterRow).on_conflict_do_nothing()
    connection.execute(
        statement,
        [
            {
                "realm": realm,
                "letter_id": letter_id,
                "kind": letter.kind,
                "lane": letter.lane,
                "shared": dict(letter.shared),
                "not_after": letter.not_after,
                "created_at": now,
            }
            for (realm, letter_id), letter in sorted(unique.items())
        ],
    )
    return _kinds(connection, unique)


def _kinds(connection: Connection, keys: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], str]:
    columns = (col(LetterRow.realm), col(LetterRow.letter_id))
    found = connection.execute(select(*columns, col(LetterRow.kind)).where(tuple_(*columns).in_(sorted(keys))))
    return {(realm, letter_id): kind for realm, letter_id, kind in found}


def write_deliveries(connection: Connection, rows: Sequence[dict[str, Any]]) -> set[tuple[str, UUID, UUID]]:
    """Write those that are not there yet; which they were, as (realm, letter_id, recipient_id)."""
    if not rows:
        return set()
    columns = (col(DeliveryRow.realm), col(DeliveryRow.letter_id), col(DeliveryRow.recipient_id))
    statement = insert_into(connection.dialect.name, DeliveryRow).on_conflict_do_nothing().returning(*columns)
    unique = {(row["realm"], row["letter_id"], row["recipient_id"]): row for row in reversed(rows)}
    found = connection.execute(statement, [unique[key] for key in sorted(unique)])
    return {(realm, letter_id, recipient_id) for realm, letter_id, recipient_id in found}


def _due(which: ColumnElement[bool]) -> Select[int | None]:
    return (
        select(col(DeliveryRow.id))
        .where(
            col(DeliveryRow.lane) == bindparam("of_lane"),
            col(DeliveryRow.state) == bindparam("of_state"),
            col(DeliveryRow.due_at) <= bindparam("now"),
            ~exists().where(col(LaneState.lane) == bindparam("of_lane")),
            which,
        )
        .order_by(col(DeliveryRow.due_at), col(DeliveryRow.id))
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )


_DUE = {True: _due(col(DeliveryRow.realm) == LIVE.id), False: _due(col(DeliveryRow.realm) != LIVE.id)}
"""Of the real world, and of exercises."""

_CLAIM = (
    update(DeliveryRow)
    .where(col(DeliveryRow.id).in_(bindparam("ids", expanding=True)), col(DeliveryRow.claimed_by) == "", UNSETTLED)
    .values(state=State.CLAIMED, claimed_until=bindparam("until"), claimed_by=bindparam("claim"))
    .returning(
        col(DeliveryRow.id),
        col(DeliveryRow.realm),
        col(DeliveryRow.letter_id),
        col(DeliveryRow.recipient_id),
        col(DeliveryRow.address),
        col(DeliveryRow.locale),
        col(DeliveryRow.personal),
        col(DeliveryRow.attempts),
        col(DeliveryRow.ambiguous),
    )
)


def claim_rows(
    connection: Connection, lane: Lane, *, state: State, live: bool, limit: int, now: datetime
) -> list[Claimed]:
    """Claim up to `limit` due rows of one state, of the real world or of exercises, oldest first; none while the lane
    pauses."""
    due = {"of_lane": lane, "of_state": state, "now": now, "most": limit}
    ids = connection.execute(_DUE[live], due).scalars().all()
    if not ids:
        return []
    claim = new_id().hex
    taken = connection.execute(_CLAIM, {"ids": ids, "until": now + LEASES[lane], "claim": claim})
    rows: list[Any] = sorted(taken.all(), key=itemgetter(0))
    return [
        Claimed(
            id=number,
            claim=claim,
            realm=realm,
            letter_id=letter_id,
            recipient=Recipient(recipient_id, address, locale=locale, personal=personal),
            attempts=attempts,
            ambiguous=ambiguous,
        )
        for number, realm, letter_id, recipient_id, address, locale, personal, attempts, ambiguous in rows
    ]


def _settling(*, final: bool, mine: bool) -> ReturningUpdate[Any]:
    """The statement that settles rows alike, made once: to make it costs more than to run it."""
    whose = col(DeliveryRow.claimed_by) == bindparam("claim") if mine else UNSETTLED
    values: dict[str, Any] = {
        "state": bindparam("to_state"),
        "reason": bindparam("why"),
        "attempts": col(DeliveryRow.attempts) + bindparam("spent", type_=Integer),
        "ambiguous": col(DeliveryRow.ambiguous) + bindparam("unclear", type_=Integer),
        "claimed_until": None,
        "claimed_by": "",
    }
    if final:
        values |= {"address": "", "personal": {}, "settled_at": bindparam("at")}
    else:
        values |= {"due_at": func.coalesce(bindparam("due", type_=UtcDateTime()), col(DeliveryRow.due_at))}
    which = col(DeliveryRow.id).in_(bindparam("ids", expanding=True))
    return update(DeliveryRow).where(which, whose).values(**values).returning(col(DeliveryRow.id))


_SENT = _settling(final=True, mine=False)
_ENDED = _settling(final=True, mine=True)
_PUT_OFF = _settling(final=False, mine=True)


def settle_rows(connection: Connection, outcomes: Sequence[Outcome]) -> set[int]:
    """Write these outcomes where they may still be written, and tell those that are reported; which were written."""
    alike: dict[tuple[Any, ...], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        claim = "" if outcome.state is State.SENT else outcome.delivery.claim
        same = (outcome.state, outcome.reason, outcome.due_at)
        alike[claim, *same, outcome.ambiguous, outcome.spent].append(outcome)
    written: set[int] = set()
    for group in alike.values():
        written |= _settle_alike(connection, group)
    ended = [outcome for outcome in outcomes if outcome.kind in REPORTED and outcome.delivery.id in written]
    announce_all(connection, [event for outcome in ended for event in _told(outcome)])
    return written


def _settle_alike(connection: Connection, group: Sequence[Outcome]) -> set[int]:
    first = group[0]
    values: dict[str, Any] = {
        "ids": [outcome.delivery.id for outcome in group],
        "to_state": first.state,
        "why": first.reason,
        "spent": int(first.spent and first.state is not State.WAITING),
        "unclear": int(first.ambiguous),
    }
    if first.state is State.SENT:
        return set(connection.execute(_SENT, values | {"at": first.at}).scalars().all())
    values["claim"] = first.delivery.claim
    if first.state.final:
        return set(connection.execute(_ENDED, values | {"at": first.at}).scalars().all())
    return set(connection.execute(_PUT_OFF, values | {"due": first.due_at}).scalars().all())


def _told(outcome: Outcome) -> Iterable[Event]:
    if outcome.state.final and known(outcome.delivery.realm):
        whom = outcome.delivery
        yield _end_event(
            (whom.realm, whom.letter_id, whom.recipient.recipient_id),
            outcome.kind,
            state=outcome.state,
            reason=outcome.reason,
            now=outcome.at,
        )


def _end_event(
    key: tuple[str, UUID, UUID], kind: str, *, state: State, reason: str, now: datetime
) -> LetterSent | LetterFailed:
    realm, letter_id, recipient_id = key
    if state == State.SENT:
        return LetterSent(
            happened_at=now, realm=Realm(realm), letter_id=letter_id, recipient_id=recipient_id, kind=kind
        )
    return LetterFailed(
        happened_at=now, realm=Realm(realm), letter_id=letter_id, recipient_id=recipient_id, kind=kind, reason=reason
    )


def ended_leases(now: datetime) -> tuple[Any, ...]:
    """Where a claim was not settled within its lease."""
    return (col(DeliveryRow.state) == State.CLAIMED, col(DeliveryRow.claimed_until) <= now)


def recover_rows(connection: Connection, now: datetime) -> int:
    """Take back what was claimed and not settled within the lease; how many.

    They go behind all that is due: a letter that makes its sender die stands before nobody, and whoever may have a copy
    already waits for those who surely have none.
    """
    leases = and_(*ended_leases(now))
    lost = end_rows(
        connection, leases & (col(DeliveryRow.ambiguous) >= AMBIGUOUS_LIMIT), state=State.UNKNOWN, reason=LOST, now=now
    )
    again = connection.execute(
        update(DeliveryRow)
        .where(leases)
        .values(
            state=State.WAITING,
            due_at=case((col(DeliveryRow.due_at) < now, now), else_=col(DeliveryRow.due_at)),
            ambiguous=col(DeliveryRow.ambiguous) + 1,
            reason=LOST,
            claimed_until=None,
            claimed_by="",
        )
        .returning(col(DeliveryRow.id))
    )
    return lost + len(again.scalars().all())


def end_rows(connection: Connection, where: ColumnElement[bool], *, state: State, reason: str, now: datetime) -> int:
    """Give all these deliveries a final state, and tell those that are reported; how many there were."""
    ended = connection.execute(
        update(DeliveryRow)
        .where(where)
        .values(
            state=state,
            reason=reason,
            address="",
            personal={},
            settled_at=now,
            claimed_until=None,
            claimed_by="",
        )
        .returning(col(DeliveryRow.realm), col(DeliveryRow.letter_id), col(DeliveryRow.recipient_id))
    ).all()
    keys = [(realm, letter_id, recipient_id) for realm, letter_id, recipient_id in ended]
    kinds = _kinds(connection, {(realm, letter_id) for realm, letter_id, _ in keys})
    told = [key for key in keys if kinds[key[:2]] in REPORTED and known(key[0])]
    announce_all(connection, [_end_event(key, kinds[key[:2]], state=state, reason=reason, now=now) for key in told])
    return len(keys)

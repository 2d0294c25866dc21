"""Batch: what some hundred rows of a list would do to the subscribers, and the doing of it, in one session."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.forgotten.store import Forgotten
from services.notify.subscriber_file.model import GONE_AFTER, Changed, Decision, Listed, New, Present, decide
from services.notify.subscribers.model import Audience, Basis, State
from services.notify.subscribers.store import Subscriber, Subscription
from shared.audit import Deed
from shared.ids import new_id
from shared.list_report import Bad


async def plan(
    session: AsyncSession, batch: Sequence[Listed | Bad], *, forgotten: Forgotten, now: datetime, locked: bool = False
) -> list[Decision]:
    """What each row would do, by one look at the subscribers; `locked` against others until the transaction ends.

    That a list names somebody who was erased is noted, so that the files are cleaned of her again.
    """
    keys = sorted({row.key for row in batch if isinstance(row, Listed)})
    gone = or_(col(Subscriber.left_at).is_not(None), col(Subscriber.suppressed_at).is_not(None))
    columns = (col(Subscriber.email_key), col(Subscriber.id), col(Subscriber.state), gone)
    known = select(*columns).where(col(Subscriber.email_key).in_(keys)).order_by(col(Subscriber.email_key))
    rows = await session.execute(known.with_for_update() if locked else known)
    present = {
        key: Present(subscriber_id, State(state), has_left=state == State.LEFT or bool(barred))
        for key, subscriber_id, state, barred in rows
    }
    erased = await forgotten.among(session, keys)
    if erased:
        await forgotten.named_again(session, erased, scrub_at=now + GONE_AFTER)
    return [
        row if isinstance(row, Bad) else decide(row, present.get(row.key), erased=row.key in erased) for row in batch
    ]


async def apply(
    session: AsyncSession,
    decisions: Iterable[Decision],
    *,
    audience: Audience,
    basis: str,
    by: UUID | None,
    now: datetime,
) -> None:
    """Write what was decided, and who did it; nothing where nothing changes. `audience` is that of the rows that name
    none, `basis` what the list's keeper stated."""
    decided = [one for one in decisions if isinstance(one, New | Changed)]
    if not decided:
        return
    again = [one.subscriber_id for one in decided if isinstance(one, Changed)]
    await session.execute(delete(Subscription).where(col(Subscription.subscriber_id).in_(again)))
    await session.execute(delete(Subscriber).where(col(Subscriber.id).in_(again)))
    ids = {one.row.key: one.subscriber_id if isinstance(one, Changed) else new_id() for one in decided}
    rows = sorted((one.row for one in decided), key=lambda row: row.key)
    await session.execute(insert(Subscriber), [_values(row, ids[row.key], basis, now) for row in rows])
    followed = [
        {"subscriber_id": ids[row.key], "audience": group, "municipality": place}
        for row in rows
        for group, place in row.wishes(audience).pairs()
    ]
    await session.execute(insert(Subscription), followed)
    details: dict[str, str | int] = {"new": len(decided) - len(again), "changed": len(again)}
    await record(session, Deed(now, Act.SUBSCRIBERS_IMPORTED, by, "subscribers", details))


def _values(row: Listed, subscriber_id: UUID, basis: str, now: datetime) -> dict[str, object]:
    return {
        "id": subscriber_id,
        "email": row.email,
        "email_key": row.key,
        "name": row.name,
        "locale": row.locale.value,
        "state": State.CONFIRMED.value,
        "basis": Basis.OPERATIONAL.value,
        "stated_basis": basis,
        "consent_version": "",
        "consent_hash": "",
        "asked_at": now,
        "confirmed_at": now,
    }

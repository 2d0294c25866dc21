"""Store: what happened to associations is heard, in groups, and the standings and figures follow."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from services.status.aid.store import Answered, hand_over_aid, replace_aid
from services.status.association.store import Association, associations, remember
from services.status.readiness.model import (
    FRESH,
    Standing,
    Tallies,
    Verdict,
    absorb,
    declined,
    expire,
    hear,
    not_reached,
)
from services.status.readiness.standing_rows import (
    STANDING,
    Key,
    Place,
    Step,
    differences,
    lock,
    record,
    standing_of,
    standings,
)
from services.status.situation.store import SITUATION
from shared.clock import Clock
from shared.db import Database
from shared.events.intake import AssociationChanged, AssociationDeclined, AssociationNotReached, CheckInReceived
from shared.inbox import unseen
from shared.realm import Realm

CONSUMER = "readiness"
PAGE = 500
PACE = 0.1
"""Seconds by which a crowd of answers is seen later; the figures cost as much to move for two of them as for twenty."""
MERGERS = 5
"""How many mergers in turn are followed from an association that answers to the one that it has become."""

News = CheckInReceived | AssociationNotReached | AssociationDeclined


class ReadinessStore:
    """Hears what happened to associations, and keeps every figure of the picture true to it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._hear = database.group(self._write_news, pace=PACE)
        self._know = database.group(self._write_known, pace=PACE)

    async def know(self, event: AssociationChanged) -> None:
        """Remember the association as this version tells it, unless a newer one is known.

        Where it stands in an open situation it is counted by what it is now. One that has left is counted no more;
        if it was merged into another, that one has its answer where it is the newer of the two.
        """
        await self._know(event)

    async def hear(self, news: News) -> Verdict:
        """Apply a check-in, or that somebody was not reached or declined, at the same cost however many they are.

        ASSOCIATION_UNKNOWN is the one verdict that is not remembered: the same event may be heard again later.
        """
        return await self._hear(news)

    async def expire_due(self) -> int:
        """Make stale what has outlived its freshness, PAGE standings of one open situation at most; how many."""
        now = self._clock.now()
        due = (
            select(STANDING.c.realm, STANDING.c.situation_id)
            .join(SITUATION, (SITUATION.c.realm == STANDING.c.realm) & (SITUATION.c.id == STANDING.c.situation_id))
            .where(SITUATION.c.closed_at.is_(None), *_due(now))
            .limit(1)
        )
        async with self._database.read() as session:
            place = (await session.execute(due)).first()
        if place is None:
            return 0
        [count] = await self._database.write_many(self._write_expired, [(place[0], place[1])])
        return count

    async def recount(self, realm: Realm, situation_id: UUID) -> Tallies:
        """How far the kept figures are from a recount of the standings; empty when they are equal, as they must be."""
        async with self._database.read() as session:
            connection = await session.connection()
            return await connection.run_sync(differences, (str(realm), situation_id))

    def _write_news(self, connection: Connection, news: Sequence[News]) -> list[Verdict]:
        now = self._clock.now()
        freshness = lock(connection, {(event.realm, event.situation_id) for event in news})
        targets = _targets(connection, news)
        present = standings(connection, [target for target in targets if isinstance(target, tuple)])
        before = {**_newcomers(connection, targets, present), **present}
        counted = [event for event, target in zip(news, targets, strict=True) if target in before]
        first = unseen(connection, CONSUMER, [event.event_id for event in counted if _place(event) in freshness], now)
        after: dict[Key, Standing] = {}
        answers: dict[Key, Answered] = {}
        verdicts = []
        for event, target in zip(news, targets, strict=True):
            verdict = _hindrance(event, target, freshness, first)
            if verdict is None and not isinstance(target, Verdict):
                first.discard(event.event_id)
                outcome = _decide(after.get(target, before[target]), event, freshness[_place(event)], now)
                if isinstance(outcome, Standing):
                    after[target] = outcome
                    if isinstance(event, CheckInReceived) and outcome.fresh_until is not None:
                        answers[target] = Answered(event, target[2], outcome.fresh_until)
                    outcome = Verdict.HEARD
                verdict = outcome
            verdicts.append(verdict or Verdict.REPEATED)
        replace_aid(connection, list(answers.values()))
        record(connection, [Step(present.get(key), standing) for key, standing in after.items()], now)
        return verdicts

    def _write_known(self, connection: Connection, events: Sequence[AssociationChanged]) -> list[None]:
        """Situations are locked before associations, as everywhere: a round that opens waits, or is waited for."""
        now = self._clock.now()
        open_places = select(SITUATION.c.realm, SITUATION.c.id).where(SITUATION.c.closed_at.is_(None))
        places = [(realm, id_) for realm, id_ in connection.execute(open_places)]
        lock(connection, places)
        remember(connection, events)
        if places:
            steps = _follow(connection, places, {event.association_id for event in events})
            _hand_over_aid(connection, steps)
            record(connection, steps, now)
        return [None] * len(events)

    def _write_expired(self, connection: Connection, places: Sequence[Place]) -> list[int]:
        now = self._clock.now()
        lock(connection, set(places))
        counts = []
        for realm, situation_id in places:
            here = (STANDING.c.realm == realm, STANDING.c.situation_id == situation_id)
            rows = connection.execute(select(STANDING).where(*here, *_due(now)).limit(PAGE))
            steps = [Step(standing, expire(standing, now)) for standing in map(standing_of, rows.mappings())]
            record(connection, steps, now)
            counts.append(len(steps))
        return counts


def _targets(connection: Connection, news: Sequence[News]) -> list[Key | Verdict]:
    """Whose standing each of the news is about, or why nobody's.

    One that was merged into another is heard as that one. That it was not reached, or declined, concerns nobody.
    """
    known = associations(connection, {event.association_id for event in news})
    targets: list[Key | Verdict] = []
    for event in news:
        own = known.get(event.association_id)
        if own is None:
            targets.append(Verdict.ASSOCIATION_UNKNOWN)
            continue
        heir = _heir(connection, own) if isinstance(event, CheckInReceived) else own
        targets.append((*_place(event), heir.id) if not heir.retired else Verdict.LEFT)
    return targets


def _heir(connection: Connection, association: Association) -> Association:
    """What the association has become by mergers."""
    for _ in range(MERGERS):
        if association.merged_into is None:
            break
        association = associations(connection, [association.merged_into]).get(association.merged_into, association)
    return association


def _newcomers(
    connection: Connection, targets: Sequence[Key | Verdict], present: Mapping[Key, Standing]
) -> dict[Key, Standing]:
    """Where those begin who were not asked in the situation: known by the registry, not asked."""
    missing = [target for target in targets if isinstance(target, tuple) and target not in present]
    known = associations(connection, {key[2] for key in missing})
    return {
        key: Standing(realm=Realm(key[0]), situation_id=key[1], association_id=key[2], **known[key[2]].traits._asdict())
        for key in missing
    }


def _follow(connection: Connection, places: Sequence[Place], ids: set[UUID]) -> list[Step]:
    """How the standings of these associations follow what they have become."""
    known = associations(connection, ids)
    heirs = {id_: _heir(connection, association) for id_, association in known.items() if association.retired}
    wanted = {*ids, *(heir.id for heir in heirs.values() if not heir.retired)}
    before = standings(connection, [(*place, id_) for place in places for id_ in wanted])
    after: dict[Key, Standing | None] = dict(before)
    for key, standing in before.items():
        association = known.get(key[2])
        if association is None:
            continue
        if not association.retired:
            present = after[key] or standing
            after[key] = present.counted_by(association.traits)
            continue
        after[key] = None
        heir = heirs[association.id]
        if not heir.retired:
            heir_key = (*key[:2], heir.id)
            after[heir_key] = absorb(after.get(heir_key), standing, heir_id=heir.id, traits=heir.traits)
    return [Step(before.get(key), standing) for key, standing in after.items()]


def _hand_over_aid(connection: Connection, steps: Sequence[Step]) -> None:
    """What was offered and needed goes where the answer goes."""
    heirs = {(*step.place, step.after.checkin_id): step.after.association_id for step in steps if step.after}
    for step in steps:
        if step.before and not step.after:
            answer = step.before.checkin_id
            heir = heirs.get((*step.place, answer)) if answer else None
            hand_over_aid(connection, step.place, step.before.association_id, heir=heir)


def _hindrance(
    event: News, target: Key | Verdict, freshness: Mapping[Place, timedelta], first: set[UUID]
) -> Verdict | None:
    if _place(event) not in freshness:
        return Verdict.SITUATION_UNKNOWN
    if isinstance(target, Verdict):
        return target
    return None if event.event_id in first else Verdict.REPEATED


def _decide(standing: Standing, event: News, freshness: timedelta, now: datetime) -> Standing | Verdict:
    if isinstance(event, CheckInReceived):
        return hear(standing, event, freshness=freshness, now=now)
    if isinstance(event, AssociationDeclined):
        return declined(standing, event)
    return not_reached(standing, event)


def _due(now: datetime) -> tuple[Any, ...]:
    return STANDING.c.state.in_(sorted(FRESH)), STANDING.c.fresh_until <= now


def _place(event: News) -> Place:
    return event.realm, event.situation_id

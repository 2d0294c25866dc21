"""Store: the ledger, one row per (letter, recipient). Counts are derived from its rows and from nothing else."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import product, zip_longest
from uuid import UUID

from sqlalchemy import Connection, Select, delete, exists, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.delivery.ledger_rows import (
    claim_rows,
    delivery_values,
    end_rows,
    ended_leases,
    recover_rows,
    settle_rows,
    wished,
    write_deliveries,
    write_letters,
)
from services.notify.delivery.model import (
    WISHABLE,
    Claimed,
    Counts,
    Kind,
    Lane,
    Letter,
    Outcome,
    Recipient,
    State,
    address_key,
)
from services.notify.delivery.schema import DeliveryRow, LaneState, LetterRow, RosterRow
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events import NotPermittedError
from shared.events.notify import LetterWish
from shared.i18n import Locale
from shared.ids import new_id
from shared.inbox import first_time
from shared.realm import Realm

RECIPIENT_LEFT = "the recipient has left"
EXERCISE_ENDED = "exercise has ended"
ROSTER = "notify-roster"
SUPERSEDED = "a newer text took its place"
OUT_OF_REACH = timedelta(days=30)


class Ledger:
    """Letters and their deliveries. Adding is idempotent; claiming is exclusive; a final state stays."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._fresh: set[Lane] = set()
        self._wakers: dict[Lane, list[Callable[[], None]]] = defaultdict(list)
        self._hear = database.group(self._write_wishes)
        self._settle = database.group(self._write_outcomes)
        database.after_commit(self._wake)

    def on_added(self, lane: Lane, wake: Callable[[], None]) -> None:
        """Have `wake` called after a commit that added letters to this lane."""
        self._wakers[lane].append(wake)

    async def add(self, session: AsyncSession, letter: Letter, *, recipients: Sequence[Recipient]) -> int:
        """Put the letter to these recipients into the ledger, in the caller's transaction; how many were new.

        A recipient who has this letter already keeps the first one, whatever its state. Raises NotPermittedError when
        (realm, letter_id) is already a letter of another kind.
        """
        connection = await session.connection()
        return await connection.run_sync(self._add, letter, recipients)

    async def hear(self, wish: LetterWish) -> bool:
        """Put one wished letter into the ledger, together with others that came now; False if it was there already.

        Raises NotPermittedError for a kind that a message cannot ask for, and for the id of a letter of another kind.
        """
        if wish.kind not in WISHABLE:
            raise NotPermittedError(f"a letter of kind {wish.kind[:40]!r} cannot be asked for by a message")
        outcome = await self._hear(wish)
        if outcome is None:
            raise NotPermittedError("the letter's id belongs to a letter of another kind")
        return outcome

    async def due(self, lane: Lane, now: datetime) -> bool:
        """True if the lane is not paused and has a delivery to claim. Takes no lock."""
        waiting, deferred = (
            exists().where(
                col(DeliveryRow.lane) == lane, col(DeliveryRow.state) == state, col(DeliveryRow.due_at) <= now
            )
            for state in (State.WAITING, State.DEFERRED)
        )
        paused = exists().where(col(LaneState.lane) == lane)
        async with self._database.read() as session:
            return bool((await session.execute(select((waiting | deferred) & ~paused))).scalar_one())

    async def claim(self, lane: Lane, *, limit: int, now: datetime) -> list[Claimed]:
        """Up to `limit` due deliveries, each given to this caller alone for the lane's lease: what is real before all
        exercises, retries first, then oldest first."""

        def write(connection: Connection, _items: Sequence[None]) -> Sequence[list[Claimed]]:
            taken: list[Claimed] = []
            for live, state in product((True, False), (State.DEFERRED, State.WAITING)):
                if len(taken) < limit:
                    left = limit - len(taken)
                    taken += claim_rows(connection, lane, state=state, live=live, limit=left, now=now)
            return [taken]

        [taken] = await self._database.write_many(write, [None])
        return taken

    async def letters(self, keys: Collection[tuple[str, UUID]]) -> list[Letter]:
        """The letters of these (realm, letter_id)."""
        pairs = tuple_(col(LetterRow.realm), col(LetterRow.letter_id))
        async with self._database.read() as session:
            rows = (await session.execute(select(LetterRow).where(pairs.in_(sorted(keys))))).scalars()
            return [
                Letter(
                    realm=Realm(row.realm),
                    letter_id=row.letter_id,
                    kind=Kind(row.kind),
                    lane=Lane(row.lane),
                    not_after=row.not_after,
                    shared=row.shared,
                    created_at=row.created_at,
                )
                for row in rows
            ]

    async def settle(self, outcomes: Sequence[Outcome]) -> int:
        """Write what became of deliveries, together with others that ended now; how many of them were written.

        A claim that somebody else has taken over is left to him, but `sent` is written in any case: it happened. The
        end of a reported kind is announced in the same transaction.
        """
        return await self._settle(outcomes) if outcomes else 0

    async def recover(self, now: datetime) -> int:
        """Give deliveries whose lease ended back to the lanes as ambiguous; how many.

        Whoever held them died, perhaps after the relay had taken the letter. Too often: `unknown`, for a person.
        """

        def write(connection: Connection, _items: Sequence[None]) -> Sequence[int]:
            return [recover_rows(connection, now)]

        if not await self._leases_ended(now):
            return 0
        self._fresh |= set(Lane)
        [recovered] = await self._database.write_many(write, [None])
        return recovered

    async def is_open(self, realm: Realm, letter_id: UUID) -> bool:
        """True if something can still happen to a delivery of the letter: what `counts` says, without counting."""
        still = col(DeliveryRow.state).in_([state for state in State if not state.final])
        mine = (col(DeliveryRow.realm) == realm, col(DeliveryRow.letter_id) == letter_id)
        async with self._database.read() as session:
            return bool((await session.execute(select(exists().where(*mine, still)))).scalar_one())

    async def counts(self, realm: Realm, letter_id: UUID) -> Counts:
        """How many deliveries of the letter stand where, counted from the rows."""
        async with self._database.read() as session:
            return await self.counts_now(session, realm, letter_id)

    async def counts_now(self, session: AsyncSession, realm: Realm, letter_id: UUID) -> Counts:
        """The same inside the caller's transaction."""
        rows = await session.execute(
            select(col(DeliveryRow.state), func.count())
            .where(col(DeliveryRow.realm) == realm, col(DeliveryRow.letter_id) == letter_id)
            .group_by(col(DeliveryRow.state))
        )
        return Counts(**{str(state): int(number) for state, number in rows})

    async def drop(self, realm: Realm) -> int:
        """End the letters of an exercise; how many that waited were refused.

        Its roster stays for the one letter that tells of the end. Raises ValueError for the live realm.
        """
        if realm.live:
            raise ValueError("only the letters of an exercise can be dropped")

        def write(connection: Connection, _items: Sequence[None]) -> Sequence[int]:
            still = (col(RosterRow.realm) == realm) & col(RosterRow.over_at).is_(None)
            connection.execute(update(RosterRow).where(still).values(over_at=now))
            waiting = col(DeliveryRow.state).in_((State.WAITING, State.DEFERRED))
            last = select(col(LetterRow.letter_id)).where(
                col(LetterRow.realm) == realm, col(LetterRow.kind) == Kind.EXERCISE_ENDED
            )
            theirs = (col(DeliveryRow.realm) == realm) & waiting & col(DeliveryRow.letter_id).not_in(last)
            return [end_rows(connection, theirs, state=State.REFUSED, reason=EXERCISE_ENDED, now=now)]

        now = self._clock.now()
        [refused] = await self._database.write_many(write, [None])
        return refused

    async def withdraw(self, session: AsyncSession, recipient_ids: Collection[UUID]) -> int:
        """Refuse what still waits for those who have left, in the caller's transaction; how many letters."""

        def write(connection: Connection) -> int:
            waiting = col(DeliveryRow.state).in_((State.WAITING, State.DEFERRED))
            theirs = col(DeliveryRow.recipient_id).in_(sorted(recipient_ids))
            hers = col(DeliveryRow.lane).in_(list(Lane)) & waiting & theirs
            return end_rows(connection, hers, state=State.REFUSED, reason=RECIPIENT_LEFT, now=self._clock.now())

        if not recipient_ids:
            return 0
        connection = await session.connection()
        return await connection.run_sync(write)

    async def supersede(self, session: AsyncSession, realm: Realm, letter_ids: Collection[UUID]) -> int:
        """End what still waits of these letters, in the caller's transaction; how many deliveries.

        What the relay may have taken is `unknown`. What is on its way this very moment cannot be held back; if it
        comes back it stays where it is until this is called again.
        """

        def write(connection: Connection) -> int:
            theirs = (col(DeliveryRow.realm) == realm) & col(DeliveryRow.letter_id).in_(sorted(letter_ids))
            waiting = theirs & col(DeliveryRow.state).in_((State.WAITING, State.DEFERRED))
            unclear = col(DeliveryRow.ambiguous) > 0
            connection.execute(
                update(DeliveryRow)
                .where(theirs, col(DeliveryRow.state) == State.CLAIMED)
                .values(due_at=self._clock.now() + OUT_OF_REACH)
            )
            return sum(
                end_rows(connection, waiting & which, state=state, reason=SUPERSEDED, now=self._clock.now())
                for which, state in ((unclear, State.UNKNOWN), (~unclear, State.REFUSED))
            )

        if not letter_ids:
            return 0
        connection = await session.connection()
        return await connection.run_sync(write)

    async def enrol(
        self,
        realm: Realm,
        addresses: Iterable[str],
        *,
        locales: Sequence[str] = (),
        over: bool = False,
        told: UUID | None = None,
    ) -> None:
        """Put these addresses on the roster of an exercise: no other is ever sent a letter of that realm.

        `locales` in their order, Finnish where there is none; `over`: the exercise has ended already. What was `told`
        before, as an event of this id, changes nothing: who was erased since then stays erased.
        """
        known = {address_key(one): locale for one, locale in zip_longest(addresses, locales) if one}
        over_at = self._clock.now() if over else None
        rows = [
            {
                "realm": realm.id,
                "address": key,
                "recipient_id": new_id(),
                "locale": known[key] or Locale.FI,
                "over_at": over_at,
            }
            for key in sorted(known)
        ]
        async with self._database.write() as session:
            if rows and (told is None or await first_time(session, ROSTER, told, self._clock.now())):
                await session.execute(insert_into(self._database.dialect, RosterRow).on_conflict_do_nothing(), rows)

    async def roster(
        self, wanted: Collection[tuple[str, str]], *, kind: Kind | None = None
    ) -> frozenset[tuple[str, str]]:
        """Those of these (realm, address) to whom their exercise may send such a letter, as (realm, address_key).

        While it runs these are all on its roster; when it is over, nobody, but for the kind that tells of the end.
        """
        keys = sorted({(realm, address_key(address)) for realm, address in wanted})
        if not keys:
            return frozenset()
        pairs = tuple_(col(RosterRow.realm), col(RosterRow.address))
        async with self._database.read() as session:
            found = select(col(RosterRow.realm), col(RosterRow.address)).where(pairs.in_(keys))
            running = found.where(col(RosterRow.over_at).is_(None))
            rows = await session.execute(found if kind is Kind.EXERCISE_ENDED else running)
            return frozenset((realm, address) for realm, address in rows)

    async def pause(self, lane: Lane, reason: str) -> None:
        """Claim nothing more from this lane until somebody resumes it."""
        async with self._database.write() as session:
            statement = insert_into(self._database.dialect, LaneState).on_conflict_do_nothing()
            await session.execute(statement, {"lane": lane, "reason": reason, "paused_at": self._clock.now()})

    async def resume(self, lane: Lane, *, by: UUID | None = None) -> None:
        """Let the lane go on. `by` None is the operator."""
        async with self._database.write() as session:
            gone = delete(LaneState).where(col(LaneState.lane) == lane).returning(col(LaneState.reason))
            reason = (await session.execute(gone)).scalar_one_or_none()
            if reason is not None:
                deed = Deed(self._clock.now(), Act.SENDING_RESUMED, by, lane.value, {"reason": reason})
                await record(session, deed)
            self._fresh.add(lane)

    async def paused(self, lane: Lane) -> str | None:
        """Why the lane pauses, or None if it does not."""
        async with self._database.read() as session:
            row = await session.get(LaneState, lane)
            return row.reason if row else None

    def _add(self, connection: Connection, letter: Letter, recipients: Sequence[Recipient]) -> int:
        now = self._clock.now()
        kinds = write_letters(connection, [letter], now)
        if kinds[letter.realm, letter.letter_id] != letter.kind:
            raise NotPermittedError("the letter's id belongs to a letter of another kind")
        rows = [delivery_values(letter, recipient, now) for recipient in recipients]
        added = write_deliveries(connection, rows)
        if added:
            self._fresh.add(letter.lane)
        return len(added)

    def _write_wishes(self, connection: Connection, wishes: Sequence[LetterWish]) -> Sequence[bool | None]:
        """For each wish whether it was new; None where it may not use that letter's id."""
        now = self._clock.now()
        wanted = [wished(wish) for wish in wishes]
        kinds = write_letters(connection, [letter for letter, _ in wanted], now)
        permitted = [kinds[letter.realm, letter.letter_id] == letter.kind for letter, _ in wanted]
        rows = [
            delivery_values(letter, recipient, now)
            for (letter, recipient), fits in zip(wanted, permitted, strict=True)
            if fits
        ]
        added = write_deliveries(connection, rows)
        outcomes: list[bool | None] = []
        for (letter, recipient), fits in zip(wanted, permitted, strict=True):
            key = (letter.realm.id, letter.letter_id, recipient.recipient_id)
            outcomes.append(key in added if fits else None)
            if key in added:
                self._fresh.add(letter.lane)
        return outcomes

    def _write_outcomes(self, connection: Connection, groups: Sequence[Sequence[Outcome]]) -> Sequence[int]:
        written = settle_rows(connection, [outcome for outcomes in groups for outcome in outcomes])
        return [sum(outcome.delivery.id in written for outcome in outcomes) for outcomes in groups]

    async def _leases_ended(self, now: datetime) -> bool:
        async with self._database.read() as session:
            return bool((await session.execute(select(exists().where(*ended_leases(now))))).scalar_one())

    def _wake(self) -> None:
        lanes, self._fresh = self._fresh, set()
        for lane in lanes:
            for wake in self._wakers[lane]:
                wake()


def reached(realm: Realm, letter_ids: Collection[UUID], *, also_waiting: bool) -> Select[UUID]:
    """Whom one of these letters may have reached; `also_waiting`: and for whom it would still be good to have it."""
    state = col(DeliveryRow.state)
    whom = state.in_((State.SENT, State.UNKNOWN, State.CLAIMED)) | (col(DeliveryRow.ambiguous) > 0)
    if also_waiting:
        late = state.in_((State.WAITING, State.DEFERRED, State.EXPIRED))
        whom = whom | late | (col(DeliveryRow.reason) == SUPERSEDED)
    return select(col(DeliveryRow.recipient_id)).where(
        col(DeliveryRow.realm) == realm, col(DeliveryRow.letter_id).in_(sorted(letter_ids)), whom
    )

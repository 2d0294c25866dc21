"""A world for the gate: the real parts of notify over a real relay, and steps that come in any order."""

from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import col

from services.notify.broadcast.store import BroadcastStore
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Kind, Lane
from services.notify.delivery.schema import DeliveryRow, LetterRow, RosterRow
from services.notify.delivery.sending import Letters
from services.notify.erasure.store import Erasure
from services.notify.guidance.model import Kind as Change
from services.notify.guidance.store import GuidanceStore
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.handlers import RehearsalHandlers
from services.notify.rehearsal.store import Rosters
from services.notify.subscribers.model import Audience, ImportedSubscriber, Links
from services.notify.subscribers.store import Subscriber, SubscriberStore
from shared.db import Database
from shared.events.exercise import RosterFrozen
from shared.events.notify import LetterRequested
from shared.i18n import Locale
from shared.realm import LIVE, Realm
from shared.rehearsals import EndedExercises
from shared.settings import Smtp
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.delivery.office import IMPRINT, Office
from tests.notify.delivery.relay import Relay, Taken
from tests.notify.guidance.drafts import FORSSA, draft
from tests.notify.rehearsal.play import ENDED, EXERCISE, INJECT, REALM, STORM, TEXTS

NAMES = ("aino", "bertta", "cecilia", "dora")
PEOPLE = tuple(f"{name}@example.org" for name in NAMES)
PARTS = (PEOPLE[:2], PEOPLE[1:3])
"""The roster is told in two parts. Dora never takes part, and follows what is real as all others do."""

EDITOR, APPROVER = UUID(int=1), UUID(int=2)
ENDING = uuid5(EXERCISE, "exercise_ended")
"""The one letter that may tell of an exercise after its end."""

MARK = "HARJOITUS: "
FIRST_LINES = ("HARJOITUS – tämä ei ole todellinen tilanne", "HARJOITUS – se on nyt ohi")
PASSES = (1, 7, 16, 61)
"""Minutes: less than a retry, a retry, a lease, an hour."""


class Verb(StrEnum):
    """What happens. The first ones are the exercise's."""

    ENROL = "enrol"
    ASK_IN_EXERCISE = "ask in exercise"
    RELEASE_IN_EXERCISE = "release in exercise"
    CORRECT_IN_EXERCISE = "correct in exercise"
    INJECT = "inject"
    END = "end"
    ASK = "ask"
    RELEASE = "release"
    CORRECT = "correct"
    LEAVE = "leave"
    ERASE = "erase"
    SULK = "sulk"
    TAKE = "take"
    PLAN = "plan"
    SEND = "send"
    DIE = "die"
    RESTART = "restart"
    PASS = "pass"

    @property
    def rehearsed(self) -> bool:
        """True for what only an exercise does."""
        return list(Verb).index(self) <= list(Verb).index(Verb.END)


@dataclass(frozen=True)
class Step:
    """Something that happens, to whom or to what of it: 0 to 3. The same step again is the same event again."""

    verb: Verb
    which: int = 0


class LeakError(AssertionError):
    """The gate has a hole, or something real was touched."""


@dataclass(frozen=True)
class Real:
    """What the real world got and knows: letters by recipient and as they were, deliveries as they stand."""

    letters: tuple[tuple[str, bytes], ...]
    deliveries: tuple[tuple[Any, ...], ...]


async def prepare(file: Path) -> None:
    """Subscribers, and texts that wait for approval in both realms: the same ids in every world that copies them."""
    world = World(file, FakeClock(), Relay())
    await world.subscribers.import_many(
        [ImportedSubscriber(address, Audience.RESIDENTS, (FORSSA,), Locale.FI) for address in PEOPLE]
    )
    for realm, what in ((LIVE, draft()), (REALM, draft(TEXTS, situation_id=STORM))):
        for _ in range(2):
            guidance_id = await world.guidance.write(what, by=EDITOR, realm=realm)
            written = await world.guidance.unreleased(realm, guidance_id)
            assert written is not None
            await world.guidance.submit(written)
    await world.close()


class World:
    """All that sends, and what the relay got. `on_roster` are those who may get letters of the exercise just now,
    `took_part` those who may be told of its end."""

    def __init__(self, file: Path, clock: FakeClock, relay: Relay) -> None:
        self.database = Database(f"sqlite+aiosqlite:///{file}")
        self.clock, self.relay = clock, relay
        self.office = Office(self.database, clock=clock, port=relay.port or 1, size=2)
        self.ledger = self.office.ledger
        links = Links(secret=IMPRINT.secret, public_url=IMPRINT.public_url)
        self.subscribers = SubscriberStore(self.database, clock=clock, ledger=self.ledger, links=links)
        shared: dict[str, Any] = {"clock": clock, "ledger": self.ledger, "subscribers": self.subscribers}
        self.guidance = GuidanceStore(self.database, **shared)
        self.broadcasts = BroadcastStore(self.database, public_url=IMPRINT.public_url, **shared)
        self.erasure = Erasure(self.database, clock=clock, secret=IMPRINT.secret)
        ended = EndedExercises(self.database, clock=clock, service="notify")
        injects = InjectLetters(self.database, clock=clock, ledger=self.ledger)
        rosters = Rosters(self.database, clock=clock, ledger=self.ledger)
        self.rehearsal = RehearsalHandlers(self.ledger, rosters, ended, injects)
        self.wishes = WishHandlers(self.ledger)
        self.on_roster: set[str] = set()
        self.took_part: set[str] = set()
        self._told: set[int] = set()
        self._over = False
        self._ids: list[str] = []
        self._meant: set[UUID] = set()

    async def close(self) -> None:
        """Give everything back."""
        await self.office.close()
        await self.database.close()

    async def play(self, step: Step) -> None:
        """Have it happen, then look whether anything leaked."""
        await getattr(self, f"_{step.verb.name.lower()}")(step.which)
        await self.look()

    async def _enrol(self, which: int) -> None:
        part = which % 2
        event = RosterFrozen(
            event_id=uuid5(EXERCISE, f"part {part}"),
            happened_at=STORM_EVENING,
            realm=REALM,
            exercise_id=EXERCISE,
            addresses=PARTS[part],
        )
        if not self._over and part not in self._told:
            self.on_roster |= set(PARTS[part])
        if part not in self._told:
            self.took_part |= set(PARTS[part])
        self._told.add(part)
        await self.rehearsal.on_roster_frozen(event)

    async def _ask_in_exercise(self, which: int) -> None:
        await self._wish(REALM, which)

    async def _release_in_exercise(self, which: int) -> None:
        await self._approve(REALM, which, "HARJOITUS")

    async def _correct_in_exercise(self, which: int) -> None:
        await self._follow(REALM, which, "HARJOITUS")

    async def _inject(self, which: int) -> None:
        number = which % 2 + 1
        fired = {"number": number, "happened_at": self.clock.now(), "event_id": uuid5(EXERCISE, f"inject {number}")}
        await self.rehearsal.on_inject_fired(INJECT.model_copy(update=fired))

    async def _end(self, _which: int) -> None:
        self._over, self.on_roster = True, set()
        await self.rehearsal.on_exercise_ended(ENDED)

    async def _ask(self, which: int) -> None:
        await self._wish(LIVE, which)

    async def _release(self, which: int) -> None:
        await self._approve(LIVE, which, "TOSI")

    async def _correct(self, which: int) -> None:
        await self._follow(LIVE, which, "TOSI")

    async def _leave(self, which: int) -> None:
        async with self.database.read() as session:
            found = await session.execute(select(col(Subscriber.id)).where(col(Subscriber.email) == PEOPLE[which]))
        if (subscriber_id := found.scalar_one_or_none()) is not None:
            await self.subscribers.leave(subscriber_id)

    async def _erase(self, which: int) -> None:
        self.on_roster -= {PEOPLE[which]}
        self.took_part -= {PEOPLE[which]}
        await self.erasure.erase(PEOPLE[which], by=None)

    async def _sulk(self, which: int) -> None:
        self.relay.say["rcpt", PEOPLE[which]] = "450 4.2.0 later"

    async def _take(self, which: int) -> None:
        self.relay.say.pop(("rcpt", PEOPLE[which]), None)

    async def _plan(self, _which: int) -> None:
        while await self.broadcasts.plan_page():
            continue
        await self.broadcasts.finish()

    async def _send(self, _which: int) -> None:
        for lane in Lane:
            await self.office.send(lane)

    async def _die(self, which: int) -> None:
        await self.ledger.claim(Lane.BULK, limit=which + 1, now=self.clock.now())

    async def _restart(self, _which: int) -> None:
        await self.office.lanes[Lane.BULK].pool.close()
        self.office.lanes[Lane.BULK] = LaneWork(
            Lane.BULK,
            ledger=self.ledger,
            letters=Letters(self.ledger, imprint=IMPRINT),
            pool=Pool(Smtp(port=self.relay.port), size=2, domain="mail.example.org"),
            traffic=self.office.traffic,
            clock=self.clock,
        )

    async def _pass(self, which: int) -> None:
        self.clock.move(minutes=PASSES[which])
        await self.ledger.recover(self.clock.now())
        await self.guidance.expire()

    async def _wish(self, realm: Realm, which: int) -> None:
        """A round asks everybody, whoever they are, and reminds them."""
        kind = Kind.REMINDER if which % 2 else Kind.CHECKIN
        for address in PEOPLE:
            key = f"{realm} {kind} {which}"
            await self.wishes.on_letter_requested(
                LetterRequested(
                    happened_at=self.clock.now(),
                    realm=realm,
                    letter_id=uuid5(EXERCISE, key),
                    recipient_id=uuid5(EXERCISE, f"{key} {address}"),
                    kind=kind,
                    address=address,
                    locale="fi",
                    not_after=STORM_EVENING + timedelta(hours=12),
                    shared={"situation.fi": "Myrsky", "number": "1", "last": ""},
                    personal={"association": "Hattulan Martat", "link": f"{IMPRINT.public_url}/c/1"},
                )
            )

    async def _approve(self, realm: Realm, which: int, word: str) -> None:
        found = sorted(await self.guidance.newest(realm), key=lambda one: one.guidance_id)
        one = found[which % len(found)]
        await self.guidance.approve(realm, one.guidance_id, by=APPROVER, word=word, edition=one.edition)

    async def _follow(self, realm: Realm, which: int, word: str) -> None:
        change = Change.CANCEL if which > 1 else Change.UPDATE
        found = sorted(await self.guidance.newest(realm), key=lambda one: one.guidance_id)
        one = found[which % len(found)]
        if one.state.correctable:
            await self.guidance.correct(one, change, one.draft, by=EDITOR, edition=one.edition)
            waiting = await self.guidance.unreleased(realm, one.guidance_id)
            if waiting is not None:
                edition = waiting.edition
                await self.guidance.approve(realm, one.guidance_id, by=APPROVER, word=word, edition=edition)

    async def look(self) -> None:
        """Whatever the relay got since the last look is marked, and for one of the roster; no letter came twice; and
        the ledger names nobody else for what an exercise says."""
        for letter in self.relay.taken[len(self._ids) :]:
            self._ids.append(self._look_at(letter))
        if len(set(self._ids)) != len(self._ids):
            raise LeakError("a letter came twice")
        async with self.database.read() as session:
            self._meant |= set((await session.execute(select(col(RosterRow.recipient_id)))).scalars())
        if {row.recipient_id for row in await self._written(REALM, Kind.GUIDANCE, Kind.INJECT)} - self._meant:
            raise LeakError("the ledger holds a letter of the exercise for somebody else")

    def _look_at(self, letter: Taken) -> str:
        message = _read(letter)
        body = message.get_body(("plain",))
        text = str(body.get_content()) if body else ""
        subject, first = message["Subject"].startswith(MARK), text.startswith(FIRST_LINES)
        marks = {message["X-Valmius-Realm"] == REALM, subject, first}
        if len(marks) > 1:
            raise LeakError("a letter of the exercise lacks a mark")
        if False in marks and any(word in text + message["Subject"] for word in ("Harjoitus", "HARJOITUS")):
            raise LeakError("a real letter tells of the exercise")
        tells_of_end = self._over and message["Message-ID"].startswith(f"<{ENDING}.")
        if True in marks and letter.recipient not in (self.took_part if tells_of_end else self.on_roster):
            raise LeakError(f"the exercise reached {letter.recipient}{' after its end' if self._over else ''}")
        return str(message["Message-ID"])

    async def _written(self, realm: Realm, *kinds: Kind) -> list[DeliveryRow]:
        same = (col(LetterRow.realm) == col(DeliveryRow.realm)) & (
            col(LetterRow.letter_id) == col(DeliveryRow.letter_id)
        )
        rows = select(DeliveryRow).join(LetterRow, same).where(col(DeliveryRow.realm) == realm)
        async with self.database.read() as session:
            return list((await session.execute(rows.where(col(LetterRow.kind).in_(kinds)))).scalars())

    async def real(self) -> Real:
        """All that an exercise must not touch."""
        letters = [
            (letter.recipient, letter.message)
            for letter in self.relay.taken
            if b"X-Valmius-Realm" not in letter.message
        ]
        rows = await self._written(LIVE, *Kind)
        deliveries = [
            (row.letter_id, row.recipient_id, row.state, row.reason, row.attempts, row.ambiguous, row.due_at)
            for row in rows
        ]
        return Real(tuple(sorted(letters)), tuple(sorted(deliveries)))


def _read(letter: Taken) -> EmailMessage:
    message = message_from_bytes(letter.message, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message

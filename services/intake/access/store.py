"""Access store: people, sign-in links, sessions. What the staff do is written to the audit with it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, LargeBinary, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.access.model import (
    LINK_VALID,
    SESSION_VALID,
    START_PAGE,
    OpenSession,
    PersonEntry,
    SignedIn,
    email_key,
    limits_less,
)
from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.schema import IntakeTable
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import SessionEnded
from shared.events.notify import UrgentLetterRequested
from shared.identity import Role
from shared.ids import digest, new_id, new_token
from shared.outbox import announce
from shared.plumbing import EndedSession
from shared.realm import LIVE

LINKS_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=30)


class Person(IntakeTable, table=True):
    """A member of the staff."""

    __tablename__ = "person"

    id: UUID = Field(primary_key=True)
    name: str
    email: str
    email_key: str = Field(unique=True)
    roles: list[str] = Field(sa_type=JSON)
    municipalities: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    language: str
    retired: bool = False


class SignInLink(IntakeTable, table=True):
    """A link that signs in once. Bound to the browser that asked for it, unless the operator made it."""

    __tablename__ = "sign_in"

    id: UUID = Field(primary_key=True)
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    person_id: UUID | None
    browser_hash: bytes | None = Field(default=None, sa_type=LargeBinary)
    next_path: str
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SessionRow(IntakeTable, table=True):
    """A session of a signed-in person, and in which family of browsers it began. Where from is not kept."""

    __tablename__ = "session"

    session_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(index=True)
    signed_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    browser: str = ""
    valid_until: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AccessStore:
    """People, and how they come in and go out."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url

    async def add_person(self, entry: PersonEntry, *, by: UUID | None = None) -> UUID:
        """Add the person, or change the one with this address; the id. Sessions with other rights than now end."""
        async with self._database.write() as session:
            present = await by_email(session, entry.email)
            if present is None:
                return await insert_person(session, entry, by=by, now=self._clock.now())
            await change_person(session, present, entry, by=by, now=self._clock.now())
            return present.id

    async def person(self, person_id: UUID) -> PersonEntry | None:
        """The person of that id, as an administrator told it."""
        async with self._database.read() as session:
            person = await session.get(Person, person_id)
        return entry_of(person) if person else None

    async def speak(self, person_id: UUID, language: str) -> None:
        """Write to this person in another language from now on, as the person wishes."""
        async with self._database.write() as session:
            person = await session.get(Person, person_id)
            if person is not None:
                after = replace(entry_of(person), language=language)
                await change_person(session, person, after, by=person_id, now=self._clock.now())

    async def ask_link(self, email: str, *, browser: str, next_path: str = START_PAGE) -> None:
        """Have a link sent to this address if it is a person's. What happens is as much work if it is not:
        how long the answer takes must not tell who works here."""
        async with self._database.write() as session:
            person = await by_email(session, email)
            known = person if person and not person.retired else None
            expires_at = self._clock.now() + LINK_VALID
            link_id, token = await _insert_link(
                session, known, browser=browser, next_path=next_path, expires_at=expires_at
            )
            letter = session.begin_nested()
            async with letter:
                await announce(session, [self._letter(known or NOBODY, link_id, token, expires_at)])
                if known is None:
                    await letter.rollback()

    async def operator_link(self, email: str, valid_for: timedelta) -> str:
        """A link for this person that works in any browser, for whoever sits at the command line.

        Raises LookupError if nobody has the address.
        """
        async with self._database.write() as session:
            person = await by_email(session, email)
            if person is None or person.retired:
                raise LookupError("nobody of the staff has this address")
            expires_at = self._clock.now() + valid_for
            _, token = await _insert_link(session, person, browser=None, next_path=START_PAGE, expires_at=expires_at)
            await record(session, Deed(self._clock.now(), Act.LINK_MADE, None, str(person.id)))
        return self._link(token)

    async def sign_in(self, token: str, *, browser: str, family: str = "") -> SignedIn | None:
        """Use the link: once, in time, in the browser that asked. None in every other case, without a reason.

        `family` is the kind of browser, by which the person will know the session again.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            used = await session.execute(_use(token, browser, now))
            found = used.one_or_none()
            person = await session.get(Person, found.person_id) if found and found.person_id else None
            if found is None or person is None or person.retired:
                return None
            entry = entry_of(person)
            session_id, valid_until = new_id(), now + SESSION_VALID
            values = {"session_id": session_id, "person_id": person.id, "valid_until": valid_until}
            await session.execute(insert(SessionRow), {**values, "signed_in_at": now, "browser": family})
            await record(session, Deed(now, Act.SIGNED_IN, person.id, str(session_id)))
        return SignedIn(
            session_id, person.id, entry.roles, entry.municipalities, entry.networks, valid_until, found.next_path
        )

    async def sign_out(self, session_id: UUID, *, person_id: UUID) -> None:
        """End the session; doing it again changes nothing."""
        now = self._clock.now()
        async with self._database.write() as session:
            if await end_sessions(session, now, col(SessionRow.session_id) == session_id):
                await record(session, Deed(now, Act.SIGNED_OUT, person_id, str(session_id)))

    async def sessions_of(self, person_id: UUID) -> list[OpenSession]:
        """The person's sessions that still hold, the newest first."""
        open_ones = (
            select(SessionRow)
            .where(
                col(SessionRow.person_id) == person_id,
                col(SessionRow.ended_at).is_(None),
                col(SessionRow.valid_until) > self._clock.now(),
            )
            .order_by(col(SessionRow.valid_until).desc(), col(SessionRow.session_id).desc())
        )
        async with self._database.read() as session:
            rows = (await session.execute(open_ones)).scalars()
            return [OpenSession(row.session_id, row.signed_in_at, row.valid_until, row.browser) for row in rows]

    async def end_sessions(
        self, person_id: UUID, *, by: UUID, only: UUID | None = None, but: UUID | None = None
    ) -> int:
        """End the person's sessions: all, `only` one of them, or all `but` one; how many ended now.

        This service honours them no longer from here on, the others from when they hear of it.
        """
        now = self._clock.now()
        which = [col(SessionRow.person_id) == person_id]
        if only is not None:
            which.append(col(SessionRow.session_id) == only)
        if but is not None:
            which.append(col(SessionRow.session_id) != but)
        async with self._database.write() as session:
            ended = await end_sessions(session, now, and_(*which))
            if ended:
                await record(session, Deed(now, Act.SESSIONS_ENDED, by, str(person_id), {"sessions": ended}))
        return ended

    async def forget_old(self) -> None:
        """Forget links a day, and sessions a month, after their end."""
        now = self._clock.now()
        async with self._database.write() as session:
            await session.execute(delete(SignInLink).where(col(SignInLink.expires_at) < now - LINKS_KEPT))
            await session.execute(delete(SessionRow).where(col(SessionRow.valid_until) < now - SESSIONS_KEPT))

    def _letter(self, person: Person, link_id: UUID, token: str, expires_at: datetime) -> UrgentLetterRequested:
        return UrgentLetterRequested(
            happened_at=self._clock.now(),
            realm=LIVE,
            letter_id=link_id,
            recipient_id=person.id,
            kind="sign_in",
            address=person.email,
            locale=person.language,
            not_after=expires_at,
            personal={"link": self._link(token), "name": person.name},
        )

    def _link(self, token: str) -> str:
        return f"{self._public_url}/sign-in/{token}"


async def by_email(session: AsyncSession, email: str) -> Person | None:
    """The person with this address, however it is spelled."""
    found = await session.execute(select(Person).where(col(Person.email_key) == email_key(email)))
    return found.scalar_one_or_none()


async def _insert_link(
    session: AsyncSession, person: Person | None, *, browser: str | None, next_path: str, expires_at: datetime
) -> tuple[UUID, str]:
    link_id, token = new_id(), new_token()
    values = {
        "id": link_id,
        "token_hash": digest(token),
        "person_id": person.id if person else None,
        "browser_hash": digest(browser) if browser else None,
        "next_path": next_path,
        "expires_at": expires_at,
    }
    await session.execute(insert(SignInLink), values)
    return link_id, token


def _use(token: str, browser: str, now: datetime) -> Any:
    """Claims the link: the one statement decides, so that two browsers at once cannot both come in."""
    here = or_(col(SignInLink.browser_hash).is_(None), col(SignInLink.browser_hash) == digest(browser))
    return (
        update(SignInLink)
        .where(
            col(SignInLink.token_hash) == digest(token),
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > now,
            here,
        )
        .values(used_at=now)
        .returning(col(SignInLink.person_id), col(SignInLink.next_path))
    )


async def insert_person(session: AsyncSession, entry: PersonEntry, *, by: UUID | None, now: datetime) -> UUID:
    """Add somebody whose address nobody has yet; the id."""
    person_id = new_id()
    await session.execute(insert(Person), {"id": person_id, **_values(entry)})
    await record(session, Deed(now, Act.PERSON_ADDED, by, str(person_id), _rights(entry)))
    return person_id


async def change_person(
    session: AsyncSession, present: Person, entry: PersonEntry, *, by: UUID | None, now: datetime
) -> None:
    """Change the person if there is anything to change. Sessions that hold other rights than now end."""
    before = entry_of(present)
    if before == entry:
        return
    await session.execute(update(Person).where(col(Person.id) == present.id).values(**_values(entry)))
    if limits_less(before, entry):
        await end_sessions(session, now, col(SessionRow.person_id) == present.id)
    await record(session, Deed(now, Act.PERSON_CHANGED, by, str(present.id), _rights(entry)))


async def end_sessions(session: AsyncSession, now: datetime, which: ColumnElement[bool]) -> int:
    """End these sessions: here in this transaction, in the other services when they hear of it. How many ended."""
    ending = (
        update(SessionRow)
        .where(which, col(SessionRow.ended_at).is_(None), col(SessionRow.valid_until) > now)
        .values(ended_at=now)
        .returning(col(SessionRow.session_id), col(SessionRow.valid_until))
    )
    ended = [{"session_id": id_, "valid_until": until} for id_, until in (await session.execute(ending)).all()]
    if not ended:
        return 0
    dialect = (await session.connection()).dialect.name
    await session.execute(insert_into(dialect, EndedSession).on_conflict_do_nothing(), ended)
    await announce(session, [SessionEnded(happened_at=now, realm=LIVE, **one) for one in ended])
    return len(ended)


def entry_of(person: Person) -> PersonEntry:
    """The row as an administrator told it."""
    return PersonEntry(
        name=person.name,
        email=person.email,
        roles=frozenset(Role(role) for role in person.roles),
        municipalities=frozenset(person.municipalities),
        language=person.language,
        retired=person.retired,
        networks=frozenset(person.networks),
    )


def _values(entry: PersonEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "email": entry.email.strip(),
        "email_key": email_key(entry.email),
        "roles": sorted(entry.roles),
        "municipalities": sorted(entry.municipalities),
        "networks": sorted(entry.networks),
        "language": entry.language,
        "retired": entry.retired,
    }


def _rights(entry: PersonEntry) -> dict[str, str | int]:
    """What the audit keeps of a change: rights, never names or addresses."""
    return {
        "roles": " ".join(sorted(entry.roles)),
        "municipalities": " ".join(sorted(entry.municipalities)),
        "networks": " ".join(sorted(entry.networks)),
        "retired": int(entry.retired),
    }


NOBODY = Person(
    id=UUID(int=0),
    name="",
    email="nobody@invalid",
    email_key="",
    roles=[],
    municipalities=[],
    networks=[],
    language="fi",
)
"""Whose letter is written, and undone, for an address that nobody has."""

"""Access store: people, sign-in links, sessions. What the staff do is written to the audit with it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.access.model import (
    LINK_VALID,
    SESSION_VALID,
    START_PAGE,
    PersonEntry,
    SignedIn,
    email_key,
    limits_less,
)
from services.intake.audit.model import Act, Deed
from services.intake.audit.store import record
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.events import Event
from shared.events.intake import SessionEnded
from shared.events.notify import UrgentLetterRequested
from shared.identity import Role
from shared.ids import digest, new_id, new_token
from shared.outbox import announce
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
    """A session of a signed-in person."""

    __tablename__ = "session"

    session_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(index=True)
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
            present = await _by_email(session, entry.email)
            if present is None:
                return await self._insert_person(session, entry, by=by)
            await self._change_person(session, present, entry, by=by)
            return present.id

    async def ask_link(self, email: str, *, browser: str, next_path: str = START_PAGE) -> None:
        """Have a link sent to this address if it is a person's. What happens is as much work if it is not:
        how long the answer takes must not tell who works here."""
        async with self._database.write() as session:
            person = await _by_email(session, email)
            known = person if person and not person.retired else None
            expires_at = self._clock.now() + LINK_VALID
            link_id, token = await _insert_link(
                session, known, browser=browser, next_path=next_path, expires_at=expires_at
            )
            if known:
                await announce(session, [self._letter(known, link_id, token, expires_at)])

    async def operator_link(self, email: str, valid_for: timedelta) -> str:
        """A link for this person that works in any browser, for whoever sits at the command line.

        Raises LookupError if nobody has the address.
        """
        async with self._database.write() as session:
            person = await _by_email(session, email)
            if person is None or person.retired:
                raise LookupError("nobody of the staff has this address")
            expires_at = self._clock.now() + valid_for
            _, token = await _insert_link(session, person, browser=None, next_path=START_PAGE, expires_at=expires_at)
            await record(session, Deed(self._clock.now(), Act.LINK_MADE, None, str(person.id)))
        return self._link(token)

    async def sign_in(self, token: str, *, browser: str) -> SignedIn | None:
        """Use the link: once, in time, in the browser that asked. None in every other case, without a reason."""
        now = self._clock.now()
        async with self._database.write() as session:
            used = await session.execute(_use(token, browser, now))
            found = used.one_or_none()
            person = await session.get(Person, found.person_id) if found and found.person_id else None
            if found is None or person is None or person.retired:
                return None
            entry = _entry_of(person)
            session_id, valid_until = new_id(), now + SESSION_VALID
            values = {"session_id": session_id, "person_id": person.id, "valid_until": valid_until}
            await session.execute(insert(SessionRow), values)
            await record(session, Deed(now, Act.SIGNED_IN, person.id, str(session_id)))
        return SignedIn(session_id, person.id, entry.roles, entry.municipalities, valid_until, found.next_path)

    async def sign_out(self, session_id: UUID, *, person_id: UUID) -> None:
        """End the session; doing it again changes nothing."""
        now = self._clock.now()
        async with self._database.write() as session:
            ended = await _end_sessions(session, now, col(SessionRow.session_id) == session_id)
            if ended:
                await announce(session, ended)
                await record(session, Deed(now, Act.SIGNED_OUT, person_id, str(session_id)))

    async def forget_old(self) -> None:
        """Forget links a day, and sessions a month, after their end."""
        now = self._clock.now()
        async with self._database.write() as session:
            await session.execute(delete(SignInLink).where(col(SignInLink.expires_at) < now - LINKS_KEPT))
            await session.execute(delete(SessionRow).where(col(SessionRow.valid_until) < now - SESSIONS_KEPT))

    async def _insert_person(self, session: AsyncSession, entry: PersonEntry, *, by: UUID | None) -> UUID:
        person_id = new_id()
        await session.execute(insert(Person), {"id": person_id, **_values(entry)})
        await record(session, Deed(self._clock.now(), Act.PERSON_ADDED, by, str(person_id), _rights(entry)))
        return person_id

    async def _change_person(
        self, session: AsyncSession, present: Person, entry: PersonEntry, *, by: UUID | None
    ) -> None:
        before = _entry_of(present)
        if before == entry:
            return
        now = self._clock.now()
        await session.execute(update(Person).where(col(Person.id) == present.id).values(**_values(entry)))
        if limits_less(before, entry):
            await announce(session, await _end_sessions(session, now, col(SessionRow.person_id) == present.id))
        await record(session, Deed(now, Act.PERSON_CHANGED, by, str(present.id), _rights(entry)))

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


async def _by_email(session: AsyncSession, email: str) -> Person | None:
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


async def _end_sessions(session: AsyncSession, now: datetime, which: Any) -> Sequence[Event]:
    ending = (
        update(SessionRow)
        .where(which, col(SessionRow.ended_at).is_(None), col(SessionRow.valid_until) > now)
        .values(ended_at=now)
        .returning(col(SessionRow.session_id), col(SessionRow.valid_until))
    )
    return [
        SessionEnded(happened_at=now, realm=LIVE, session_id=session_id, valid_until=valid_until)
        for session_id, valid_until in (await session.execute(ending)).all()
    ]


def _entry_of(person: Person) -> PersonEntry:
    return PersonEntry(
        name=person.name,
        email=person.email,
        roles=frozenset(Role(role) for role in person.roles),
        municipalities=frozenset(person.municipalities),
        language=person.language,
        retired=person.retired,
    )


def _values(entry: PersonEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "email": entry.email.strip(),
        "email_key": email_key(entry.email),
        "roles": sorted(entry.roles),
        "municipalities": sorted(entry.municipalities),
        "language": entry.language,
        "retired": entry.retired,
    }


def _rights(entry: PersonEntry) -> dict[str, str | int]:
    """What the audit keeps of a change: rights, never names or addresses."""
    places = " ".join(sorted(entry.municipalities))
    return {"roles": " ".join(sorted(entry.roles)), "municipalities": places, "retired": int(entry.retired)}

"""Identity: who is signed in, with which roles, and since when not any more."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote
from uuid import UUID

from fastapi import Request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import delete
from sqlmodel import col
from starlette.responses import Response

from shared.clock import Clock
from shared.db import Database, insert_into
from shared.plumbing import EndedSession


class Role(StrEnum):
    """What a person of the staff may do."""

    VIEWER = "viewer"
    LIAISON = "liaison"
    CLERK = "clerk"
    EDITOR = "editor"
    APPROVER = "approver"
    EXERCISE_LEADER = "exercise_leader"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Sight:
    """What somebody may see: what is in one of these municipalities or networks; both empty means everything."""

    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()

    @property
    def limited(self) -> bool:
        """True if not everything may be seen."""
        return bool(self.municipalities or self.networks)

    def sees(self, municipality: str, networks: Iterable[str] = ()) -> bool:
        """True if what is in this municipality and these networks may be seen: one of them is enough."""
        return not self.limited or municipality in self.municipalities or not self.networks.isdisjoint(networks)


@dataclass(frozen=True)
class Staff:
    """A signed-in person. `municipalities` and `networks` limit what may be seen; both empty means everywhere."""

    session_id: UUID
    person_id: UUID
    roles: frozenset[Role]
    valid_until: datetime
    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()

    @property
    def sight(self) -> Sight:
        """What this person may see."""
        return Sight(self.municipalities, self.networks)

    @property
    def limited(self) -> bool:
        """True if not everything may be seen."""
        return self.sight.limited

    def sees(self, municipality: str, networks: Iterable[str] = ()) -> bool:
        """True if what is in this municipality and these networks may be seen."""
        return self.sight.sees(municipality, networks)

    def may(self, *roles: Role) -> bool:
        """True if one of these roles is held."""
        return not self.roles.isdisjoint(roles)


Within = Sight | None
"""Whose associations may be seen by name; None: all."""


def names_within(staff: Staff) -> Within:
    """Which associations this person may see by name."""
    return staff.sight if staff.sight.limited else None


class NotSignedInError(Exception):
    """Nobody is signed in. `next_path` is where to go on afterwards."""

    def __init__(self, next_path: str) -> None:
        super().__init__("not signed in")
        self.next_path = next_path

    @property
    def sign_in_url(self) -> str:
        """The sign-in page, which leads back."""
        return f"/sign-in?next={quote(self.next_path)}"


class NotAllowedError(Exception):
    """Somebody is signed in, without the role for this page."""


class Sessions:
    """Session cookies: signed by the installation's secret, so that each service can read them by itself, and ended
    by the event SessionEnded, which every service remembers until the session would have ended anyway."""

    def __init__(self, secret: str, *, database: Database, clock: Clock, secure: bool) -> None:
        self._signer = URLSafeSerializer(secret, salt="valmius session")
        self._database = database
        self._clock = clock
        self._secure = secure

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix binds it to this very host where https is served."""
        return "__Host-valmius" if self._secure else "valmius"

    def sign_in(self, response: Response, staff: Staff) -> None:
        """Give the browser its session."""
        value = self._signer.dumps(
            {
                "s": str(staff.session_id),
                "p": str(staff.person_id),
                "r": sorted(staff.roles),
                "m": sorted(staff.municipalities),
                "n": sorted(staff.networks),
                "u": staff.valid_until.isoformat(),
            }
        )
        response.set_cookie(self.cookie, str(value), path="/", secure=self._secure, httponly=True, samesite="lax")

    def sign_out(self, response: Response) -> None:
        """Take the session from the browser. End it by SessionEnded as well: a copy may exist."""
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax")

    async def who(self, request: Request) -> Staff | None:
        """The person whose valid session the request carries, or None."""
        staff = self._read(request.cookies.get(self.cookie, ""))
        if staff is None or staff.valid_until <= self._clock.now():
            return None
        async with self._database.read() as session:
            ended = await session.get(EndedSession, staff.session_id)
        return None if ended else staff

    async def end(self, session_id: UUID, valid_until: datetime) -> None:
        """Honour this session no longer; forget what would have ended by itself."""
        async with self._database.write() as session:
            statement = insert_into(self._database.dialect, EndedSession).on_conflict_do_nothing()
            await session.execute(statement, {"session_id": session_id, "valid_until": valid_until})
            await session.execute(delete(EndedSession).where(col(EndedSession.valid_until) < self._clock.now()))

    def _read(self, cookie: str) -> Staff | None:
        try:
            data = self._signer.loads(cookie)
            return Staff(
                session_id=UUID(data["s"]),
                person_id=UUID(data["p"]),
                roles=frozenset(Role(role) for role in data["r"]),
                municipalities=frozenset(data["m"]),
                networks=frozenset(data.get("n", ())),
                valid_until=datetime.fromisoformat(data["u"]),
            )
        except (BadSignature, KeyError, TypeError, ValueError):
            return None


def requires(*roles: Role, everywhere: bool = False) -> Callable[[Request], Awaitable[Staff]]:
    """A FastAPI dependency: the signed-in person, who must hold one of these roles (none named: any staff).

    `everywhere` asks besides that no limit to municipalities or networks is set: for what concerns all of them.
    Raises NotSignedInError (the frame leads to sign-in) or NotAllowedError (403).
    """

    async def staff_of(request: Request) -> Staff:
        sessions: Sessions = request.app.state.sessions
        staff = await sessions.who(request)
        if staff is None:
            wanted = request.url.path if request.method == "GET" else "/"
            raise NotSignedInError(wanted)
        if (roles and not staff.may(*roles)) or (everywhere and staff.sight.limited):
            raise NotAllowedError
        request.state.staff = staff
        return staff

    staff_of.required_roles = roles  # type: ignore[attr-defined]  # read by the test that walks all routes
    return staff_of

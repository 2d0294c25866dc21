"""Who appears in the tests of status: some associations, those who sign in, and a situation made in one line."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from services.status.app import make_app
from services.status.association.model import Filter
from services.status.situation.model import (
    ALL_MUNICIPALITIES,
    ALL_SECTORS,
    Names,
    Opened,
    Round,
    Situation,
    SituationDraft,
    open_situation,
)
from shared.clock import Clock
from shared.events.intake import (
    Amount,
    AssociationChanged,
    AssociationNotReached,
    Channel,
    CheckInReceived,
    OperatingStatus,
)
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.settings import Settings
from tests.fakes import STORM_EVENING

NAMESPACE = UUID("0198c300-0000-7000-8000-000000000000")
LIAISON = UUID("0198c301-0000-7000-8000-000000000000")
TAMMELA, LOPPI, FORSSA, HATTULA = "834", "433", "061", "082"
BASE_URL = "http://127.0.0.1:8000"


def association_id(name: str) -> UUID:
    """The id of the association with this name."""
    return uuid5(NAMESPACE, name)


def association(
    name: str,
    municipality: str = TAMMELA,
    sector: str = "village",
    *,
    version: int = 1,
    networks: tuple[str, ...] = (),
    capabilities: tuple[str, ...] = (),
    retired: bool = False,
    merged_into: str = "",
) -> AssociationChanged:
    """The registry tells of an association."""
    return AssociationChanged(
        happened_at=STORM_EVENING,
        realm=LIVE,
        association_id=association_id(name),
        version=version,
        name=name,
        municipality=municipality,
        sector=sector,
        networks=networks,
        capabilities=capabilities,
        retired=retired,
        merged_into=association_id(merged_into) if merged_into else None,
    )


def storm(*, realm: Realm = LIVE, hours: int = 12, now: datetime = STORM_EVENING, names: Names | None = None) -> Opened:
    """A storm over the whole region."""
    outcome = open_situation(
        SituationDraft(
            names or Names("Marrasmyrsky", "Novemberstormen", "November storm"),
            "storm",
            ALL_MUNICIPALITIES,
            hours,
        ),
        situation_id=new_id(),
        realm=realm,
        opened_by=LIAISON,
        now=now,
    )
    assert isinstance(outcome, Opened)
    return outcome


def round_of(
    of: Situation,
    *,
    municipalities: Iterable[str] = ALL_MUNICIPALITIES,
    sectors: Iterable[str] = ALL_SECTORS,
    now: datetime = STORM_EVENING,
    hours: int = 24,
) -> Round:
    """A round to these, of everybody unless said otherwise."""
    return Round(
        realm=of.realm,
        id=new_id(),
        situation_id=of.id,
        asks=Filter(tuple(municipalities), tuple(sectors)),
        opened_at=now,
        closes_at=now + timedelta(hours=hours),
        opened_by=LIAISON,
    )


def checkin(
    name: str,
    round_: Round,
    status: OperatingStatus = OperatingStatus.NORMAL,
    *,
    after: float = 0,
    until: datetime | None = None,
    offers: Mapping[str, int | None] | None = None,
    needs: Mapping[str, int | None] | None = None,
) -> CheckInReceived:
    """The association reports, so many minutes after the storm evening began."""
    at = STORM_EVENING + timedelta(minutes=after)
    return CheckInReceived(
        happened_at=at,
        realm=round_.realm,
        checkin_id=new_id(),
        association_id=association_id(name),
        situation_id=round_.situation_id,
        round_id=round_.id,
        status=status,
        reported_at=at,
        channel=Channel.LINK,
        until=until,
        offers=_amounts(offers),
        needs=_amounts(needs),
    )


def _amounts(told: Mapping[str, int | None] | None) -> tuple[Amount, ...]:
    return tuple(Amount(capability=capability, amount=amount) for capability, amount in (told or {}).items())


def not_reached_event(name: str, round_: Round) -> AssociationNotReached:
    """No letter of the round reached the association."""
    return AssociationNotReached(
        happened_at=STORM_EVENING,
        realm=round_.realm,
        association_id=association_id(name),
        situation_id=round_.situation_id,
        round_id=round_.id,
        reason="no address",
    )


@dataclass(frozen=True)
class Desk:
    """The running service, and a browser in which nobody is signed in yet."""

    app: FastAPI
    browser: AsyncClient

    def sign_in(
        self, *roles: Role, municipalities: frozenset[str] = frozenset(), networks: frozenset[str] = frozenset()
    ) -> None:
        """Sign in somebody with these roles and limits, for twelve hours."""
        self.browser.cookies.clear()
        cookie = session_cookie(self.app, *roles, municipalities=municipalities, networks=networks)
        self.browser.cookies.update(cookie)


def session_cookie(
    app: FastAPI,
    *roles: Role,
    hours: float = 12,
    municipalities: frozenset[str] = frozenset(),
    networks: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """The session cookie of somebody with these roles and limits."""
    sessions = app.state.sessions
    until = app.state.house.clock.now() + timedelta(hours=hours)
    response = Response()
    sessions.sign_in(response, Staff(new_id(), LIAISON, frozenset(roles), until, municipalities, networks))
    value = response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]
    return {sessions.cookie: value}


@asynccontextmanager
async def desk(settings: Settings, clock: Clock) -> AsyncIterator[Desk]:
    """The service as it runs, without a bus."""
    app = make_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url=BASE_URL) as browser,
    ):
        yield Desk(app, browser)

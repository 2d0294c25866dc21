"""API: the registry, the open rounds and check-ins for the systems of partners, each with a key of its own."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request, Response, Security
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from pydantic import StringConstraints

from services.intake.checkin.model import Answer, CheckIn, Refused, Said
from services.intake.checkin.store import CheckInRow, CheckInStore
from services.intake.partner.json_values import (
    AmountValue,
    AssociationPage,
    AssociationValue,
    CapabilityValue,
    CheckInValue,
    CheckInWish,
    Code,
    ContactValue,
    RoundList,
    RoundValue,
    Text,
)
from services.intake.partner.model import Partner, Scope, form_id
from services.intake.partner.store import Filter, PartnerStore, Told
from shared.clock import Clock
from shared.events.intake import Channel
from shared.problems import PROBLEM, Problem, ProblemError, Wrong, speak_problems
from shared.rate_limit import RateLimit
from shared.region import CAPABILITIES

BASE = "/api/v1"
PER_KEY = RateLimitItemPerMinute(300)
REFUSED_PER_CLIENT = RateLimitItemPerMinute(60)
PAGE = 100
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
Ask = Callable[..., Awaitable[Partner]]

ABOUT = f"""For the systems of partners. Every request carries a key: `Authorization: Bearer valmius_...`; an
administrator makes it on the page *Partners*, with scopes, with limits and for a time. A key may ask
{PER_KEY.amount} times a minute. What goes wrong is told as `{PROBLEM}` (RFC 9457)."""


def api(store: PartnerStore, checkins: CheckInStore, *, clock: Clock) -> FastAPI:
    """The application at BASE, with its own errors and its own document; it reads no cookie."""
    app = FastAPI(
        title="Valmius",
        version="1",
        description=ABOUT,
        servers=[{"url": BASE}],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        root_path_in_servers=False,
    )
    keys = Keys(store)
    app.state.keys = keys
    _add_registry(app, store, keys)
    _add_rounds(app, store, keys)
    _add_checkins(app, store, keys, Reporter(store, checkins, clock))
    speak_problems(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


class Keys:
    """Who asks: the key, its scopes, and how often it asks."""

    def __init__(self, store: PartnerStore) -> None:
        self._store = store
        self.pace = RateLimit(PER_KEY)
        self.refusals = RateLimit(REFUSED_PER_CLIENT)

    def wants(self, scope: Scope) -> Ask:
        """A dependency: the partner, whose key must have this scope."""
        bearer = HTTPBearer(auto_error=False, scheme_name="key", description="A partner's key")

        async def partner(
            request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
        ) -> Partner:
            found = await self._store.partner(given.credentials) if given else None
            if found is None:
                self.refusals.count(request.client.host if request.client else "-")
                headers = {"www-authenticate": "Bearer"}
                raise ProblemError(HTTPStatus.UNAUTHORIZED, "The key is missing, unknown or over.", headers=headers)
            self.pace.count(str(found.key_id))
            if scope not in found.scopes:
                raise ProblemError(HTTPStatus.FORBIDDEN, f"The key lacks the scope {scope}.")
            return found

        partner.required_scope = scope  # type: ignore[attr-defined]  # read by the test that walks all routes
        return partner


def _answers(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation can answer with, for the document."""
    usual = (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {"description": status.phrase, "content": {PROBLEM: {"schema": schema}}}
        for status in sorted({*usual, *statuses})
    }


def _add_registry(app: FastAPI, store: PartnerStore, keys: Keys) -> None:
    Reader = Annotated[Partner, Depends(keys.wants(Scope.REGISTRY_READ))]  # noqa: N806 - a type

    @app.get("/associations", operation_id="listAssociations", responses=_answers())
    async def associations(
        reader: Reader,
        q: Annotated[Text, Query(description="A part of the name")] = "",
        municipality: Annotated[Code | None, Query()] = None,
        sector: Annotated[Code | None, Query()] = None,
        network: Annotated[Code | None, Query()] = None,
        capability: Annotated[Code | None, Query()] = None,
        retired: Annotated[bool, Query(description="Also those that are retired")] = False,
        cursor: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE)] = PAGE,
    ) -> AssociationPage:
        """The associations that the key may see, page by page. Scope `registry:read`."""
        wanted = Filter(q, municipality or "", sector or "", network or "", capability or "", retired)
        contacts = Scope.CONTACTS_READ in reader.scopes
        found = await store.associations(reader.sight, wanted, after=cursor, limit=limit + 1, contacts=contacts)
        items = tuple(_association(told, contacts=contacts) for told in found[:limit])
        return AssociationPage(items=items, next=items[-1].id if len(found) > limit else None)

    @app.get("/associations/{association_id}", operation_id="getAssociation", responses=_answers(HTTPStatus.NOT_FOUND))
    async def association(reader: Reader, association_id: UUID) -> AssociationValue:
        """One association, retired or not. Scope `registry:read`."""
        contacts = Scope.CONTACTS_READ in reader.scopes
        told = await store.association(reader.sight, association_id, contacts=contacts)
        if told is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such association, or not for this key.")
        return _association(told, contacts=contacts)


def _add_rounds(app: FastAPI, store: PartnerStore, keys: Keys) -> None:
    @app.get(
        "/rounds",
        operation_id="listOpenRounds",
        responses=_answers(),
        dependencies=[Depends(keys.wants(Scope.REGISTRY_READ))],
    )
    async def rounds() -> RoundList:
        """The rounds that take answers now, those of exercises included. Scope `registry:read`."""
        return RoundList(
            items=tuple(
                RoundValue(
                    id=row.round_id,
                    situation_id=row.situation_id,
                    realm=row.realm,
                    names=row.names,
                    urgent=row.urgent,
                    closes_at=row.closes_at,
                )
                for row in await store.open_rounds()
            )
        )


def _add_checkins(app: FastAPI, store: PartnerStore, keys: Keys, reporter: "Reporter") -> None:
    Writer = Annotated[Partner, Depends(keys.wants(Scope.CHECKIN_WRITE))]  # noqa: N806 - a type

    @app.post(
        "/rounds/{round_id}/checkins",
        operation_id="checkIn",
        status_code=HTTPStatus.CREATED,
        responses={
            200: {"model": CheckInValue, "description": "It was recorded before, under the same Idempotency-Key"},
            **_answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
        },
    )
    async def check_in(
        writer: Writer,
        round_id: UUID,
        wish: CheckInWish,
        response: Response,
        idempotency_key: Annotated[IdempotencyKey, Header(description="Send the same again only for the same")],
    ) -> CheckInValue:
        """Tell how an association operates, on its behalf. What is sent again under the same `Idempotency-Key` is
        recorded once, even if somebody answered otherwise meanwhile. Scope `checkin:write`."""
        known = {capability.code for capability in CAPABILITIES}
        if any(amount.capability not in known for amount in (*wish.offers, *wish.needs)):
            wrong = Wrong(where="body.offers, body.needs", message="unknown capability")
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not as described.", errors=(wrong,))
        invitation = await store.invitation(writer.sight, round_id, wish.association_id)
        if invitation is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "The association was not asked in this round.")
        recorded, again = await reporter.report(
            wish, invitation, round_id=round_id, form=form_id(writer.key_id, idempotency_key), by=writer.key_id
        )
        response.status_code = HTTPStatus.OK if again else HTTPStatus.CREATED
        return recorded


class Reporter:
    """Brings an answer by the way of all answers, and each only once."""

    def __init__(self, store: PartnerStore, checkins: CheckInStore, clock: Clock) -> None:
        self._store = store
        self._checkins = checkins
        self._clock = clock

    async def report(
        self, wish: CheckInWish, invitation_id: UUID, *, round_id: UUID, form: UUID, by: UUID
    ) -> tuple[CheckInValue, bool]:
        """What is recorded, and whether it had been before. Raises ProblemError."""
        before = await self._store.recorded(wish.association_id, form)
        if before is not None:
            recorded = _recorded(before)
            if _said(recorded) != (round_id, _said_of(wish)):
                raise ProblemError(HTTPStatus.CONFLICT, "This Idempotency-Key was used for another answer.")
            return recorded, True
        said = _said_of(wish)
        outcome = await self._checkins.put(
            Answer(
                door=invitation_id, form_id=form, said=said, at=self._clock.now(), channel=Channel.API, entered_by=by
            )
        )
        if isinstance(outcome, Refused):
            raise ProblemError(HTTPStatus.CONFLICT, "The round takes no more answers.")
        value = _value(outcome.checkin, wish.association_id, round_id, outcome.invited.asked.realm.id)
        return value, False


def _said_of(wish: CheckInWish) -> Said:
    return Said(
        status=wish.status,
        until=wish.until,
        note=wish.note,
        offers=tuple(amount.told() for amount in wish.offers),
        needs=tuple(amount.told() for amount in wish.needs),
        plan=wish.plan,
    )


def _said(value: CheckInValue) -> tuple[UUID, Said]:
    """In which round what was said, to be compared with what is said now."""
    offers, needs = (tuple(amount.told() for amount in amounts) for amounts in (value.offers, value.needs))
    said = Said(status=value.status, until=value.until, note=value.note, offers=offers, needs=needs, plan=value.plan)
    return value.round_id, said


def _recorded(row: CheckInRow) -> CheckInValue:
    return CheckInValue.model_validate(
        {
            **{name: getattr(row, name) for name in CheckInValue.model_fields},
            "offers": tuple(row.offers),
            "needs": tuple(row.needs),
        }
    )


def _value(checkin: CheckIn, association_id: UUID, round_id: UUID, realm: str) -> CheckInValue:
    said = checkin.said
    return CheckInValue(
        id=checkin.checkin_id,
        association_id=association_id,
        round_id=round_id,
        realm=realm,
        status=said.status,
        until=said.until,
        note=said.note,
        offers=tuple(AmountValue(**amount.model_dump()) for amount in said.offers),
        needs=tuple(AmountValue(**amount.model_dump()) for amount in said.needs),
        plan=said.plan,
        reported_at=checkin.reported_at,
        channel=checkin.channel,
    )


def _association(told: Told, *, contacts: bool) -> AssociationValue:
    row = told.association
    people = tuple(
        ContactValue(**{name: getattr(contact, name) for name in ContactValue.model_fields})
        for contact in told.contacts
    )
    return AssociationValue(
        id=row.id,
        version=row.version,
        register_number=row.register_number,
        name=row.name,
        municipality=row.municipality,
        sector=row.sector,
        language=row.language,
        networks=tuple(told.networks),
        capabilities=tuple(
            CapabilityValue(capability=able.capability, amount=able.amount, note=able.note)
            for able in told.capabilities
        ),
        plan=row.plan,
        plan_year=row.plan_year,
        retired=row.retired,
        merged_into=row.merged_into,
        contacts=people if contacts else None,
    )


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, with the problems described."""
    told = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=app.servers,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    template = "#/components/schemas/{model}"
    problem = Problem.model_json_schema(ref_template=template)
    parts = problem.pop("$defs", {})
    told["components"]["schemas"] |= {**parts, "Problem": problem}
    return told

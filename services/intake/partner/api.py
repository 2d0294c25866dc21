"""API: the registry, the open rounds and check-ins for the systems of partners, each with a key of its own."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Response
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
from services.intake.partner.model import form_id
from services.intake.partner.store import Filter, PartnerStore, Told
from shared.clock import Clock
from shared.events.intake import Channel
from shared.partner_api import Keys, answers, partner_app
from shared.partner_keys import Partner, Scope
from shared.problems import ProblemError, Wrong
from shared.region import CAPABILITIES

BASE = "/api/v1"
PAGE = 100
IdempotencyKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


def api(store: PartnerStore, checkins: CheckInStore, *, clock: Clock) -> FastAPI:
    """The application at BASE, with its own errors and its own document; it reads no cookie."""
    app = partner_app("Valmius", BASE)
    keys = Keys(store.partner)
    app.state.keys = keys
    _add_registry(app, store, keys)
    _add_rounds(app, store, keys)
    _add_checkins(app, store, keys, Reporter(store, checkins, clock))
    return app


def _add_registry(app: FastAPI, store: PartnerStore, keys: Keys) -> None:
    Reader = Annotated[Partner, Depends(keys.wants(Scope.REGISTRY_READ))]  # noqa: N806 - a type

    @app.get("/associations", operation_id="listAssociations", responses=answers())
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

    @app.get("/associations/{association_id}", operation_id="getAssociation", responses=answers(HTTPStatus.NOT_FOUND))
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
        responses=answers(),
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
            **answers(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
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

"""Audit pages: what the staff did, newest first, whether all of it still stands as written, and a file of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from services.intake.audit.model import SENTENCES, Act, Deed, Link, Wanted, unchanged
from services.intake.audit.store import PAGE, AuditStore
from shared import region
from shared.clock import Clock
from shared.i18n import HELSINKI, N_, Gettext, Locale, texts
from shared.identity import Role, Staff, requires
from shared.spreadsheet import MARK, csv_line
from shared.web import ROLE_NAMES, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]
Names = Callable[[Collection[UUID]], Awaitable[dict[UUID, str]]]
"""The names of those who act and of what is acted on, as far as they have one."""
Choices = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Everybody who can have acted: id and name."""

OPERATOR = "operator"
SUBJECT_LIMIT = 200
DETAILS = {
    "roles": N_("roles"),
    "municipalities": N_("municipalities"),
    "networks": N_("networks"),
    "retired": N_("works here no more"),
    "new": N_("new"),
    "changed": N_("changed"),
    "sessions": N_("sessions"),
    "scopes": N_("may"),
    "expires": N_("valid until"),
    "rows": N_("rows"),
    "channel": N_("way"),
    "association": N_("association"),
    "round": N_("round"),
    "municipality": N_("municipality"),
    "count": N_("how many"),
    "outcome": N_("outcome"),
    "status": N_("status"),
    "reason": N_("reason"),
}


class AuditPages:
    """The pages of this topic."""

    def __init__(self, store: AuditStore, *, names: Names, actors: Choices, clock: Clock) -> None:
        self._store = store
        self._names = names
        self._actors = actors
        self._clock = clock

    def router(self) -> APIRouter:
        """`/audit`."""
        router = APIRouter(prefix="/audit")
        router.add_api_route("", self.show, methods=["GET"])
        router.add_api_route("/export", self.export, methods=["POST"])
        return router

    async def show(self, request: Request, _staff: Administrator) -> Response:
        """The newest rows that are wanted, or those before a number; and how the chain was found."""
        wanted = wanted_of(request)
        rows = await self._store.page(wanted, before=_before(request), size=PAGE + 1)
        shown, more = rows[:PAGE], len(rows) > PAGE
        _ = texts(request.state.locale)
        names = await self._names(_ids(shown))
        return pages_of(request).page(
            request,
            "audit.html",
            rows=[_row(link, names, request.state.locale) for link in shown],
            broken=first_wrong(shown, gaps=wanted.everything),
            checked=await self._store.checked(),
            asked=_asked(request),
            newest=f"/audit?{urlencode(_asked(request))}" if "before" in request.query_params else "",
            older=f"/audit?{urlencode({**_asked(request), 'before': shown[-1].number})}" if more else "",
            actors=[("", _("Everybody")), (OPERATOR, _("the operator")), *await self._actors()],
            acts=[("", _("All acts")), *((act.value, _(sentence)) for act, sentence in SENTENCES.items())],
            subject_limit=SUBJECT_LIMIT,
        )

    async def export(self, request: Request, staff: Administrator) -> Response:
        """All rows that are wanted, newest first, as CSV. That it was taken is written down first."""
        wanted = wanted_of(request)
        await self._store.write(Deed(self._clock.now(), Act.AUDIT_EXPORTED, staff.person_id, "audit"))
        name = f"audit-{self._clock.now().astimezone(HELSINKI).date().isoformat()}.csv"
        return StreamingResponse(
            self._lines(wanted, request.state.locale),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    async def _lines(self, wanted: Wanted, locale: Locale) -> AsyncIterator[bytes]:
        _ = texts(locale)
        heading = [_("Number"), _("When"), _("Who"), _("What"), _("About"), _("Details"), "SHA-256"]
        yield (MARK + csv_line(heading)).encode()
        async for batch in self._store.each(wanted):
            names = await self._names(_ids(batch))
            yield "".join(_exported(link, names, locale) for link in batch).encode()


def wanted_of(request: Request) -> Wanted:
    """What the address asks for; what cannot be read narrows nothing."""
    asked = _asked(request)
    actor, act = asked["actor"], asked["act"]
    since, until = _day(asked["since"]), _day(asked["until"])
    return Wanted(
        actor=_uuid(actor),
        operator=actor == OPERATOR,
        act=Act(act) if act in Act._value2member_map_ else None,
        subject=asked["subject"],
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


def first_wrong(rows: Sequence[Link], *, gaps: bool) -> int | None:
    """The lowest number among these rows, newest first, that is changed; with `gaps` also one that is missing."""
    wrong = None
    for newer, row in zip((None, *rows), rows, strict=False):
        if gaps and newer is not None and (newer.number != row.number + 1 or newer.previous != row.hash):
            wrong = row.number + 1
        if not unchanged(row):
            wrong = row.number
    return wrong


def _asked(request: Request) -> dict[str, str]:
    """The filter as it stands in the address."""
    names = ("actor", "act", "subject", "since", "until")
    return {name: request.query_params.get(name, "").replace("\0", "")[:SUBJECT_LIMIT] for name in names}


def _before(request: Request) -> int | None:
    text = request.query_params.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> datetime | None:
    """The beginning of that day in Finland."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), HELSINKI)
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _ids(rows: Sequence[Link]) -> set[UUID]:
    ids = {link.deed.actor for link in rows} | {_uuid(link.deed.subject) for link in rows}
    return {one for one in ids if one is not None}


def _row(link: Link, names: dict[UUID, str], locale: Locale) -> dict[str, object]:
    deed, _ = link.deed, texts(locale)
    subject = _uuid(deed.subject)
    return {
        "number": link.number,
        "at": deed.at,
        "actor": names.get(deed.actor, str(deed.actor)) if deed.actor else _("the operator"),
        "act": _(SENTENCES.get(deed.act, deed.act.value)),
        "subject": deed.subject,
        "subject_name": names.get(subject, str(subject)[-12:]) if subject else deed.subject,
        "details": _details(deed, locale),
    }


def _exported(link: Link, names: dict[UUID, str], locale: Locale) -> str:
    row = _row(link, names, locale)
    at = link.deed.at.astimezone(HELSINKI).isoformat(timespec="seconds")
    about = row["subject_name"] if _uuid(link.deed.subject) in names else link.deed.subject
    words = (str(word) for word in (row["actor"], row["act"], about, row["details"]))
    return csv_line([link.number, at, *words, link.hash.hex()])


def _details(deed: Deed, locale: Locale) -> str:
    """What else is known, in words; what is empty is left out."""
    _ = texts(locale)
    told = [(name, value) for name, value in deed.details.items() if value not in {"", 0}]
    return "; ".join(f"{_(DETAILS.get(name, name))}: {_value(name, value, locale, _)}" for name, value in told)


def _value(name: str, value: str | int, locale: Locale, _: Gettext) -> str:
    words = str(value).split()
    if name == "roles":
        return ", ".join(_(ROLE_NAMES[Role(word)]) if word in Role._value2member_map_ else word for word in words)
    if name in {"municipalities", "municipality"}:
        places = {place.code: place.name(locale) for place in region.MUNICIPALITIES}
        return ", ".join(places.get(word, word) for word in words)
    if name == "retired":
        return _("yes")
    return str(value)

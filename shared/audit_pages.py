"""Audit pages: what the staff did, newest first, whether all of it still stands as written, and a file of it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared import region
from shared.audit import Book, Deed, Link, Wanted, first_wrong
from shared.audit_rows import PAGE, AuditStore
from shared.clock import Clock
from shared.downloads import CSV, download
from shared.i18n import HELSINKI, N_, Gettext, Locale, texts
from shared.identity import Role, Staff, requires
from shared.spreadsheet import MARK, csv_line
from shared.web import ROLE_NAMES, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]
Names = Callable[[Collection[UUID]], Awaitable[dict[UUID, str]]]
"""The names of those who act and of what is acted on, as far as they have one."""
Choices = Callable[[], Awaitable[Sequence[tuple[str, str]]]]
"""Everybody who can have acted: id and name."""

EXPORTED = "audit_exported"
"""The act, which every service has, of taking the audit away as a file."""

OPERATOR = "operator"
SUBJECT_LIMIT = 200
BOOKS = (
    ("/audit", N_("Register, answers and rights")),
    ("/notify/audit", N_("Guidance, subscribers and channels")),
    ("/status/audit", N_("Pinned answers")),
)
"""The audits of the services, each with what it tells of."""


class AuditPages:
    """The pages of one audit."""

    def __init__(self, store: AuditStore, book: Book, *, names: Names, actors: Choices, clock: Clock) -> None:
        self._store = store
        self._book = book
        self._names = names
        self._actors = actors
        self._clock = clock

    def router(self) -> APIRouter:
        """What was done, and the file of it, below the path of this audit."""
        router = APIRouter(prefix=self._book.path)
        router.add_api_route("", self.show, methods=["GET"])
        router.add_api_route("/export", self.export, methods=["POST"])
        return router

    async def show(self, request: Request, _staff: Administrator) -> Response:
        """The newest rows that are wanted, or those before a number; and how the chain was found."""
        wanted = wanted_of(request, self._book)
        rows = await self._store.page(wanted, before=_before(request), size=PAGE + 1)
        shown, more = rows[:PAGE], len(rows) > PAGE
        _ = texts(request.state.locale)
        names = await self._names(_ids(shown))
        return pages_of(request).page(
            request,
            "audit.html",
            here=self._book.path,
            books=BOOKS,
            rows=[_row(link, names, self._book, request.state.locale) for link in shown],
            broken=first_wrong(shown, gaps=wanted.everything),
            checked=await self._store.checked(),
            asked=_asked(request),
            newest=self._address(_asked(request)) if "before" in request.query_params else "",
            older=self._address({**_asked(request), "before": str(shown[-1].number)}) if more else "",
            actors=[("", _("Everybody")), (OPERATOR, _("the operator")), *await self._actors()],
            acts=[("", _("All acts")), *((act, _(sentence)) for act, sentence in self._book.sentences.items())],
            subject_limit=SUBJECT_LIMIT,
        )

    async def export(self, request: Request, staff: Administrator) -> Response:
        """All rows that are wanted, newest first, as CSV. That it was taken is written down first."""
        wanted = wanted_of(request, self._book)
        await self._store.write(Deed(self._clock.now(), EXPORTED, staff.person_id, "audit"))
        day = self._clock.now().astimezone(HELSINKI).date().isoformat()
        return download(self._lines(wanted, request.state.locale), CSV, f"audit-{day}.csv")

    def _address(self, asked: Mapping[str, str]) -> str:
        return f"{self._book.path}?{urlencode(asked)}"

    async def _lines(self, wanted: Wanted, locale: Locale) -> AsyncIterator[bytes]:
        _ = texts(locale)
        heading = [_("Number"), _("When"), _("Who"), _("What"), _("About"), _("Details"), "SHA-256"]
        yield (MARK + csv_line(heading)).encode()
        async for batch in self._store.each(wanted):
            names = await self._names(_ids(batch))
            yield "".join(_exported(link, names, self._book, locale) for link in batch).encode()


def wanted_of(request: Request, book: Book) -> Wanted:
    """What the address asks for; what cannot be read narrows nothing."""
    asked = _asked(request)
    actor, act = asked["actor"], asked["act"]
    since, until = _day(asked["since"]), _day(asked["until"])
    return Wanted(
        actor=_uuid(actor),
        operator=actor == OPERATOR,
        act=act if act in book.sentences else None,
        subject=asked["subject"],
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


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


def _row(link: Link, names: Mapping[UUID, str], book: Book, locale: Locale) -> dict[str, object]:
    deed, _ = link.deed, texts(locale)
    subject = _uuid(deed.subject)
    return {
        "number": link.number,
        "at": deed.at,
        "actor": names.get(deed.actor, str(deed.actor)) if deed.actor else _("the operator"),
        "person": deed.actor if deed.actor and deed.actor not in names else None,
        "act": _(book.sentences.get(deed.act, deed.act)),
        "subject": deed.subject,
        "subject_name": names.get(subject, str(subject)[-12:]) if subject else deed.subject,
        "details": _details(deed, book, locale),
    }


def _exported(link: Link, names: Mapping[UUID, str], book: Book, locale: Locale) -> str:
    row = _row(link, names, book, locale)
    at = link.deed.at.astimezone(HELSINKI).isoformat(timespec="seconds")
    about = row["subject_name"] if _uuid(link.deed.subject) in names else link.deed.subject
    words = (str(word) for word in (row["actor"], row["act"], about, row["details"]))
    return csv_line([link.number, at, *words, link.hash.hex()])


def _details(deed: Deed, book: Book, locale: Locale) -> str:
    """What else is known, in words; what is empty is left out."""
    _ = texts(locale)
    told = [(name, value) for name, value in deed.details.items() if value not in {"", 0}]
    return "; ".join(f"{_(book.details.get(name, name))}: {_value(name, value, locale, _)}" for name, value in told)


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

"""Pages of the catcher: the list, one letter as its reader sees it, and the same as JSON for programs."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from services.catcher.store import PAGE, CaughtRow, Letters
from shared.i18n import N_
from shared.web import TroubleError, pages_of

READ_AT_ONCE = 500
LINK = re.compile(r"https?://[^\s<>\"')\]]+")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
LETTER_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; "
    "sandbox allow-popups allow-top-navigation-by-user-activation"
)


def pages(letters: Letters) -> APIRouter:
    """`/` the list, `/letters/{id}` one letter, `/api/letters` for programs."""
    router = APIRouter()

    @router.get("/")
    async def inbox(request: Request, search: str = "", page: int = 1) -> Response:
        """Newest first, found by recipient or subject."""
        number, count = max(page, 1), await letters.count(search)
        return _framed(
            pages_of(request).page(
                request,
                "inbox.html",
                letters=await letters.page(number, search=search),
                search=search,
                count=count,
                number=number,
                pages=max(1, -(-count // PAGE)),
            )
        )

    @router.get("/letters/{letter_id}")
    async def letter(request: Request, letter_id: int) -> Response:
        """One letter: its headers, its text part, and its HTML part as a mail program shows it."""
        row = await _found(letters, letter_id)
        mail = _parsed(row)
        return _framed(
            pages_of(request).page(
                request,
                "letter.html",
                letter=row,
                headers=[(name, str(value)) for name, value in mail.items()],
                text=_part(mail, "plain"),
                has_html=bool(_part(mail, "html")),
            )
        )

    @router.get("/letters/{letter_id}/html")
    async def html(letter_id: int) -> Response:
        """The HTML part alone, in a sandbox; its links lead out of the frame."""
        content = _part(_parsed(await _found(letters, letter_id)), "html")
        leading_out = content.replace("<head>", '<head><base target="_top">', 1)
        return HTMLResponse(leading_out, headers={"content-security-policy": LETTER_POLICY})

    @router.get("/letters/{letter_id}/raw")
    async def raw(letter_id: int) -> Response:
        """The letter as it came."""
        return Response((await _found(letters, letter_id)).raw, media_type="text/plain; charset=utf-8")

    @router.get("/api/letters")
    async def read(after: int = 0, to: str = "", limit: int = READ_AT_ONCE) -> Response:
        """Letters after the given id, oldest first, at most READ_AT_ONCE, each with its links; and the count of all."""
        rows = await letters.after(after, to=to, limit=min(limit, READ_AT_ONCE))
        return JSONResponse({"count": await letters.count(), "letters": [_told(row) for row in rows]})

    return router


def _framed(response: Response) -> Response:
    response.headers["content-security-policy"] = PAGE_POLICY
    return response


async def _found(letters: Letters, letter_id: int) -> CaughtRow:
    row = await letters.get(letter_id)
    if row is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such letter here."))
    return row


def _parsed(row: CaughtRow) -> EmailMessage:
    parsed = message_from_bytes(row.raw, policy=policy.default)
    if not isinstance(parsed, EmailMessage):
        raise TypeError("policy.default parses to EmailMessage")
    return parsed


def _part(mail: EmailMessage, subtype: str) -> str:
    body = mail.get_body(preferencelist=(subtype,))
    return str(body.get_content()) if body is not None else ""


def _told(row: CaughtRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "to": row.recipient,
        "subject": row.subject,
        "message_id": row.message_id,
        "links": LINK.findall(_part(_parsed(row), "plain")),
    }

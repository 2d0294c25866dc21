"""Operations: health of a service, and its dead letters with what can be done about them."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, RedirectResponse, Response

from shared.bus import Bus
from shared.db import Database
from shared.dead_letters import PAGE
from shared.i18n import N_
from shared.identity import Role, Staff, requires
from shared.plumbing import DeadLetter
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]


def operations(service: str, *, bus: Bus, database: Database) -> APIRouter:
    """`/<service>/healthz`, `/readyz` and `/dead-letters`."""
    router = APIRouter(prefix=f"/{service}")
    here = f"/{service}/dead-letters"

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process answers. Nothing else is asked, so that no outage elsewhere gets it restarted."""
        return JSONResponse({"service": service, "alive": True})

    @router.get("/readyz")
    async def readyz() -> Response:
        """Database and bus do their work; 503 with the reasons if not."""
        problems = [*await _database_problems(database), *await bus.problems()]
        return JSONResponse({"service": service, "problems": problems}, status_code=503 if problems else 200)

    @router.get("/dead-letters")
    async def dead_letters(request: Request, _staff: Administrator, page: int = 1, said: str = "") -> Response:
        """What could not be handled, newest first."""
        number = max(page, 1)
        count = await bus.dead_letters.count()
        return pages_of(request).page(
            request,
            "dead_letters.html",
            service=service,
            letters=[_shown(letter) for letter in await bus.dead_letters.page(number)],
            count=count,
            number=number,
            pages=max(1, -(-count // PAGE)),
            said=said,
        )

    @router.post("/dead-letters/{letter_id}/replay")
    async def replay(letter_id: int, _staff: Administrator) -> Response:
        """Handle it once more; if that fails, it stays with the new reason."""
        letter = await _open_letter(bus, letter_id)
        try:
            await bus.replay(letter)
        except Exception as error:
            await bus.dead_letters.still_dead(letter_id, f"{type(error).__name__} (replayed)")
            return RedirectResponse(f"{here}?said=failed", status_code=303)
        await bus.dead_letters.settle(letter_id, "replayed")
        return RedirectResponse(f"{here}?said=replayed", status_code=303)

    @router.post("/dead-letters/{letter_id}/discard")
    async def discard(letter_id: int, _staff: Administrator) -> Response:
        """Nothing more is to be done about it; the row stays as a record."""
        await _open_letter(bus, letter_id)
        await bus.dead_letters.settle(letter_id, "discarded")
        return RedirectResponse(f"{here}?said=discarded", status_code=303)

    return router


async def _open_letter(bus: Bus, letter_id: int) -> DeadLetter:
    letter = await bus.dead_letters.get(letter_id)
    if letter is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("This dead letter is already settled, or never was."))
    return letter


async def _database_problems(database: Database) -> list[str]:
    try:
        await asyncio.wait_for(database.ping(), 1.5)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return [f"database: {type(error).__name__}"]
    return []


def _shown(letter: DeadLetter) -> dict[str, Any]:
    """What the page shows: never the body, which may hold an address."""
    return {
        "id": letter.id,
        "consumer": letter.consumer,
        "subject": letter.subject,
        "sequence": letter.sequence,
        "size": len(letter.body),
        "reason": letter.reason,
        "buried_at": letter.buried_at,
    }

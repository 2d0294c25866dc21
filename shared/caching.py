"""Caching: an answer that any cache may keep for a moment, and that costs nothing while it is unchanged."""

import hashlib
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus

from fastapi import Request
from starlette.responses import Response

CACHED = "public, max-age=30"


def cached(request: Request, response: Response, *, vary: str = "", modified: datetime | None = None) -> Response:
    """The response with what a cache needs to know; 304 where the reader has it already, which its ETag tells.

    The date alone tells nothing: what expires changes a page without any newer date on it.
    """
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    known = request.headers.get("if-none-match", "")
    if etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}:
        response = Response(status_code=HTTPStatus.NOT_MODIFIED)
    response.headers["etag"] = etag
    response.headers["cache-control"] = CACHED
    if vary:
        response.headers["vary"] = vary
    if modified:
        response.headers["last-modified"] = format_datetime(modified, usegmt=True)
    return response

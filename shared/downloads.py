"""Downloads: files that are written while they are sent."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

CSV = "text/csv; charset=utf-8"


def download(body: AsyncIterator[bytes], media_type: str, file_name: str) -> Response:
    """The pieces as a file that the browser keeps."""
    disposition = {"content-disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(body, media_type=media_type, headers=disposition)

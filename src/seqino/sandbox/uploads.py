"""Files that are sent: taken out of a multipart request, and read in a thread where that takes long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import (
    BadContentDispositionHeader,
    BadContentDispositionParam,
    BodyPartReader,
    content_disposition_filename,
    parse_content_disposition,
)
from aiohttp.http import HttpProcessingError

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations import Upload
from seqino.sandbox.reading import LARGE, read_ahead

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["read_upload"]

_MOST_PARTS = 1000
"""As many as the forms of FastAPI may have."""

_UNREADABLE = (
    HttpProcessingError,  # a part's headers are none
    ValueError,  # a boundary is missing, or the body ends before it
    RuntimeError,  # an encoding that nobody knows, or forms within forms without end
    BadContentDispositionHeader,  # a warning, where warnings are errors
    BadContentDispositionParam,
)


async def read_upload(request: web.BaseRequest) -> Upload | None:
    """Read the part ``file`` of a form (``multipart/form-data``); ``None`` where there is none.

    Raises:
        Refusal: 400, for what is no multipart.
    """
    if request.content_type != "multipart/form-data":
        await request.read()
        return None
    try:
        found = await _file(request)
    except _UNREADABLE as error:
        raise Refusal(400, f"a multipart body that cannot be read: {error}") from None
    if found is None:
        return None
    name, content = found
    takes_long = content.startswith(b"%PDF-") or len(content) > LARGE
    read = await asyncio.to_thread(read_ahead, content) if takes_long else read_ahead(content)
    return Upload(name=name, size=len(content), read=read)


async def _file(request: web.BaseRequest) -> tuple[str, bytes] | None:
    """Return name and content of the last part ``file``."""
    found = None
    reader = await request.multipart()
    parts = 0
    while (part := await reader.next()) is not None:
        parts += 1
        if parts > _MOST_PARTS:
            raise ValueError(f"it has more than {_MOST_PARTS} parts")
        if isinstance(part, BodyPartReader):
            # Each of the part's own properties would read the header again, which takes long.
            _, said = parse_content_disposition(part.headers.get("Content-Disposition"))
            filename = content_disposition_filename(said)
            if content_disposition_filename(said, "name") == "file" and filename is not None:
                found = filename, bytes(await part.read(decode=True))
    return found

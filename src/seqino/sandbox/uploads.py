"""Files that are sent: taken out of a multipart request, and read in a thread where that takes long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp.multipart import BodyPartReader

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations import Upload
from seqino.sandbox.reading import read_ahead

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["read_upload"]

_READ_AT_ONCE = 256 * 1024
"""Bytes of XML that are read sooner than a thread is started and heard of."""


async def read_upload(request: web.BaseRequest) -> Upload | None:
    """Read the part ``file`` of a multipart request; ``None`` where there is none.

    Raises:
        Refusal: 400, for what is no multipart.
    """
    if not request.content_type.startswith("multipart/"):
        await request.read()
        return None
    found = None
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.name == "file" and part.filename is not None:
                found = part.filename, bytes(await part.read(decode=True))
    except ValueError as error:
        raise Refusal(400, f"a multipart body that cannot be read: {error}") from None
    if found is None:
        return None
    name, content = found
    if content.startswith(b"%PDF-") or len(content) > _READ_AT_ONCE:
        content = await asyncio.to_thread(read_ahead, content)
    return Upload(name, content)

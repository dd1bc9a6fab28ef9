"""Fetching the description and storing it byte for byte, with where it came from."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, TYPE_CHECKING

from codegen import description, output
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

PUBLIC_URL = "https://pdp-api-v250704-iron.seqino.dev/_bundle/openapi.yaml"
"""Where the public documentation keeps its description."""

LIMIT = 50_000_000
"""Bytes; more is no description."""

_LOCAL = {"localhost", "127.0.0.1", "::1"}


def from_url(url: str, *, timeout: float = 30) -> bytes:
    """Fetch a description.

    Args:
        url: https, or http on this machine.
        timeout: Seconds to wait for the server, each time.

    Returns:
        The body of the answer.

    Raises:
        CodegenError: If the address is refused, or no complete answer with status 200 comes.
    """
    _check_url(url, url)
    opener = urllib.request.build_opener(_SafeRedirects)
    request = urllib.request.Request(url, headers={"Accept": "application/yaml, application/json, */*;q=0.5"})  # noqa: S310 - checked above
    try:
        with opener.open(request, timeout=timeout) as answer:
            data: bytes = answer.read(LIMIT + 1)
            length = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        with error:
            raise CodegenError(f"cannot be downloaded: the server answers {error.code}", place=url) from None
    except urllib.error.URLError as error:
        raise CodegenError(f"cannot be downloaded: {error.reason}", place=url) from None
    except (OSError, HTTPException) as error:
        raise CodegenError(f"cannot be downloaded: {type(error).__name__} {error}", place=url) from None
    if len(data) > LIMIT:
        raise CodegenError(f"is larger than {LIMIT // 1_000_000} MB, so it is no description", place=url)
    if length is not None and length.isdecimal() and int(length) != len(data):
        raise CodegenError("was cut off while it was downloaded", place=url)
    return data


def _check_url(url: str, place: str) -> None:
    try:
        parsed = urllib.parse.urlsplit(url)
        host = parsed.hostname
    except ValueError:
        raise CodegenError("is no address", place=place) from None
    if not host or (parsed.scheme != "https" and not (parsed.scheme == "http" and host in _LOCAL)):
        raise CodegenError(f"{url} is refused: only https, or http on this machine", place=place)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - as urllib declares it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        _check_url(newurl, req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def store(data: bytes, target: Path, *, source: Mapping[str, str], now: datetime) -> str:
    """Store a description byte for byte, and beside it where it came from.

    Args:
        data: The description.
        target: File to write, such as ``openapi/seqino-pdp.yaml``; ``….source.json`` is written beside it.
        source: ``{"url": …}`` or ``{"file": …}``.
        now: The time, with a zone.

    Returns:
        The SHA-256 of the description, in hexadecimal.

    Raises:
        CodegenError: If it is no valid description; nothing is written then.
    """
    name = next(iter(source.values()))
    description.validate(description.parse(data, name=name), name=name)
    digest = hashlib.sha256(data).hexdigest()
    facts = {**source, "sha256": digest, "date": now.date().isoformat()}
    record = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    output.replace({target: data, target.with_suffix(".source.json"): record.encode()})
    return digest

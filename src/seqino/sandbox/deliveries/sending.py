"""One attempt: a signed POST, and what came of it. Whatever a receiver does, it ends in time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.deliveries.behaviour import Behaviour
    from seqino.sandbox.signing import Scheme

__all__ = ["Sender"]

_USER_AGENT = "seqino-sandbox"
_LONGEST_ERROR = 300


class Sender:
    """Sends bodies to webhooks; it opens no connection before the first.

    Args:
        scheme: How they are signed.
        unix_time: Real seconds since 1970: a receiver compares the timestamp with its own clock, which
            the sandbox's does not move.
    """

    def __init__(self, scheme: Scheme, *, unix_time: Callable[[], float] = time.time) -> None:
        self._scheme = scheme
        self._unix_time = unix_time
        self._session: aiohttp.ClientSession | None = None

    def headers(self, secret: str, body: bytes, behaviour: Behaviour) -> dict[str, str]:
        """Return the headers of an attempt made now."""
        at = self._unix_time()
        if behaviour.old_timestamp:
            at -= self._scheme.tolerance + 60
        if behaviour.wrong_signature:
            secret = f"not {secret}"
        return {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            **self._scheme.sign(secret, body, at=at),
        }

    async def post(
        self,
        url: str,
        headers: dict[str, str],
        body: bytes,
        *,
        timeout: float,  # noqa: ASYNC109 - an answer, not this call, is limited
    ) -> tuple[int | None, str | None]:
        """Send a body and return the status of the answer, or what went wrong; no redirect is followed.

        The answer's body is not read: its status says everything, and it could be without end.

        Args:
            url: Where to.
            headers: All headers.
            body: What is sent.
            timeout: Seconds for the whole attempt.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.post(
                    url,
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(),
                ) as response,
            ):
                is_taken = 200 <= response.status < 300  # noqa: PLR2004 - RFC 9110 §15.3
                return response.status, None if is_taken else f"answered {response.status} {response.reason}"
        except TimeoutError:
            return None, f"no answer within {timeout:g} s"
        except Exception as error:  # noqa: BLE001 - a receiver fails in any way; the platform must stay up
            return None, f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

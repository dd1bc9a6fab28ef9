"""A receiver of webhooks for tests and development: it verifies, remembers, and fails when it is told to."""

from __future__ import annotations

import asyncio
import functools
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import attrs
from aiohttp import web

from seqino.sandbox.description import SHIPPED
from seqino.sandbox.signing import Scheme, SignatureError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["Received", "Receiver"]


@attrs.frozen(kw_only=True)
class Received:
    """An event that arrived with a good signature."""

    event_id: str
    event_type: str
    payload: dict[str, Any]
    """The whole envelope."""
    body: bytes = attrs.field(repr=False)
    """The bytes that were signed."""
    headers: dict[str, str] = attrs.field(repr=False)
    is_repeated: bool
    """Whether an event with this id arrived before."""


class Receiver:
    """An HTTP server on loopback that takes events as a careful integration does.

    Only what is signed with its secret, and recently, is taken (204) and remembered in ``events``; anything
    else gets 401, or 400 where it is no event, and a reason in ``refused``.

    >>> async def example() -> None:
    ...     async with Receiver() as receiver:
    ...         print(receiver.url)  # register this; then receiver.secret = what the platform answered
    >>> asyncio.run(example())
    http://127.0.0.1:.../webhooks

    Args:
        secret: The webhook's secret; it can be set later, since the platform tells it once the URL is known.
        port: Port, 0 for a free one.
        scheme: How deliveries are signed; as the shipped description says by default.
        unix_time: Real seconds since 1970.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        port: int = 0,
        scheme: Scheme | None = None,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self.secret = secret
        self._port = port
        self._scheme = scheme or _shipped()
        self._unix_time = unix_time
        self._runner: web.ServerRunner | None = None
        self._arrival = asyncio.Event()
        self.clear()

    def __repr__(self) -> str:
        where = self.url if self._runner else "stopped"
        return f"Receiver({where}, {len(self.events)} events, {len(self.refused)} refused)"

    @property
    def url(self) -> str:
        """Address to register, such as ``http://127.0.0.1:40123/webhooks``.

        Raises:
            RuntimeError: It is not running.
        """
        if self._runner is None:
            raise RuntimeError("the receiver is not running: use it in `async with`, or call start()")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/webhooks"

    def clear(self) -> None:
        """Forget what arrived, and fail no more."""
        self.events: list[Received] = []
        """Everything taken, in the order of arrival."""
        self.refused: list[str] = []
        """Why deliveries were refused."""
        self._unread: list[Received] = []
        self._seen: set[str] = set()
        self._failures: deque[int] = deque()

    def fail(self, times: int, *, status: int = 500) -> None:
        """Answer the next deliveries with an error, and take none of them.

        Args:
            times: How many.
            status: Status of the answers.
        """
        self._failures.extend([status] * times)

    async def next(
        self,
        *,
        event_type: str | None = None,
        timeout: float = 5.0,  # noqa: ASYNC109 - what a test waits at most, and says with what it got instead
    ) -> Received:
        """Return the next event, in the order of arrival; each is returned once.

        Args:
            event_type: Type to wait for; others stay for later calls.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: None arrived in time; the message says what did.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for place, one in enumerate(self._unread):
                        if event_type in (None, one.event_type):
                            return self._unread.pop(place)
                    self._arrival.clear()
                    await self._arrival.wait()
        except TimeoutError:
            waiting = ", ".join(one.event_type for one in self._unread) or "nothing"
            raise TimeoutError(
                f"no {event_type or 'event'} within {timeout:g} s; not read yet: {waiting}; "
                f"refused: {'; '.join(self.refused) or 'nothing'}"
            ) from None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is in use.
        """
        if self._runner is not None:
            raise RuntimeError("the receiver is running already")
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Close every connection and free the port; twice is harmless."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if self._failures:
            return web.Response(status=self._failures.popleft())
        try:
            secrets = [] if self.secret is None else [self.secret]
            self._scheme.verify(secrets, request.headers, body, now=self._unix_time())
            self._take(body, dict(request.headers))
        except SignatureError as error:
            self.refused.append(str(error))
            return web.Response(status=401)
        except (ValueError, TypeError, KeyError) as error:
            self.refused.append(f"signed, and no event: {type(error).__name__}: {error}")
            return web.Response(status=400)
        return web.Response(status=204)

    def _take(self, body: bytes, headers: dict[str, str]) -> None:
        payload = json.loads(body)
        event_id, event_type = str(payload["event_id"]), str(payload["event_type"])
        received = Received(
            event_id=event_id,
            event_type=event_type,
            payload=payload,
            body=body,
            headers=headers,
            is_repeated=event_id in self._seen,
        )
        self._seen.add(event_id)
        self.events.append(received)
        self._unread.append(received)
        self._arrival.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


@functools.cache
def _shipped() -> Scheme:
    return Scheme.read(json.loads(SHIPPED.read_bytes()))

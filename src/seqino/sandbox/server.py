"""The sandbox as a server: it starts on a free or a given port, and stops cleanly."""

from __future__ import annotations

import asyncio
import errno
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from seqino.sandbox.app import LARGEST_BODY, App
from seqino.sandbox.clock import Clock
from seqino.sandbox.control import Control
from seqino.sandbox.description import Description
from seqino.sandbox.faults import Faults
from seqino.sandbox.operations import Operations
from seqino.sandbox.world import CLIENTS, World
from seqino.sandbox.world.invoices import Invoices

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from seqino.sandbox.world.counters import Counters

__all__ = ["Sandbox", "SandboxError"]


class SandboxError(OSError):
    """The sandbox cannot listen where it was asked to; the message says what to do."""


class Sandbox:
    """A platform on your own machine: an HTTP server that plays the Seqino API, judging by its description.

    >>> async def example() -> str:
    ...     async with Sandbox(scenario="refused") as sandbox:
    ...         sandbox.clock.advance(60)  # all that the network does within a minute has happened
    ...         assert sandbox.counters.invoices_created == 0
    ...         return sandbox.url  # where to send requests
    >>> asyncio.run(example())
    'http://127.0.0.1:...'

    Args:
        host: Address to listen on; loopback unless told otherwise, since it guards nothing.
        port: Port, 0 for a free one.
        speed: Seconds of sandbox time in a real second, 0 or more; 0 moves only when it is stepped.
        scenario: What buyers do, one of ``SCENARIOS``; ``MAGIC_BUYERS`` go before it.
        api_key: The one API key that is taken; any but ``invalid`` by default.
        seed: Ids follow from it and from the order of the requests.
        show_inferred: Whether answers carry what no public page shows (draft status, invoice id and number of
            a draft). Without, a draft that was read cannot tell whether it was issued.
        clients: Clients that each sponsor has from the start.
        description: The API's description in JSON; the one shipped in the package by default.

    Raises:
        ValueError: A value is out of its range, or there is no such scenario or description.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        speed: float = 1.0,
        scenario: str = "paid",
        api_key: str | None = None,
        seed: int = 0,
        show_inferred: bool = True,
        clients: Iterable[str] = CLIENTS,
        description: Path | str | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._api_key = api_key
        self._description = _shipped() if description is None else Description(Path(description))
        self.clock = Clock(speed=speed)
        self.world = World(clock=self.clock, scenario=scenario, seed=seed, clients=clients)
        self.faults = Faults()
        self._operations = Operations(
            self.world, Invoices(self.world), self._description, show_inferred=show_inferred
        )
        self._running: tuple[App, web.ServerRunner] | None = None

    def __repr__(self) -> str:
        return f"Sandbox({self.url if self._running else 'stopped'}, scenario={self.scenario!r})"

    @property
    def url(self) -> str:
        """Address of the API, such as ``http://127.0.0.1:8052``; below ``/api`` it answers just so.

        Raises:
            RuntimeError: It is not running.
        """
        if self._running is None:
            raise RuntimeError("the sandbox is not running: use it in `async with`, or call start()")
        host, port = self._running[1].addresses[0][:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def counters(self) -> Counters:
        """Effects counted since the start."""
        return self.world.counters

    @property
    def scenario(self) -> str:
        """What buyers do from now on; set it to another of ``SCENARIOS``."""
        return self.world.scenario

    @scenario.setter
    def scenario(self, name: str) -> None:
        self.world.scenario = name

    def reset(self) -> None:
        """Forget what was sent and planned, and count from zero; clock and scenario stay."""
        self.world.reset()
        self.faults.clear()

    async def start(self) -> None:
        """Listen.

        Raises:
            SandboxError: The port is in use, or the address is not this machine's.
        """
        if self._running is not None:
            raise RuntimeError("the sandbox is running already")
        app = App(
            description=self._description,
            world=self.world,
            operations=self._operations,
            control=Control(self.world, self.faults),
            faults=self.faults,
            api_key=self._api_key,
        )
        server = web.Server(app.handle, request_factory=_request, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise _cannot_listen(error, self._host, self._port) from error
        self._running = app, runner

    async def stop(self) -> None:
        """Answer what is under way, close every connection and free the port; twice is harmless."""
        running, self._running = self._running, None
        if running is not None:
            app, runner = running
            app.stop()
            await runner.cleanup()

    async def serve_forever(self) -> None:
        """Run until cancelled; started here, if it was not."""
        if self._running is None:
            await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

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
def _shipped() -> Description:
    """Read the shipped description once: compiling its schemas takes longer than a test."""
    return Description()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)


def _cannot_listen(error: OSError, host: str, port: int) -> SandboxError:
    if error.errno == errno.EADDRINUSE:
        return SandboxError(f"port {port} is already in use; choose another, or 0 for a free one")
    return SandboxError(f"cannot listen on {host}:{port}: {error.strerror or error}")

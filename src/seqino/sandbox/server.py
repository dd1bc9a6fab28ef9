"""The sandbox as a server: it starts on a free or a given port, and stops cleanly."""

from __future__ import annotations

import asyncio
import functools
import logging
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from seqino.sandbox.app import App
from seqino.sandbox.catalogue import Catalogue
from seqino.sandbox.clock import Clock
from seqino.sandbox.control import Control
from seqino.sandbox.deliveries import Deliveries
from seqino.sandbox.deliveries.control import DeliveryControl
from seqino.sandbox.description import Description
from seqino.sandbox.errors import SandboxError
from seqino.sandbox.faults import Faults
from seqino.sandbox.fitting import misfits
from seqino.sandbox.guard import Guard
from seqino.sandbox.judge import Refusal, authenticate
from seqino.sandbox.limits import Limits
from seqino.sandbox.mangle import contents
from seqino.sandbox.metering import Meter
from seqino.sandbox.operations import Operations
from seqino.sandbox.replies import Form
from seqino.sandbox.serving import Port
from seqino.sandbox.signing import Scheme
from seqino.sandbox.state_file import StateFile
from seqino.sandbox.steering import Steering
from seqino.sandbox.world import CLIENTS, World
from seqino.sandbox.world.invoices import Invoices
from seqino.sandbox.world.kinds import Misfit, load
from seqino.sandbox.world.webhooks import Webhooks

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Iterable, Mapping
    from types import TracebackType

    from seqino.sandbox.limits import Allowance
    from seqino.sandbox.mangle import Content
    from seqino.sandbox.world.counters import Counters

__all__ = ["Sandbox", "SandboxError"]

_log = logging.getLogger("seqino.sandbox")


@attrs.frozen
class _Running:
    """All that runs as long as the sandbox does."""

    app: App
    api: Port
    control: Port

    async def stop(self) -> None:
        self.app.stop()
        await asyncio.gather(self.api.stop(), self.control.stop())


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
        control_port: A second port, 0 for a free one, on which the control API answers in plain HTTP whatever
            faults strike the first; nothing else does there.
        speed: Seconds of sandbox time in a real second, 0.000001 to 1000000; 0 moves only when it is
            stepped. The clock stands still at the year 9000.
        scenario: What buyers do, one of ``SCENARIOS``; ``MAGIC_BUYERS`` go before it.
        api_key: The one API key that is taken, which is not empty or ``invalid`` and has no ``Bearer`` before
            it; any but ``invalid`` by default.
        seed: Ids follow from it and from the order of the requests.
        show_inferred: Whether it is told what became of a draft, which no public page shows: status, invoice
            id and number, dates, errors and warnings in answers about drafts, status, id and number in
            the data of invoices, the invoice in refusals, and the ids in ``invoice.created``. Without, a
            draft that was read cannot tell whether it was issued.
        clients: Clients that each sponsor has from the start.
        description: The API's description in JSON; the one shipped in the package by default.
        state: File that keeps what was acknowledged, however the process ends; made when it is missing,
            with mode 0600, since it holds the secrets of webhooks. While the sandbox runs no other can use
            it. What is given here (scenario, speed, limits) is not in it. In memory only by default.
        limits: How many calls a client may make, such as ``{"minute": 100, "/drafts": {"minute": 10}}``, by
            window (``minute``, ``hour``, ``day``, ``month``) and, on top, by endpoint; no limit by default.
        faults: Rates of faults by name, such as ``{"reset-after": 0.05}``: see ``docs/faults.md``.
        ssl_context: Certificate and settings, to speak TLS.

    Raises:
        ValueError: A value is out of its range, or there is no such scenario, description, endpoint or fault.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        control_port: int = 0,
        speed: float = 1.0,
        scenario: str = "paid",
        api_key: str | None = None,
        seed: int = 0,
        show_inferred: bool = True,
        clients: Iterable[str] = CLIENTS,
        description: Path | str | None = None,
        state: Path | str | None = None,
        limits: Allowance | None = None,
        faults: Mapping[str, float] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._control_port = control_port
        self._api_key = None if api_key is None else _usable(api_key)
        self._description = _shipped() if description is None else Description(Path(description))
        self.clock = Clock(speed=speed)
        self.world = World(clock=self.clock, scenario=scenario, seed=seed, clients=clients)
        self._tls = ssl_context
        self.faults = Faults(
            operations=self._description.once(_holds),
            counters=self.world.counters,
            rates=faults or {},
            seed=seed,
            tls=ssl_context is not None,
            refuse=self._refuse,
        )
        self.invoices = Steering(self.world)
        """Gives an invoice an event or another scenario by hand."""
        self.limits = Limits(one.path for one in self._description.operations)
        """How many calls clients may make; ``limits.set`` changes it."""
        self.limits.set(limits or {})
        self._state = None if state is None else Path(state)
        webhooks = Webhooks(self.world)
        self._catalogue = Catalogue(self._description)
        self.deliveries = Deliveries(
            self.world,
            webhooks,
            Scheme.read(self._description.document),
            recipients=self.world.receivers,
            tells_drafts=lambda: self.show_inferred,
        )
        """What webhooks are told: ``list()``, and ``await settled()`` before a test looks at what arrived."""
        self.operations = Operations(
            self.world,
            Invoices(self.world),
            webhooks,
            self._catalogue,
            self._description,
            limits=self.limits,
            show_inferred=show_inferred,
        )
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"Sandbox({self.url if self._running else 'stopped'}, scenario={self.scenario!r})"

    @property
    def url(self) -> str:
        """Address of the API, such as ``http://127.0.0.1:8052``; below ``/api`` it answers just so.

        Raises:
            RuntimeError: It is not running.
        """
        return self._is_running().api.url

    @property
    def control_url(self) -> str:
        """Address under which the control API answers whatever faults do, such as ``http://127.0.0.1:8053``.

        Raises:
            RuntimeError: It is not running.
        """
        return self._is_running().control.url

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

    @property
    def show_inferred(self) -> bool:
        """Whether it is told what became of a draft; set it, and what comes next tells it, or does not."""
        return self.operations.data.show_inferred

    @show_inferred.setter
    def show_inferred(self, shown: bool) -> None:
        self.operations.data.show_inferred = shown

    def reset(self) -> None:
        """Forget what was sent and planned, and count from zero; clock, scenario and limits stay.

        Raises:
            RuntimeError: It has a state file and is not running: the file is not open then.
            SandboxError: The state file cannot be written.
        """
        if self._state is not None and self._running is None:
            raise RuntimeError("the sandbox is not running, and its state file not open: start it first")
        self.world.reset()
        self.faults.restart()

    @asynccontextmanager
    async def refusing(self) -> AsyncGenerator[None]:
        """Close the port, and every connection, as long as the context lasts.

        Raises:
            RuntimeError: It is not running.
        """
        api = self._is_running().api
        api.listener.close()
        api.front.leave()
        try:
            yield
        finally:
            await api.listener.open()

    def _refuse(self, seconds: float) -> None:
        api = self._is_running().api
        api.listener.close_for(seconds)
        api.front.leave()

    def _is_running(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the sandbox is not running: use it in `async with`, or call start()")
        return self._running

    async def start(self) -> None:
        """Read the state file, if there is one, and listen.

        Raises:
            SandboxError: The port is in use, or the address is not this machine's; or the state file is in
                use, cannot be written, or holds what this sandbox cannot use.
        """
        if self._running is not None:
            raise RuntimeError("the sandbox is running already")
        app = App(
            description=self._description,
            world=self.world,
            operations=self.operations,
            control=Control(
                world=self.world,
                faults=self.faults,
                limits=self.limits,
                invoices=self.invoices,
                description=self._description,
                deliveries=DeliveryControl(self.deliveries, self._catalogue),
                guard=Guard(self._host),
            ),
            faults=self.faults,
            meter=Meter(self.world, self.limits),
            api_key=self._api_key,
        )
        self._attach()
        api = Port(app.handle, app.refuse, faults=self.faults, tls=self._tls)
        control = Port(app.handle_control, app.refuse)
        self.deliveries.start()
        try:
            await api.open(self._host, self._port)
            await control.open(self._host, self._control_port)
        except SandboxError:
            await api.stop()
            await self.deliveries.stop()
            self.world.detach()
            raise
        self._running = _Running(app, api, control)

    async def stop(self) -> None:
        """Answer what is under way, close every connection and free the port; twice is harmless."""
        running, self._running = self._running, None
        if running is not None:
            try:
                await running.stop()
                await self.deliveries.stop()
            finally:
                self.world.detach()

    def _attach(self) -> None:
        """Go on from the state file, if there is one."""
        if self._state is None:
            return
        state = StateFile.open(self._state)
        try:
            kept = load(state)
            if state.description not in (None, self._description.digest):
                _log.warning("%s was made with another description of the API", self._state)
                for misfit in misfits(self._description, kept.sponsors.values()):
                    raise misfit
            state.description = self._description.digest
            self.world.attach(state, kept.sponsors.values(), kept.published)
        except Misfit as error:
            state.close()
            raise SandboxError(
                f"{self._state} holds what this sandbox cannot use: {error}."
                " Start the one that made it, or choose another file"
            ) from error
        except SandboxError:
            state.close()
            raise

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


def _usable(api_key: str) -> str:
    """Refuse a key that every request would be refused with; it is a secret, and no message repeats it."""
    try:
        authenticate(api_key, only=None)
    except Refusal as refusal:
        raise ValueError(f"api_key: no request would be taken with it: {refusal.message}") from None
    if not api_key.isprintable() or api_key != api_key.strip():
        raise ValueError("api_key: it cannot be sent in a header: no control characters, no blanks around it")
    return api_key


@functools.cache
def _shipped() -> Description:
    """Read the shipped description once: compiling its schemas takes longer than a test."""
    return Description()


def _holds(description: Description) -> Mapping[str, frozenset[Content]]:
    """Tell what the answer of each operation may hold."""
    return {
        operation.key: contents(
            *(
                Form(schema, description.resolve)
                for status, schema in operation.responses.items()
                if schema is not None and status < HTTPStatus.MULTIPLE_CHOICES
            )
        )
        for operation in description.operations
    }

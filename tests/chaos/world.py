"""A loop, a platform and an engine, joined into a world."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.events import CallEvent
from seqino._core.runtime import Runtime, TimerHandle
from seqino._core.wire import Caller, File
from seqino._generated.operations import OPERATIONS
from seqino._generated.tables import CONSTRAINTS
from seqino.client.submitting import Submitter
from seqino.options import CallOptions
from seqino.submission import Policy
from tests.chaos.loop import VirtualLoop, make_loop
from tests.chaos.platform import Platform, SimulatedTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.chance import Traits

__all__ = ["FILE", "HEALTHY", "World", "build_world"]

CODEC = Codec(CONSTRAINTS)
BASE = "http://127.0.0.1:8052/api"
FILE = File(name="invoice.xml", content=b"<Invoice/>", content_type="application/xml")
HEALTHY = 180.0
"""Seconds for what has to succeed in the end: longer than a pause that a server may ask for and settling."""


@attrs.define(kw_only=True)
class World:
    """A loop, a platform, and an engine that calls it."""

    loop: VirtualLoop
    rng: random.Random
    platform: Platform
    transport: SimulatedTransport
    engine: CallEngine
    runtime: Runtime
    events: list[CallEvent]
    armed: set[asyncio.TimerHandle]
    """Timers of calls that were neither called off nor rang."""

    def submitter(self, item: str, *, timeout: float, caller: Caller | None = None) -> Submitter:
        return Submitter(
            caller=caller or self.engine,
            config=self.engine.config,
            runtime=self.runtime,
            client_id=item,
            options=CallOptions(timeout=timeout),
            policy=Policy(revalidate=self.platform.traits.revalidate),
        )

    def leftovers(self) -> dict[str, object]:
        """What calls have left behind, by name; nothing, once all of them are over."""
        gate = vars(self.engine)["_shared"].gate
        left: dict[str, object] = {
            "exchanges": self.transport.in_flight.total(),
            "tasks": sum(not task.done() for task in self.loop.tasks),
            "timers": len(self.armed),
            "under way": 0 if gate is None else gate.under_way,
            "waiting": 0 if gate is None else gate.waiting,
            "faults": self.loop.faults,
        }
        return {name: what for name, what in left.items() if what}

    def heal(self, *, shows_all: bool) -> None:
        """From now on nothing goes wrong any more."""
        traits = attrs.evolve(self.platform.traits, creating=0.0, sending=0.0, looking=0.0, hollow=False)
        self.platform.traits = attrs.evolve(traits, shows="all") if shows_all else traits


def build_world(rng: random.Random, traits: Traits) -> World:
    """Make the parts of a world and join them."""
    loop = make_loop()
    platform = Platform(loop=loop, rng=rng, traits=traits)
    armed: set[asyncio.TimerHandle] = set()
    runtime = Runtime(
        monotonic=loop.time,
        wall=lambda: 1_772_366_400.0 + loop.time(),
        call_later=_counted(loop, armed),
        uniform=_lowest if traits.ticking else rng.uniform,
    )
    events: list[CallEvent] = []

    def hear(event: CallEvent) -> None:
        events.append(event)
        platform.note(event.kind, event.operation, event.attempt, event.outcome, event.status, event.error)

    config = Config(
        api_key=Secret("key-1"),
        base_url=BASE,
        timeout=traits.timeout,
        max_retries=traits.max_retries,
        max_concurrency=traits.most,
        requests_per_second=traits.rate,
        on_event=hear,
    )
    engine = CallEngine(config, CODEC, operations=OPERATIONS, runtime=runtime)
    transport = SimulatedTransport(platform=platform)
    shared: Any = vars(engine)["_shared"]
    shared.transport = transport
    return World(
        loop=loop,
        rng=rng,
        platform=platform,
        transport=transport,
        engine=engine,
        runtime=runtime,
        events=events,
        armed=armed,
    )


def _lowest(low: float, _high: float) -> float:
    return low


def _counted(
    loop: VirtualLoop, armed: set[asyncio.TimerHandle]
) -> Callable[[float, Callable[[], None]], TimerHandle]:
    class Counted:
        def __init__(self, delay: float, callback: Callable[[], None]) -> None:
            self._callback = callback
            self._handle = loop.call_later(delay, self._ring)
            armed.add(self._handle)

        def _ring(self) -> None:
            armed.discard(self._handle)
            self._callback()

        def cancel(self) -> None:
            armed.discard(self._handle)
            self._handle.cancel()

    return Counted

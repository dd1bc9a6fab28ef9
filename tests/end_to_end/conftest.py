"""A client and a sandbox with a network between them, and a client's time that nobody waits for."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino import SeqinoClient
from seqino._core.runtime import Runtime
from seqino.sandbox import Sandbox
from tests.end_to_end.scene import CLIENT, KEY, NOBODY, Scene
from tests.sound_invoice import INVOICE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _Timer:
    handle: asyncio.TimerHandle

    def cancel(self) -> None:
        self.handle.cancel()


@attrs.define
class Hurry:
    """The client's time: pauses take none of the real one, and timeouts a little.

    Args:
        patience: Real seconds after which a timeout rings at the latest.
        faults: How many faults were played. A timeout rings only if one was since it was set: what is slow
            without one is a busy machine.
    """

    patience: float = 0.3
    faults: Callable[[], int] = lambda: 0
    now: float = 0.0

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def _call_later(self, delay: float, callback: Callable[[], None]) -> _Timer:
        loop, timer, before = asyncio.get_running_loop(), _Timer(), self.faults()

        def ring() -> None:
            if self.faults() == before:
                timer.handle = loop.call_later(self.patience, ring)
                return
            self.now += delay
            callback()

        timer.handle = loop.call_later(min(delay, self.patience), ring)
        return timer

    def runtime(self) -> Runtime:
        return Runtime(
            monotonic=lambda: self.now,
            wall=lambda: 1_000_000.0 + self.now,
            sleep=self._sleep,
            call_later=self._call_later,
            uniform=lambda low, high: (low + high) / 2,
        )


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Hurry:
    """Time for the clients of a test."""
    time = Hurry()
    monkeypatch.setattr("seqino.client.Runtime", time.runtime)
    return time


@pytest.fixture
def invoice() -> dict[str, Any]:
    """A sound invoice of the test's own."""
    return copy.deepcopy(INVOICE)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """A sandbox whose clock stands still, and a client of it that tries once."""
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient(KEY, client_id=CLIENT, base_url=f"{sandbox.url}/api", max_retries=0) as client,
        SeqinoClient("invalid", client_id=NOBODY, base_url=f"{sandbox.url}/api", max_retries=0) as stranger,
    ):
        yield Scene(client, sandbox, stranger)

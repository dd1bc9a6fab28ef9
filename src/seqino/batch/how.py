"""How a run is submitted: what a caller of ``BatchRun.submit`` may choose."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import attrs

from seqino.options import CallOptions

__all__ = ["How"]


@attrs.frozen(kw_only=True)
class How:
    """How a run is submitted.

    Args:
        concurrency: How many requests may be under way at a time at the most.
        patience: Seconds to find out what became of invoices in doubt, once all others were sent.
        grace: Seconds that what is under way has to end when the run is stopped.
        paced: Whether the platform is asked for its limits, to keep below them.
        revalidate: As for ``SeqinoClient.submit``.
        options: What the calls do otherwise than the client.
        clock: Seconds of a clock that never goes back.
        sleep: Waits for some seconds.
        on_stop: Told how many invoices are under way when the run is stopped while some are.
    """

    concurrency: int = 64
    patience: float = 0.0
    grace: float = 10.0
    paced: bool = True
    revalidate: bool = False
    options: CallOptions = attrs.field(factory=CallOptions)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_stop: Callable[[int], object] | None = None

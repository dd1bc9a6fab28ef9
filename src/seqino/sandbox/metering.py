"""Counts each call of a client and refuses what is beyond its limits, before it has an effect."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from seqino.sandbox.judge import Refusal
from seqino.sandbox.usage import window
from seqino.sandbox.world.tallies import Gauge, Tally

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from types import TracebackType
    from typing import Self

    from seqino.sandbox.description import Operation
    from seqino.sandbox.limits import Limit, Limits
    from seqino.sandbox.world import Client, Sponsor, World

__all__ = ["Meter"]

_TOO_MANY = 429


class Meter:
    """Counts calls, and keeps limits.

    Args:
        world: Whose clients call.
        limits: What they may.
        seconds: Source of real seconds.
    """

    def __init__(
        self, world: World, limits: Limits, *, seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self._world = world
        self._limits = limits
        self.seconds = seconds

    def metered(self, sponsor: Sponsor, client_id: str | None, operation: Operation) -> Metered:
        """Meter a call: the block that it guards answers it, and says with which status.

        A call that names no client of the sponsor is nobody's: it is let through and not counted.
        """
        return Metered(self, sponsor.clients.get(client_id or ""), operation)

    def admit(self, client: Client, operation: Operation) -> None:
        """Count a call to its limits.

        Raises:
            Refusal: 429, one of them is reached; it counts to none then.
        """
        limits = self._limits.of(client.client_id, operation.path)
        if not limits:
            return
        now = self._world.clock.now()
        gauges: list[Gauge] = []
        longest: tuple[timedelta, Limit] | None = None
        for limit in limits:
            since, left = window(limit.per, now)
            gauge = client.gauges.get((limit.per, limit.endpoint))
            if gauge is None or gauge.since != since:
                gauge = Gauge(per=limit.per, endpoint=limit.endpoint, since=since)
                client.gauges[limit.per, limit.endpoint] = gauge
            if gauge.calls >= limit.calls and (longest is None or left > longest[0]):
                longest = left, limit
            gauges.append(gauge)
        if longest is not None:
            raise self._refusal(*longest)
        for gauge in gauges:
            gauge.calls += 1
            self._world.note(client, gauge)
        self._world.insist()

    def _refusal(self, left: timedelta, limit: Limit) -> Refusal:
        speed = self._world.clock.speed
        seconds = math.ceil(left.total_seconds())
        message = (
            f"the limit {limit} is used up; the next {limit.per} begins in {seconds} s of the sandbox's time"
        )
        # A clock that stands still is stepped by its owner: then what is left on it is all there is to say.
        wait = math.ceil(left.total_seconds() / (speed or 1))
        return Refusal(_TOO_MANY, message, headers={"Retry-After": str(wait)})

    def commit(self) -> None:
        """Make durable what was counted, where limits rest on it.

        Raises:
            SandboxError: It cannot be kept.
        """
        self._world.commit()

    def count(self, client: Client, operation: Operation, is_success: bool, seconds: float) -> None:  # noqa: FBT001 - one of the figures
        """Count a call that was answered."""
        place = self._world.clock.now().date(), operation.method, operation.path
        tally = client.tallies.get(place)
        if tally is None:
            day, method, endpoint = place
            tally = client.tallies[place] = Tally(day=day, method=method, endpoint=endpoint)
        tally.calls += 1
        tally.successes += is_success
        tally.seconds += seconds
        self._world.note(client, tally)


class Metered:
    """One call that is metered."""

    __slots__ = ("_client", "_meter", "_operation", "_since", "status")

    def __init__(self, meter: Meter, client: Client | None, operation: Operation) -> None:
        self._meter = meter
        self._client = client
        self._operation = operation
        self._since = meter.seconds()
        self.status: int | None = None
        """What it is answered with, unless it is refused."""

    def __enter__(self) -> Self:
        if self._client is not None:
            try:
                self._meter.admit(self._client, self._operation)
            except Refusal:
                self._count()
                raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._count()
        if exc is not None:
            # A refusal is answered next, and counts to limits too; an answer is kept by who gives it.
            self._meter.commit()

    def _count(self) -> None:
        client = self._client
        if client is not None:
            is_success = self.status is not None and self.status < 300  # noqa: PLR2004 - 2xx
            self._meter.count(client, self._operation, is_success, self._meter.seconds() - self._since)

"""Calls of a client that limits itself: against a simulated server in virtual time, and over the wire."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import random
import selectors
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, resolve
from seqino._core.runtime import Runtime
from seqino._core.transport import Answer
from seqino._core.wire import Effect, Operation
from seqino.errors import DeadlineExceeded, InvalidInput, RateLimited, ServerError
from seqino.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from seqino._core.gate import Gate
    from seqino._core.transport import Transport
    from tests.core.conftest import Bench, Time

READ: Operation[None] = Operation(
    name="get_thing",
    operation_id="get_thing",
    tag="things",
    method="GET",
    path="/things",
    effect=Effect.SAFE,
    responses={200: None},
    authenticated=False,
)
CREATE = attrs.evolve(READ, name="create_thing", method="POST", effect=Effect.CREATE)

OK = Answer(status=200, headers={}, body=b"{}")


# A simulated server in virtual time


class _Selector(selectors.DefaultSelector):
    """Passes the time instead of waiting for it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def in_virtual_time(main: Callable[[VirtualLoop], Coroutine[Any, Any, None]]) -> None:
    loop = VirtualLoop()
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.close()


@attrs.define
class Server:
    """Answers at once up to its knee, later beyond it, and refuses above its wall or its rate.

    Args:
        loop: The clock.
        phases: Until when it has which knee and which wall.
        rate: Requests a second that it takes; the others are told to come back in a quarter of a second.
        burst: How many it takes at once, if there were few before.
    """

    loop: VirtualLoop
    phases: tuple[tuple[float, int, int], ...] = ((1e9, 64, 1_000),)
    rate: float = 1e9
    burst: float = 100.0
    seconds: float = 0.02
    random: random.Random = attrs.field(factory=lambda: random.Random(1))  # noqa: S311
    answers: int = 0
    refusals: int = 0
    _serving: int = 0
    _tokens: float = attrs.field(default=attrs.Factory(lambda server: server.burst, takes_self=True))
    _filled_at: float = 0.0

    async def send(self, *_: object, **__: object) -> Answer:
        now = self.loop.time()
        knee, wall = next((knee, wall) for until, knee, wall in self.phases if now < until)
        self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now
        if self._tokens < 1:
            return await self._refuse({"Retry-After": "0.25"})
        if self._serving >= wall:
            return await self._refuse({})
        self._tokens -= 1
        self._serving += 1
        try:
            slower = max(1.0, self._serving / knee)
            await asyncio.sleep(self.seconds * slower * self.random.uniform(0.95, 1.05))
        finally:
            self._serving -= 1
        self.answers += 1
        return OK

    async def _refuse(self, headers: dict[str, str]) -> Answer:
        await asyncio.sleep(0.001)
        self.refusals += 1
        return Answer(status=429, headers=headers, body=b"")


def work(
    server: Callable[[VirtualLoop], Server], *, workers: int, seconds: float, **limits: Any
) -> tuple[int, int]:
    """Let workers make call after call; give the server's answers and refusals."""
    seen: list[Server] = []

    async def main(loop: VirtualLoop) -> None:
        runtime = Runtime(monotonic=loop.time, uniform=random.Random(2).uniform)  # noqa: S311
        engine = CallEngine(Config(base_url="http://unused", **limits), Codec(), runtime=runtime)
        seen.append(server(loop))
        engine._shared.transport = cast("Transport", seen[0])

        async def worker() -> None:
            while loop.time() < seconds:
                try:
                    await engine.call(READ, options=CallOptions(max_retries=0))
                except RateLimited:
                    continue

        await asyncio.gather(*(worker() for _ in range(workers)))

    in_virtual_time(main)
    return seen[0].answers, seen[0].refusals


def shrinking(loop: VirtualLoop) -> Server:
    return Server(loop, phases=((3, 32, 96), (1e9, 12, 36)))


def test_an_adaptive_client_uses_nearly_all_of_a_server_and_is_hardly_ever_refused() -> None:
    answers, refusals = work(shrinking, workers=200, seconds=5, max_concurrency=200)
    ideal = 3 * 32 / 0.02 + 2 * 12 / 0.02
    assert answers > 0.95 * ideal
    assert refusals < 0.005 * answers


def test_without_a_limit_the_same_server_refuses_more_than_it_answers() -> None:
    answers, refusals = work(shrinking, workers=200, seconds=0.1)
    assert refusals > answers


def limiting(loop: VirtualLoop) -> Server:
    return Server(loop, rate=500)


def strict(loop: VirtualLoop) -> Server:
    return Server(loop, rate=500, burst=5)


def test_a_paced_client_is_never_refused_by_a_server_with_a_rate() -> None:
    answers, refusals = work(strict, workers=64, seconds=4, requests_per_second=475)
    assert answers == pytest.approx(4 * 475, rel=0.05)
    assert refusals == 0


def test_a_pause_that_one_call_was_told_holds_back_all_of_an_adaptive_client() -> None:
    answers, refusals = work(limiting, workers=64, seconds=4, max_concurrency=64)
    assert answers > 0.8 * 4 * 500
    assert refusals < 0.2 * answers


# Over the wire


def gate_of(engine: CallEngine) -> Gate:
    gate = engine._shared.gate
    assert gate is not None
    return gate


async def fill(bench: Bench, engine: CallEngine, count: int) -> list[asyncio.Task[None]]:
    """Begin calls whose answers do not come."""
    arrived = asyncio.Event()
    bench.server.on_hang = lambda: arrived.set() if bench.server.sends >= count else None
    bench.server.plays(*["hang-after"] * count)
    tasks = [asyncio.create_task(engine.call(READ)) for _ in range(count)]
    await arrived.wait()
    return tasks


async def test_a_call_that_finds_no_room_in_time_was_not_sent_and_says_why(bench: Bench, time: Time) -> None:
    engine = bench.engine(max_concurrency=1)
    others = await fill(bench, engine, 1)
    waiting = asyncio.create_task(engine.call(CREATE, options=CallOptions(timeout=3)))
    await asyncio.sleep(0)
    # The last half second is too short for an attempt.
    time.pass_by(2.5)
    with pytest.raises(DeadlineExceeded, match=r"nothing was sent within 3\.0 s.*max_concurrency") as info:
        await waiting
    error = info.value
    assert (error.operation, error.outcome, error.attempts) == ("create_thing", "not_sent", 0)
    assert bench.told("verdict")[-1].error == "DeadlineExceeded"
    assert bench.server.sends == 1
    others[0].cancel()


async def test_the_wait_for_room_counts_toward_the_timeout_of_the_call(bench: Bench, time: Time) -> None:
    engine = bench.engine(requests_per_second=0.1)
    bench.server.plays(bench.server.answer(), bench.server.answer())
    await engine.call(READ)
    second = asyncio.create_task(engine.call(READ, options=CallOptions(timeout=30)))
    await asyncio.sleep(0)
    time.pass_by(9.95)
    await second
    assert bench.told("verdict")[-1].elapsed == pytest.approx(9.95)
    third = asyncio.create_task(engine.call(READ, options=CallOptions(timeout=9)))
    await asyncio.sleep(0)
    time.pass_by(9)
    with pytest.raises(DeadlineExceeded):
        await third


async def test_a_retry_that_finds_no_room_in_time_ends_with_what_the_attempt_before_it_met(
    bench: Bench, time: Time
) -> None:
    engine = bench.engine(requests_per_second=0.01)
    bench.server.plays(bench.server.answer(503))

    async def wait_at_the_gate() -> None:
        asyncio.get_running_loop().call_soon(time.pass_to_next_timer)

    time.after_sleep = wait_at_the_gate
    with pytest.raises(ServerError, match="this client's own limits left no room for that in time") as info:
        await engine.call(READ)
    assert info.value.attempts == 1


async def test_a_place_is_free_again_however_an_attempt_ends(bench: Bench, time: Time) -> None:
    engine = bench.engine(max_concurrency=1)
    gate = gate_of(engine)
    for fault in ("close-after", "bad-gzip", "hang-after"):
        bench.server.plays(fault)
        with pytest.raises(Exception, match="thing"):
            await engine.call(CREATE)
        assert gate.under_way == 0
    (hanging,) = await fill(bench, engine, 1)
    assert gate.under_way == 1
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert gate.under_way == 0
    assert time.armed == 0


async def test_the_place_is_not_kept_during_the_pause_before_a_retry(bench: Bench, time: Time) -> None:
    engine = bench.engine(max_concurrency=1)
    gate = gate_of(engine)
    during: list[int] = []
    bench.server.plays(bench.server.answer(503), bench.server.answer())

    async def look() -> None:
        during.append(gate.under_way)

    time.after_sleep = look
    await engine.call(READ)
    assert during == [0]


async def test_a_timeout_makes_the_limit_smaller_and_success_larger(bench: Bench) -> None:
    engine = bench.engine(max_concurrency=100)
    gate = gate_of(engine)
    assert gate.allowed == 4
    bench.server.plays(*[bench.server.answer()] * 4)
    await asyncio.gather(*(engine.call(READ) for _ in range(4)))
    grown = gate.allowed
    assert grown == 6
    bench.server.plays("hang-after")
    with pytest.raises(DeadlineExceeded):
        await engine.call(READ, options=CallOptions(max_retries=0))
    assert gate.allowed == 4


async def test_copies_of_a_client_share_its_limits(bench: Bench) -> None:
    engine = bench.engine(max_concurrency=1, requests_per_second=5.0)
    copies = [engine.scoped("other"), engine.with_options(timeout=5)]
    assert {gate_of(copy) for copy in copies} == {gate_of(engine)}


async def test_whoever_is_told_to_wait_while_it_had_a_place_gives_it_back_meanwhile(
    bench: Bench, time: Time
) -> None:
    engine = bench.engine(max_concurrency=1)
    gate = gate_of(engine)
    bench.server.plays(bench.server.answer(429, Retry_After="2"), bench.server.answer())
    during: list[tuple[int, float]] = []

    async def look() -> None:
        during.append((gate.under_way, time.now))

    time.after_sleep = look
    began = time.now
    first = asyncio.create_task(engine.call(READ, options=CallOptions(max_retries=0)))
    await asyncio.sleep(0)
    # In the queue by the time the server asks for rest.
    second = asyncio.create_task(engine.call(READ))
    with pytest.raises(RateLimited):
        await first
    await second
    ((under_way, woken_at),) = during
    assert under_way == 0
    assert woken_at == pytest.approx(began + 2.2)
    assert bench.server.sends == 2


async def test_a_client_without_limits_has_no_gate(bench: Bench) -> None:
    assert bench.engine()._shared.gate is None


# Configuration


def test_limits_are_off_unless_asked_for() -> None:
    config = resolve(environ={})
    assert (config.max_concurrency, config.requests_per_second) == (None, None)
    config = resolve(max_concurrency=64, requests_per_second=5, environ={})
    assert (config.max_concurrency, config.requests_per_second) == (64, 5.0)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "8"])
def test_a_concurrency_is_a_whole_number(value: Any) -> None:
    with pytest.raises(InvalidInput, match="max_concurrency must be a whole number, 1 or more"):
        resolve(max_concurrency=value, environ={})


@pytest.mark.parametrize("value", [0, -1, 0.0009, 1_000_001, float("nan"), float("inf"), True, "8", 10**400])
def test_a_rate_is_a_number_in_its_range(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"requests_per_second must be a number from 0\.001 to 1,000,000"):
        resolve(requests_per_second=value, environ={})


@pytest.mark.parametrize("value", [0.001, 1_000_000])
def test_the_ends_of_the_range_of_a_rate_are_in_it(value: float) -> None:
    assert resolve(requests_per_second=value, environ={}).requests_per_second == value

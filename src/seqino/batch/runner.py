"""Sends what of a run is to be sent: workers on one shared iterator, pauses, stops, and what is in doubt."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import attrs

from seqino._core.events import log
from seqino.batch.allowance import Allowance
from seqino.batch.asking import ask_for_limits
from seqino.batch.errors import Fenced, ItemChanged, LedgerError
from seqino.batch.hindrances import Hindrances
from seqino.batch.items import Chunk
from seqino.batch.progress import Meter, Progress
from seqino.batch.states import DUE, State
from seqino.client import limited, load_of
from seqino.errors import SeqinoError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection
    from types import TracebackType
    from typing import Self

    from seqino.batch.driving import Driver
    from seqino.batch.how import How
    from seqino.batch.items import Fence, Item, Run
    from seqino.batch.owners import Timing
    from seqino.batch.runs import Runs
    from seqino.batch.store import Store
    from seqino.client import SeqinoClient

__all__ = ["Runner"]

_DOUBTFUL = frozenset({State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED, State.SENDING})
"""What is looked at; what is being sent is somebody else's, who settles it, or dies."""

_REST = 0.25
"""Seconds between two passes at the least."""

_LONGEST_REST = 60.0
"""Seconds between two passes at the most, while the platform cannot be reached."""

_TURNS = 10.0
"""Seconds that the turns of all workers together may take where requests are paced."""

_BLOCK = 32
"""Contents that are read together: one by one, reading takes longer than writing."""


@attrs.define
class _Part:
    """A chunk that is being worked on."""

    chunk: Chunk
    under_way: int = 0
    is_read: bool = False
    is_lost: bool = False


class Runner:
    """Works on a run, as the only one; used with ``async with``, which ends in good order.

    Args:
        run: The run, ready.
        store: The ledger.
        runs: Its runs.
        driver: Drives items.
        timing: How long things take.
        client: Over which calls are made.
        how: How it goes about it.
    """

    def __init__(
        self,
        run: Run,
        *,
        store: Store,
        runs: Runs,
        driver: Driver,
        timing: Timing,
        client: SeqinoClient,
        how: How,
    ) -> None:
        self._run = run
        self._store = store
        self._runs = runs
        self._driver = driver
        self._timing = timing
        self._client = client
        self._how = how
        self._workers = how.concurrency
        self._lease: Fence | None = None
        self._parts: dict[int, _Part] = {}
        self._meter = Meter({}, now=how.clock())
        self._allowance = Allowance()
        self._refused = 0
        self._hindrances = Hindrances(how.clock)
        self._closing = asyncio.Lock()
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._lease = await self._runs.take(self._run)
        try:
            self._meter = Meter(await self._store.counts(self._run.id), now=self._how.clock())
            self._refused = len(await self._runs.refused(self._run))
            if self._how.paced:
                self._allowance = await self._ask_for_limits()
            self._set_pace()
        except BaseException:
            await self._store.release(self._lease)
            raise
        self._work = asyncio.create_task(self._work_through())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def is_working(self) -> bool:
        """Whether it was not ended yet."""
        return self._work is not None

    async def aclose(self) -> None:
        """Begin nothing more, let what is under way end, and give up the run. May be called twice."""
        self._hindrances.end.set()
        async with self._closing:
            work, self._work = self._work, None
            if work is None:
                return
            under_way = sum(part.under_way for part in self._parts.values())
            try:
                try:
                    if under_way and self._how.on_stop is not None:
                        self._how.on_stop(under_way)
                finally:
                    # What is told is foreign code: a fault of it leaves nothing at work.
                    await asyncio.wait({work}, timeout=self._how.grace)
            finally:
                # What may have left by now is in doubt, and is written as such.
                work.cancel()
                await asyncio.wait({work})
                await self._give_up()

    async def _give_up(self) -> None:
        """Leave the run, and what is left of its parts, to whoever resumes it."""
        fences = [part.chunk.fence for part in self._parts.values() if not part.is_lost]
        for fence in (*fences, self._lease):
            try:
                if fence is not None:  # pragma: no branch - it was entered
                    await self._store.release(fence)
            except LedgerError as error:
                # Others find out by themselves that nobody works on it any more.
                log(logging.WARNING, "ledger: %s", error)

    # --- What is told of it

    async def follow(self, *, interval: float) -> AsyncGenerator[Progress]:
        """Yield how far it is, at the beginning, then at most each so many seconds, and at the end.

        Raises:
            SeqinoError: What stopped it, after the last progress.
        """
        yield self._progress()
        work = self._work
        while work is not None and not work.done():
            await self._rest(interval, until=work)
            if not work.done():
                yield self._progress()
        if work is not None:  # pragma: no branch - it was entered
            await work
        self._meter.correct(await self._store.counts(self._run.id))
        yield self._progress(is_over=True)
        if self._hindrances.stopped is not None:
            raise self._hindrances.stopped

    def _progress(self, *, is_over: bool = False) -> Progress:
        now = self._how.clock()
        elapsed, rate, seconds_left = self._meter.read(now=now)
        load = load_of(self._client)
        return Progress(
            run_id=self._run.id,
            counts=self._meter.counts,
            refused=self._refused,
            is_over=is_over,
            elapsed=elapsed,
            rate=rate,
            seconds_left=seconds_left,
            concurrency=min(self._workers, load.allowed or self._workers),
            under_way=load.under_way,
            held_for=max(load.held_for, self._hindrances.held_for, 0.0),
            allowance=self._allowance,
            paused=dict(self._hindrances.paused),
            given_up=len(self._hindrances.tries.given_up - self._hindrances.unread.keys()),
            unread=tuple(self._hindrances.unread.values()),
            stopped=self._hindrances.stopped,
        )

    # --- Before anything is sent

    async def _ask_for_limits(self) -> Allowance:
        """Ask the platform how fast the run may go."""
        first = await anext(self._store.items(run_id=self._run.id, states=DUE), None)
        if first is None:
            return Allowance()
        return await ask_for_limits(
            self._client,
            client_id=self._client.client_id or first.client_id,
            invoices=sum(count for state, count in self._meter.counts.items() if state.is_to_be_sent),
            options=self._how.options,
        )

    def _set_pace(self) -> None:
        rate = self._allowance.requests_per_second
        self._client = limited(self._client, most=self._how.concurrency, rate=rate)
        if rate is not None:
            self._workers = min(self._workers, max(1, int(rate * _TURNS)))

    # --- Working

    async def _work_through(self) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            await self._send()
            await self._look()
        except SeqinoError as error:
            self._hindrances.stop(error)
        finally:
            beating.cancel()
            await asyncio.wait({beating})

    async def _send(self) -> None:
        """Send all that is to be sent, as it becomes due."""
        barren = 0
        while not self._hindrances.end.is_set():
            ended = self._meter.ended
            await self._pass(DUE)
            self._hindrances.end_pass(in_vain=self._is_in_vain())
            due = await self._next_due(DUE)
            if due is None:
                return
            barren = barren + 1 if self._meter.ended == ended else 0
            await self._wait(max(due, min(_REST * 2.0 ** min(barren, 16), _LONGEST_REST)))

    async def _next_due(self, states: Collection[State]) -> float | None:
        return await self._runs.next_due(
            self._run, states=states, without=self._hindrances.paused, but=self._hindrances.tries.given_up
        )

    async def _wait(self, seconds: float) -> None:
        """Wait before what failed is tried again; what is in doubt is looked at as it becomes due."""
        until = self._how.clock() + seconds
        left = seconds
        while left > 0 and not self._hindrances.end.is_set():
            due = await self._next_due(_DOUBTFUL) if self._how.patience > 0 else None
            if due is None or due >= left:
                await self._rest(left)
                return
            await self._rest(min(max(due, _REST), left))
            await self._pass(_DOUBTFUL)
            left = until - self._how.clock()

    async def _look(self) -> None:
        """Find out what became of what is in doubt, as long as there is time."""
        deadline = self._how.clock() + self._how.patience
        while not self._hindrances.end.is_set():
            due = await self._next_due(_DOUBTFUL)
            pause = None if due is None else max(due, _REST)
            if pause is None or self._how.clock() + pause >= deadline:
                return
            await self._rest(pause)
            await self._pass(_DOUBTFUL)

    async def _pass(self, states: Collection[State]) -> None:
        """Go once through all that is due."""
        self._hindrances.failures = 0
        items = self._items(states)
        turn = asyncio.Lock()

        async def work() -> None:
            try:
                while not self._is_in_vain():
                    # An async generator cannot be entered twice; who waits here was not given an item yet.
                    async with turn:
                        await self._hold()
                        taken = None if self._is_in_vain() else await anext(items, None)
                    if taken is None:
                        return
                    await self._one(*taken)
            except SeqinoError as error:
                self._hindrances.stop(error)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._workers):
                    group.create_task(work())
        finally:
            await items.aclose()
            for part in list(self._parts.values()):
                await self._finish(part)

    def _is_in_vain(self) -> bool:
        """Whether to begin nothing more for now: the run is stopped, or the platform cannot be reached."""
        return self._hindrances.end.is_set() or self._hindrances.failures >= 2 * self._workers

    async def _items(self, states: Collection[State]) -> AsyncGenerator[tuple[Item, bytes | None, _Part]]:
        after = 0
        while True:
            chunk = await self._runs.take_chunk(self._run, after=after, states=states)
            if chunk is None:
                return
            after = chunk.no
            part = self._parts[chunk.id] = _Part(chunk)
            async for block in self._runs.blocks(chunk, states=states, size=_BLOCK):
                contents = await self._store.payloads(block)
                for item in block:
                    if not (part.is_lost or self._hindrances.keeps_back(item)):
                        part.under_way += 1
                        yield item, contents.get(item.sha256), part
            part.is_read = True
            if not part.under_way:
                await self._finish(part)

    async def _finish(self, part: _Part) -> None:
        if self._parts.pop(part.chunk.id, None) is not None and not part.is_lost:
            await self._runs.finish_chunk(part.chunk)

    async def _one(self, item: Item, content: bytes | None, part: _Part) -> None:
        """Go on with an invoice; whatever becomes of it stops no other, unless all would fail alike."""
        try:
            drive = await self._driver.drive(
                self._client,
                item,
                fence=part.chunk.fence,
                options=self._how.options,
                patience=0.0,
                revalidate=self._how.revalidate,
                content=content,
            )
        except Fenced:
            part.is_lost = True
        except ItemChanged:
            # A webhook was faster. What it is now is counted at the end.
            pass
        else:
            self._meter.moved(item.state, drive.item.state)
            self._hindrances.note(drive)
        finally:
            part.under_way -= 1
        if part.is_read and not part.under_way:
            await self._finish(part)

    # --- Time

    async def _hold(self) -> None:
        """Wait until the platform wants to be called again: what is not begun need not be written."""
        while (pause := self._hindrances.held_for) > 0 and not self._hindrances.end.is_set():
            await self._rest(pause)

    async def _rest(self, seconds: float, *, until: asyncio.Task[None] | None = None) -> None:
        """Wait for some seconds, or until something ends: the run, where nothing else is named."""
        sleeping = asyncio.ensure_future(self._how.sleep(seconds))
        ending = asyncio.ensure_future(self._hindrances.end.wait()) if until is None else until
        try:
            await asyncio.wait({sleeping, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            if until is None:
                ending.cancel()

    async def _beat(self) -> None:
        """Let others know that the run is worked on."""
        while True:
            await asyncio.sleep(self._timing.beat)
            try:
                if self._lease is not None:  # pragma: no branch - it was entered
                    await self._store.beat(self._lease)
            except LedgerError as error:
                if isinstance(error, Fenced):
                    self._hindrances.stop(error)
                    return
                log(logging.WARNING, "ledger: %s", error)
            for part in list(self._parts.values()):
                await self._beat_for(part)

    async def _beat_for(self, part: _Part) -> None:
        try:
            await self._store.beat(part.chunk.fence)
        except Fenced:
            part.is_lost = True
        except LedgerError as error:
            log(logging.WARNING, "ledger: %s", error)

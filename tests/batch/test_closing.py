"""A ledger that is closed while it is used, and one that another process keeps locked."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

import pytest

from seqino.batch import LedgerBusy, LedgerUnusable, State
from seqino.errors import CallError
from seqino.options import CallOptions
from tests.batch.conftest import CLIENT, DRAFT, FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino.batch import Ledger
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform


# Closed


async def test_closing_lets_what_is_under_way_end(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    platform.holds = "upload"
    sending = asyncio.create_task(ledger.submit_file(client, FILE, key="k"))
    await platform.held.wait()
    shutting = asyncio.create_task(ledger.aclose())
    await asyncio.sleep(0)
    with pytest.raises(LedgerUnusable, match="is closed"):
        await ledger.submit(client, DRAFT, key="l")
    platform.release()
    assert (await sending).invoice_id == "inv-f"
    await shutting
    assert await (await machine.open()).counts() == {State.ACCEPTED: 1}


async def test_closing_does_not_wait_for_another_try(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    platform.faults["create"] = ["500"] * 9
    shutting: list[asyncio.Task[None]] = []

    async def sleep(_: float) -> None:
        shutting.append(asyncio.create_task(ledger.aclose()))
        await asyncio.sleep(0)

    ledger._service._sleep = sleep
    with pytest.raises(CallError, match="500"):
        await ledger.submit(client, DRAFT, key="k")
    await asyncio.wait(shutting)
    assert (len(shutting), platform.requests["create"]) == (1, 2)


async def test_what_takes_too_long_is_in_doubt_once_the_ledger_is_closed(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.service._GRACE", 0.0)
    ledger = await machine.open()
    platform.holds = "validate"
    sending = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    await ledger.aclose()
    platform.release()
    with pytest.raises(LedgerUnusable, match="is closed"):
        await sending
    again = await machine.open()
    assert await again.counts() == {State.IN_DOUBT: 1}
    assert (await again.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert platform.effects.total() == 1


async def test_a_run_that_is_stopped_tells_how_much_it_waits_for(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await ledger.create_run([("1", DRAFT), ("2", DRAFT)], client_id=CLIENT)
    told: list[int] = []
    platform.holds = "validate"

    def stopped(under_way: int) -> None:
        told.append(under_way)
        platform.release()

    async with aclosing(run.submit(client, concurrency=1, paced=False, on_stop=stopped)) as working:
        await anext(working)
        await platform.held.wait()
    assert told == [1]
    assert await run.counts() == {State.ACCEPTED: 1, State.QUEUED: 1}
    async for _ in run.submit(client, paced=False, on_stop=stopped):
        pass
    assert told == [1]


async def test_a_run_is_ended_in_order_though_nothing_can_be_told_of_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await ledger.create_run([("1", DRAFT), ("2", DRAFT)], client_id=CLIENT)
    platform.holds = "validate"

    def stopped(_: int) -> None:
        platform.release()
        raise BrokenPipeError

    working = run.submit(client, concurrency=1, paced=False, on_stop=stopped)
    await anext(working)
    await platform.held.wait()
    with pytest.raises(BrokenPipeError):
        await working.aclose()
    assert await run.counts() == {State.ACCEPTED: 1, State.QUEUED: 1}
    async for _ in run.submit(client, paced=False):
        pass
    assert await run.counts() == {State.ACCEPTED: 2}


async def test_a_ledger_that_was_closed_says_so(machine: Machine, client: SeqinoClient) -> None:
    ledger = await machine.open()
    await ledger.aclose()
    for use in (ledger.counts(), ledger.reconcile(client), ledger.submit(client, DRAFT, key="k")):
        with pytest.raises(LedgerUnusable, match="the ledger is closed: open it again"):
            await use


# Locked


@pytest.fixture
def locked(machine: Machine) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(machine.place, isolation_level=None)) as other:
        yield other


async def test_the_time_of_a_call_covers_a_ledger_that_is_locked(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch, locked: sqlite3.Connection
) -> None:
    monkeypatch.setattr("seqino.batch.service._TO_WRITE", 0.01)
    await ledger.submit(client, DRAFT, key="first")
    locked.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerBusy, match="could not be written in time for 'k'"):
        await ledger.submit(client, DRAFT, key="k", options=CallOptions(timeout=0.01))
    # It is still being waited for.
    assert ledger.store._writer.is_writing
    locked.execute("ROLLBACK")
    await ledger.store.flush()
    found = await ledger.find("k", client_id=CLIENT)
    assert found is not None
    assert (found.state, found.chunk_id) == (State.QUEUED, None)
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-2"


async def test_the_time_of_a_call_covers_a_ledger_that_is_locked_while_it_sends(
    ledger: Ledger,
    client: SeqinoClient,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    locked: sqlite3.Connection,
) -> None:
    limits: list[asyncio.Timeout] = []
    limit_of = asyncio.timeout

    def timeout(delay: float | None) -> asyncio.Timeout:
        limit = limit_of(delay)
        if delay is not None and delay > 1000:
            limits.append(limit)
        return limit

    monkeypatch.setattr(asyncio, "timeout", timeout)
    platform.holds = "upload"
    options = CallOptions(timeout=1000)
    sending = asyncio.create_task(ledger.submit_file(client, FILE, key="k", options=options))
    await platform.held.wait()
    locked.execute("BEGIN IMMEDIATE")
    platform.release()
    while not ledger.store._writer.is_writing:  # noqa: ASYNC110 - no event tells that it is about to write
        await asyncio.sleep(0)
    (limit,) = limits
    limit.reschedule(asyncio.get_running_loop().time())
    with pytest.raises(LedgerBusy, match="could not be written in time for 'k'"):
        await sending
    assert ledger.store._writer.is_writing
    locked.execute("ROLLBACK")
    await ledger.store.flush()
    assert (await ledger.submit_file(client, FILE, key="k")).invoice_id == "inv-f"
    assert platform.effects.total() == 1


async def test_a_time_that_is_over_for_the_call_itself_is_told_as_before(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any, **__: Any) -> Any:
        raise TimeoutError("of something else")

    monkeypatch.setattr(ledger.driver, "drive", fail)
    with pytest.raises(TimeoutError, match="of something else"):
        await ledger.submit(client, DRAFT, key="k")

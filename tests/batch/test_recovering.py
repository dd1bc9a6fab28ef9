"""A ledger that was put back is recovered whole, or not at all, and while nobody is at work on it."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from seqino.batch import Fenced, Ledger, LedgerInUse, State, WriteFailed
from tests.batch.conftest import CLIENT, DRAFT

if TYPE_CHECKING:
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform


async def test_a_recovery_that_is_killed_changes_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await machine.open()
    await ledger.create_run([(f"E{number}", DRAFT) for number in range(3)], client_id=CLIENT)
    await ledger.aclose()
    before = await history_of(machine)
    with monkeypatch.context() as killed:
        killed.setattr("seqino.batch.recovering._PAGE", 2)
        killed.setattr("seqino.batch.recovering.open_gap", Mock(side_effect=WriteFailed("killed")))
        with pytest.raises(WriteFailed):
            await machine.open(recover=True)
    # Where the whole machine was put back, nothing would tell it afterwards.
    assert await history_of(machine) == before
    monkeypatch.setattr("seqino.batch.recovering._PAGE", 2)
    recovered = await machine.open(recover=True)
    assert await recovered.counts() == {State.PARKED: 3}
    assert await recovered.gap() is not None
    await recovered.aclose()
    assert await history_of(machine) == [*before, *["recovered"] * 3]


async def history_of(machine: Machine) -> list[str]:
    async with await machine.open() as ledger:
        return [str(entry.event) async for entry in ledger.history()]


async def test_a_ledger_on_which_another_process_is_at_work_is_not_recovered(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = await machine.open()
    platform.holds = "validate"
    sending = asyncio.create_task(at_work.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    closed: list[Ledger] = []
    aclose = Ledger.aclose

    async def close(self: Ledger) -> None:
        await aclose(self)
        closed.append(self)

    with monkeypatch.context() as alive:
        alive.setattr("seqino.batch.owning.is_stale", Mock(return_value=False))
        alive.setattr(Ledger, "aclose", close)
        with pytest.raises(LedgerInUse, match=r"a process is at work on the ledger \(.*End it, then recover"):
            await machine.open(recover=True)
        assert (await at_work.counts(), await at_work.gap()) == ({State.SENDING: 1}, None)
    assert len(closed) == 1
    platform.release()
    assert (await sending).invoice_id == "inv-1"
    await at_work.aclose()


async def test_what_the_dead_were_sending_is_doubted_by_a_recovery_and_they_send_nothing_more(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    dead = await machine.open()
    platform.holds = "validate"
    sending = asyncio.create_task(dead.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    fence = await dead._service.fence()
    recovered = await machine.open(recover=True)
    assert await recovered.counts() == {State.IN_DOUBT: 1}
    with pytest.raises(Fenced):
        await dead.store.beat(fence)
    platform.release()
    assert (await sending).invoice_id == "inv-1"
    assert await recovered.counts() == {State.ACCEPTED: 1}

"""A loop whose tasks begin at once, as Python 3.12 offers: nothing is sent twice, and nothing hangs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from seqino.batch import Ledger, State
from seqino.batch.errors import LedgerUnusable
from seqino.batch.writer import Writer
from seqino.client import SeqinoClient
from seqino.sandbox import Sandbox
from tests.batch.conftest import DRAFT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SPONSORED = "sandbox-client-seqino"
FACTORY: Any = getattr(asyncio, "eager_task_factory", None)

pytestmark = pytest.mark.skipif(FACTORY is None, reason="eager tasks need Python 3.12")


@pytest.fixture(autouse=True)
async def eagerness() -> None:
    asyncio.get_running_loop().set_task_factory(FACTORY)


async def test_many_tasks_of_two_ledgers_send_each_invoice_once(tmp_path: Path) -> None:
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("sandbox-key", client_id=SPONSORED, base_url=sandbox.url) as client,
    ):
        settings: dict[str, Any] = {"server": sandbox.url, "sponsor": "acme", "copies": tmp_path / "copies"}
        async with (
            Ledger.open(tmp_path / "l.db", **settings) as one,
            Ledger.open(tmp_path / "l.db", **settings) as two,
        ):
            results = await asyncio.gather(
                *(
                    asyncio.create_task(ledger.submit(client, DRAFT, key=f"ERP-{number}"))
                    for number in range(6)
                    for ledger in (one, two, one)
                )
            )
            assert len({result.invoice_id for result in results}) == 6
            assert await two.counts() == {State.ACCEPTED: 6}
        assert (sandbox.counters.invoices_created, sandbox.counters.duplicates) == (6, 0)


async def test_a_run_is_worked_through_and_doubts_the_one_whose_answer_was_lost(tmp_path: Path) -> None:
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("sandbox-key", client_id=SPONSORED, base_url=sandbox.url) as client,
        Ledger.open(
            tmp_path / "l.db", server=sandbox.url, sponsor="acme", copies=tmp_path / "copies"
        ) as ledger,
    ):
        run = await ledger.create_run([(f"E{number}", DRAFT) for number in range(6)], client_id=SPONSORED)
        sandbox.faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate")
        progress = [each async for each in run.submit(client, paced=False)]
        assert progress[-1].is_over
        assert progress[-1].counts == {State.ACCEPTED: 5, State.IN_DOUBT: 1}
        assert (sandbox.counters.invoices_created, sandbox.counters.duplicates) == (6, 0)


async def test_what_cannot_be_written_at_once_keeps_nobody_waiting() -> None:
    async def closed(_: Sequence[str]) -> list[str]:
        raise LedgerUnusable("the ledger is closed")

    writer = Writer[str, str](closed)
    for write in "ab":
        assert isinstance(writer.put(write).exception(), LedgerUnusable)
    await writer.flush()


async def test_a_closed_ledger_says_so_each_time(tmp_path: Path) -> None:
    ledger = await Ledger.open(
        tmp_path / "l.db", server="https://api.example/api", sponsor="acme", copies=tmp_path / "copies"
    )
    await ledger.aclose()
    for _ in range(2):
        with pytest.raises(LedgerUnusable, match="is closed"):
            async with asyncio.timeout(10):
                await ledger.store.register()

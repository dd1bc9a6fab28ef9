"""The ledger against the sandbox, end to end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from seqino.batch import Ledger, State
from seqino.client import SeqinoClient
from seqino.sandbox import Sandbox
from tests.batch.conftest import DRAFT, INVOICES

if TYPE_CHECKING:
    from pathlib import Path

SPONSORED = "sandbox-client-seqino"


async def test_drafts_and_files_are_each_sent_once_by_many_workers(tmp_path: Path) -> None:
    files = sorted(INVOICES.glob("0*-ubl.xml"))
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("sandbox-key", client_id=SPONSORED, base_url=sandbox.url) as client,
    ):
        settings: dict[str, Any] = {"server": sandbox.url, "sponsor": "acme", "copies": tmp_path / "copies"}
        async with (
            Ledger.open(tmp_path / "l.db", **settings) as one,
            Ledger.open(tmp_path / "l.db", **settings) as two,
        ):
            workers = [one, two, one, two]
            drafts = [
                worker.submit(client, DRAFT, key=f"ERP-{number}")
                for number in range(10)
                for worker in workers
            ]
            results = await asyncio.gather(
                *drafts, *(worker.submit_file(client, file) for file in files for worker in workers)
            )
            assert len({result.invoice_id for result in results}) == 10 + len(files)
            assert await one.counts() == {State.ACCEPTED: 10 + len(files)}
        assert sandbox.counters.invoices_created == 10 + len(files)
        assert sandbox.counters.duplicates == 0

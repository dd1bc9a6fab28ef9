"""A hundred thousand invoices take no more memory than five thousand."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

COUNT, EARLY = 100_000, 5_000
MOST = 8 * 1024 * 1024
"""Bytes that may be added: not even the keys of all of them would fit in. Measured: 0.4 MB."""

PROGRAM = f"""
import asyncio, resource, sys
from seqino.batch import Ledger

SELLER = {{"name": "Boulangerie Dupain", "postal_address": {{"city_name": "Paris"}}}}
DRAFT = {{"issue_date": "2026-09-01", "type_code": "380", "currency_code": "EUR", "seller": SELLER}}
seen = []

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

def invoices():
    for number in range({COUNT}):
        if number == {EARLY}:
            seen.append(peak())
        yield f"the accounts' own number of the document {{number:012}}", DRAFT

async def main():
    settings = dict(server="local", sponsor="acme", copies=sys.argv[1])
    async with Ledger.open(sys.argv[1] + "/ledger.db", **settings) as ledger:
        run = await ledger.create_run(invoices(), client_id="c")
        print(sum((await run.counts()).values()), peak() - seen[0])

asyncio.run(main())
"""


def test_a_hundred_thousand_invoices_are_taken_into_the_ledger_in_flat_memory(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - a process of its own, whose peak is nobody else's
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    count, added = map(int, done.stdout.split())
    assert count == COUNT
    assert added < MOST

"""What the ledger costs: submissions a second with it over without it, and memory of many over few invoices.

``python -m benchmarks.ledger [--quick]`` prints ratios: the median over interleaved rounds with the least and
the greatest. A server in a process of its own answers each request after 20 ms. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.quick import Figure
from seqino.batch import Ledger
from seqino.client import SeqinoClient

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

INVOICE = Path(__file__).parents[1] / "src/seqino/sandbox/invoices/13-consulting-draft.json"
WIDTH = 64

_MEMORY = """
import asyncio, json, resource, sys
from seqino.batch import Ledger

async def main(place, count):
    draft = json.loads(open({invoice!r}, encoding="utf-8").read(), parse_float=str)
    async with Ledger.open(place + "/ledger.db", server="local", sponsor="bench", copies=place) as ledger:
        await ledger.create_run(((str(number), draft) for number in range(count)), client_id="c")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@attrs.frozen(kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int
    invoices: int
    many: int
    few: int = 1000


FULL = Effort(rounds=7, invoices=2000, many=100_000)
QUICK = Effort(rounds=3, invoices=1000, many=20_000)
TINY = Effort(rounds=1, invoices=8, many=20, few=10)


async def without(client: SeqinoClient, draft: dict[str, Any], count: int) -> float:
    """Submit by as many workers, and write nothing down; return invoices a second."""
    numbers = iter(range(count))

    async def work() -> None:
        for _ in numbers:
            await client.submit(draft)

    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(WIDTH):
            group.create_task(work())
    return count / (time.perf_counter() - start)


async def within(client: SeqinoClient, draft: dict[str, Any], count: int) -> tuple[float, float]:
    """Submit a run; return invoices a second while sending, and with the reading of the source."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ledger.db"
        async with Ledger.open(place, server=client.base_url, sponsor="bench", copies=folder) as ledger:
            begun = time.perf_counter()
            source = ((str(number), draft) for number in range(count))
            run = await ledger.create_run(source, client_id="c")
            start = time.perf_counter()
            async for progress in run.submit(client, concurrency=WIDTH, paced=False):
                assert not progress.is_over or progress.taken == count, progress  # noqa: S101 - compared alike
            end = time.perf_counter()
    return count / (end - start), count / (end - begun)


async def one_by_one(client: SeqinoClient, draft: dict[str, Any], count: int) -> float:
    """Submit as a web service does, each in a call of its own; return invoices a second."""
    numbers = iter(range(count))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ledger.db"
        async with Ledger.open(place, server=client.base_url, sponsor="bench", copies=folder) as ledger:

            async def work() -> None:
                for number in numbers:
                    await ledger.submit(client, draft, key=str(number))

            start = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(WIDTH):
                    group.create_task(work())
            return count / (time.perf_counter() - start)


@attrs.define
class Round:
    """Invoices a second of one round.

    Args:
        plain: Without the ledger.
        run: In a run, while sending.
        whole: In a run, with the reading of its source.
        service: One by one.
    """

    plain: float = 0.0
    run: float = 0.0
    whole: float = 0.0
    service: float = 0.0


async def throughput(effort: Effort, port: int) -> list[Round]:
    """Measure all in turns."""
    draft = json.loads(INVOICE.read_text(encoding="utf-8"), parse_float=str)
    found: list[Round] = []
    url = f"http://127.0.0.1:{port}"
    # The same limit for both: it adapts, and is warm before the first round counts.
    async with SeqinoClient("bench-key", client_id="c", base_url=url, max_concurrency=WIDTH) as client:
        await without(client, draft, min(effort.invoices, 500))
        for _ in range(effort.rounds):
            each = Round()
            for name in random.sample(["plain", "run", "service"], 3):
                if name == "plain":
                    each.plain = await without(client, draft, effort.invoices)
                elif name == "run":
                    each.run, each.whole = await within(client, draft, effort.invoices)
                else:
                    each.service = await one_by_one(client, draft, effort.invoices)
            found.append(each)
    return found


def memory(count: int) -> int:
    """Return the peak of a process that takes so many invoices into a ledger, in kB on Linux."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", _MEMORY.format(invoice=str(INVOICE)), folder, str(count)],
            capture_output=True,
            text=True,
            check=True,
        )
    return int(done.stdout)


@contextlib.contextmanager
def answering(delay: float) -> Generator[int]:
    """Run the server in a process of its own; yield its port."""
    command = [sys.executable, "-m", "benchmarks.answering", str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            yield int((server.stdout or sys.stdin).readline())
        finally:
            server.kill()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="wider ratios, in less time")
    parser.add_argument("--tiny", action="store_true", help="only to see that all of it runs")
    given = parser.parse_args(arguments)
    effort = TINY if given.tiny else QUICK if given.quick else FULL
    print(f"{'':<52} {'ratio':>5}  {'least..most':<12}  {'asked':<7}  {'aim':<4}  {'reached':<7}  here")
    with answering(0.0 if given.tiny else 0.02) as port:
        found = asyncio.run(throughput(effort, port))
    rate = sorted(each.run for each in found)[len(found) // 2]
    print(
        Figure(
            name=f"submissions/s with the ledger, 20 ms, {WIDTH} at a time",
            ratios=[each.run / each.plain for each in found],
            asked=(">=", 0.85, 0.95),
            note=f"{rate:,.0f}/s",
        )
    )
    whole = [each.whole / each.plain for each in found]
    print(Figure(name="  with the reading of the source", ratios=whole))
    service = [each.service / each.plain for each in found]
    print(Figure(name="  one by one, as a web service (ledger.submit)", ratios=service))
    few, many = memory(effort.few), memory(effort.many)
    print(
        Figure(
            name=f"peak memory, {effort.many:,} invoices over {effort.few:,}",
            ratios=[many / few],
            asked=("<=", 1.25, 1.10),
            note=f"{many / 1024:,.0f} MB",
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

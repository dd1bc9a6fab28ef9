"""What safety costs: calls beside aiohttp alone, the codec beside msgspec.Struct, the import beside others.

``python -m benchmarks.quick [--quick]`` prints a table of ratios, each the median over rounds with the least
and the greatest, next to what is asked and what is aimed at. Nothing is asserted: a busy machine is no fault.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence

import aiohttp
import attrs
import msgspec

from benchmarks import codec
from benchmarks.calls import contend, differences
from seqino import models

IMPORT = "import seqino; seqino.SeqinoClient"
PARTS = "import aiohttp, attrs, cattrs, msgspec"


@attrs.frozen(kw_only=True)
class Effort:
    """How much is measured: the more, the narrower the ratios."""

    rounds: int
    batches: int
    calls: int
    imports: int
    codec: int


FULL = Effort(rounds=11, batches=6, calls=200, imports=15, codec=40)
QUICK = Effort(rounds=5, batches=2, calls=200, imports=5, codec=10)
TINY = Effort(rounds=1, batches=1, calls=16, imports=1, codec=1)


@attrs.frozen(kw_only=True)
class Figure:
    """One line of the table.

    Args:
        name: What is compared.
        ratios: One for each round.
        asked: What the median should keep to; the sign says which way is better, as in ``(">=", 0.8, 0.95)``.
        note: Medians in plain units, which say nothing about another machine.
    """

    name: str
    ratios: Sequence[float]
    asked: tuple[str, float, float] | None = None
    note: str = ""

    def __str__(self) -> str:
        middle = statistics.median(self.ratios)
        spread = f"{min(self.ratios):.2f}..{max(self.ratios):.2f}"
        wanted = " " * 24
        if self.asked is not None:
            sign, asked, aimed = self.asked
            wanted = f"{sign} {asked:.2f}  {aimed:.2f}  {_reached(middle, self.asked):<7}"
        return f"{self.name:<52} {middle:5.2f}  {spread:<12}  {wanted}  {self.note}".rstrip()


def _reached(value: float, wanted: tuple[str, float, float]) -> str:
    sign, asked, aimed = wanted
    if sign == ">=":
        value, asked, aimed = -value, -asked, -aimed
    return "aim" if value <= aimed else "asked" if value <= asked else "missed"


_THROUGHPUT = (">=", 0.80, 0.95)
_CPU = ("<=", 1.25, 1.05)


def throughput(effort: Effort, *, width: int) -> Iterable[Figure]:
    """Calls a second over those of aiohttp alone."""
    names = ("aiohttp", "typed", "aiohttp submit", "typed submit")
    found = contend(names, width=width, rounds=effort.rounds, batches=effort.batches, calls=effort.calls)
    for title, ours, base in (
        ("drafts.create, 8 kB draft", "typed", "aiohttp"),
        ("submit: draft, then validate", "typed submit", "aiohttp submit"),
    ):
        yield Figure(
            name=f"calls/s, {title}, {width} at a time",
            ratios=[each[base].wall / each[ours].wall for each in found],
            asked=_THROUGHPUT,
            note=f"{_middle(1 / each[ours].wall for each in found) * effort.batches:,.0f} calls/s",
        )


def cpu(effort: Effort, *, width: int = 16) -> Iterable[Figure]:
    """CPU time of a call over that of aiohttp alone, and what of it is encoding and decoding."""
    names = ("aiohttp", "ready", "typed")
    found = contend(names, width=width, rounds=effort.rounds, batches=effort.batches, calls=effort.calls)

    def note(costs: Iterable[float]) -> str:
        return f"{_middle(costs) / effort.batches * 1e6:,.0f} µs"

    def line(name: str, costs: list[float], asked: tuple[str, float, float] | None = None) -> Figure:
        ratios = [cost / each["aiohttp"].cpu for cost, each in zip(costs, found, strict=True)]
        return Figure(name=name, ratios=ratios, asked=asked, note=note(costs))

    codecs = [each["typed"].cpu - each["ready"].cpu for each in found]
    rest = [each["ready"].cpu - each["aiohttp"].cpu for each in found]
    yield line(f"CPU of a call, 8 kB draft, {width} at a time", [each["typed"].cpu for each in found], _CPU)
    yield line("  of which aiohttp", [each["aiohttp"].cpu for each in found])
    yield line("  of which encoding and decoding", codecs)
    yield line("  of which everything else", rest)


def importing(effort: Effort) -> Iterable[Figure]:
    """CPU time to import the package with its client, over that of the libraries it stands on."""
    taken: dict[str, list[float]] = {IMPORT: [], PARTS: []}
    # Compiles what was changed since: of an installed package, all is compiled.
    _import_time(IMPORT)
    for _ in range(effort.imports):
        for statement in random.sample([IMPORT, PARTS], 2):
            taken[statement].append(_import_time(statement))
    ours, parts = taken[IMPORT], taken[PARTS]
    yield Figure(
        name="import seqino with its client, over its libraries",
        ratios=[one / other for one, other in zip(ours, parts, strict=True)],
        asked=("<=", 1.25, 1.10),
        note=f"{_middle(ours) * 1e3:,.0f} ms",
    )


def _import_time(statement: str) -> float:
    code = f"import time; start = time.process_time(); {statement}; print(time.process_time() - start)"
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def coding(effort: Effort) -> Iterable[Figure]:
    """Time of the codec over that of msgspec.Struct twins, with and without its checks."""
    reading, writing = codec.cases(codec.invoice(), models.InvoiceDraft)
    read = codec.measure(reading, codec.READ_TWIN, effort.codec)
    write = codec.measure(writing, codec.WRITE_TWIN, effort.codec)
    events, _ = codec.cases(codec.events(), list[models.LifecycleEvent])
    page = codec.measure(events, codec.READ_TWIN, effort.codec)
    unchecked = [
        one - other for one, other in zip(read[codec.READ_CODEC], read[codec.READ_CHECK], strict=True)
    ]
    for name, taken, twin, asked in (
        ("decode 8 kB draft, check apart", unchecked, read[codec.READ_TWIN], ("<=", 1.8, 1.5)),
        ("  with the check", read[codec.READ_CODEC], read[codec.READ_TWIN], None),
        (
            "encode 8 kB draft, check apart",
            write[codec.WRITE_NATIVE],
            write[codec.WRITE_TWIN],
            ("<=", 1.3, 1.2),
        ),
        ("  with the check", write[codec.WRITE_CODEC], write[codec.WRITE_TWIN], None),
        ("decode 1,000 events", page[codec.READ_CODEC], page[codec.READ_TWIN], ("<=", 1.3, 1.1)),
    ):
        ratios = [one / other for one, other in zip(taken, twin, strict=True)]
        yield Figure(name=name, ratios=ratios, asked=asked, note=f"{_middle(taken) * 1e6:,.0f} µs")


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quick", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 15 s instead of 80: wider ratios")
    parser.add_argument("--tiny", action="store_true", help="only to see that all of it runs")
    given = parser.parse_args(arguments)
    effort = TINY if given.tiny else QUICK if given.quick else FULL
    start = time.monotonic()
    unlike = asyncio.run(differences())
    if unlike:
        print(f"not comparable: other bytes are sent by {', '.join(unlike)}", file=sys.stderr)
        return 1
    print(
        f"Python {platform.python_version()}, aiohttp {aiohttp.__version__}, msgspec {msgspec.__version__}; "
        f"medians of ratios to what ran beside, {effort.rounds} rounds"
    )
    print(f"{'':<52} {'ratio':>5}  {'least..most':<12}  {'asked':<7}  {'aim':<4}  {'reached':<7}  here")
    for width in (16, 64):
        _show(throughput(effort, width=width))
    _show(cpu(effort))
    _show(coding(effort))
    _show(importing(effort))
    print(f"{time.monotonic() - start:.0f} s")
    return 0


def _show(figures: Iterable[Figure]) -> None:
    for figure in figures:
        print(figure, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

"""Rounds in which who submits a run is killed at random moments, and the platform fails by chance."""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.batch_chaos.stage import Chance, stage, until

if TYPE_CHECKING:
    from tests.batch_chaos.stage import Stage, Told

__all__ = ["play"]

_DRAFTS, _FILES = 10, 5


def play(seed: int) -> Told:
    """Play one round.

    Args:
        seed: What happens follows from it, as far as the processes' own pace lets it. In odd rounds the
            platform shows what became of a draft.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(_play(seed, Path(folder)))
    told.found = [f"seed {seed}: {line}" for line in told.found]
    return told


async def _play(seed: int, folder: Path) -> Told:
    draw = random.Random(seed)  # noqa: S311 - the same seed plays the same round
    faults = Chance(seed, share=0.2, most=6)
    shows = bool(seed % 2)
    async with stage(folder, faults=faults, show_inferred=shows) as here:
        here.write(drafts=_DRAFTS, files=_FILES)
        kills, found = 0, list[str]()
        for _ in range(draw.randint(1, 3)):
            kills += await _kill(here, after=draw.randint(0, 10), pause=draw.uniform(0.0, 0.01))
            found += await here.check_marks()
        faults.stop()
        report = await here.run(here.order(patience=60.0 if shows else 0.5))
        told = await here.check()
        told.kills = kills
        told.found += found
        if report is None or report.error:
            told.found.append(f"the last process ended with {report}")
        if shows:
            # A look at a draft tells, and what is proven to be unused is sent: only files stay in doubt.
            told.found += [f"{key} is in doubt still" for key in told.doubtful if key.startswith("ERP-")]
        return told


async def _kill(here: Stage, *, after: int, pause: float) -> bool:
    """Let a process go on with the run, and kill it after some requests; tell whether it was alive."""
    child = here.start(here.order(patience=0.5, timeout=0.7))
    counters, at = here.sandbox.counters, here.sandbox.counters.requests + after
    await until(lambda: counters.requests >= at or not child.process.is_alive())
    # From the arrival of a request to the commit of its end it takes less than this.
    await asyncio.sleep(pause)
    was_alive = child.process.is_alive()
    child.signal(signal.SIGKILL)
    await child.end()
    return was_alive

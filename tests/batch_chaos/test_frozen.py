"""A process that is frozen while it sends, taken for dead, and thawed again: it sends nothing more."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import attrs
import pytest

from seqino.batch import State
from tests.batch_chaos.child import TIMING
from tests.batch_chaos.stage import stage, until

if TYPE_CHECKING:
    from pathlib import Path

HASTY = attrs.evolve(TIMING, stale=1.0)
"""Who says nothing for a second is dead: longer than the window, as ever."""


@pytest.mark.parametrize("route", ["draft", "file"])
async def test_frozen_between_the_mark_and_the_bytes_a_run_sends_nothing_after_it_was_taken_over(
    tmp_path: Path, route: str
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=int(route == "draft"), files=int(route == "file"))
        frozen = here.start(here.order(freeze_at=1))
        await frozen.stopped()
        counters = here.sandbox.counters
        assert (counters.drafts_validated, counters.files_taken) == (0, 0)
        report = None
        while report is None or report.error == "RunInUse":
            report = await here.run(here.order(timing=HASTY, patience=60.0))
        assert report.error == ""
        requests = counters.requests
        frozen.signal(signal.SIGCONT)
        thawed = await frozen.end()
        # It is told that it was taken for dead, and not one request of it came after that.
        assert thawed is not None
        assert thawed.error == "Fenced"
        assert counters.requests == requests
        told = await here.check()
        assert told.found == []
        async with here.opened() as ledger:
            # Whether the file had left, only the frozen process could have told.
            end = State.ACCEPTED if route == "draft" else State.PARKED
            assert await ledger.counts() == {end: 1}
        assert (counters.drafts_validated, counters.files_taken) == (int(route == "draft"), 0)


async def test_frozen_in_the_midst_of_a_run_a_process_and_its_successor_send_each_invoice_once(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=8, files=4)
        frozen = here.start(here.order())
        counters = here.sandbox.counters
        await until(lambda: counters.requests >= 8)
        await here.freeze(frozen)
        report = None
        while report is None or report.error == "RunInUse":
            report = await here.run(here.order(timing=HASTY, patience=60.0))
        frozen.signal(signal.SIGCONT)
        assert await frozen.end() is not None
        told = await here.check()
        assert told.found == []
        # What was on its way as a file when the process was frozen cannot be looked up.
        assert [key for key in told.doubtful if not key.startswith("FILE-")] == []


async def test_frozen_between_the_mark_and_the_bytes_a_web_service_sends_nothing_after_another_did(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=1, files=0)
        service = here.order(task="service", keys=("ERP-0",))
        frozen = here.start(attrs.evolve(service, freeze_at=1))
        await frozen.stopped()
        other = await here.run(attrs.evolve(service, timing=HASTY))
        assert here.sandbox.counters.drafts_validated == 1
        requests = here.sandbox.counters.requests
        frozen.signal(signal.SIGCONT)
        thawed = await frozen.end()
        assert thawed is not None
        # Both were told of the same invoice; the second one without asking the platform.
        assert other == thawed
        assert here.sandbox.counters.requests == requests
        assert (await here.check()).found == []

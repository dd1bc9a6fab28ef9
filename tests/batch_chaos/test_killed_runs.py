"""Runs that are killed, at random moments and at each of their writes: each invoice is sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seqino.batch import State
from seqino.batch.owners import Timing
from tests.batch.timings import contradicting
from tests.batch_chaos.child import TIMING
from tests.batch_chaos.rounds import play
from tests.batch_chaos.stage import stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.batch_chaos.child import Moment

STEADY = Timing(beat=50.0, stale=60.0, window=20.0, call=0.05, settle=30.0, poll=0.02)
"""Nothing is written but what the invoices need: each write has the same number in every run."""


@pytest.mark.parametrize("seed", range(5))
def test_a_run_killed_at_random_moments_on_a_failing_platform_sends_each_invoice_once(seed: int) -> None:
    told = play(seed)
    assert told.found == []
    assert told.kills > 0


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_run_killed_at_any_write_sends_its_invoices_once(tmp_path: Path, moment: Moment) -> None:
    at, died, ends = 0, True, set[State]()
    while died:
        at += 1
        folder = tmp_path / f"{at}"
        folder.mkdir()
        async with stage(folder) as here:
            here.write(drafts=1, files=1)
            order = here.order(die_at=at, die=moment, concurrency=1, timing=STEADY)
            died = await here.run(order) is None
            assert await here.check_marks() == []
            await here.finish(timing=contradicting(TIMING, settle=0.1))
            assert (await here.check()).found == []
            async with here.opened() as ledger:
                items = {item.business_key: item.state async for item in ledger.store.items()}
        # A look at the draft tells, whatever was lost.
        assert items.pop("ERP-0") is State.ACCEPTED
        ends.update(items.values())
    # The run, its source, its lease, its chunk, two marks and two ends, at the least.
    assert at > 8
    # A file may have left once its mark is durable, until its end is: then nobody can tell.
    assert ends == {State.ACCEPTED, State.PARKED}

"""Runs that are killed, at random moments and at each of their writes: nothing is sent twice, none is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from seqino.batch import State
from tests.batch_chaos.child import Moment
from tests.batch_chaos.stage import stage

ROUNDS = 5


def test_a_run_killed_at_random_moments_on_a_failing_platform_sends_each_invoice_once() -> None:
    # On its own: what it runs is measured by the tests beside it.
    command = [sys.executable, "-m", "tests.batch_chaos.run", "--rounds", f"{ROUNDS}"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    assert f"ledger: {ROUNDS} rounds" in ended.stdout
    assert "duplicates 0, lost 0, false failures 0" in ended.stdout


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("route", ["draft", "file"])
async def test_a_run_killed_at_any_write_sends_its_invoice_once(
    tmp_path: Path, *, route: str, moment: Moment
) -> None:
    at, died, ends = 0, True, set[State]()
    while died:
        at += 1
        folder = tmp_path / f"{at}"
        folder.mkdir()
        async with stage(folder) as here:
            here.write(drafts=int(route == "draft"), files=int(route == "file"))
            died = await here.run(here.order(die_at=at, die=moment)) is None
            assert await here.check_marks() == []
            assert await here.run(here.order(patience=5.0)) is not None
            told = await here.check()
            assert told.found == []
            async with here.opened() as ledger:
                counts = await ledger.counts()
            ends |= set(counts)
            if route == "draft":
                # A look at the draft tells, whatever was lost.
                assert counts == {State.ACCEPTED: 1}
    # The run, its source, its lease, its chunk, the mark and the end, at the least.
    assert at > 6
    # A file may have left once its mark is durable, until its end is: then nobody can tell.
    assert ends == {State.ACCEPTED} | ({State.PARKED} if route == "file" else set())

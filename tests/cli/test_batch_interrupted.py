"""``seqino batch submit`` in a process of its own that is told to stop, and a run that is in use."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from seqino.cli.batch.watch import GRACE
from seqino.cli.result import ExitCode
from tests.cli.batch_ledgers import CREATE_DRAFT, FILE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.cli.batch_ledgers import Batch

MANY = 60
VALIDATE = "POST /drafts/{draft_id}/validate"


def many(batch: Batch) -> Path:
    return batch.rows(
        "rows.jsonl", {f"ERP-{at}": batch.draft(purchase_order_reference=f"PO-{at}") for at in range(MANY)}
    )


@contextmanager
def under_way(
    batch: Batch, fault: str = "status-503-before", operation: str = CREATE_DRAFT
) -> Generator[subprocess.Popen[str]]:
    """A process that has sent some invoices, and not all."""
    command = [sys.executable, "-m", "seqino.cli", "batch", "submit", str(many(batch))]
    counters, faults = batch.platform.sandbox.counters, batch.platform.sandbox.faults
    with subprocess.Popen(  # noqa: S603 - this very package
        [*command, "--concurrency", "2", *batch.options("submit")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        while counters.drafts_validated < 5 and process.poll() is None:
            time.sleep(0.005)
        # From here on it gets no further, and does not end by itself.
        faults.plan(fault, operation=operation, times=10**6)
        try:
            yield process
        finally:
            process.kill()
            faults.clear()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_is_resumed_and_each_invoice_is_sent_once(
    batch: Batch, stop: signal.Signals
) -> None:
    counters = batch.platform.sandbox.counters
    with under_way(batch) as process:
        process.send_signal(stop)
        _, said = process.communicate(timeout=120)
    assert process.returncode == ExitCode.FAILURE
    assert "nothing is lost, nothing is sent twice: seqino batch resume --base-url" in said
    assert "Traceback" not in said
    assert 5 <= counters.drafts_validated < MANY
    resumed = batch("resume")
    assert (resumed.exit_code, resumed.stdout) == (ExitCode.OK, f"batch: run 1: {MANY} accepted\n")
    assert (counters.drafts_validated, counters.same_content) == (MANY, 0)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_says_what_it_waits_for_and_a_second_one_ends_at_once(
    batch: Batch, stop: signal.Signals
) -> None:
    counters = batch.platform.sandbox.counters
    with under_way(batch, "hang-after", VALIDATE) as process:
        process.send_signal(stop)
        assert process.stderr is not None
        told = next(line for line in process.stderr if line.startswith("stopping:"))
        assert re.match("stopping: (1 invoice|2 invoices) under way (is|are) being ended, for 10 s", told)
        began = time.monotonic()
        process.send_signal(stop)
        _, said = process.communicate(timeout=20)
        assert time.monotonic() - began < GRACE
    assert process.returncode in (ExitCode.IN_DOUBT, ExitCode.FAILURE)
    assert "Traceback" not in said
    resumed = batch("resume")
    assert (resumed.exit_code, resumed.stdout) == (ExitCode.OK, f"batch: run 1: {MANY} accepted\n")
    assert (counters.drafts_validated, counters.same_content) == (MANY, 0)


def test_a_run_that_is_in_use_is_not_worked_on_by_another_process(batch: Batch) -> None:
    with under_way(batch) as process:
        result = batch("resume")
        assert result.exit_code == ExitCode.FAILURE
        assert "another process is working on the run 1" in result.stderr
        status = batch("status")
        assert status.exit_code == ExitCode.OK
        assert process.poll() is None
        process.kill()
        process.communicate(timeout=120)
    killed = batch("resume", "--patience", 0)
    assert killed.exit_code in (ExitCode.OK, ExitCode.IN_DOUBT)
    assert batch.platform.sandbox.counters.same_content == 0


async def stop(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)
    await asyncio.Event().wait()


def test_an_interrupted_run_says_how_to_go_on(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("seqino.cli.batch.working.watch", stop)
        for name, paths in {"submit": [many(batch)], "resume": []}.items():
            result = batch(name, *paths)
            assert result.exit_code == ExitCode.FAILURE
            assert f"stopped: {MANY} queued" in result.stderr
            assert "nothing is sent twice: seqino batch resume" in result.stderr
        patched.setattr("seqino.batch.Ledger.list_runs", stop)
        assert batch("status").stderr == "error: interrupted\n"


def test_what_was_interrupted_when_all_was_sent_is_reported_and_not_resumed(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch("submit", batch.samples / FILE)
    monkeypatch.setattr("seqino.batch.Ledger.reconcile", stop)
    result = batch("resume")
    assert result.exit_code == ExitCode.FAILURE
    assert "nothing is lost, nothing is sent twice: seqino batch report" in result.stderr


def test_a_source_that_was_not_read_to_its_end_is_read_by_the_resumption(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("seqino.batch.batches.ingest", stop)
        assert batch("submit", batch.samples / FILE).exit_code == ExitCode.FAILURE
    assert "not read to its end; nothing" in batch("status").stdout
    resumed = batch("resume")
    assert (resumed.exit_code, resumed.stdout) == (ExitCode.OK, "batch: run 1: 1 accepted\n")

# pyright: reportPrivateUsage=false
"""What is shown of a run while it is worked on."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import attrs
import pytest
from rich.console import Console

from seqino.batch import Allowance, Progress, State
from seqino.batch.errors import Fenced
from seqino.cli.batch import display as room
from seqino.cli.batch.display import Display, interval
from seqino.cli.batch.session import Session
from seqino.cli.batch.verdict import exit_code, worst
from seqino.cli.batch.watch import limits_text, progress_members, progress_text, stopping_text, watch
from seqino.cli.batch.working import Worker
from seqino.cli.result import ExitCode
from seqino.models import UsageLimits

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

STEP = Progress(
    run_id=3,
    counts={State.QUEUED: 3600, State.ACCEPTED: 2, State.PARKED: 1},
    rate=0.5,
    seconds_left=7200.0,
    concurrency=8,
    under_way=4,
    held_for=3.2,
    allowance=Allowance(requests_per_second=1.5, shortages=("9 of 10 requests are left in this day",)),
    paused={"client-1": "403"},
)


def test_a_step_tells_counts_rate_limiter_and_the_time_left() -> None:
    assert progress_text(STEP, "en") == (
        "run 3: 3600 queued, 1 parked, 2 accepted · 0.5/s · 4 under way of 8 · at most 1.5 requests/s · "
        "held by the platform for 3 s · 2:00:00 left · client-1 waits: 403"
    )
    over = attrs.evolve(STEP, is_over=True, held_for=0.0, paused={})
    assert progress_text(over, "en").endswith(" · 0.5/s · at most 1.5 requests/s")
    assert progress_members(STEP)["paused"] == {"client-1": "403"}


def test_limits_are_told_as_the_platform_tells_them() -> None:
    limits = UsageLimits(rate_limit_per_minute=60, current_minute_calls=2, rate_limit_per_day=1000)
    assert limits_text(limits) == "limits: 60 requests a minute (2 used), 1000 requests a day (0 used)"
    assert limits_text(UsageLimits()) == "limits: none that the platform tells"


def test_a_terminal_sees_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()
    terminal = Console(file=seen, force_terminal=True, width=200)

    def console(*, stderr: bool) -> Console:
        assert stderr
        return terminal

    monkeypatch.setattr(room, "console", console)
    assert interval(as_json=False) == 1.0

    async def steps() -> AsyncGenerator[Progress]:
        yield STEP
        display.tell("stays")
        yield STEP

    display = Display(as_json=False)
    assert asyncio.run(watch(steps(), display, lang="en")) is STEP
    assert "3600 queued" in seen.getvalue()
    assert "\nstays\n" in seen.getvalue().replace("\r", "\n").replace("\x1b[2K", "")


def test_what_is_told_people_is_no_part_of_what_a_machine_reads(capsys: pytest.CaptureFixture[str]) -> None:
    Display(as_json=True).tell("stopping")
    assert tuple(capsys.readouterr()) == ("", "stopping\n")


def test_a_stop_says_what_it_waits_for() -> None:
    assert stopping_text(2) == (
        "stopping: 2 invoices under way are being ended, for 10 s at the most; a second Ctrl-C ends at once, "
        "and what may have left by then is in doubt"
    )
    assert stopping_text(1).startswith("stopping: 1 invoice under way is being ended")


def test_what_a_run_fails_with_besides_is_raised() -> None:
    async def steps() -> AsyncGenerator[Progress]:
        yield STEP
        raise Fenced("taken over")

    with pytest.raises(Fenced):
        asyncio.run(watch(steps(), Display(as_json=True), lang="en"))


def test_the_worst_of_several_runs_is_told() -> None:
    assert worst([ExitCode.REJECTED, ExitCode.IN_DOUBT, ExitCode.FAILURE]) is ExitCode.IN_DOUBT
    assert worst([]) is ExitCode.OK


def test_invoices_on_which_the_platform_fails_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    step = attrs.evolve(STEP, given_up=3)
    assert "3 failed too often, and wait for a resume" in progress_text(step, "en")
    assert progress_members(step)["given_up"] == 3
    worker = Worker(session=Session(sponsor="default"), concurrency=1, patience=0.0, as_json=False, lang="en")
    assert worker._verdict(step) is ExitCode.FAILURE
    assert "the platform failed 8 times on each of 3, which wait" in capsys.readouterr().err


def test_files_that_cannot_be_read_for_now_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    step = attrs.evolve(STEP, unread=("/a.xml cannot be read: no", "/b.xml cannot be read: why"))
    assert "2 cannot be read for now (/b.xml cannot be read: why)" in progress_text(step, "en")
    assert progress_members(step)["unread"] == list(step.unread)
    worker = Worker(session=Session(sponsor="default"), concurrency=1, patience=0.0, as_json=False, lang="en")
    assert worker._verdict(step) is ExitCode.FAILURE
    assert "waits: /a.xml cannot be read: no" in capsys.readouterr().err


@pytest.mark.parametrize("state", [State.SENDING, State.IN_DOUBT, State.PARKED])
def test_nothing_that_may_be_an_invoice_ends_well(state: State) -> None:
    assert exit_code({state: 1, State.ACCEPTED: 9}) is ExitCode.IN_DOUBT


def test_a_limit_that_a_run_reaches_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    worker = Worker(session=Session(sponsor="default"), concurrency=1, patience=0.0, as_json=False, lang="en")
    assert worker._verdict(STEP) is ExitCode.FAILURE
    assert "limit: 9 of 10 requests are left in this day" in capsys.readouterr().err

"""``seqino batch follow`` against a real sandbox: what was submitted, followed until it is at an end."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from seqino.batch import Followed, State
from seqino.cli.batch import display as room
from seqino.cli.batch.display import Display
from seqino.cli.batch.step import Step
from seqino.cli.result import ExitCode
from tests.cli.batch_ledgers import CREATE_DRAFT, FILE, KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cli.batch_ledgers import Batch

EVENTS = "GET /lifecycle-events"
OTHER = "02-food-two-rates-ubl.xml"
SOON = ("--first", 0.1)


def steps(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_what_was_submitted_is_followed_to_its_end_and_the_requests_are_told(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    result = batch("follow", *SOON)
    assert result.exit_code == ExitCode.OK
    last = result.stdout.splitlines()[-1]
    assert last.startswith("follow: 1 settled; ")
    requests = int(last.split("; ")[1].split()[0])
    assert requests >= 1
    assert f"new events for {requests} request" in result.stderr
    assert batch.states() == {KEY: "settled"}


def test_only_one_run_is_followed_where_it_is_named(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    batch("submit", batch.samples / OTHER)
    result = batch("follow", "--run", 2, *SOON)
    assert result.exit_code == ExitCode.OK
    assert result.stdout.startswith("follow: run 2: 1 settled; ")
    assert sorted(batch.states().values()) == ["accepted", "settled"]


def test_what_was_refused_is_listed_with_its_reason(batch: Batch) -> None:
    batch.platform.sandbox.scenario = "refused"
    batch("submit", batch.samples / FILE)
    result = batch("follow", *SOON, "--lang", "fr")
    assert result.exit_code == ExitCode.REJECTED
    assert "210 Refusée" in result.stdout
    assert "dead: what is to replace one is an invoice of its own" in result.stderr
    assert result.stdout.splitlines()[-1].startswith("follow: 1 morte; ")
    (reported, _) = steps(batch("report", "--json").stdout)
    assert (reported["state"], str(reported["reason"])[:12]) == ("dead", "210 Refused:")


def test_what_has_no_platform_to_go_to_is_for_somebody_to_hand_over(batch: Batch) -> None:
    batch.platform.sandbox.scenario = "not_delivered"
    batch("submit", batch.samples / FILE)
    result = batch("follow", *SOON)
    assert result.exit_code == ExitCode.REJECTED
    assert "NON_TRANSMISE" in result.stdout
    assert batch("status").exit_code == ExitCode.REJECTED


def test_an_approval_is_enough_where_it_is_the_goal(batch: Batch) -> None:
    batch.platform.sandbox.scenario = "approved"
    batch("submit", batch.samples / FILE)
    result = batch("follow", *SOON, "--until", "approved")
    assert (result.exit_code, result.stdout[:20]) == (ExitCode.OK, "follow: 1 accepted; ")


def test_a_time_that_is_over_is_told_with_how_to_go_on(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    over = batch("follow", "--timeout", 0, "--until", "approved", "--run", 1)
    assert over.exit_code == ExitCode.FAILURE
    assert "1 are followed further: seqino batch follow --run 1 --until approved --base-url" in over.stderr


def test_a_timer_looks_at_what_is_due_and_is_content(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    once = batch("follow", "--once")
    assert (once.exit_code, once.stdout) == (ExitCode.OK, "follow: 1 accepted; 0 requests\n")
    assert "1 accepted · 0 new events for 0 requests · 1 followed, next look in " in once.stderr
    both = batch("follow", "--once", "--timeout", 5)
    assert both.exit_code == ExitCode.INPUT


def test_steps_for_machines_are_all_that_is_on_the_output(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    first, over = steps(batch("follow", "--json", "--once").stdout)
    assert (first["counts"], first["waiting"], first["is_over"]) == ({"accepted": 1}, 1, False)
    assert (over["requests"], over["is_over"]) == (0, True)
    batch("submit", batch.samples / OTHER)
    last = steps(batch("follow", "--json", "--run", 2, *SOON).stdout)[-1]
    assert (last["counts"], last["ends"], last["is_over"]) == ({"settled": 1}, {"settled": 1}, True)
    assert (last["following"], last["waiting"], last["next_in"]) == (2, 0, None)
    assert last["requests"] == last["looked"]


def test_looks_that_fail_are_told_and_tried_again(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    batch.platform.sandbox.faults.plan("status-503-before", operation=EVENTS, times=1)
    result = batch("follow", *SOON)
    assert result.exit_code == ExitCode.OK
    assert "1 could not be looked at, and are tried again" in result.stderr


def test_a_wrong_key_follows_nothing(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    batch.platform.sandbox.faults.plan("status-401-before", operation=EVENTS, times=9)
    result = batch("follow", *SOON)
    assert result.exit_code == ExitCode.FAILURE
    assert "401" in result.stderr
    assert batch.states() == {KEY: "accepted"}


def test_what_was_not_sent_is_not_forgotten_by_who_follows(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-401-before", operation=CREATE_DRAFT)
    batch("submit", batch.rows("rows.jsonl", {"A": batch.draft()}))
    result = batch("follow")
    assert result.exit_code == ExitCode.FAILURE
    assert "not all was sent, or is known to have been: seqino batch resume" in result.stderr


async def stop(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)
    await asyncio.Event().wait()


def test_an_interrupted_following_says_how_to_go_on_and_does(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch("submit", batch.samples / FILE)
    with monkeypatch.context() as patched:
        patched.setattr("seqino.resources.lifecycle.Lifecycle.events", held)
        result = batch("follow", "--run", 1, *SOON)
    assert result.exit_code == ExitCode.FAILURE
    assert "stopped: 1 accepted" in result.stderr
    assert "to go on: seqino batch follow --run 1 --base-url" in result.stderr
    assert batch("follow", "--run", 1, *SOON).exit_code == ExitCode.OK


class Held:
    """Events that never come, since Ctrl-C does."""

    async def to_list(self) -> list[object]:
        await stop()
        raise AssertionError


def held(*_: object, **__: object) -> Held:
    return Held()


# After a run


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqino.cli.batch.working.FIRST", 0.1)


@pytest.mark.usefixtures("soon")
def test_a_run_is_followed_as_soon_as_it_was_sent(batch: Batch) -> None:
    result = batch("submit", "--follow", batch.samples / FILE)
    assert result.exit_code == ExitCode.OK
    sent, followed = result.stdout.splitlines()
    assert sent == "batch: run 1: 1 accepted"
    assert followed.startswith("follow: run 1: 1 settled; ")


@pytest.mark.usefixtures("soon")
def test_a_run_that_was_not_sent_whole_is_followed_when_it_is(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-401-before", operation=CREATE_DRAFT)
    stopped = batch("submit", "--follow", batch.rows("rows.jsonl", {"A": batch.draft()}))
    assert stopped.exit_code == ExitCode.FAILURE
    assert "not followed yet; once all was sent: seqino batch follow --run 1" in stopped.stderr
    resumed = batch("resume", "--follow")
    assert resumed.exit_code == ExitCode.OK
    assert "follow: 1 settled; " in resumed.stdout


# How it is shown


def test_steps_add_up() -> None:
    first = Step(run_id=3).after(
        Followed(looked=2, news=3, failed=1, requests=2, ends={State.DEAD: 1}, waiting=2, next_in=61.0),
        {State.ACCEPTED: 2, State.DEAD: 1},
    )
    assert first.text("en") == (
        "run 3: 2 accepted, 1 dead · 3 new events for 2 requests · 1 could not be looked at, and are tried "
        "again · 2 followed, next look in 1:01"
    )
    second = first.after(
        Followed(looked=1, news=1, requests=1, ends={State.DEAD: 1, State.SETTLED: 1}), {State.DEAD: 2}
    )
    assert (second.looked, second.news, second.requests, second.failed) == (3, 4, 3, 0)
    assert second.ends == {State.DEAD: 2, State.SETTLED: 1}
    assert second.text("fr") == "run 3: 2 morte · 4 new events for 3 requests"


def test_a_log_is_not_filled_with_rounds_in_which_nothing_was_due(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch("submit", batch.samples / FILE)

    async def rounds(*_: object, **__: object) -> AsyncIterator[Followed]:
        for looked in (0, 0, 1, 0):
            yield Followed(looked=looked, requests=looked)

    monkeypatch.setattr("seqino.batch.Ledger.follow_until", rounds)
    result = batch("follow")
    assert [line.split(" · ")[1] for line in result.stderr.splitlines()] == [
        "0 new events for 0 requests",
        "0 new events for 1 request",
    ]


def test_in_a_terminal_a_step_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()

    def console(*, stderr: bool) -> Console:
        assert stderr
        return Console(file=seen, force_terminal=True, width=200)

    monkeypatch.setattr(room, "console", console)
    with Display(as_json=False) as display:
        assert not display.keeps_all
        display.show("1 accepted", {})
    assert "1 accepted" in seen.getvalue()

"""A run from its source to its end: each invoice sent once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from sqlalchemy import update

from seqino.batch import BatchItem, Ledger, Progress, RunInUse, State, schema
from seqino.batch.errors import Fenced, ItemChanged, WriteFailed
from seqino.batch.hindrances import told_to_wait
from seqino.batch.owners import Timing
from seqino.batch.runner import Runner
from seqino.client import SeqinoClient
from seqino.errors import (
    AuthenticationFailed,
    CallError,
    ConfigurationError,
    InvalidInput,
    RateLimited,
    Rejected,
    UnexpectedAnswer,
)
from seqino.models import UsageLimits
from seqino.options import CallOptions
from seqino.resources import Usage
from seqino.sandbox import Sandbox
from tests.batch.conftest import CLIENT, DRAFT, FILE, INVOICES, Machine
from tests.batch.timings import contradicting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from seqino.batch import BatchRun
    from tests.batch.platform import Platform
    from tests.facade.conftest import Clock

SPONSORED = "sandbox-client-seqino"
CREATE, VALIDATE = "POST /drafts", "POST /drafts/{draft_id}/validate"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be sent is due again at once."""

    def pause(*_: object, **__: object) -> float:
        return 0.0

    monkeypatch.setattr("seqino.batch.driving.pause_before_next", pause)


async def at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


def drafts(count: int) -> list[tuple[str, dict[str, Any]]]:
    return [(f"E{number}", DRAFT) for number in range(count)]


async def made(ledger: Ledger, count: int = 3) -> BatchRun:
    return await ledger.create_run(drafts(count), client_id=CLIENT)


async def to_its_end(run: BatchRun, client: SeqinoClient, **how: Any) -> Progress:
    """The last progress of a run."""
    last = None
    given: dict[str, Any] = {"sleep": at_once, "paced": False, **how}
    async for progress in run.submit(client, **given):
        last = progress
    assert last is not None
    assert last.is_over
    return last


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(speed=0, clients=[SPONSORED, "client-b"]) as made:
        yield made


@pytest.fixture
def place(tmp_path: Path, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, sandbox.url, clock, monkeypatch)


@attrs.define
class Stopper:
    """Calls something at the n-th event of a client."""

    at: int
    do: Callable[[], object] = lambda: None
    seen: int = 0

    def __call__(self, _event: object) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.do()


def a_client(sandbox: Sandbox, **settings: Any) -> SeqinoClient:
    return SeqinoClient("sandbox-key", client_id=SPONSORED, base_url=sandbox.url, **settings)


# From beginning to end


async def test_a_folder_and_rows_are_each_sent_once(place: Machine, sandbox: Sandbox) -> None:
    files = sorted(INVOICES.glob("0*-ubl.xml"))
    async with await place.open() as ledger, a_client(sandbox) as client:
        source: list[Any] = [*files, BatchItem(invoice=DRAFT, key="E1"), ("E2", DRAFT)]
        run = await ledger.create_run(source, client_id=SPONSORED, name="2026-09")
        assert (run.id, run.name, run.is_ready) == (1, "2026-09", True)
        assert repr(run) == "BatchRun(1, name='2026-09')"
        assert run.created > 0
        seen = [progress async for progress in run.submit(client, sleep=at_once)]
        assert seen[0].to_be_sent == len(source)
        assert seen[-1].counts == await run.counts() == {State.ACCEPTED: len(source)}
        assert (seen[-1].is_over, seen[-1].seconds_left, seen[0].is_over) == (True, 0.0, False)
        again = await to_its_end(await ledger.resume_run(), client)
        assert again.taken == len(source)
        numbers = [item.invoice_number async for item in run.items(states=[State.ACCEPTED])]
        assert len(numbers) == len(source)
    assert sandbox.counters.invoices_created == len(source)
    assert sandbox.counters.duplicates == 0


async def test_one_run_serves_many_clients(place: Machine, sandbox: Sandbox) -> None:
    async def rows() -> AsyncIterator[BatchItem]:
        for number in range(4):
            yield BatchItem(invoice=DRAFT, key="same", client_id=("client-b" if number % 2 else SPONSORED))

    async with await place.open() as ledger, a_client(sandbox) as client:
        run = await ledger.create_run(rows())
        assert [refused.name for refused in await run.refused()] == ["item 3", "item 4"]
        last = await to_its_end(run, client)
        assert (last.taken, last.refused) == (2, 2)
    assert [len(one.invoices) for one in sandbox.world.sponsors[0].clients.values()] == [1, 1]


async def test_bad_items_stop_no_others(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    source: list[Any] = [("1", {"currency_code": "EUR"}), 7, ("2", DRAFT), ("2", DRAFT), "/no/such.xml"]
    run = await ledger.create_run(iter(source), client_id=CLIENT)
    assert {refused.name: refused.reason for refused in await run.refused()} == {
        "item 2": "is neither a path, nor (key, invoice), nor a BatchItem: int",
        "item 4": "has the key '2', which item 3 has too: sent once",
        "/no/such.xml": "cannot be read: No such file or directory",
    }
    last = await to_its_end(run, client)
    assert last.counts == {State.INVALID: 1, State.ACCEPTED: 1}
    assert platform.effects.total() == 1


async def test_what_was_invalid_is_sent_by_another_run_once_it_is_right(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    first = await ledger.create_run([("1", {"currency_code": "EUR"})], client_id=CLIENT)
    still = await ledger.create_run([("1", {"currency_code": "CHF"})], client_id=CLIENT)
    assert (await first.counts(), await still.counts()) == ({}, {State.INVALID: 1})
    right = await ledger.create_run([("1", DRAFT)], client_id=CLIENT)
    assert (await to_its_end(right, client)).taken == 1
    once_more = await ledger.create_run([("1", DRAFT)], client_id=CLIENT)
    assert [refused.reason for refused in await once_more.refused()] == [
        "has the key '1' of item 1 of the run 3, which was sent: accepted"
    ]
    events = [str(entry.event) async for entry in ledger.history()]
    assert events == ["added", "corrected", "corrected", "marked", "accepted"]
    assert platform.effects.total() == 1


async def test_a_file_that_changed_or_is_gone_is_not_sent(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, path in enumerate(sorted(INVOICES.glob("0*-ubl.xml"))[:3]):
        (folder / f"{number}.xml").write_bytes(path.read_bytes())
    run = await ledger.create_run(folder, client_id=CLIENT)
    (folder / "0.xml").write_bytes(FILE.read_bytes() + b" ")
    (folder / "1.xml").unlink()
    last = await to_its_end(run, client)
    assert last.counts == {State.INVALID: 2, State.ACCEPTED: 1}
    assert [name for name, _, _ in platform.uploads] == ["2.xml"]
    # As it is now, it goes out with another run.
    again = await ledger.create_run(folder, client_id=CLIENT)
    assert (await to_its_end(again, client)).taken == 1
    assert platform.effects.total() == 2


async def test_two_files_with_one_key_are_told_apart_by_their_place(ledger: Ledger, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.xml").write_bytes(FILE.read_bytes())
    run = await ledger.create_run([tmp_path / "a", tmp_path / "b", tmp_path / "a"], client_id=CLIENT)
    (refused,) = await run.refused()
    assert refused.name == str(tmp_path / "b/x.xml")
    assert f"which {tmp_path / 'a/x.xml'} has too" in refused.reason


# A source that is read again


def a_copy(path: Path) -> Path:
    """Put an invoice file in a place whose name is no text."""
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(FILE.read_bytes())
    except OSError:
        pytest.skip("names are text on this system")
    return path


async def test_a_file_whose_name_is_no_text_is_sent_and_is_found_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path
) -> None:
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/ann\xe9e"))
    path = a_copy(Path(os.fsdecode(bytes(folder) + b"/f\xe9vrier.xml")))
    run = await ledger.create_run([folder, FILE], client_id=CLIENT, name="f\udce9v")
    shown = f"{tmp_path}/ann%E9e/f%E9vrier.xml"
    assert [(refused.name, refused.reason) for refused in await run.refused()] == [
        (str(FILE), f"has the key '090124017/ANR-2026-0412/2026', which {shown} has too: sent once")
    ]
    assert (await ledger.resume_run()).name == "f%E9v"
    # As after a crash: its source is read again, by the paths that the run remembers.
    await ledger.store.transact(lambda connection: connection.execute(update(schema.run).values(ready=False)))
    assert (await to_its_end(await ledger.resume_run(), client)).taken == 1
    assert [upload[0] for upload in platform.uploads] == ["f%E9vrier.xml"]
    await asyncio.to_thread(path.write_bytes, b"")
    empty = await ledger.create_run([path, BatchItem(invoice=path, key="k\udce9")], client_id=CLIENT)
    assert (await ledger.counts()) == {State.ACCEPTED: 1}
    assert {refused.name for refused in await empty.refused()} == {shown, "item 2"}


async def test_a_file_in_an_unreadable_name_that_was_changed_says_which(
    ledger: Ledger, client: SeqinoClient, tmp_path: Path
) -> None:
    path = a_copy(Path(os.fsdecode(bytes(tmp_path) + b"/f\xe9vrier.xml")))
    run = await ledger.create_run(path, client_id=CLIENT)
    await asyncio.to_thread(path.unlink)
    assert (await to_its_end(run, client)).counts == {State.INVALID: 1}
    item = await anext(run.items())
    assert f"{tmp_path}/f%E9vrier.xml was changed, or is gone" in (item.reasons or "")


async def test_a_source_that_was_not_read_to_its_end_is_read_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.ingesting._GROUP", 2)

    def broken() -> Any:
        yield from drafts(5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.create_run(broken(), client_id=CLIENT)
    (run,) = await ledger.list_runs()
    assert (run.is_ready, await run.counts()) == (False, {State.QUEUED: 4})
    with pytest.raises(InvalidInput, match="was not read to its end: resume_run goes on"):
        await to_its_end(run, client)
    with pytest.raises(InvalidInput, match="was not read to its end: give it as source"):
        await ledger.resume_run()
    # In whichever order it comes now.
    resumed = await ledger.resume_run(run.id, source=[*reversed(drafts(6)), ("E5", DRAFT)])
    assert [refused.name for refused in await resumed.refused()] == ["item 7"]
    assert (await to_its_end(resumed, client)).taken == platform.effects.total() == 6


@pytest.mark.parametrize("is_named", [False, True])
async def test_a_source_of_paths_is_found_again_without_being_named(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_named: bool
) -> None:
    async def killed(*_: Any) -> None:
        raise WriteFailed("the disk is full")

    (tmp_path / "a.xml").write_bytes(FILE.read_bytes())
    with monkeypatch.context() as patched:
        patched.setattr("seqino.batch.runs.Runs.make_ready", killed)
        with pytest.raises(WriteFailed):
            await ledger.create_run(tmp_path / "a.xml", client_id=CLIENT)
    run = await ledger.resume_run(source=tmp_path if is_named else None)
    assert (run.is_ready, await run.counts(), await run.refused()) == (True, {State.QUEUED: 1}, [])


async def test_contents_are_not_gathered_beyond_a_few_megabytes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.ingesting._BYTES", 1)
    run = await made(ledger, 3)
    chunks = {item.chunk_id async for item in run.items()}
    assert len(chunks) == 3


async def test_what_is_no_source_is_refused(ledger: Ledger) -> None:
    wrong: Any = 7
    with pytest.raises(InvalidInput, match="not a int"):
        await ledger.create_run(wrong, client_id=CLIENT)
    with pytest.raises(InvalidInput, match="no such file or folder"):
        await ledger.create_run("/no/such", client_id=CLIENT)
    with pytest.raises(InvalidInput, match="client_id"):
        await ledger.create_run([], client_id=" ")
    with pytest.raises(InvalidInput, match="there is no run 9 in"):
        await ledger.resume_run(9)


async def test_an_empty_ledger_has_no_run(ledger: Ledger) -> None:
    assert await ledger.list_runs() == []
    with pytest.raises(InvalidInput, match="there is no run in this ledger"):
        await ledger.resume_run()


# Stopped at any moment


@pytest.mark.parametrize("grace", [0.0, 60.0])
async def test_a_run_that_is_cancelled_at_any_moment_is_resumed_and_sends_each_once(
    tmp_path: Path, sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch, grace: float
) -> None:
    count, moments = 4, range(1, 20, 4)
    for moment in moments:
        place = Machine(tmp_path / str(moment), sandbox.url, clock, monkeypatch)
        stopper = Stopper(moment)
        async with (
            a_client(sandbox, on_event=stopper) as client,
            await place.open(timing=contradicting(settle=0.0)) as ledger,
        ):
            run = await ledger.create_run(drafts(count), client_id=SPONSORED)
            task = asyncio.create_task(to_its_end(run, client, grace=grace, concurrency=3))
            stopper.do = task.cancel
            with contextlib.suppress(asyncio.CancelledError):
                await task
            last = await to_its_end(run, client, patience=60.0)
            assert last.counts == {State.ACCEPTED: count}
    assert sandbox.counters.invoices_created == count * len(moments)


async def test_a_run_whose_process_died_is_taken_over(
    place: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def died(_self: Runner) -> None:
        pass

    stopper = Stopper(5)
    async with a_client(sandbox, on_event=stopper) as client:
        one = await place.open()
        run = await one.create_run(drafts(6), client_id=SPONSORED)
        with monkeypatch.context() as patched:
            patched.setattr(Runner, "_give_up", died)
            task = asyncio.create_task(to_its_end(run, client, grace=0.0))
            stopper.do = task.cancel
            with pytest.raises(asyncio.CancelledError):
                await task
        two = await place.open(timing=contradicting(settle=0.0))
        last = await to_its_end(await two.resume_run(), client, patience=60.0)
        assert last.counts == {State.ACCEPTED: 6}
    assert sandbox.counters.invoices_created == 6
    for ledger in (one, two):
        await ledger.aclose()


async def test_who_leaves_the_loop_lets_what_is_under_way_end(place: Machine, sandbox: Sandbox) -> None:
    async with a_client(sandbox) as client, await place.open() as ledger:
        run = await ledger.create_run(drafts(50), client_id=SPONSORED)
        async for progress in run.submit(client, sleep=at_once, paced=False, concurrency=2):
            if progress.taken:
                break
        await ledger.aclose()
        again = await place.open()
        counts = await again.counts()
        assert counts.keys() <= {State.ACCEPTED, State.QUEUED, State.DRAFTED}
        assert 0 < counts[State.ACCEPTED] < 50
        assert sandbox.counters.invoices_created == counts[State.ACCEPTED]
        assert (await to_its_end(await again.resume_run(), client)).taken == 50
        await again.aclose()
    assert sandbox.counters.invoices_created == 50


async def test_a_failing_ledger_keeps_a_run_from_beginning_and_leaves_it_to_others(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any, **__: Any) -> Any:
        raise WriteFailed("the disk is full")

    run = await made(ledger)
    # Before a worker has an item, and between two passes.
    for name in ("take_chunk", "next_due", "refused"):
        with monkeypatch.context() as patched:
            patched.setattr(ledger.runs, name, failing)
            with pytest.raises(WriteFailed):
                await to_its_end(run, client)
    assert (await to_its_end(run, client)).taken == 3


async def test_what_the_platform_asks_to_wait_is_read_of_its_answer() -> None:
    told: dict[str, Any] = {"operation": "x", "attempts": 1, "outcome": "throttled", "status": 429}
    assert told_to_wait(RateLimited("slow", retry_after=7.0, **told)) == 7.0
    assert told_to_wait(RateLimited("slow", **told)) == 0.0


async def test_a_run_is_worked_on_by_one_at_a_time(ledger: Ledger, client: SeqinoClient) -> None:
    run = await made(ledger)
    working = run.submit(client, sleep=at_once)
    await anext(working)
    with pytest.raises(RunInUse):
        await to_its_end(run, client)
    await working.aclose()
    assert (await to_its_end(run, client)).taken == 3


# What the platform says to all, or to a client


async def test_a_key_that_is_not_taken_stops_the_run(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await made(ledger, 30)
    platform.faults["create"] = ["", "", *["401"] * 30]
    seen: list[Progress] = []

    async def go() -> None:
        async for progress in run.submit(client, concurrency=1, sleep=at_once, paced=False):
            seen.append(progress)  # noqa: PERF401 - what was seen before the error counts

    with pytest.raises(AuthenticationFailed):
        await go()
    assert seen[-1].is_over
    assert isinstance(seen[-1].stopped, AuthenticationFailed)
    assert seen[-1].counts == {State.ACCEPTED: 2, State.QUEUED: 28}
    assert platform.requests["create"] == 3
    platform.faults.clear()
    assert (await to_its_end(run, client)).taken == platform.effects.total() == 30


async def test_a_client_that_is_refused_waits_and_the_others_go_on(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    source = [BatchItem(invoice=DRAFT, key=str(n), client_id=f"c{n % 2}") for n in range(20)]
    run = await ledger.create_run(source)
    platform.faults["create"] = ["403"]
    last = await to_its_end(run, client, concurrency=1)
    assert last.counts == {State.QUEUED: 10, State.ACCEPTED: 10}
    assert list(last.paused) == ["c0"]
    assert "403" in last.paused["c0"]
    assert last.stopped is None
    assert (await to_its_end(run, client)).taken == platform.effects.total() == 20


@pytest.mark.parametrize(("status", "stopped"), [(404, None), (405, Rejected)])
async def test_other_refusals_that_are_no_verdict_stop_what_they_concern(
    ledger: Ledger, client: SeqinoClient, platform: Platform, status: int, stopped: type[Exception] | None
) -> None:
    run = await made(ledger, 5)
    platform.faults["create"] = [str(status)] * 5
    with contextlib.nullcontext() if stopped is None else pytest.raises(stopped):
        assert list((await to_its_end(run, client, concurrency=1)).paused) == [CLIENT]
    assert platform.requests["create"] == 1
    assert await run.counts() == {State.QUEUED: 5}


async def test_a_draft_without_an_id_stops_the_run(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await made(ledger, 5)
    platform.faults["create"] = ["201"] * 5
    with pytest.raises(UnexpectedAnswer, match="does not name the draft"):
        await to_its_end(run, client, concurrency=1)
    assert platform.requests["create"] == 1


async def test_a_pause_that_the_platform_asks_for_holds_all(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await made(ledger, 5)
    platform.faults["create"] = ["429"]
    now, held = [0.0], list[float]()

    def told(_: object) -> float:
        return 600.0

    monkeypatch.setattr("seqino.batch.hindrances.told_to_wait", told)

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        if seconds != 99.0:
            held.append(seconds)
            now[0] += seconds

    seen = [
        progress
        async for progress in run.submit(
            client, concurrency=1, sleep=sleep, clock=lambda: now[0], interval=99.0, paced=False
        )
    ]
    assert seen[-1].taken == 5
    assert 600.0 in held
    assert platform.requests["create"] == 6


async def test_rejected_invoices_stop_no_others(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await made(ledger, 3)
    platform.faults["validate"] = ["refuse"]
    last = await to_its_end(run, client, concurrency=1)
    assert last.counts == {State.REJECTED: 1, State.ACCEPTED: 2}


async def test_a_platform_that_is_down_is_asked_ever_more_slowly(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await made(ledger, 30)
    platform.faults["create"] = ["503"] * 20
    rests: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds != 99.0:
            rests.append(seconds)
        await asyncio.sleep(0)

    last = await to_its_end(run, client, concurrency=1, interval=99.0, sleep=sleep)
    assert last.taken == platform.effects.total() == 30
    # Two failures end a pass, so that thirty are not tried while nothing goes through.
    assert rests == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


# In doubt


async def test_what_is_in_doubt_is_looked_at_in_the_end_within_the_time_that_is_given(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open(timing=contradicting(settle=0.0))
    run = await made(ledger, 4)
    platform.faults["validate"] = ["lost after", "lost before", "", ""]
    last = await to_its_end(run, client, concurrency=1)
    assert (last.in_doubt, last.taken) == (2, 2)
    assert platform.requests["look"] == 0
    last = await to_its_end(run, client, concurrency=1, patience=60.0)
    assert last.counts == {State.ACCEPTED: 4}
    assert platform.effects.total() == 4
    assert max(platform.effects.values()) == 1


async def test_an_invoice_on_which_the_platform_always_fails_is_given_up_for_this_time(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    run = await made(ledger, 1)
    platform.faults["create"] = ["500"] * 99

    async def sleep(_: float) -> None:
        await forget_pauses(ledger)

    last = await to_its_end(run, client, patience=60.0, sleep=sleep)
    assert (last.counts, last.given_up) == ({State.QUEUED: 1}, 1)
    assert platform.requests["create"] == 8
    # Each time that the run is submitted, it is tried again.
    platform.faults["create"] = ["500"] * 7
    last = await to_its_end(run, client, sleep=sleep)
    assert (last.counts, last.given_up) == ({State.ACCEPTED: 1}, 0)


async def test_doubts_are_looked_at_while_another_invoice_fails(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    run = await made(ledger, 2)
    platform.faults["create"] = ["", *(["500"] * 99)]
    platform.faults["validate"] = ["lost after"]
    now = [0.0]
    looked: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        if seconds != 99.0:
            now[0] += seconds
            await forget_pauses(ledger)
            if platform.requests["look"]:
                looked.append(platform.requests["create"])

    last = await to_its_end(
        run, client, concurrency=1, patience=5.0, interval=99.0, sleep=sleep, clock=lambda: now[0]
    )
    assert last.counts == {State.ACCEPTED: 1, State.QUEUED: 1}
    # It was not waited until the other had failed as often as it may.
    assert looked[0] < 9
    assert platform.requests["create"] == 9
    assert platform.effects.total() == 1


async def test_without_patience_nothing_is_looked_at_while_another_invoice_fails(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    run = await made(ledger, 2)
    platform.faults["create"] = ["", *(["500"] * 4)]
    platform.faults["validate"] = ["lost after"]
    last = await to_its_end(run, client, concurrency=1)
    assert last.counts == {State.IN_DOUBT: 1, State.ACCEPTED: 1}
    assert platform.requests["look"] == 0


async def test_a_platform_that_fails_on_more_than_a_few_stops_the_run(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.tries.MOST_GIVEN_UP", 2)
    run = await made(ledger, 5)
    platform.faults["create"] = ["500"] * 999

    async def sleep(_: float) -> None:
        await forget_pauses(ledger)

    with pytest.raises(CallError, match="500"):
        await to_its_end(run, client, concurrency=8, sleep=sleep)
    assert platform.requests["create"] == 5 * 8


async def test_a_platform_that_answers_nothing_but_failures_is_not_asked_for_ever(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.tries.MOST_IN_VAIN", 12)
    run = await made(ledger, 5)
    platform.faults["create"] = ["503"] * 999

    async def sleep(_: float) -> None:
        await forget_pauses(ledger)

    with pytest.raises(CallError):
        await to_its_end(run, client, concurrency=1, sleep=sleep)
    assert platform.requests["create"] == 12 * 2
    assert (await run.counts()) == {State.QUEUED: 5}


async def forget_pauses(ledger: Ledger) -> None:
    """As if the time had come at which each is due."""
    await ledger.store.transact(
        lambda connection: connection.execute(update(schema.item).values(not_before=None))
    )


async def test_looks_end_with_the_time_that_is_given(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open(timing=Timing(settle=600.0))
    run = await made(ledger, 1)
    platform.faults["validate"] = ["lost before"]
    now = [0.0]

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)
        now[0] += seconds if seconds != 99.0 else 0.0

    last = await to_its_end(run, client, patience=2.0, interval=99.0, sleep=sleep, clock=lambda: now[0])
    assert last.in_doubt == 1
    assert now[0] < 2.0
    assert platform.requests["look"] > 0
    assert platform.effects.total() == 0


async def test_a_stop_ends_the_looks(machine: Machine, client: SeqinoClient, platform: Platform) -> None:
    ledger = await machine.open(timing=Timing(settle=600.0))
    run = await made(ledger, 1)
    platform.faults["validate"] = ["lost before"]
    async for progress in run.submit(client, patience=1e9, sleep=at_once, paced=False):
        if platform.requests["look"] > 1 and progress.in_doubt:
            break
    await ledger.aclose()
    assert platform.effects.total() == 0


# Limits


async def test_limits_that_the_platform_tells_pace_the_run(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def limits(_: Usage, **given: Any) -> UsageLimits:
        asked.append(given)
        return UsageLimits(rate_limit_per_minute=60_000, rate_limit_per_day=3)

    monkeypatch.setattr(Usage, "get_limits", limits)
    last = await to_its_end(await made(ledger, 2), client, paced=True)
    assert last.allowance.requests_per_second == pytest.approx(950)
    assert last.allowance.shortages == ("3 of 3 requests are left in this day, and 4 are needed",)
    assert asked == [{"client_id": CLIENT, "options": CallOptions(max_retries=0)}]
    # With nothing to be sent, nothing is asked.
    assert (await to_its_end(await ledger.resume_run(), client, paced=True)).allowance.shortages == ()
    assert len(asked) == 1


async def test_slow_requests_are_asked_for_by_few_workers(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limits(_: Usage, **__: Any) -> UsageLimits:
        return UsageLimits(rate_limit_per_minute=12)

    monkeypatch.setattr(Usage, "get_limits", limits)
    run = await made(ledger, 2)
    async with contextlib.aclosing(run.submit(client, sleep=at_once, grace=0.0)) as working:
        assert (await anext(working)).concurrency == 1


async def test_a_key_that_is_not_taken_for_the_limits_stops_the_run_before_anything_is_sent(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def limits(_: Usage, **__: Any) -> UsageLimits:
        raise AuthenticationFailed(
            "no", operation="get_usage_limits", attempts=1, outcome="rejected", status=401
        )

    monkeypatch.setattr(Usage, "get_limits", limits)
    run = await made(ledger, 2)
    with pytest.raises(AuthenticationFailed):
        await to_its_end(run, client, paced=True)
    assert platform.requests == {}
    assert (await to_its_end(run, client)).taken == 2


async def test_a_client_that_is_limited_more_strictly_stays_so(ledger: Ledger, platform: Platform) -> None:
    async with SeqinoClient(
        "key-1", client_id=CLIENT, base_url=platform.url, max_concurrency=2, requests_per_second=1e6
    ) as client:
        run = await made(ledger, 8)
        seen = [progress async for progress in run.submit(client, sleep=at_once)]
    assert max(progress.concurrency for progress in seen) <= 2
    assert seen[-1].taken == 8


# Others, and the ledger's faults


async def test_another_server_is_refused(ledger: Ledger) -> None:
    run = await made(ledger)
    async with SeqinoClient("k", client_id=CLIENT, base_url="http://127.0.0.1:1") as other:
        with pytest.raises(ConfigurationError, match="the client calls"):
            await to_its_end(run, other)
    with pytest.raises(InvalidInput, match="concurrency"):
        await to_its_end(run, other, concurrency=0)


@pytest.mark.parametrize("seconds", [0.1, 0.5])
async def test_a_timeout_in_which_no_request_fits_is_refused_instead_of_trying_for_ever(
    ledger: Ledger, client: SeqinoClient, platform: Platform, seconds: float
) -> None:
    run = await made(ledger)
    async with asyncio.timeout(120):
        with pytest.raises(InvalidInput, match="nothing would ever be sent"):
            await to_its_end(run, client, options=CallOptions(timeout=seconds))
    assert not platform.requests


async def test_what_somebody_else_took_is_left_to_them_and_gone_on_with_once_they_gave_it_up(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await made(ledger, 3)
    real, failures = ledger.driver.drive, [Fenced("taken")]

    async def drive(*args: Any, **named: Any) -> Any:
        if failures:
            # As by another process, which gave it up since.
            await ledger.store.release(named["fence"])
            raise failures.pop()
        return await real(*args, **named)

    monkeypatch.setattr(ledger.driver, "drive", drive)
    last = await to_its_end(run, client, concurrency=1)
    assert last.counts == {State.ACCEPTED: 3}


async def test_what_a_webhook_settled_meanwhile_is_counted_at_the_end(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await made(ledger, 3)
    real, failures = ledger.driver.drive, [ItemChanged("changed")]

    async def drive(*args: Any, **named: Any) -> Any:
        done = await real(*args, **named)
        if failures:
            raise failures.pop()
        return done

    monkeypatch.setattr(ledger.driver, "drive", drive)
    assert (await to_its_end(run, client, concurrency=1)).counts == {State.ACCEPTED: 3}


async def test_a_ledger_that_fails_stops_the_run(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await made(ledger, 3)

    async def drive(*_: Any, **__: Any) -> Any:
        raise WriteFailed("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.driver, "drive", drive)
        with pytest.raises(WriteFailed):
            await to_its_end(run, client)
    assert (await to_its_end(run, client)).taken == 3


async def test_a_ledger_that_fails_at_the_very_end_is_told_and_no_more(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def release(*_: Any) -> None:
        raise WriteFailed("the disk is full")

    run = await made(ledger, 1)
    with monkeypatch.context() as patched:
        patched.setattr(ledger.store, "release", release)
        assert (await to_its_end(run, client)).taken == 1
    assert "the disk is full" in caplog.text


async def test_the_run_is_shown_to_be_alive_and_left_when_it_is_not_ours_any_more(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await machine.open(timing=Timing(beat=0.0))
    run = await made(ledger, 2)
    beats: Counter[int] = Counter()
    enough = asyncio.Event()
    errors: dict[int, list[Exception]] = {}

    async def beat(fence: Any) -> None:
        beats[fence.chunk_id] += 1
        if errors.get(fence.chunk_id):
            if isinstance(errors[fence.chunk_id][0], Fenced) and fence.chunk_id == lease:
                platform.release()
            raise errors[fence.chunk_id].pop(0)
        if len(beats) > 1 and min(beats.values()) > 3:
            enough.set()

    monkeypatch.setattr(ledger.store, "beat", beat)
    lease, chunk = 1, 2
    errors[lease], errors[chunk] = [WriteFailed("full")], [WriteFailed("full"), Fenced("taken")]
    platform.holds = "create"
    task = asyncio.create_task(to_its_end(run, client, concurrency=1))
    await enough.wait()
    errors[lease].append(Fenced("taken"))
    with pytest.raises(Fenced):
        await task

"""Whether whoever owns something is alive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import attrs
import pytest

from seqino.batch.owners import Owner, Timing, is_stale, this_process
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

ME = Owner("host:boot:pid", 10, "500")


def process(proc: Path, pid: int, *, start: str, state: str = "S", name: str = "python (a) b") -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    fields = [state, *("0" * 1 for _ in range(18)), start, "0"]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(fields)}")


def stale(owner: Owner, proc: Path, *, silent: float = 0.0, me: Owner = ME) -> bool:
    return is_stale(owner, silent=silent, stale=30.0, me=me, proc=proc)


def test_an_owner_is_written_and_read() -> None:
    assert Owner.parse(str(ME)) == ME
    assert Owner.parse(str(this_process())) == this_process()


def test_this_process_is_alive() -> None:
    me = this_process()
    assert me.pid == os.getpid()
    assert not is_stale(me, silent=0.0, stale=30.0, me=me)


def test_a_process_that_was_silent_for_long_is_dead_in_any_case(tmp_path: Path) -> None:
    process(tmp_path, 11, start="600")
    owner = attrs.evolve(ME, pid=11, start="600")
    assert not stale(owner, tmp_path, silent=29.0)
    assert stale(owner, tmp_path, silent=31.0)


def test_a_process_that_is_gone_is_dead_at_once(tmp_path: Path) -> None:
    assert stale(attrs.evolve(ME, pid=11), tmp_path)


def test_a_number_that_was_given_again_is_another_process(tmp_path: Path) -> None:
    process(tmp_path, 11, start="601")
    assert stale(attrs.evolve(ME, pid=11, start="600"), tmp_path)


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_process_that_only_waits_to_be_buried_is_dead(tmp_path: Path, state: str) -> None:
    process(tmp_path, 11, start="600", state=state)
    assert stale(attrs.evolve(ME, pid=11, start="600"), tmp_path)


def test_a_process_of_another_machine_is_known_by_its_silence_alone(tmp_path: Path) -> None:
    assert not stale(Owner("other:boot:pid", 11, "600"), tmp_path)


def test_where_the_system_tells_nothing_silence_alone_does(tmp_path: Path) -> None:
    me = this_process(tmp_path)
    assert me.start == ""
    assert not stale(attrs.evolve(me, pid=11), tmp_path, me=me)


# Timing


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ({"beat": 30.0}, "stale (30 s) must be more than beat (30 s)"),
        ({"window": 30.0, "call": 1.0}, "stale (30 s) must be more than window (30 s)"),
        ({"settle": 62.0}, "settle (62 s) must be more than window and call together (62 s)"),
        ({"call": 120.0}, "raise settle, or lower window or call"),
        ({"window": 0.0}, "window must be more than 0 s"),
        ({"poll": -1.0}, "poll must be a number of seconds, 0 or more, not -1.0"),
        ({"settle": float("inf")}, "settle must be a number of seconds"),
        ({"stale": float("nan")}, "stale must be a number of seconds"),
    ],
)
def test_a_timing_that_could_send_twice_is_refused_and_says_what_to_change(
    seconds: dict[str, float], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Timing(**seconds)
    assert said in str(refused.value)


def test_a_timing_may_be_as_short_as_its_parts_allow() -> None:
    assert Timing(beat=0.0, stale=0.2, window=0.1, call=0.1, settle=0.3, poll=0.0).settle == 0.3
    assert Timing() == Timing(beat=10.0, stale=30.0, window=2.0, call=60.0, settle=90.0, poll=0.25)

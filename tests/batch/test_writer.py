"""Group commit: order, sharing of commits, failures that reach everybody concerned."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.batch.errors import Fenced, WriteFailed
from seqino.batch.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.define
class Disk:
    """Commits when it is told to."""

    groups: list[list[Any]] = attrs.field(factory=list[list[Any]])
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)
    fails: Exception | None = None
    began: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def commit(self, group: Sequence[Any]) -> list[Any]:
        self.groups.append(list(group))
        self.began.set()
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        return [Fenced("no") if write == "fenced" else f"{write}!" for write in group]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def writer(disk: Disk) -> Writer[str, str]:
    return Writer(disk.commit, most=3)


async def test_a_lone_write_is_committed_at_once(disk: Disk, writer: Writer[str, str]) -> None:
    disk.gate.set()
    assert await writer.write("a") == "a!"
    assert disk.groups == [["a"]]


async def test_what_comes_while_a_group_is_committed_is_the_next_group(
    disk: Disk, writer: Writer[str, str]
) -> None:
    first = writer.put("a")
    await disk.began.wait()
    rest = [writer.put(name) for name in "bcdef"]
    disk.gate.set()
    assert await asyncio.gather(first, *rest) == ["a!", "b!", "c!", "d!", "e!", "f!"]
    assert disk.groups == [["a"], ["b", "c", "d"], ["e", "f"]]


async def test_an_error_of_one_concerns_that_one_alone(disk: Disk, writer: Writer[str, str]) -> None:
    disk.gate.set()
    results = await asyncio.gather(writer.put("fenced"), writer.put("b"), return_exceptions=True)
    assert isinstance(results[0], Fenced)
    assert results[1] == "b!"


async def test_a_failed_commit_reaches_each_waiter_and_the_next_group_is_tried(
    disk: Disk, writer: Writer[str, str]
) -> None:
    disk.fails = WriteFailed("the disk is full")
    disk.gate.set()
    results = await asyncio.gather(writer.put("a"), writer.put("b"), return_exceptions=True)
    assert [type(result) for result in results] == [WriteFailed, WriteFailed]
    disk.fails = None
    assert await writer.write("c") == "c!"


async def test_a_fault_of_ours_leaves_nobody_waiting(disk: Disk, writer: Writer[str, str]) -> None:
    disk.fails = KeyError("bug")
    disk.gate.set()
    future = writer.put("a")
    with pytest.raises(KeyError):
        await writer.flush()
    with pytest.raises(WriteFailed, match="stopped writing"):
        await future
    disk.fails = None
    assert await writer.write("b") == "b!"


async def test_whoever_stops_waiting_does_not_stop_the_write(disk: Disk, writer: Writer[str, str]) -> None:
    task = asyncio.create_task(writer.write("a"))
    await disk.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    disk.gate.set()
    await writer.flush()
    assert disk.groups == [["a"]]


async def test_a_cancelled_result_does_not_stop_the_others(disk: Disk, writer: Writer[str, str]) -> None:
    first, second = writer.put("a"), writer.put("b")
    first.cancel()
    disk.gate.set()
    assert await second == "b!"
    assert first.cancelled()


async def test_an_error_that_nobody_waits_for_is_no_noise(disk: Disk, writer: Writer[str, str]) -> None:
    disk.gate.set()
    _ = writer.put("fenced")
    await writer.flush()


async def test_flushing_waits_for_all(disk: Disk, writer: Writer[str, str]) -> None:
    disk.gate.set()
    futures = [writer.put(str(number)) for number in range(7)]
    await writer.flush()
    assert all(future.done() for future in futures)
    await writer.flush()

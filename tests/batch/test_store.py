"""What the store writes: fenced, compared and set, with its history; and what it keeps of late evidence."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from sqlalchemy import text

from seqino.batch import Fenced, ItemChanged, Ledger, LedgerError, State, WriteFailed
from seqino.batch.content import draft_item
from seqino.batch.errors import Unwritable
from seqino.batch.items import Change, Facts, Fence, Item
from seqino.batch.states import ItemEvent
from tests.batch.conftest import CLIENT, DRAFT

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from sqlalchemy import Connection

    from seqino.batch.items import NewItem
    from seqino.batch.store import Store
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform


def new(key: str = "k", **fields: Any) -> NewItem:
    return attrs.evolve(draft_item(DRAFT, client_id=CLIENT, key=key), **fields)


@pytest.fixture
async def fence(store: Store) -> Fence:
    return await store.register()


async def added(store: Store, fence: Fence, key: str = "k") -> Item:
    return (await store.add(new(key), fence)).item


async def marked(store: Store, fence: Fence, item: Item, draft_id: str = "d") -> Item:
    facts = Facts(draft_id=draft_id)
    return await store.change(Change(item=item, event=ItemEvent.MARKED, facts=facts, fence=fence))


async def told(store: Store, item: Item) -> list[tuple[str, str, str]]:
    return [
        (str(entry.event), str(entry.from_state), str(entry.to_state))
        async for entry in store.history(item.id)
    ]


async def test_what_a_change_returns_is_what_is_read(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    assert await store.get(item.id) == item
    sending = await marked(store, fence, item)
    assert await store.get(item.id) == sending
    assert abs(sending.updated - await store.now()) < 60


async def test_many_at_once_are_added_each_once(store: Store, fence: Fence) -> None:
    keys = [str(number % 30) for number in range(90)]
    results = await asyncio.gather(*(store.add(new(key), fence) for key in keys))
    assert sum(result.is_new for result in results) == 30
    assert {result.item.business_key: result.item.id for result in results} == {
        item.business_key: item.id async for item in store.items()
    }


async def test_a_content_is_kept_once(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    await added(store, fence, "l")
    assert await store.payload(item.sha256) == new().payload
    assert await store.payload("0" * 64) is None


async def test_an_item_is_found_by_what_names_it(store: Store, fence: Fence) -> None:
    item = await marked(store, fence, await added(store, fence))
    facts = Facts(invoice_id="i")
    done = await store.change(Change(item=item, event=ItemEvent.ACCEPTED, facts=facts))
    assert await store.find(CLIENT, "k") == await store.find_by_draft("d") == done
    assert await store.find_by_invoice("i") == done
    assert await store.find_by_invoice("j") is None


async def test_who_was_taken_for_dead_marks_and_adds_nothing(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    await store.release(fence)
    with pytest.raises(Fenced):
        await marked(store, fence, item)
    with pytest.raises(Fenced):
        await store.add(new("l"), fence)
    with pytest.raises(Fenced):
        await store.beat(fence)
    assert (await store.get(item.id)).state is State.QUEUED
    assert await store.find(CLIENT, "l") is None


async def test_a_fence_holds_back_its_own_writes_alone(store: Store, fence: Fence) -> None:
    one, other = await added(store, fence, "1"), await added(store, fence, "2")
    stale = Fence(fence.chunk_id, fence.epoch - 1)
    results = await asyncio.gather(
        marked(store, stale, one), marked(store, fence, other), return_exceptions=True
    )
    assert isinstance(results[0], Fenced)
    assert isinstance(results[1], Item)


async def test_an_item_that_somebody_else_changed_is_not_marked(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    await marked(store, fence, item)
    with pytest.raises(ItemChanged, match="'k'"):
        await marked(store, fence, item, "e")
    assert await store.adopt(item, fence) is None
    found = await store.get(item.id)
    assert (found.draft_id, found.attempt) == ("d", 1)


async def test_one_that_was_changed_holds_nobody_back(store: Store, fence: Fence) -> None:
    items = [await added(store, fence, str(number)) for number in range(3)]
    await marked(store, fence, items[1], "elsewhere")
    results = await asyncio.gather(
        *(marked(store, fence, item, f"d{item.id}") for item in items), return_exceptions=True
    )
    assert [type(result) for result in results] == [Item, ItemChanged, Item]
    assert [(await store.get(item.id)).draft_id for item in items] == [
        f"d{items[0].id}",
        "elsewhere",
        f"d{items[2].id}",
    ]


async def test_an_impossible_event_is_refused_before_it_is_queued(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    with pytest.raises(ValueError, match="cannot happen"):
        await store.change(Change(item=item, event=ItemEvent.LOST))


async def test_an_answer_that_came_too_late_is_kept_and_an_invoice_that_exists_exists(
    store: Store, fence: Fence
) -> None:
    item = await marked(store, fence, await added(store, fence))
    await store.release(fence)
    facts = Facts(invoice_id="i", invoice_number="F-1")
    late = await store.change(Change(item=item, event=ItemEvent.ACCEPTED, facts=facts, release=True))
    assert (late.state, late.invoice_id) == (State.ACCEPTED, "i")
    assert await store.get(item.id) == late
    assert await told(store, item) == [
        ("added", "None", "queued"),
        ("marked", "queued", "sending"),
        ("taken_over", "sending", "in_doubt"),
        ("accepted", "in_doubt", "accepted"),
    ]


async def test_a_late_word_that_is_no_evidence_is_only_kept(store: Store, fence: Fence) -> None:
    item = await marked(store, fence, await added(store, fence))
    await store.release(fence)
    late = await store.change(Change(item=item, event=ItemEvent.WITHDRAWN))
    assert (late.state, late.ever_unknown) == (State.IN_DOUBT, True)
    assert (await told(store, item))[-1] == ("withdrawn", "in_doubt", "in_doubt")


async def test_late_evidence_of_what_is_at_its_end_is_only_kept(store: Store, fence: Fence) -> None:
    item = await marked(store, fence, await added(store, fence))
    done = await store.change(Change(item=item, event=ItemEvent.ACCEPTED))
    await store.change(Change(item=done, event=ItemEvent.SETTLED))
    late = await store.change(Change(item=item, event=ItemEvent.ACCEPTED, facts=Facts(invoice_id="x")))
    assert (late.state, late.invoice_id) == (State.SETTLED, None)
    assert (await told(store, item))[-1] == ("accepted", "settled", "settled")


async def test_the_audit_trail_cannot_be_changed(store: Store, machine: Machine, fence: Fence) -> None:
    await added(store, fence)
    with closing(sqlite3.connect(machine.place)) as connection:
        for statement in ("UPDATE history SET event = 'x'", "DELETE FROM history"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


async def test_items_and_history_are_read_a_page_at_a_time(
    store: Store, fence: Fence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.reading._PAGE", 4)
    await asyncio.gather(*(store.add(new(str(number)), fence) for number in range(10)))
    assert len([item async for item in store.items()]) == 10
    assert len([entry async for entry in store.history()]) == 10
    assert len([item async for item in store.items(states=[State.QUEUED], chunk_id=fence.chunk_id)]) == 10
    assert [item async for item in store.items(states=[State.DRAFTED])] == []
    assert [item async for item in store.items(run_id=1)] == []
    assert await store.counts() == {State.QUEUED: 10}
    assert await store.counts(run_id=1) == {}


async def test_what_waits_is_not_due(store: Store, fence: Fence) -> None:
    item = await added(store, fence)
    await store.change(Change(item=item, event=ItemEvent.POSTPONED, pause=1000.0))
    await added(store, fence, "l")
    assert [item.business_key async for item in store.items(due=True)] == ["l"]


async def test_the_dead_are_taken_over_and_the_living_are_not(machine: Machine) -> None:
    dead, living = await machine.open(), await machine.open()
    fence = await dead.store.register()
    mine = await living.store.register()
    item = await marked(dead.store, fence, await added(dead.store, fence))
    waiting = await added(dead.store, fence, "l")
    assert await living.store.take_over_stale() == [fence.chunk_id]
    assert await living.store.take_over_stale() == []
    await living.store.beat(mine)
    taken = await living.store.get(item.id)
    assert (taken.state, taken.ever_unknown, taken.chunk_id) == (State.IN_DOUBT, True, None)
    assert (await living.store.get(waiting.id)).chunk_id is None
    assert (await living.store.chunk(fence.chunk_id)).owner is None


async def test_a_chunk_is_taken_by_one(store: Store, fence: Fence) -> None:
    owned = await store.chunk(fence.chunk_id)
    assert await store.take(owned) is None
    await store.release(fence)
    free = await store.chunk(fence.chunk_id)
    assert await store.take(free) == Fence(free.id, free.epoch + 1)
    assert await store.take(free) is None


# Failures


async def test_a_statement_that_fails_concerns_itself_alone(store: Store, fence: Fence) -> None:
    def perform(connection: Connection) -> None:
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    failed, done = await asyncio.gather(
        store.transact(perform), store.add(new(), fence), return_exceptions=True
    )
    assert isinstance(failed, LedgerError)
    assert "no such table" in str(failed)
    assert not isinstance(done, BaseException)


async def test_what_cannot_be_kept_holds_nobody_back(store: Store, fence: Fence) -> None:
    one, late, other = [await added(store, fence, key) for key in "abc"]
    stopped = await store.register()
    await store.release(stopped)
    writes: list[Awaitable[Any]] = [
        store.put(Change(item=one, event=ItemEvent.MARKED, fence=fence, facts=Facts(draft_id="d1"))),
        store.put(Change(item=other, event=ItemEvent.MARKED, fence=fence, facts=Facts(draft_id="\udce9"))),
        store.put(Change(item=late, event=ItemEvent.MARKED, fence=stopped, facts=Facts(draft_id="d2"))),
        store.add(new("d", invoice_number="\udce9"), fence),
        store.add(new("e"), fence),
    ]
    ends = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(end).__name__ for end in ends] == ["Item", "Unwritable", "Fenced", "Unwritable", "Added"]
    assert "cannot keep what it was given" in str(ends[1])
    assert await store.counts() == {State.SENDING: 1, State.QUEUED: 3}


async def test_a_disk_that_is_full_in_the_middle_is_told_to_the_rest(
    store: Store, fence: Fence, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = store._commit_together

    def commit(writes: Any) -> Any:
        sizes.append(len(writes))
        if sizes == [3, 1, 1]:
            raise WriteFailed("the disk is full")
        return real(writes)

    monkeypatch.setattr(store, "_commit_together", commit)
    ends = await asyncio.gather(
        *(store.add(new(key, invoice_number=number), fence) for key, number in ("a\udce9", "b1", "c1")),
        return_exceptions=True,
    )
    assert [type(end) for end in ends] == [Unwritable, WriteFailed, WriteFailed]
    assert sizes == [3, 1, 1]
    assert await store.counts() == {}


async def fill_up(ledger: Ledger) -> None:
    """Let the file grow no more: what a full disk is to SQLite."""
    pages = (await ledger._opened.database.read(text("PRAGMA page_count")))[0][0]
    await ledger.store.transact(
        lambda connection: connection.execute(text(f"PRAGMA max_page_count={pages}")).all()
    )


async def make_room(ledger: Ledger) -> None:
    await ledger.store.transact(
        lambda connection: connection.execute(text("PRAGMA max_page_count=1000000")).all()
    )


async def test_a_full_disk_is_said_and_nothing_is_sent_or_lost(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="first")
    await fill_up(ledger)
    results: list[Any] = []
    while not results or not isinstance(results[-1], Exception):
        key = f"k{len(results)}"
        results += await asyncio.gather(ledger.submit(client, DRAFT, key=key), return_exceptions=True)
    assert isinstance(results[-1], WriteFailed)
    assert "the disk is full: make room" in str(results[-1])
    await make_room(ledger)
    for number in range(len(results)):
        await ledger.submit(client, DRAFT, key=f"k{number}")
    assert platform.effects.total() == len(results) + 1
    assert await ledger.counts() == {State.ACCEPTED: len(results) + 1}


@pytest.mark.parametrize("at", range(1, 5))
async def test_a_write_that_fails_at_any_moment_sends_nothing_twice(
    machine: Machine, client: SeqinoClient, platform: Platform, at: int
) -> None:
    ledger = await machine.open()
    failing = Failing(ledger, at)
    with contextlib.suppress(WriteFailed):
        await ledger.submit(client, DRAFT, key="k")
    assert failing.failed
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id is not None
    assert platform.effects.total() == 1


@attrs.define(eq=False)
class Failing:
    """Lets one commit of a ledger fail."""

    ledger: Ledger
    at: int
    commits: int = 0
    failed: bool = False

    def __attrs_post_init__(self) -> None:
        store = self.ledger.store
        commit = store._writer._commit

        async def fail_once(writes: Any) -> Any:
            self.commits += 1
            if self.commits == self.at:
                self.failed = True
                raise WriteFailed("the disk is full")
            return await commit(writes)

        store._writer._commit = fail_once


async def test_a_mark_whose_number_cannot_be_kept_sends_nothing(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await machine.open()
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise WriteFailed("the high-water mark cannot be written")

        patch.setattr("seqino.batch.sequence.HighWater.advance", fail)
        with pytest.raises(WriteFailed, match="high-water"):
            await ledger.submit(client, DRAFT, key="k")
    assert platform.requests == {"create": 1}
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert platform.effects.total() == 1

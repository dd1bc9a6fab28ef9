"""How long something waits, what is never driven, and marks that became too old."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from seqino._core.raw import Listener
from seqino.batch import Fenced, ItemChanged, State
from seqino.batch.content import draft_item
from seqino.batch.driving import pause_before_next
from seqino.batch.endings import ending_of
from seqino.batch.items import Change, Facts, Fence, Item
from seqino.batch.journal import ItemJournal
from seqino.batch.states import ItemEvent
from seqino.batch.window import Clocks
from seqino.errors import (
    BadRequest,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Rejected,
)
from seqino.options import CallOptions
from seqino.submission import Lost, NotDone, Route, Submission, Verdict
from tests.batch.conftest import CLIENT, DRAFT
from tests.batch.test_items import item

if TYPE_CHECKING:
    from seqino.batch import Ledger
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform


def longest(low: float, high: float) -> float:
    assert low == 0.25
    return high


@pytest.mark.parametrize(
    ("looks", "pause"),
    [(0, 1), (1, 2), (3, 8), (4, 15), (9, 15), (10, 60), (11, 120), (19, 21_600), (500, 21_600)],
)
def test_looks_follow_ever_more_slowly(looks: int, pause: float) -> None:
    assert pause_before_next(item(State.IN_DOUBT, looks=looks), ItemEvent.LOOKED, None) == pause


def test_a_new_doubt_is_looked_at_soon() -> None:
    assert pause_before_next(item(State.SENDING, looks=50), ItemEvent.LOST, None) == 1


@pytest.mark.parametrize(("requests", "pause"), [(0, 1), (1, 2), (5, 32), (6, 60), (5000, 60)])
def test_what_did_not_reach_the_platform_waits_the_longer_the_more_it_cost(
    requests: int, pause: float
) -> None:
    waiting = item(State.QUEUED, requests=requests)
    assert pause_before_next(waiting, ItemEvent.POSTPONED, None, uniform=longest) == pause


def test_what_the_server_asks_for_is_kept_to() -> None:
    error = RateLimited("later", operation="x", outcome="throttled", retry_after=7.0)
    assert pause_before_next(item(), ItemEvent.POSTPONED, error) == 7.0


async def test_what_is_at_its_end_is_not_driven(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="k")
    done = await ledger.find("k", client_id=CLIENT)
    assert done is not None
    fence = await ledger.store.register()
    drive = await ledger.driver.drive(client, done, fence=fence, options=CallOptions(), patience=0)
    assert (drive.item, drive.submission, drive.error) == (done, None, None)
    assert platform.requests.total() == 2


async def test_without_patience_a_doubt_is_left_for_later(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["lost after"]
    fence = await ledger.store.register()
    added = await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)
    drive = await ledger.driver.drive(client, added.item, fence=fence, options=CallOptions(), patience=0)
    assert isinstance(drive.error, OutcomeUnknown)
    assert drive.item.state is State.IN_DOUBT
    assert drive.item.not_before == drive.item.updated + 1.0
    assert platform.requests == {"create": 1, "validate": 1}


async def test_a_probed_server_is_asked_again_where_it_shows_nothing(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    first = await machine.open()
    await first.store.note_probe()
    await first.aclose()
    ledger = await machine.open()
    platform.hides = True
    platform.faults["validate"] = ["lost before"]
    platform.faults["look"] = ["404"] * 99
    done = await ledger.submit(client, DRAFT, key="k", options=CallOptions(timeout=300))
    assert (done.invoice_id, platform.effects.total()) == ("inv-1", 1)


# Marks


@attrs.define
class Frozen:
    """Clocks of a process that stops for some seconds between a mark and the bytes, as often as is told."""

    stops: int
    now: float = 1000.0

    def clocks(self) -> Clocks:
        return Clocks(boot=self.time, wall=lambda: self.now)

    def time(self) -> float:
        if self.stops:
            self.stops -= 1
            self.now += 60.0
        return self.now


async def test_a_process_that_was_frozen_after_its_mark_sends_nothing_late(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    # The first asking is the mark's own.
    ledger = await machine.open(clocks=Frozen(2).clocks())
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert [str(entry.event) async for entry in ledger.history()] == [
        *("added", "marked", "late", "adopted", "marked", "accepted")
    ]
    found = await ledger.find("k", client_id=CLIENT)
    assert found is not None
    assert (found.attempt, found.ever_unknown) == (1, False)
    assert platform.requests == {"create": 1, "validate": 1}


async def test_a_process_that_is_always_too_late_gives_up(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open(clocks=Frozen(99).clocks())
    with pytest.raises(NotSent, match=r"held back before its first byte \(60\.0 s after it was marked"):
        await ledger.submit(client, DRAFT, key="k")
    assert platform.requests == {"create": 1}


def journal(ledger: Ledger, marked: Item, fence: Fence) -> ItemJournal:
    return ItemJournal(
        marked,
        store=ledger.store,
        fence=fence,
        clocks=Clocks(),
        window=2.0,
        pause=pause_before_next,
        listener=Listener(None),
    )


async def test_a_mark_whose_request_was_given_up_is_no_attempt(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    added = (await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)).item
    doubtful = await ledger.store.change(
        Change(item=added, event=ItemEvent.RECOVERED, facts=Facts(draft_id="d"), fence=fence)
    )
    told = journal(ledger, doubtful, fence)
    marking = asyncio.create_task(told.prepare())
    await asyncio.sleep(0)
    marking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await marking
    await told.happened(NotDone(0.0))
    assert (told.item.state, told.item.attempt) == (State.IN_DOUBT, 0)
    assert [str(entry.event) async for entry in ledger.history()][-2:] == ["marked", "late"]


async def test_a_task_that_ends_while_it_marks_leaves_no_doubt(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    added = (await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)).item
    told = journal(ledger, added, fence)
    await told.keep("d")
    marking = asyncio.create_task(told.prepare())
    await asyncio.sleep(0)
    marking.cancel()
    told.interrupted(None)
    await ledger.store.flush()
    found = await ledger.store.get(added.id)
    assert (found.state, found.attempt, found.chunk_id, found.draft_id) == (State.DRAFTED, 0, None, "d")


async def test_the_draft_of_a_task_that_ends_before_it_marks_is_kept(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    added = (await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)).item
    told = journal(ledger, added, fence)
    await told.keep("d")
    told.interrupted(None)
    await ledger.store.flush()
    found = await ledger.store.get(added.id)
    assert (found.state, found.draft_id, found.chunk_id) == (State.DRAFTED, "d", None)
    # Twice is once.
    told.interrupted(None)


async def test_a_doubt_that_a_take_over_settled_otherwise_ends_the_drive(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    added = (await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)).item
    told = journal(ledger, added, fence)
    await told.keep("d")
    await told.prepare()
    await ledger.store.change(Change(item=told.item, event=ItemEvent.ACCEPTED, facts=Facts(invoice_id="i")))
    with pytest.raises(ItemChanged):
        await told.happened(Lost(0.0))
    assert told.item.state is State.ACCEPTED


async def test_a_fenced_mark_is_told(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    added = (await ledger.store.add(draft_item(DRAFT, client_id=CLIENT, key="k"), fence)).item
    await ledger.store.release(fence)
    with pytest.raises(Fenced):
        await journal(ledger, added, fence).prepare()


# What is told of an item


def ending(state: State, **fields: object) -> object:
    return ending_of(item(state, **fields), server="http://s")


def test_what_was_taken_is_told_as_it_was_returned() -> None:
    told = ending(
        State.SETTLED, invoice_id="i", invoice_number="F", draft_id="d", platform_status="submitted"
    )
    assert told == Submission(
        verdict=Verdict.ACCEPTED, invoice_id="i", invoice_number="F", draft_id="d", status="submitted"
    )
    unnamed = ending(State.ACCEPTED_UNIDENTIFIED)
    assert isinstance(unnamed, Submission)
    assert unnamed.verdict is Verdict.ACCEPTED_UNIDENTIFIED


def test_what_was_refused_is_told_as_it_was_raised() -> None:
    reasons = '{"message":"m","words":"w","trace_id":"t","faults":[["$.a","b"]]}'
    told = ending(State.REJECTED, http_status=400, reasons=reasons)
    assert isinstance(told, BadRequest)
    assert (told.status, told.trace_id, told.faults) == (400, "t", (("$.a", "b"),))
    bare = ending(State.REJECTED)
    assert isinstance(bare, Rejected)
    assert "k: the platform refused the invoice" in str(bare)


def test_what_cannot_be_sent_and_what_is_in_doubt_is_told() -> None:
    assert isinstance(ending(State.INVALID), InvalidInput)
    doubt = ending(State.IN_DOUBT, draft_id="d", attempt=1)
    assert isinstance(doubt, OutcomeUnknown)
    assert "of the draft d" in str(doubt)
    assert "looks further" in str(doubt)
    assert doubt.operation == "validate_draft"
    lost = ending(State.PARKED, route=Route.FILE)
    assert isinstance(lost, OutcomeUnknown)
    assert "of the file" in str(lost)
    assert lost.operation == "submit_invoice_file"

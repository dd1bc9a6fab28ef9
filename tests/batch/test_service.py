"""A process among others: its pulse, being taken for dead, waiting for others, looking for them."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from seqino.batch import Fenced, KeyInUse, State, WriteFailed
from seqino.batch.items import Change
from seqino.batch.owners import Timing
from seqino.batch.reconciling import Reconciled
from seqino.batch.states import ItemEvent
from seqino.errors import InsecureConnection, InvalidInput, OutcomeUnknown
from seqino.options import CallOptions
from tests.batch.conftest import CLIENT, DRAFT, FILE
from tests.batch.timings import contradicting

if TYPE_CHECKING:
    from seqino.batch import Ledger
    from seqino.batch.items import Fence
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

# Being alive


async def test_a_process_says_again_and_again_that_it_is_alive(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await machine.open(timing=Timing(beat=0.0))
    ends: list[Exception | None] = [None, WriteFailed("the disk is full"), Fenced("taken over"), None]
    beats: list[Fence] = []
    enough = asyncio.Event()

    async def beat(fence: Fence) -> None:
        beats.append(fence)
        end = ends.pop(0) if ends else None
        if not ends:
            enough.set()
        if end is not None:
            raise end

    monkeypatch.setattr(ledger.store, "beat", beat)
    with caplog.at_level(logging.WARNING, "seqino"):
        first = await ledger._service.fence()
        await enough.wait()
    assert beats[:3] == [first] * 3
    assert beats[3] != first
    assert "ledger: the disk is full" in caplog.text


async def test_broken_logging_does_not_end_the_signs_of_life(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_record: logging.LogRecord) -> bool:
        raise RuntimeError("a filter")

    ledger = await machine.open(timing=Timing(beat=0.0))
    ends = [WriteFailed("the disk is full"), None]
    enough = asyncio.Event()

    async def beat(_fence: Fence) -> None:
        end = ends.pop(0) if ends else None
        if not ends:
            enough.set()
        if end is not None:
            raise end

    monkeypatch.setattr(ledger.store, "beat", beat)
    monkeypatch.setattr(logging.getLogger("seqino"), "filters", [fail])
    await ledger._service.fence()
    async with asyncio.timeout(20):
        await enough.wait()


async def test_a_beat_is_seen(ledger: Ledger) -> None:
    fence = await ledger.store.register()
    before = await ledger.store.chunk(fence.chunk_id)
    await ledger.store.beat(fence)
    after = await ledger.store.chunk(fence.chunk_id)
    assert (before.seen or 0) <= (after.seen or 0)


async def test_a_process_that_was_taken_for_dead_begins_anew(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="a")
    await ledger.store.release(await ledger._service.fence())
    assert (await ledger.submit(client, DRAFT, key="b")).invoice_id == "inv-2"
    assert platform.effects.total() == 2


async def test_an_invoice_that_another_process_took_over_is_gone_on_with(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    first, second = await machine.open(), await machine.open()
    platform.holds = "create"
    sending = asyncio.create_task(first.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    # As if it had been frozen: another process sends it meanwhile.
    assert (await second.submit(client, DRAFT, key="k")).invoice_id is not None
    platform.release()
    assert (await sending).invoice_id is not None
    assert platform.effects.total() == 1


async def test_a_process_that_is_fenced_off_when_its_time_is_over_says_so(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    first, second = await machine.open(), await machine.open()
    platform.holds = "create"
    sending = asyncio.create_task(first.submit(client, DRAFT, key="k", options=CallOptions(timeout=50)))
    await platform.held.wait()
    await second.store.take_over_stale()
    machine.clock.now += 49.0
    first._service._clock = lambda: machine.clock.now + 10
    platform.release()
    with pytest.raises(Fenced):
        await sending
    assert platform.effects.total() == 0


# Waiting


def _never(*_: object, **__: object) -> bool:
    return False


async def test_who_waits_too_long_in_one_process_is_told(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.holds = "create"
    sending = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    with pytest.raises(KeyInUse, match="'k' is being sent by somebody else"):
        await ledger.submit(client, DRAFT, key="k", options=CallOptions(timeout=0.001))
    platform.release()
    assert (await sending).invoice_id == "inv-1"


async def test_who_waits_too_long_for_another_process_is_told(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await machine.open(), await machine.open(timing=Timing(poll=1.0))
    monkeypatch.setattr(second.store, "is_dead", _never)
    platform.holds = "create"
    sending = asyncio.create_task(first.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    with pytest.raises(KeyInUse):
        await second.submit(client, DRAFT, key="k", options=CallOptions(timeout=5))
    platform.release()
    await sending


async def test_an_item_whose_last_write_failed_is_picked_up(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    service, store = ledger._service, ledger.store
    platform.faults["create"] = ["401"]
    with pytest.raises(Exception, match="401"):
        await ledger.submit(client, DRAFT, key="k")
    found = await ledger.find("k", client_id=CLIENT)
    assert found is not None
    fence = await service.fence()
    mine = await store.adopt(found, fence)
    assert mine is not None
    assert await service._pick_up(found, fence) is None
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"


async def test_what_cannot_help_is_not_tried_again(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    async def insecure(*_: object, **__: object) -> None:
        nonlocal calls
        calls += 1
        raise InsecureConnection("the certificate was refused", operation="x", outcome="not_sent")

    monkeypatch.setattr("seqino.client.submitting.create_draft", insecure)
    with pytest.raises(InsecureConnection):
        await ledger.submit(client, DRAFT, key="k")
    assert calls == 1


async def test_a_file_name_that_is_no_text_is_sent_written_out(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    done = await ledger.submit_file(client, FILE.read_bytes(), name="f\udce9v.xml", key="k")
    assert done.invoice_id == "inv-f"
    assert [upload[0] for upload in platform.uploads] == ["f%E9v.xml"]
    wrongs: tuple[dict[str, Any], ...] = (
        {"key": "\udce9"},
        {"key": "l", "document_ref": "\udce9"},
        {"key": "l", "client_id": "\udce9"},
    )
    for wrong in wrongs:
        with pytest.raises(InvalidInput, match="must be a printable text"):
            await ledger.submit_file(client, FILE, **wrong)


# Reconciling


async def test_what_another_process_is_sending_is_told_as_under_way(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await machine.open(), await machine.open()
    monkeypatch.setattr(second.store, "is_dead", _never)
    platform.holds = "validate"
    sending = asyncio.create_task(first.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    assert await second.reconcile(client) == Reconciled(under_way=1)
    platform.release()
    await sending


async def test_an_unidentified_invoice_with_a_draft_is_told_as_one_that_is_looked_at_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.names_nothing = True
    platform.faults["look"] = ["503"] * 99
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id is None
    assert await ledger.reconcile(client) == Reconciled(in_doubt=1)


async def doubtful(ledger: Ledger, client: SeqinoClient, platform: Platform, *keys: str) -> None:
    for key in keys:
        platform.faults["validate"], platform.faults["look"] = ["lost after"], ["503"] * 9
        with pytest.raises(OutcomeUnknown):
            await ledger.submit(client, DRAFT, key=key)
    platform.faults.clear()


async def make_due(ledger: Ledger) -> None:
    async for item in ledger.store.items(states=[State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED]):
        await ledger.store.change(Change(item=item, event=ItemEvent.LEFT, release=True))


async def test_all_that_is_in_doubt_is_settled(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, *(str(number) for number in range(12)))
    await make_due(ledger)
    assert await ledger.reconcile(client) == Reconciled(settled=12)
    assert await ledger.counts() == {State.ACCEPTED: 12}
    assert platform.effects.total() == 12
    assert await ledger.reconcile(client) == Reconciled()


async def test_what_no_look_tells_stays_in_doubt_until_it_is_due(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, "k")
    await make_due(ledger)
    platform.faults["look"] = ["503"]
    looks = platform.requests["look"]
    for _ in range(2):
        # All that is in doubt is told of, also what is not due.
        assert await ledger.reconcile(client) == Reconciled(in_doubt=1)
    assert platform.requests["look"] == looks + 1


async def test_what_nobody_may_look_at_stays_in_doubt_until_it_may_be(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"], platform.faults["look"] = ["lost after"], ["403", "401"]
    with pytest.raises(OutcomeUnknown, match="cannot be looked at"):
        await ledger.submit(client, DRAFT, key="k")
    await make_due(ledger)
    assert await ledger.reconcile(client) == Reconciled(in_doubt=1)
    await make_due(ledger)
    assert await ledger.reconcile(client) == Reconciled(settled=1)
    assert platform.effects.total() == 1


async def test_what_stays_hidden_is_parked(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open(timing=contradicting(settle=0.0))
    await doubtful(ledger, client, platform, "k")
    await make_due(ledger)
    platform.hides = True
    assert await ledger.reconcile(client) == Reconciled(parked=1)


async def test_a_file_is_never_looked_at(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    platform.faults["upload"] = ["lost before"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    platform.names_nothing = True
    for _ in range(2):
        assert (await ledger.submit_file(client, FILE, key="l")).invoice_id is None
    assert await ledger.counts() == {State.PARKED: 1, State.ACCEPTED_UNIDENTIFIED: 1}
    await make_due(ledger)
    assert await ledger.reconcile(client, revalidate=True) == Reconciled(parked=1)
    assert platform.requests == {"upload": 2}


async def test_two_that_reconcile_at_once_settle_each_invoice_once(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, *"abcd")
    await make_due(ledger)
    done = await asyncio.gather(ledger.reconcile(client), ledger.reconcile(client))
    assert sum(each.settled for each in done) == 4
    assert await ledger.counts() == {State.ACCEPTED: 4}


async def test_who_was_taken_for_dead_while_reconciling_settles_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, "k")
    await make_due(ledger)
    await ledger.store.release(await ledger._service.fence())
    assert await ledger.reconcile(client) == Reconciled(in_doubt=1, under_way=1)
    assert await ledger.reconcile(client) == Reconciled(settled=1)


async def test_a_failing_ledger_ends_reconciling(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await doubtful(ledger, client, platform, "k", "l")
    await make_due(ledger)

    async def fail(*_: object) -> None:
        raise WriteFailed("the disk is full")

    monkeypatch.setattr(ledger.store, "change", fail)
    with pytest.raises(WriteFailed):
        await ledger.reconcile(client)


async def test_an_unidentified_invoice_is_looked_for(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.names_nothing = True
    platform.faults["look"] = ["503"] * 99
    done = await ledger.submit(client, DRAFT, key="k")
    assert done.invoice_id is None
    found = await ledger.find("k", client_id=CLIENT)
    assert found is not None
    assert found.state is State.ACCEPTED_UNIDENTIFIED
    assert found.not_before is not None
    platform.names_nothing = False
    platform.faults.clear()
    again = await ledger.submit(client, DRAFT, key="k")
    assert (again.invoice_id, platform.requests["validate"]) == ("inv-1", 1)

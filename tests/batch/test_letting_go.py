"""Whatever happens to who works on an invoice, it is let go of, and what is known of it is written."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.batch import Ledger, LedgerBusy, RunInUse, State, WriteFailed
from seqino.batch.content import draft_item
from seqino.batch.errors import LedgerError, Unwritable
from seqino.batch.items import Change, Facts, Fence
from seqino.batch.states import ItemEvent
from seqino.errors import OutcomeUnknown, Rejected
from tests.batch.conftest import CLIENT, DRAFT, FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.batch import Item
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

OTHER = {**DRAFT, "currency_code": "CHF"}


def never(*_: object, **__: object) -> bool:
    return False


async def alive(machine: Machine, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> tuple[Ledger, Ledger]:
    """Two processes, neither of which ever seems dead to the other."""
    one, two = await machine.open(**arguments), await machine.open(**arguments)
    for ledger in (one, two):
        monkeypatch.setattr(ledger.store, "is_dead", never)
    return one, two


async def item(ledger: Ledger, key: str = "k") -> Item:
    found = await ledger.find(key, client_id=CLIENT)
    assert found is not None
    return found


@attrs.define(eq=False)
class Disk:
    """The disk of a ledger, on which there may be no room for a while."""

    ledger: Ledger
    error: LedgerError = attrs.field(factory=lambda: WriteFailed("the disk is full"))
    is_full: bool = False
    failed: int = 0

    def __attrs_post_init__(self) -> None:
        database = self.ledger._opened.database
        real: Callable[..., Any] = database.transact

        def transact(perform: Any) -> Any:
            if self.is_full:
                self.failed += 1
                raise self.error
            return real(perform)

        database.transact = transact  # type: ignore[method-assign]


# A disk that is full for a moment


@pytest.mark.parametrize(
    "error", [WriteFailed("the disk is full"), LedgerBusy("locked"), LedgerError("odd")], ids=repr
)
async def test_a_result_that_could_not_be_written_is_written_as_soon_as_anything_can_be(
    machine: Machine,
    client: SeqinoClient,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    error: LedgerError,
) -> None:
    one, two = await alive(machine, monkeypatch)
    disk = Disk(one, error)
    platform.holds = "upload"
    sending = asyncio.create_task(one.submit_file(client, FILE, key="k"))
    await platform.held.wait()
    disk.is_full = True
    platform.release()
    with pytest.raises(type(error)):
        await sending
    await one.store.flush()
    assert (await item(two)).state is State.SENDING
    disk.is_full = False
    # Whatever is written, such as the sign that this process is alive.
    await one.store.beat(await one._service.fence())
    found = await item(two)
    assert (found.state, found.invoice_id, found.chunk_id) == (State.ACCEPTED, "inv-f", None)
    assert [str(entry.event) async for entry in one.history(found)] == ["added", "marked", "accepted"]
    assert (await two.submit_file(client, FILE, key="k")).invoice_id == "inv-f"


async def test_a_mark_never_overtakes_what_is_known_of_an_earlier_one(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await machine.open()
    real, refused = ledger.store._commit_all, {"marked", "late"}

    def commit(writes: Any) -> Any:
        if refused & {str(write.event) for write in writes if isinstance(write, Change)}:
            raise WriteFailed("the disk is full")
        return real(writes)

    monkeypatch.setattr(ledger.store, "_commit_all", commit)
    with pytest.raises(WriteFailed):
        await ledger.submit_file(client, FILE, key="k")
    await ledger.store.flush()
    # There is room for a mark, and none yet for the end of the one before.
    refused.remove("marked")
    platform.faults["upload"] = ["lost after"]
    with pytest.raises(WriteFailed):
        await ledger.submit_file(client, FILE, key="k")
    assert platform.effects.total() == 0
    refused.clear()
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    assert (platform.effects.total(), (await item(ledger)).state) == (1, State.PARKED)


async def test_what_can_never_be_written_keeps_nothing_else_back_and_leaves_a_doubt(
    machine: Machine, client: SeqinoClient, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = await machine.open()
    disk = Disk(ledger)
    platform.holds = "upload"
    sending = asyncio.create_task(ledger.submit_file(client, FILE, key="k"))
    await platform.held.wait()
    disk.is_full = True
    platform.release()
    with pytest.raises(WriteFailed):
        await sending
    await ledger.store.flush()
    disk.error = Unwritable("no text")
    with pytest.raises(Unwritable):
        await ledger.store.beat(await ledger._service.fence())
    assert "what became of an invoice cannot be written: no text" in caplog.text
    disk.is_full = False
    await ledger.store.beat(await ledger._service.fence())
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    assert platform.effects.total() == 1


async def test_what_of_several_still_cannot_be_written_is_kept_and_keeps_others_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ledger.store
    fence = await store.register()
    ends: list[Change] = []
    for key in ("a", "b"):
        new = (await store.add(draft_item(DRAFT, client_id=CLIENT, key=key), fence)).item
        facts = Facts(draft_id=f"draft-{key}")
        sent = await store.change(Change(item=new, event=ItemEvent.MARKED, facts=facts, fence=fence))
        ends.append(Change(item=sent, event=ItemEvent.LOST))
    busy = LedgerBusy("locked")

    def locked(_: object) -> Any:
        raise busy

    def partly(_: object) -> list[Any]:
        return [None, busy]

    with monkeypatch.context() as patched:
        patched.setattr(store, "_commit_all", locked)
        for end in ends:
            with pytest.raises(LedgerBusy):
                await store.change(end)
        patched.setattr(store, "_commit_all", partly)
        with pytest.raises(LedgerBusy):
            await store.beat(fence)
    await store.beat(fence)
    assert [(await item(ledger, key)).state for key in ("a", "b")] == [State.SENDING, State.IN_DOUBT]


async def test_of_several_what_meets_an_odd_fault_is_kept_and_not_overtaken(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ledger.store
    fence = await store.register()
    marked: list[Item] = []
    for key in ("a", "b"):
        new = (await store.add(draft_item(DRAFT, client_id=CLIENT, key=key), fence)).item
        facts = Facts(draft_id=f"draft-{key}")
        marked.append(await store.change(Change(item=new, event=ItemEvent.MARKED, facts=facts, fence=fence)))
    real, odd = store._commit_together, LedgerError("odd")

    def commit(writes: Any) -> Any:
        if isinstance(writes[0], Change) and writes[0].item.id == marked[0].id:
            raise odd
        return real(writes)

    with monkeypatch.context() as patched:
        patched.setattr(store, "_commit_together", commit)
        ends = [store.put(Change(item=sent, event=ItemEvent.LOST)) for sent in marked]
        assert await asyncio.gather(*ends, return_exceptions=True) == [odd, odd]
        # Nothing that is about invoices goes on before it; what is about the process does.
        with pytest.raises(LedgerError, match="odd"):
            await store.add(draft_item(DRAFT, client_id=CLIENT, key="c"), fence)
        await store.beat(fence)
        assert (await item(ledger, "b")).state is State.SENDING
    await store.beat(fence)
    assert [(await item(ledger, key)).state for key in ("a", "b")] == [State.IN_DOUBT, State.IN_DOUBT]


async def test_a_ledger_is_not_closed_before_what_is_known_is_written(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    disk = Disk(ledger)
    platform.holds = "upload"
    sending = asyncio.create_task(ledger.submit_file(client, FILE, key="k"))
    await platform.held.wait()
    disk.is_full = True
    platform.release()
    with pytest.raises(WriteFailed):
        await sending
    await ledger.store.flush()
    disk.is_full = False
    await ledger.aclose()
    assert await (await machine.open()).counts() == {State.ACCEPTED: 1}


async def test_a_disk_that_stays_full_leaves_it_to_the_next_process_and_is_told(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    disk = Disk(ledger)
    platform.holds = "validate"
    sending = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    disk.is_full = True
    platform.release()
    with pytest.raises(WriteFailed):
        await sending
    with pytest.raises(WriteFailed):
        await ledger.aclose()
    again = await machine.open()
    assert (await again.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert platform.effects.total() == 1


async def test_an_invoice_is_let_go_of_with_the_next_sign_of_life_where_it_could_not_be_before(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await alive(machine, monkeypatch)
    disk = Disk(one)
    platform.holds = "create"
    sending = asyncio.create_task(one.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    disk.is_full = True
    sending.cancel()
    await asyncio.wait({sending})
    await one.store.flush()
    assert (await item(two)).chunk_id is not None
    disk.is_full = False
    one._service.holds.let_go_again()
    await one.store.flush()
    assert (await item(two)).chunk_id is None
    failed = disk.failed
    one._service.holds.let_go_again()
    await one.store.flush()
    assert disk.failed == failed


async def test_a_run_on_a_full_disk_is_gone_on_with_by_the_same_process_once_there_is_room(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    disk = Disk(ledger)
    run = await ledger.create_run([(f"k{number}", DRAFT) for number in range(3)], client_id=CLIENT)
    platform.holds = "validate"

    async def submit() -> None:
        async for _ in run.submit(client, paced=False, concurrency=1):
            pass

    submitting = asyncio.create_task(submit())
    await platform.held.wait()
    disk.is_full = True
    platform.release()
    with pytest.raises(WriteFailed):
        await submitting
    assert (await ledger.counts())[State.SENDING] == 1
    disk.is_full = False
    await submit()
    assert await ledger.counts() == {State.ACCEPTED: 3}
    assert platform.effects.total() == 3


# A handler that is cancelled


def blocking(target: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Stop whoever calls a method right after it; return what tells that somebody was stopped."""
    real, reached = getattr(target, name), asyncio.Event()

    async def stopped(*arguments: Any, **named: Any) -> Any:
        await real(*arguments, **named)
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(target, name, stopped)
    return reached


@pytest.mark.parametrize("where", ["store.add", "_service._warn_of_other_route", "driver._content"])
async def test_a_handler_that_is_cancelled_at_any_moment_leaves_the_invoice_to_others(
    machine: Machine, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    one, two = await alive(machine, monkeypatch)
    place, _, name = where.partition(".")
    reached = blocking(getattr(one, place), name, monkeypatch)
    sending = asyncio.create_task(one.submit(client, DRAFT, key="k"))
    await reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await one.store.flush()
    assert (await item(two)).chunk_id is None
    assert (await two.submit(client, DRAFT, key="k")).invoice_id == "inv-1"


@pytest.mark.parametrize("where", ["store.adopt", "driver._replace", "store.change"])
async def test_a_correction_that_is_cancelled_at_any_moment_is_left_to_others(
    machine: Machine,
    client: SeqinoClient,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    one, two = await alive(machine, monkeypatch)
    platform.faults["validate"] = ["refuse"]
    with pytest.raises(Rejected):
        await one.submit(client, DRAFT, key="k")
    place, _, name = where.partition(".")
    reached = blocking(getattr(one, place), name, monkeypatch)
    correcting = asyncio.create_task(one.correct(client, OTHER, key="k"))
    await reached.wait()
    correcting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await correcting
    await one.store.flush()
    assert (await item(two)).chunk_id is None
    assert (await two.correct(client, OTHER, key="k")).invoice_id == "inv-1"
    assert platform.effects.total() == 1


async def test_a_reconciliation_that_is_cancelled_leaves_its_invoices_to_others(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await alive(machine, monkeypatch)
    platform.faults["validate"], platform.faults["look"] = ["lost after"], ["503"] * 9
    with pytest.raises(OutcomeUnknown):
        await one.submit(client, DRAFT, key="k")
    platform.faults.clear()
    await one.store.change(Change(item=await item(one), event=ItemEvent.LEFT, release=True))
    reached = blocking(one.store, "change", monkeypatch)
    reconciling = asyncio.create_task(one.reconcile(client))
    await reached.wait()
    # In this process it is known to be worked on.
    assert (await one.reconcile(client)).under_way == 1
    reconciling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reconciling
    await one.store.flush()
    assert (await item(two)).chunk_id is None
    assert (await two.reconcile(client)).settled == 1


async def test_an_invoice_that_a_process_was_fenced_off_from_is_not_let_go_of_by_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.holds = "create"
    sending = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    ledger._service.forget(await ledger._service.fence())
    sending.cancel()
    await asyncio.wait({sending})
    await ledger.store.flush()
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id is not None


async def test_what_several_learn_of_one_fence_is_forgotten_once(ledger: Ledger) -> None:
    service = ledger._service
    old = await service.fence()
    service.forget(old)
    new = await service.fence()
    service.forget(old)
    assert await service.fence() == new != old


# Chunks


@pytest.mark.parametrize("is_owned", [False, True])
async def test_whoever_is_cancelled_while_taking_a_run_does_not_own_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, *, is_owned: bool
) -> None:
    await ledger.create_run([("k", DRAFT)], client_id=CLIENT)
    run = await ledger.runs.get()
    assert run is not None
    if is_owned:
        await ledger.runs.take(run)
    gate, waiting = asyncio.Event(), asyncio.Event()
    real = ledger.store._writer._commit

    async def commit(writes: Any) -> Any:
        waiting.set()
        await gate.wait()
        return await real(writes)

    monkeypatch.setattr(ledger.store._writer, "_commit", commit)
    taking = asyncio.create_task(ledger.runs.take(run))
    await waiting.wait()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    gate.set()
    await ledger.store.flush()
    if is_owned:
        with pytest.raises(RunInUse):
            await ledger.runs.take(run)
    else:
        assert isinstance(await ledger.runs.take(run), Fence)


async def test_a_chunk_that_cannot_be_given_back_is_taken_again_by_its_own_process(ledger: Ledger) -> None:
    await ledger.create_run([("k", DRAFT)], client_id=CLIENT)
    run = await ledger.runs.get()
    assert run is not None
    disk = Disk(ledger)
    lease = await ledger.runs.take(run)
    disk.is_full = True
    with pytest.raises(WriteFailed):
        await ledger.store.release(lease)
    disk.is_full = False
    assert (await ledger.runs.take(run)).epoch > lease.epoch


async def test_all_parts_of_a_run_that_could_not_be_given_back_are_gone_on_with(
    ledger: Ledger, client: SeqinoClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.ingesting._GROUP", 1)
    run = await ledger.create_run([(f"k{number}", DRAFT) for number in range(2)], client_id=CLIENT)
    disk = Disk(ledger)
    both = asyncio.Barrier(2)

    async def fail(*_: Any, **__: Any) -> None:
        await both.wait()
        disk.is_full = True
        raise disk.error

    with monkeypatch.context() as patched:
        patched.setattr(ledger.driver, "drive", fail)
        with pytest.raises(WriteFailed):
            async for _ in run.submit(client, paced=False, concurrency=2):
                pass
    disk.is_full = False
    async with asyncio.timeout(120):
        async for _ in run.submit(client, paced=False):
            pass
    assert await run.counts() == {State.ACCEPTED: 2}

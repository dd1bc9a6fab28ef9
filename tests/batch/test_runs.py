"""Runs: how a source gets into the ledger, and who works on what."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import attrs
import pytest
from sqlalchemy import update

from seqino.batch import BatchItem, KeyConflict, RunInUse, State, schema
from seqino.batch.content import draft_item, file_item
from seqino.batch.errors import Fenced, WriteFailed
from seqino.batch.items import Change, Facts, Fence
from seqino.batch.owners import Timing
from seqino.batch.reconciling import Reconciled
from seqino.batch.states import ItemEvent
from seqino.batch.taking import Ingested, Refused
from seqino.client.content import draft_bytes
from seqino.errors import AuthenticationFailed, OutcomeUnknown, UnprocessableContent
from tests.batch.conftest import CLIENT, DRAFT, FILE

if TYPE_CHECKING:
    from seqino.batch import Ledger
    from seqino.batch.items import Item, NewItem, Run
    from seqino.batch.runs import Runs
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

OTHER = {**DRAFT, "currency_code": "CHF"}


def drafts(*keys: str, document_ref: str | None = None) -> list[NewItem]:
    return [
        draft_item(DRAFT, client_id=CLIENT, key=key, name=f"rows:{key}", document_ref=document_ref)
        for key in keys
    ]


@pytest.fixture
def runs(ledger: Ledger) -> Runs:
    return ledger.runs


@pytest.fixture
async def run(runs: Runs) -> Run:
    return await runs.create("september", params={"paths": ["a"]})


async def test_a_run_is_made_ready_and_found_again(runs: Runs, run: Run) -> None:
    assert (run.name, run.params, run.ready) == ("september", {"paths": ["a"]}, False)
    other = await runs.create("october", params={})
    ready = await runs.make_ready(run)
    assert ready.ready
    assert await runs.get(run.id) == ready
    assert await runs.get() == other
    assert await runs.all() == [ready, other]
    assert await runs.get(99) is None


async def test_a_source_is_taken_once_however_often_it_is_read(ledger: Ledger, runs: Runs, run: Run) -> None:
    assert await runs.ingest(run, drafts("1", "2")) == Ingested(added=2)
    assert await runs.ingest(run, drafts("1", "2", "3")) == Ingested(added=1, known=2)
    assert await runs.ingest(run, []) == Ingested()
    assert await ledger.store.counts(run.id) == {State.QUEUED: 3}
    assert [str(entry.event) async for entry in ledger.history()] == ["added"] * 3
    assert await runs.refused(run) == []


async def test_files_stay_where_they_are(ledger: Ledger, runs: Runs, run: Run) -> None:
    await runs.ingest(run, [file_item(FILE, client_id=CLIENT)])
    item = await anext(ledger.store.items(run_id=run.id))
    assert (item.payload_ref, item.invoice_number) == (f"file:{FILE}", "ANR-2026-0412")
    assert await ledger.store.payload(item.sha256) is None


async def test_a_key_met_twice_is_refused_by_name(
    ledger: Ledger, client: SeqinoClient, runs: Runs, run: Run
) -> None:
    await ledger.submit(client, DRAFT, key="web")
    earlier = await runs.create("august", params={})
    await runs.ingest(earlier, drafts("old"))
    again = attrs.evolve(drafts("1")[0], name="rows:77")
    changed = draft_item(OTHER, client_id=CLIENT, key="1", name="rows:1")
    result = await runs.ingest(run, [*drafts("1", "web", "old"), again, changed])
    reasons = {
        "rows:web": "has the key 'web' of web (submitted outside of any run), which was sent: accepted",
        "rows:old": f"has the key 'old' of rows:old of the run {earlier.id}, which was taken before and is "
        f"not sent yet: 'seqino batch resume --run {earlier.id}' sends it",
        "rows:77": "has the key '1', which rows:1 has too: sent once",
        "rows:1": "was changed since it was read first, and is not sent; what it was may have been",
    }
    assert (result.added, result.known) == (1, 0)
    assert {refused.name: refused.reason for refused in result.refused} == reasons
    assert {refused.name: refused.reason for refused in await runs.refused(run)} == reasons


async def test_a_key_that_is_known_is_told_with_what_became_of_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform, runs: Runs, run: Run
) -> None:
    platform.faults["upload"] = ["lost after"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE.read_bytes(), key="doubt", name="doubt.xml")
    platform.faults["create"] = ["401", "refuse"]
    with pytest.raises(AuthenticationFailed):
        await ledger.submit(client, DRAFT, key="queued")
    with pytest.raises(UnprocessableContent):
        await ledger.submit(client, DRAFT, key="refused")
    doubt = file_item(FILE, client_id=CLIENT, key="doubt")
    other = draft_item(OTHER, client_id=CLIENT, key="queued", name="rows:other")
    result = await runs.ingest(run, [doubt, *drafts("queued", "refused"), other])
    told = [refused.reason.split(" (submitted outside of any run), which ")[1] for refused in result.refused]
    assert [words.split(":")[0] for words in told] == [
        "may have been sent",
        "was taken before and is not sent yet",
        "was rejected",
        "has another content",
    ]


async def test_a_document_is_named_later_and_goes_out_once(
    ledger: Ledger, client: SeqinoClient, platform: Platform, runs: Runs, run: Run
) -> None:
    first = await ledger.submit(client, DRAFT, key="k")
    for _ in range(2):
        submission = await ledger.submit(client, DRAFT, key="k", document_ref="D")
        assert submission.invoice_id == first.invoice_id
    with pytest.raises(KeyConflict, match="under the key 'k'"):
        await ledger.submit_file(client, FILE, document_ref="D")
    with pytest.raises(KeyConflict, match="'k' is the document 'D', not 'E'"):
        await ledger.submit(client, DRAFT, key="k", document_ref="E")
    await ledger.submit(client, DRAFT, key="other")
    with pytest.raises(KeyConflict, match="the document 'D' is in the ledger already, under the key 'k'"):
        await ledger.submit(client, DRAFT, key="other", document_ref="D")
    events = [(str(entry.event), entry.detail) async for entry in ledger.history()]
    assert ("named", {"document_ref": "D"}) in events
    await runs.ingest(run, drafts("1", "2"))
    assert await runs.ingest(run, drafts("1", document_ref="F")) == Ingested(known=1)
    refused = (
        await runs.ingest(run, [*drafts("2", document_ref="F"), *drafts("1", document_ref="G")])
    ).refused
    assert [one.reason for one in refused] == [
        "the document 'F' is in the ledger already, under the key '1'",
        "'1' is the document 'F', not 'G'",
    ]
    assert platform.effects.total() == 2


async def test_a_document_that_is_named_while_another_call_sends_goes_out_once(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.holds = "validate"
    first = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    joined = asyncio.create_task(ledger.submit(client, DRAFT, key="k", document_ref="D"))
    await asyncio.sleep(0)
    platform.release()
    await asyncio.gather(first, joined)
    with pytest.raises(KeyConflict, match="the document 'D' is in the ledger already, under the key 'k'"):
        await ledger.submit(client, DRAFT, key="other", document_ref="D")
    assert platform.effects.total() == 1


async def test_a_document_that_another_process_named_is_not_named_otherwise(ledger: Ledger) -> None:
    store, new = ledger.store, draft_item(DRAFT, client_id=CLIENT, key="k")
    item = (await store.add(new, await store.register())).item
    for _ in range(2):
        named = await store.name_document(item, attrs.evolve(new, document_ref="X"))
        assert named.document_ref == "X"
    with pytest.raises(KeyConflict, match="'k' is the document 'X', not 'Y'"):
        await store.name_document(item, attrs.evolve(new, document_ref="Y"))


async def test_what_cannot_be_read_keeps_its_document(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    bad, good = {"currency_code": "CHF"}, BatchItem(invoice=DRAFT, key="1", document_ref="D")
    first = await ledger.create_run([attrs.evolve(good, invoice=bad)], client_id=CLIENT)
    unreadable = await ledger.create_run(
        [BatchItem(invoice=bad, key="2", document_ref=" ")], client_id=CLIENT
    )
    assert await first.counts() == await unreadable.counts() == {State.INVALID: 1}
    with pytest.raises(KeyConflict, match="under the key '1'"):
        await ledger.submit_file(client, FILE, document_ref="D")
    other = await ledger.create_run([attrs.evolve(good, document_ref="E")], client_id=CLIENT)
    assert [refused.reason for refused in await other.refused()] == ["'1' is the document 'D', not 'E'"]
    mended = await ledger.create_run([attrs.evolve(good, document_ref=None)], client_id=CLIENT)
    assert await mended.counts() == {State.QUEUED: 1}
    with pytest.raises(KeyConflict, match="under the key '1'"):
        await ledger.submit_file(client, FILE, document_ref="D")
    assert platform.effects.total() == 0


async def test_a_document_met_twice_is_refused(runs: Runs, run: Run) -> None:
    result = await runs.ingest(run, drafts("1", "2", document_ref="doc"))
    assert [refused.reason for refused in result.refused] == [
        "is the document 'doc', which rows:1 is too: sent once"
    ]


async def test_what_cannot_be_read_is_noted_once(runs: Runs, run: Run) -> None:
    refused = Refused(name="x.xml", reason="is empty")
    for _ in range(2):
        await runs.refuse(run, [refused])
    await runs.refuse(run, [])
    assert await runs.refused(run) == [refused]


async def test_a_run_is_worked_on_by_one_at_a_time(machine: Machine) -> None:
    one, two = await machine.open(), await machine.open()
    run = await one.runs.create("september", params={})
    lease = await one.runs.take(run)
    two.store.is_dead = lambda *_, **__: False  # type: ignore[method-assign]
    with pytest.raises(RunInUse, match=r"working on the run 1 \(september\)"):
        await two.runs.take(run)
    await one.store.release(lease)
    again = await two.runs.take(run)
    assert again.epoch > lease.epoch


async def test_the_run_of_a_dead_process_is_taken_over(machine: Machine) -> None:
    one, two = await machine.open(), await machine.open()
    run = await one.runs.create("september", params={})
    await one.runs.take(run)
    assert (await two.runs.take(run)).chunk_id == 1


async def sent(ledger: Ledger, item: Item, chunk_fence: object) -> None:
    facts = Facts(draft_id=f"d{item.id}")
    marked = await ledger.store.change(
        Change(item=item, event=ItemEvent.MARKED, facts=facts, fence=chunk_fence)  # type: ignore[arg-type]
    )
    await ledger.store.change(Change(item=marked, event=ItemEvent.ACCEPTED))


async def test_chunks_are_worked_on_one_after_the_other_until_nothing_is_left(
    ledger: Ledger, runs: Runs, run: Run
) -> None:
    for keys in ("12", "34"):
        await runs.ingest(run, drafts(*keys))
    seen: list[str] = []
    while (chunk := await runs.take_chunk(run)) is not None:
        assert chunk.run_id == run.id
        async for item in runs.todo(chunk):
            seen.append(item.business_key)
            await sent(ledger, item, chunk.fence)
        assert await runs.finish_chunk(chunk)
    assert seen == ["1", "2", "3", "4"]
    assert await runs.next_due(run) is None


async def test_a_chunk_of_which_something_waits_is_taken_again(ledger: Ledger, runs: Runs, run: Run) -> None:
    await runs.ingest(run, drafts("1"))
    assert await runs.next_due(run) == 0
    chunk = await runs.take_chunk(run)
    assert chunk is not None
    assert await runs.take_chunk(run) is None
    item = await anext(runs.todo(chunk))
    await ledger.store.change(Change(item=item, event=ItemEvent.POSTPONED, pause=500.0))
    assert [item async for item in runs.todo(chunk)] == []
    due = await runs.next_due(run)
    assert due is not None
    assert 400 < due <= 500
    assert not await runs.finish_chunk(chunk)
    assert await runs.take_chunk(run)


async def test_the_chunk_of_a_dead_process_is_taken_over_with_what_it_was_sending_in_doubt(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    one, two = await machine.open(), await machine.open()
    run = await one.runs.create("september", params={})
    await one.runs.ingest(run, drafts("1", "2"))
    chunk = await one.runs.take_chunk(run)
    assert chunk is not None
    platform.drafts["draft-1"] = json.loads(draft_bytes(DRAFT))
    item = await anext(one.runs.todo(chunk))
    facts = Facts(draft_id="draft-1")
    await one.store.change(Change(item=item, event=ItemEvent.MARKED, facts=facts, fence=chunk.fence))
    platform.effects["draft-1"] += 1
    taken = await two.runs.take_chunk(run)
    assert taken is not None
    assert [item.business_key async for item in two.runs.todo(taken)] == ["2"]
    assert await two.store.counts(run.id) == {State.IN_DOUBT: 1, State.QUEUED: 1}
    # Whoever owns the chunk alone drives what is of it.
    assert (await two.reconcile(client)).under_way == 1
    await two.store.release(taken.fence)
    assert (await two.reconcile(client)).settled == 1
    found = await two.find("1", client_id=CLIENT)
    assert found is not None
    assert (found.state, found.invoice_id, found.chunk_id) == (State.ACCEPTED, "inv-1", chunk.id)
    assert (await two.store.chunk(chunk.id)).owner is None


@pytest.mark.parametrize("fault", ["", "lost before"])
async def test_what_a_dead_process_was_sending_again_is_gone_on_with_where_all_had_been_sent(
    machine: Machine, client: SeqinoClient, platform: Platform, fault: str
) -> None:
    one = await machine.open()
    run = await one.create_run([("1", DRAFT)], client_id=CLIENT)
    platform.faults["validate"] = ["lost before"]
    async for _ in run.submit(client, paced=False):
        pass
    item = await anext(run.items())
    assert item.chunk_id is not None
    chunk = await one.store.chunk(item.chunk_id)
    assert (item.state, chunk.done) == (State.IN_DOUBT, True)
    # It died in the middle of validating the draft again.
    fence = await one.store.take(chunk)
    await one.store.change(Change(item=item, event=ItemEvent.MARKED, fence=fence))
    if not fault:
        platform.effects["draft-1"] += 1
    two = await machine.open()
    again = await two.resume_run()
    async for _ in again.submit(client, paced=False):
        pass
    assert await again.counts() == {State.IN_DOUBT: 1}
    async for _ in again.submit(client, paced=False, patience=10.0):
        if platform.requests["look"]:
            break
    assert platform.requests["look"] > 0
    assert (await again.counts()).keys() == ({State.IN_DOUBT} if fault else {State.ACCEPTED})


async def test_a_file_that_a_dead_process_was_sending_is_parked_by_the_run(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    one, two = await machine.open(), await machine.open()
    run = await one.create_run(FILE, client_id=CLIENT)
    chunk = await one.runs.take_chunk(await one.runs.get())  # type: ignore[arg-type]
    assert chunk is not None
    item = await anext(run.items())
    await one.runs.finish_chunk(chunk)
    chunk = await one.store.chunk(chunk.id)
    fence = await one.store.take(chunk)
    await one.store.change(Change(item=item, event=ItemEvent.MARKED, fence=fence))
    async for _ in (await two.resume_run()).submit(client, paced=False):
        pass
    assert await two.counts() == {State.PARKED: 1}
    assert not platform.requests


async def doubtful(ledger: Ledger, client: SeqinoClient, platform: Platform, count: int) -> None:
    run = await ledger.create_run([(str(number), DRAFT) for number in range(count)], client_id=CLIENT)
    platform.faults["validate"] = ["lost after"] * count
    async for _ in run.submit(client, paced=False):
        pass
    async for item in run.items():
        assert item.state is State.IN_DOUBT
        await ledger.store.change(Change(item=item, event=ItemEvent.LEFT))


async def test_all_doubts_of_a_run_are_settled_at_once(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, 20)
    assert await ledger.reconcile(client) == Reconciled(settled=20)
    item = await anext(ledger.store.items())
    assert item.chunk_id is not None
    assert (await ledger.store.chunk(item.chunk_id)).owner is None
    assert platform.effects.total() == 20


async def test_doubts_of_a_run_are_worked_on_by_one_process_that_shows_it_is_alive(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await machine.open(timing=Timing(beat=0.0))
    two = await machine.open()

    def never(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(two.store, "is_dead", never)
    await doubtful(one, client, platform, 1)
    beats: list[Fence] = []
    enough = asyncio.Event()
    ends: list[Exception] = [WriteFailed("the disk is full")]

    async def beat(fence: Fence) -> None:
        beats.append(fence)
        if ends:
            raise ends.pop()
        enough.set()

    monkeypatch.setattr(one.store, "beat", beat)
    platform.holds = "look"
    reconciling = asyncio.create_task(one.reconcile(client))
    await platform.held.wait()
    await enough.wait()
    assert await two.reconcile(client) == Reconciled(in_doubt=1, under_way=1)
    platform.release()
    assert await reconciling == Reconciled(settled=1)
    assert len(set(beats)) == 1


async def test_who_is_fenced_off_from_a_run_while_reconciling_settles_nothing_of_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await doubtful(ledger, client, platform, 3)
    mine = await ledger._service.fence()

    async def fenced(*_: object, **__: object) -> None:
        raise Fenced("taken over")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.driver, "drive", fenced)
        assert await ledger.reconcile(client) == Reconciled(in_doubt=3, under_way=3)
    # What it sends outside of the run is its own still.
    assert await ledger._service.fence() == mine
    assert await ledger.reconcile(client) == Reconciled(settled=3)


async def test_what_is_of_no_part_any_more_is_left_alone(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await doubtful(ledger, client, platform, 1)
    await ledger.store.transact(
        lambda connection: connection.execute(update(schema.item).values(chunk_id=None))
    )
    assert (await ledger.reconcile(client)).under_way == 1


async def test_a_runs_invoice_is_not_driven_by_a_web_service(
    ledger: Ledger, client: SeqinoClient, runs: Runs, run: Run, platform: Platform
) -> None:
    await runs.ingest(run, drafts("1"))
    with pytest.raises(Exception, match=f"'1' is of the run {run.id}, which sends it: resume that"):
        await ledger.submit(client, DRAFT, key="1")
    chunk = await runs.take_chunk(run)
    assert chunk is not None
    item = await anext(runs.todo(chunk))
    await sent(ledger, item, chunk.fence)
    # What is at its end is told all the same.
    assert (await ledger.submit(client, DRAFT, key="1")).draft_id == f"d{item.id}"
    assert platform.requests == {}

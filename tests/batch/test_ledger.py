"""One invoice after the other through the ledger, against a platform that counts what it did."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from seqino._core.wire import File
from seqino.batch import KeyConflict, State
from seqino.batch.content import file_item
from seqino.client import SeqinoClient
from seqino.errors import (
    AuthenticationFailed,
    ConfigurationError,
    InvalidInput,
    OutcomeUnknown,
    Rejected,
    UnprocessableContent,
)
from seqino.options import CallOptions
from seqino.submission import Verdict
from tests.batch.conftest import CLIENT, DRAFT, FILE

if TYPE_CHECKING:
    from pathlib import Path

    from seqino.batch import Ledger
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform
    from tests.facade.conftest import Clock

OTHER = {**DRAFT, "currency_code": "CHF"}


async def events(ledger: Ledger) -> list[str]:
    return [str(entry.event) async for entry in ledger.history()]


async def state(ledger: Ledger, key: str = "k") -> State:
    item = await ledger.find(key, client_id=CLIENT)
    assert item is not None
    return item.state


async def test_an_invoice_is_sent_once_and_its_first_result_told_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    first = await ledger.submit(client, DRAFT, key="k")
    assert (first.verdict, first.invoice_id, first.draft_id) == (Verdict.ACCEPTED, "inv-1", "draft-1")
    second = await ledger.submit(client, dict(reversed(DRAFT.items())), key="k")
    assert (second.invoice_id, second.invoice_number, second.draft_id, second.status) == (
        "inv-1",
        "F-1",
        "draft-1",
        "submitted",
    )
    assert platform.requests == {"create": 1, "validate": 1}
    assert await events(ledger) == ["added", "marked", "accepted"]


async def test_a_key_with_another_content_is_refused_and_nothing_is_sent(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="k")
    with pytest.raises(KeyConflict, match="'k' stands for another content") as caught:
        await ledger.submit(client, OTHER, key="k")
    assert isinstance(caught.value, InvalidInput)
    with pytest.raises(KeyConflict):
        await ledger.submit_file(client, FILE, key="k")
    assert platform.requests == {"create": 1, "validate": 1}


async def test_clients_have_keys_of_their_own(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="k")
    await ledger.submit(client, OTHER, key="k", client_id="client-2")
    assert sum(platform.effects.values()) == 2


async def test_many_at_once_with_one_key_are_one(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    results = await asyncio.gather(*(ledger.submit(client, DRAFT, key="k") for _ in range(20)))
    assert {result.invoice_id for result in results} == {"inv-1"}
    assert platform.requests == {"create": 1, "validate": 1}


async def test_many_at_once_with_one_key_and_another_content_conflict(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    one, other = await asyncio.gather(
        ledger.submit(client, DRAFT, key="k"), ledger.submit(client, OTHER, key="k"), return_exceptions=True
    )
    assert not isinstance(one, BaseException)
    assert isinstance(other, KeyConflict)
    assert platform.effects.total() == 1


async def test_a_document_goes_out_by_one_route_only(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await ledger.submit(client, DRAFT, key="k", document_ref="doc-1")
    with pytest.raises(KeyConflict, match="'doc-1' is in the ledger already, under the key 'k'"):
        await ledger.submit_file(client, FILE, document_ref="doc-1")
    assert platform.requests == {"create": 1, "validate": 1}


async def test_two_routes_without_named_documents_are_warned_of_once(
    ledger: Ledger, client: SeqinoClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "seqino"):
        await ledger.submit(client, DRAFT, key="k")
        await ledger.submit_file(client, FILE)
        await ledger.submit(client, DRAFT, key="l")
    warned = [record.message for record in caplog.records if "sends both" in record.message]
    assert len(warned) == 1
    assert "without a document_ref nothing keeps one document from going out both ways" in warned[0]


# Files


@pytest.mark.parametrize("given", ["path", "bytes", "file"])
async def test_a_file_is_sent_once_under_its_own_key(
    ledger: Ledger, client: SeqinoClient, platform: Platform, given: str
) -> None:
    content = FILE.read_bytes()
    file: Any = {"path": FILE, "bytes": content, "file": File(name="f.xml", content=content)}[given]
    first = await ledger.submit_file(client, file)
    assert (first.invoice_id, first.invoice_number) == ("inv-f", "ANR-2026-0412")
    again = await ledger.submit_file(client, FILE)
    assert (again.invoice_id, again.invoice_number) == ("inv-f", "ANR-2026-0412")
    assert [upload[1:] for upload in platform.uploads] == [("application/xml", content)]
    item = await anext(ledger.store.items())
    assert item.business_key.endswith("/ANR-2026-0412/2026")
    assert (item.state, item.attempt, item.draft_id) == (State.ACCEPTED, 1, None)


async def test_a_file_whose_answer_is_lost_is_parked_and_never_sent_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["upload"] = ["lost after"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    with pytest.raises(OutcomeUnknown, match="no look can tell: ask the platform") as caught:
        await ledger.submit_file(client, FILE, key="k")
    assert caught.value.token is not None
    await ledger.reconcile(client, revalidate=True)
    assert (await state(ledger), platform.requests) == (State.PARKED, {"upload": 1})
    assert await events(ledger) == ["added", "marked", "lost", "left"]


async def test_a_file_whose_success_cannot_be_read_is_in_doubt_from_the_first_call_on(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["upload"] = ["unreadable"]
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="no look can tell"):
            await ledger.submit_file(client, FILE, key="k")
    assert (await state(ledger), len(platform.uploads)) == (State.PARKED, 1)


@pytest.mark.parametrize("again", [FILE, FILE.read_bytes()], ids=["path", "bytes"])
async def test_a_file_may_be_handed_in_again_from_another_place(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path, again: Path | bytes
) -> None:
    path = tmp_path / "f.xml"
    path.write_bytes(FILE.read_bytes())
    platform.faults["upload"] = ["401"]
    with pytest.raises(AuthenticationFailed):
        await ledger.submit_file(client, path, key="k")
    path.unlink()
    await ledger.submit_file(client, again, key="k")
    assert (await state(ledger), len(platform.uploads)) == (State.ACCEPTED, 1)


@pytest.mark.parametrize("spoil", ["change", "remove"])
async def test_a_file_that_is_changed_while_it_is_taken_is_invalid_and_can_be_corrected(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path, spoil: str
) -> None:
    path = tmp_path / "f.xml"
    path.write_bytes(FILE.read_bytes())
    new = file_item(path, client_id=CLIENT, key="k")
    if spoil == "change":
        path.write_bytes(b"<other/>")
    else:
        path.unlink()
    service = ledger._service
    for _ in range(2):
        with pytest.raises(InvalidInput, match=r"k: .*f\.xml was changed, or is gone"):
            await service.submit(client, new, options=CallOptions())
    assert (await state(ledger), platform.uploads) == (State.INVALID, [])
    await ledger.correct_file(client, FILE, key="k")
    assert (await state(ledger), len(platform.uploads)) == (State.ACCEPTED, 1)


async def test_what_is_no_invoice_never_gets_into_the_ledger(ledger: Ledger, client: SeqinoClient) -> None:
    with pytest.raises(InvalidInput, match="neither XML nor PDF"):
        await ledger.submit_file(client, b"x", key="k")
    with pytest.raises(InvalidInput, match="currency_code"):
        await ledger.submit(client, {"currency_code": 5}, key="k")
    assert await ledger.counts() == {}


# What the platform says


async def test_a_refusal_is_told_again_with_its_faults(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["create"] = ["refuse"]
    with pytest.raises(UnprocessableContent) as first:
        await ledger.submit(client, DRAFT, key="k")
    with pytest.raises(UnprocessableContent) as again:
        await ledger.submit(client, DRAFT, key="k")
    assert (str(again.value), again.value.faults) == (str(first.value), first.value.faults)
    assert (again.value.status, again.value.outcome) == (422, "rejected")
    assert (await state(ledger), platform.requests) == (State.REJECTED, {"create": 1})


async def test_a_refused_validation_is_confirmed_by_a_look(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["refuse"]
    with pytest.raises(Rejected):
        await ledger.submit(client, DRAFT, key="k")
    assert platform.requests == {"create": 1, "validate": 1, "look": 1}
    item = await ledger.find("k", client_id=CLIENT)
    assert item is not None
    assert (item.state, item.http_status, item.requests, item.ever_unknown) == (State.REJECTED, 422, 3, False)


@pytest.mark.parametrize("status", ["401", "403"])
async def test_a_refusal_of_the_key_leaves_the_invoice_to_be_sent_and_its_draft_is_used(
    ledger: Ledger, client: SeqinoClient, platform: Platform, status: str
) -> None:
    platform.faults["validate"], platform.faults["look"] = [status], [status]
    with pytest.raises(Rejected):
        await ledger.submit(client, DRAFT, key="k")
    assert await state(ledger) is State.DRAFTED
    assert (await ledger.submit(client, DRAFT, key="k")).draft_id == "draft-1"
    assert platform.requests == {"create": 1, "validate": 2, "look": 1}


async def test_a_throttled_invoice_is_tried_again_within_the_call(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["create"], platform.faults["validate"] = ["429", "429"], ["429"]
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert platform.requests == {"create": 3, "validate": 2}
    assert await events(ledger) == [
        *("added", "postponed", "adopted", "postponed", "adopted", "marked", "withdrawn"),
        *("adopted", "marked", "accepted"),
    ]


async def test_a_platform_that_is_down_is_not_tried_for_ever(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["create"] = ["503"] * 9
    with pytest.raises(Exception, match="503"):
        await ledger.submit(client, DRAFT, key="k")
    assert (await state(ledger), platform.requests) == (State.QUEUED, {"create": 4})


async def test_a_lost_creation_leaves_a_draft_of_no_effect(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["create"] = ["lost after"]
    assert (await ledger.submit(client, DRAFT, key="k")).draft_id == "draft-2"
    assert platform.effects == {"draft-2": 1}


# Doubts


async def test_a_lost_validation_is_looked_up(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["lost after"]
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert await events(ledger) == ["added", "marked", "lost", "accepted"]
    assert platform.effects == {"draft-1": 1}


async def test_a_validation_that_never_arrived_is_sent_again_when_nothing_can_be_under_way(
    ledger: Ledger, client: SeqinoClient, platform: Platform, clock: Clock
) -> None:
    platform.faults["validate"] = ["lost before"]
    options = CallOptions(timeout=200)
    assert (await ledger.submit(client, DRAFT, key="k", options=options)).invoice_id == "inv-1"
    assert clock.now >= 90
    assert await events(ledger) == ["added", "marked", "lost", "marked", "accepted"]
    assert platform.effects == {"draft-1": 1}


async def test_a_doubt_that_outlasts_the_call_is_gone_on_with_by_the_next(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"], platform.faults["look"] = ["lost after"], ["503"] * 9
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k")
    assert await state(ledger) is State.IN_DOUBT
    platform.faults["look"] = []
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    assert platform.requests["validate"] == 1


async def test_a_draft_that_shows_nothing_is_parked_and_looked_at_again_only_when_told(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.hides = True
    platform.faults["validate"] = ["lost after"]
    options = CallOptions(timeout=200)
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k", options=options)
    assert await state(ledger) is State.PARKED
    with pytest.raises(OutcomeUnknown, match="no look can tell"):
        await ledger.submit(client, DRAFT, key="k", options=options)
    platform.hides = False
    assert (await ledger.reconcile(client)).settled == 0
    assert (await ledger.reconcile(client, revalidate=True)).settled == 1
    assert (await state(ledger), platform.effects) == (State.ACCEPTED, {"draft-1": 1})


async def test_a_refusal_after_a_doubt_decides_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["lost before", "refuse"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k", options=CallOptions(timeout=200))
    item = await ledger.find("k", client_id=CLIENT)
    assert item is not None
    assert (item.state, item.ever_unknown, item.attempt) == (State.PARKED, True, 2)


# Being cancelled


@pytest.mark.parametrize("step", ["create", "validate"])
async def test_a_cancelled_handler_leaves_what_is_known(
    ledger: Ledger, client: SeqinoClient, platform: Platform, step: str
) -> None:
    platform.holds = step
    task = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ledger.store.flush()
    item = await ledger.find("k", client_id=CLIENT)
    assert item is not None
    assert (item.state, item.chunk_id) == (State.IN_DOUBT if step == "validate" else State.QUEUED, None)
    platform.release()
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id is not None
    assert platform.effects.total() == 1


async def test_who_waits_for_a_cancelled_handler_goes_on_with_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.holds = "create"
    first = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    second = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await asyncio.sleep(0)
    first.cancel()
    platform.release()
    assert (await second).invoice_id is not None
    assert platform.effects.total() == 1


# Whose ledger


async def test_a_client_of_another_server_is_refused(ledger: Ledger, client: SeqinoClient) -> None:
    async with type(client)("key-1", client_id=CLIENT, base_url="http://127.0.0.1:1") as other:
        with pytest.raises(ConfigurationError, match="the client calls http://127"):
            await ledger.submit(other, DRAFT, key="k")
        with pytest.raises(ConfigurationError):
            await ledger.reconcile(other)


async def test_nobody_to_send_for_is_refused(ledger: Ledger, platform: Platform) -> None:
    async with SeqinoClient("key-1", base_url=platform.url) as nobodys:
        with pytest.raises(ConfigurationError, match="on whose behalf"):
            await ledger.submit(nobodys, DRAFT, key="k")


async def test_a_ledger_says_what_it_is_and_is_closed_twice(machine: Machine, platform: Platform) -> None:
    ledger = await machine.open()
    assert (ledger.is_new, ledger.path, ledger.server) == (True, machine.place, platform.url)
    assert repr(ledger) == f"Ledger({str(machine.place)!r}, server={platform.url!r}, sponsor='acme')"
    async with ledger:
        pass
    await ledger.aclose()


async def test_no_secret_is_written(ledger: Ledger, machine: Machine, platform: Platform) -> None:
    async with SeqinoClient("canary-key-77", client_id=CLIENT, base_url=platform.url) as told:
        await ledger.submit(told, DRAFT, key="k")
    await ledger.aclose()
    for path in machine.folder.rglob("*"):
        assert not path.is_file() or b"canary-key-77" not in path.read_bytes()

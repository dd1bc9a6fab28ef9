"""Answers as they came, beside what they mean."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest
from multidict import CIMultiDict

import seqino
from seqino import Response, SeqinoClient, api
from seqino._core.raw import Headers, listening
from seqino._generated import operations
from seqino.errors import ConfigurationError, InvalidInput, NotFound, OutcomeUnknown, ResponseDecodeError
from seqino.submission import Verdict

if TYPE_CHECKING:
    from seqino.models import InvoiceDraft
    from seqino.sandbox import Sandbox

BASE = "http://127.0.0.1:8052/api"
INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Dupain", "postal_address": {"city_name": "Paris"}},
}
ERROR = {"error": "no such draft", "code": 7, "trace_id": "t-9"}


async def test_an_answer_is_given_beside_its_value(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", {**INVOICE, "new_field": 1})
    response = await client.raw(client.drafts.get("d-1"))
    assert response.value.currency_code == "EUR"
    assert response.status == 200
    assert json.loads(response.content) == {**INVOICE, "new_field": 1}
    assert response.headers["CONTENT-type"] == "application/json"
    assert (response.attempts, response.elapsed, response.trace_id) == (1, 0, None)
    assert listening() is None


async def test_attempts_and_pauses_are_counted(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", ERROR, status=503)
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    response = await client.raw(client.drafts.get("d-1"))
    assert (response.status, response.attempts) == (200, 2)
    assert response.elapsed > 0.2


async def test_a_function_of_the_api_and_a_whole_list_are_calls_too(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    wire.answer("GET", f"{BASE}/lifecycle-events", [])
    response = await client.raw(api.drafts.get_draft(client, "d-1"))
    assert response.value.seller.name == "Dupain"
    events = await client.raw(client.lifecycle.events().to_list())
    assert (events.value, events.content) == ([], b"[]")


def test_methods_of_resources_and_functions_of_the_api_are_one_thing() -> None:
    functions = {name for name in operations.__all__ if name.islower()}
    offered = {
        name: getattr(module, name)
        for module in (getattr(api, tag) for tag in dir(api))
        for name in getattr(module, "__all__", ())
    }
    assert offered == {name: getattr(operations, name) for name in functions}


async def test_a_submission_gives_its_last_answer(connected: SeqinoClient, invoice: dict[str, Any]) -> None:
    response = await connected.raw(connected.submit(invoice))
    assert response.value.verdict is Verdict.ACCEPTED
    assert response.value.invoice_id
    assert json.loads(response.content)["invoice_id"] == response.value.invoice_id


async def test_a_copy_of_a_client_listens_as_well(client: SeqinoClient, wire: Any) -> None:
    wire.answer("DELETE", f"{BASE}/drafts/d-1", status=204)
    other = client.for_client("other")
    response = await client.raw(other.drafts.delete("d-1"))
    assert (response.value, response.status) == (None, 204)


# Several at a time


async def test_two_that_run_at_the_same_time_do_not_mix(client: SeqinoClient, wire: Any) -> None:
    both_answered = asyncio.Barrier(2)

    async def get(number: int) -> InvoiceDraft:
        draft = await client.drafts.get(f"d-{number}")
        await both_answered.wait()
        return draft

    for number in (1, 2):
        wire.answer("GET", f"{BASE}/drafts/d-{number}", {**INVOICE, "currency_code": f"C{number}"})
    one, two = await asyncio.gather(client.raw(get(1)), client.raw(get(2)))
    assert (one.value.currency_code, two.value.currency_code) == ("C1", "C2")
    assert (json.loads(one.content)["currency_code"], json.loads(two.content)["currency_code"]) == (
        "C1",
        "C2",
    )


async def test_a_call_that_nobody_asked_for_the_answer_of_is_not_mixed_in(
    client: SeqinoClient, wire: Any
) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    wire.answer("GET", f"{BASE}/drafts/d-2", {**INVOICE, "currency_code": "USD"})
    asked, others = asyncio.Event(), asyncio.Event()

    async def other() -> None:
        await asked.wait()
        await client.drafts.get("d-2")
        others.set()

    async def get() -> InvoiceDraft:
        draft = await client.drafts.get("d-1")
        asked.set()
        await others.wait()
        return draft

    response, _ = await asyncio.gather(client.raw(get()), other())
    assert json.loads(response.content)["currency_code"] == "EUR"


async def test_calls_in_tasks_that_it_starts_are_heard(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)

    async def in_a_task() -> InvoiceDraft:
        return await asyncio.create_task(client.drafts.get("d-1"))

    assert (await client.raw(in_a_task())).status == 200


async def test_an_answer_inside_of_another_is_heard_by_both(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    outer = await client.raw(client.raw(client.drafts.get("d-1")))
    inner = outer.value
    assert (inner.status, inner.content) == (outer.status, outer.content)
    assert inner.value.currency_code == "EUR"


# Failures


async def test_an_error_inside_keeps_its_own_answer(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", ERROR, status=404)
    with pytest.raises(NotFound) as info:
        await client.raw(client.drafts.get("d-1"))
    assert json.loads(info.value.raw) == ERROR
    assert listening() is None


async def test_an_answer_that_cannot_be_read_is_kept_by_its_error(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", {"seller": 1})
    with pytest.raises(ResponseDecodeError) as info:
        await client.raw(client.drafts.get("d-1"))
    assert info.value.raw == b'{"seller": 1}'


async def test_an_error_that_was_caught_inside_leaves_its_answer(client: SeqinoClient, wire: Any) -> None:
    async def find() -> InvoiceDraft | None:
        try:
            return await client.drafts.get("d-1")
        except NotFound:
            return None

    wire.answer("GET", f"{BASE}/drafts/d-1", ERROR, status=404)
    response = await client.raw(find())
    assert (response.value, response.status, response.trace_id) == (None, 404, "t-9")


async def test_a_cancellation_passes_through(connected: SeqinoClient) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(connected.raw(wait()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_makes_no_call_is_an_error(client: SeqinoClient) -> None:
    async def idle() -> None:
        await asyncio.sleep(0)

    with pytest.raises(ConfigurationError, match=r"raw\(\) heard no answer"):
        await client.raw(idle())


async def test_a_task_is_refused_since_nobody_could_listen(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    task = asyncio.create_task(client.drafts.get("d-1"))
    with pytest.raises(InvalidInput, match=r"a call that was not started yet.*not Task"):
        await client.raw(task)
    assert (await task).currency_code == "EUR"


async def test_a_list_is_no_call_before_it_is_read(client: SeqinoClient) -> None:
    with pytest.raises(InvalidInput, match="not Pager"):
        await client.raw(cast("Any", client.lifecycle.events()))


# What it shows


async def test_neither_content_nor_a_key_shows(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    response = await client.raw(client.drafts.get("d-1"))
    shown = repr(response)
    assert "Dupain" not in shown
    assert f"<{len(response.content)} bytes>" in shown
    assert "<InvoiceDraft>" in shown
    assert "application/json" not in shown
    assert "Content-Type" in shown
    assert "Authorization" not in response.headers
    assert "key-1" not in shown
    assert b"key-1" not in pickle.dumps(response)


async def test_it_stays_whole_in_a_pickle_and_in_copies(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    response = await client.raw(client.drafts.get("d-1"))
    for again in (pickle.loads(pickle.dumps(response)), copy.copy(response), copy.deepcopy(response)):  # noqa: S301
        assert again == response
        assert again.headers["content-type"] == "application/json"


def test_it_cannot_be_changed() -> None:
    response = Response(
        value=1, status=200, headers=Headers({}), content=b"", trace_id=None, attempts=1, elapsed=0.1
    )
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        response.status = 500  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]


def test_headers_are_found_in_any_case_and_joined_where_they_repeat() -> None:
    headers = Headers(CIMultiDict([("X-Trace-Id", "t"), ("Vary", "a"), ("vary", "b")]))
    assert headers["x-trace-ID"] == "t"
    assert headers["VARY"] == "a, b"
    assert list(headers) == ["X-Trace-Id", "Vary"]
    assert len(headers) == 2
    assert "Age" not in headers
    assert headers.get("age") is None
    assert repr(headers) == "<Headers X-Trace-Id, Vary>"


def test_the_name_is_public() -> None:
    assert seqino.Response is Response
    assert "Response" in seqino.__all__


async def test_a_submission_in_doubt_raises_as_it_does_without(
    connected: SeqinoClient, platform: Sandbox, invoice: dict[str, Any]
) -> None:
    platform.show_inferred = False
    platform.faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate")
    with pytest.raises(OutcomeUnknown) as info:
        await connected.raw(connected.submit(invoice))
    assert info.value.token is not None
    assert platform.counters.invoices_created == 1

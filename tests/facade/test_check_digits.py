"""Where identifiers are checked on the way out, and how test numbers are let through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.client import SeqinoClient
from seqino.errors import InvalidInput
from seqino.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "http://127.0.0.1:8052/api"
ENTRY: dict[str, Any] = {"siren": "123456789", "name": "Dupain"}
MANDATE: dict[str, Any] = {"start_date": "2026-09-01T08:00:00Z", "directory_entry": ENTRY}
MADE = {"client_id": "c", "status": "active", "created_at": "2026-09-01T08:00:00Z", **MANDATE}

LENIENT = CallOptions(check_digits=False)


async def test_a_parameter_is_sent_in_its_normal_form(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/directory/552100554", ENTRY)
    await client.directory.get("552 100 554")
    assert len(wire.sent) == 1


async def test_one_call_may_let_a_test_number_through(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/directory/123456789", ENTRY)
    with pytest.raises(InvalidInput, match="wrong check digit"):
        await client.directory.get("123456789")
    assert (await client.directory.get("123456789", options=LENIENT)).siren == "123456789"
    with pytest.raises(InvalidInput, match="9 digits"):
        await client.directory.get("1234", options=LENIENT)
    assert len(wire.sent) == 1


def itself(client: SeqinoClient) -> SeqinoClient:
    return client


def lenient(client: SeqinoClient) -> SeqinoClient:
    return client.with_options(check_digits=False)


def other(client: SeqinoClient) -> SeqinoClient:
    return client.for_client("d").with_options(timeout=5)


@pytest.mark.parametrize(("given", "copy"), [(False, itself), (True, lenient), (False, other)])
async def test_a_client_may_let_test_numbers_through(
    given: bool,  # noqa: FBT001 - a parameter of the test
    copy: Callable[[SeqinoClient], SeqinoClient],
    wire: Any,
) -> None:
    wire.answer("POST", f"{BASE}/mandates", MADE, status=201)
    async with SeqinoClient("key-1", client_id="c", base_url=BASE, check_digits=given) as owner:
        client = copy(owner)
        assert (await client.mandates.create(MANDATE)).directory_entry.siren == "123456789"
        assert json.loads(wire.sent[0].body) == MANDATE
        with pytest.raises(InvalidInput, match="wrong check digit"):
            await client.mandates.create(MANDATE, options=CallOptions(check_digits=True))


INVOICE: dict[str, Any] = {
    "issue_date": "2026-11-20",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "A", "postal_address": {"city_name": "Nantes"}},
    "buyer": {
        "name": "B",
        "postal_address": {"city_name": "Paris"},
        "electronic_address": {"scheme_id": "0225", "value": "123456789"},
    },
}
EXEMPT: dict[str, Any] = {"direction": "outgoing", "country_code": "BE", "model": INVOICE}


@pytest.mark.reconstruction
async def test_the_parties_of_an_invoice_are_checked_before_anything_is_sent(
    client: SeqinoClient, wire: Any
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "$.invoice_data.": lambda: client.drafts.validate_data(INVOICE),
        "$.model.": lambda: client.reporting.submit_exempt_invoice(EXEMPT),
    }
    for place, call in calls.items():
        with pytest.raises(InvalidInput) as caught:
            await call()
        assert [fault.path for fault in caught.value.faults] == [f"{place}buyer.electronic_address.value"]
    sends: list[Callable[[], Any]] = [
        lambda: client.drafts.create(INVOICE),
        lambda: client.drafts.replace("d", INVOICE),
        lambda: client.submit(INVOICE),
    ]
    for send in sends:
        with pytest.raises(InvalidInput) as caught:
            await send()
        [fault] = caught.value.faults
        assert fault.path == "$.buyer.electronic_address.value"
        assert "must begin with a SIREN, and '123456789' has a wrong check digit" in fault.message
        assert fault.message.endswith("(BT-49)")
    assert wire.sent == []
    wire.answer("POST", f"{BASE}/drafts", {"draft_id": "d"}, status=201)
    await client.drafts.create(INVOICE, options=LENIENT)
    assert json.loads(wire.sent[0].body) == INVOICE

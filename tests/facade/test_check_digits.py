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

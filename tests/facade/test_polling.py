"""Polling, in a client against the sandbox; no pause takes time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seqino.errors import (
    InvalidInput,
)
from tests.facade.conftest import Feed, Stage, event, numbers


async def test_polls_bring_each_event_of_an_object_once_without_a_gap(stage: Stage) -> None:
    invoice_id = await stage.submit()
    cursor = None
    told: list[int | None] = []
    for _ in range(8):
        polled = await stage.client.lifecycle.poll(cursor, object_type="invoice", object_id=invoice_id)
        told += numbers(polled.events)
        # It survives being stored as JSON.
        cursor = json.loads(json.dumps(polled.cursor))
        stage.sandbox.clock.advance(7)
    assert told == [200, 201, 202, 203, 204, 205, 211, 212]


async def test_who_is_interrupted_before_the_cursor_is_stored_is_told_again(feed: Feed) -> None:
    client, shown = feed
    shown += [event("InvoiceLifecycleStatus.DEPOSITED")]
    first = await client.lifecycle.poll()
    shown += [event("InvoiceLifecycleStatus.APPROVED", 5)]
    lost = await client.lifecycle.poll(first.cursor)
    again = await client.lifecycle.poll(first.cursor)
    assert numbers(lost.events) == numbers(again.events) == [205]
    assert (await client.lifecycle.poll(again.cursor)).events == []


async def test_two_that_look_alike_in_the_feed_are_two_and_of_one_object_one(feed: Feed) -> None:
    client, shown = feed
    shown += [event("InvoiceLifecycleStatus.DEPOSITED")]
    of_all = await client.lifecycle.poll()
    of_one = await client.lifecycle.poll(object_type="invoice", object_id="inv-1")
    shown += shown[:1]
    assert len((await client.lifecycle.poll(of_all.cursor)).events) == 1
    again = await client.lifecycle.poll(of_one.cursor, object_type="invoice", object_id="inv-1")
    assert again.events == []
    # Nor is it news of an object where the platform hides it for a while.
    kept, shown[:] = list(shown), []
    hidden = await client.lifecycle.poll(again.cursor, object_type="invoice", object_id="inv-1")
    shown += kept
    assert (await client.lifecycle.poll(hidden.cursor, object_type="invoice", object_id="inv-1")).events == []


async def test_a_cursor_holds_nothing_of_what_was_said(feed: Feed) -> None:
    client, shown = feed
    shown += [event("REFUSED", reason="what the buyer wrote")]
    assert "buyer" not in json.dumps((await client.lifecycle.poll()).cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *({}, {"seen": {}}, {"seen": 5, "version": 1}, [], "text"),
        *({"seen": {"a": count}, "version": 1} for count in ("1", 1.5, True, None, 0, -1)),
        {"seen": {5: 1}, "version": 1},
    ],
)
async def test_what_is_no_cursor_is_refused(stage: Stage, cursor: Any) -> None:
    with pytest.raises(InvalidInput, match="this is no cursor of lifecycle"):
        await stage.client.lifecycle.poll(cursor)
    assert stage.sandbox.counters.requests == 0


async def test_a_cursor_of_another_list_is_refused(stage: Stage) -> None:
    cursor = (await stage.client.lifecycle.poll()).cursor
    others: tuple[dict[str, Any], ...] = ({"object_type": "invoice"}, {"client_id": "client_abc123"})
    for arguments in others:
        with pytest.raises(InvalidInput, match="the cursor is of another list"):
            await stage.client.lifecycle.poll(cursor, **arguments)
    assert stage.sandbox.counters.requests == 1

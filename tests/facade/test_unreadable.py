"""An event that cannot be read keeps no other from being read, and is never lost."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino._core.wire import Pagination
from seqino._generated import operations
from seqino.errors import (
    NotReached,
    ResponseDecodeError,
    WaitTimedOut,
)
from seqino.resources.histories import events_in
from seqino.statuses import LocalState, UnreadableEvent
from tests.facade.conftest import event, numbers

if TYPE_CHECKING:
    from tests.facade.conftest import Feed


POISON: list[Any] = [
    None,
    "what",
    5,
    {},
    {"status_code": "InvoiceLifecycleStatus.APPROVED", "emitter": "PDPR"},
    event("APPROVED") | {"timestamp": "soon"},
    event("APPROVED") | {"emitter": None},
    event("APPROVED") | {"timestamp": "0001-01-01T00:00:00+01:00", "amount": 1.50},
    event("APPROVED") | {"timestamp": "9999-12-31T23:59:59-01:00"},
    event("REJECTED") | {"rejection_reason": 5},
]


@pytest.mark.parametrize("poison", POISON)
async def test_an_event_that_cannot_be_read_is_given_beside_those_that_can(feed: Feed, poison: Any) -> None:
    client, shown = feed
    shown += [event("DEPOSITED"), poison, event("COLLECTED", 9), poison]
    for history in (
        await client.lifecycle.history("inv-1"),
        await client.lifecycle.wait_until("inv-1", "settled", timeout=100),
    ):
        assert numbers(history) == [200, 212]
        [unreadable] = history.unreadable
        assert json.loads(unreadable.raw) == poison
        assert unreadable.problem.startswith("$")
    [change] = [change async for change in client.lifecycle.watch("inv-1")]
    assert (change.state, numbers(change.events)) == (LocalState.SETTLED, [200, 212])
    assert [json.loads(one.raw) for one in change.unreadable] == [poison]


@pytest.mark.parametrize("poison", POISON)
async def test_a_poll_hands_over_what_cannot_be_read_and_moves_on(feed: Feed, poison: Any) -> None:
    client, shown = feed
    of_one: dict[str, Any] = {"object_type": "invoice", "object_id": "inv-1"}
    for scope, count in (({}, 2), (of_one, 1)):
        shown[:] = [event("DEPOSITED"), poison, poison]
        first = await client.lifecycle.poll(**scope)
        assert len(first.events) == 1
        assert [json.loads(one.raw) for one in first.unreadable] == [poison] * count
        cursor = json.loads(json.dumps(first.cursor))
        shown.append(event("APPROVED", 5))
        second = await client.lifecycle.poll(cursor, **scope)
        assert (numbers(second.events)[0], second.unreadable) == (205 if scope else None, [])
        third = await client.lifecycle.poll(second.cursor, **scope)
        assert (third.events, third.unreadable) == ([], [])


async def test_what_is_mended_is_told_as_the_event_that_it_is(feed: Feed) -> None:
    client, shown = feed
    shown += [event("APPROVED") | {"timestamp": None}]
    polled = await client.lifecycle.poll()
    shown[:] = [event("APPROVED")]
    assert len((await client.lifecycle.poll(polled.cursor)).events) == 1


async def test_a_wait_that_fails_has_what_could_not_be_read(feed: Feed) -> None:
    client, shown = feed
    shown += ["what", event("REFUSED")]
    with pytest.raises(NotReached) as caught:
        await client.lifecycle.wait_until("inv-1", "settled", timeout=100)
    shown.pop()
    with pytest.raises(WaitTimedOut) as late:
        await client.lifecycle.wait_until("inv-1", "settled", timeout=100)
    for error in (caught.value, late.value, pickle.loads(pickle.dumps(late.value))):  # noqa: S301 - our own
        assert [one.raw for one in error.unreadable] == [b'"what"']


async def test_what_cannot_be_read_is_told_once_while_watching(feed: Feed) -> None:
    client, shown = feed
    shown += ["what"]
    changes = [change async for change in client.lifecycle.watch("inv-1", max_age=timedelta(hours=1))]
    assert [len(change.unreadable) for change in changes] == [1, 0]
    assert (changes[-1].state, changes[-1].error) == (LocalState.EXPIRED, None)


async def test_a_list_keeps_what_cannot_be_read_in_its_place_where_one_asks(feed: Feed) -> None:
    client, shown = feed
    shown += [event("DEPOSITED"), "what", event("DEPOSITED") | {"is_mandatory": None}]
    with pytest.raises(ResponseDecodeError):
        await client.lifecycle.events(object_type="invoice").to_list()
    first, poison, last = await client.lifecycle.events(object_type="invoice", keep_unreadable=True).to_list()
    assert isinstance(poison, UnreadableEvent)
    assert "what" not in repr(poison)
    # A null is as good as nothing where nothing is needed.
    for one in (first, last):
        assert not isinstance(one, UnreadableEvent)
        assert (one.status_code.number, one.is_mandatory) == (200, False)


async def test_of_a_list_in_pages_nothing_is_read_without_its_way_on(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, shown = feed
    shown += ["what"]
    paged = attrs.evolve(operations.GET_LIFECYCLE_EVENTS, pagination=Pagination(link="next"))
    monkeypatch.setattr(operations, "GET_LIFECYCLE_EVENTS", paged)
    with pytest.raises(ResponseDecodeError):
        await client.lifecycle.history("inv-1")
    shown[:] = [event("DEPOSITED")]
    assert numbers(await client.lifecycle.history("inv-1")) == [200]


@pytest.mark.parametrize(
    "raw", [b"{", b"{}", b"null", b"", b"[" * 5000, b'{"events": []}'], ids=["cut", "object", *"nabc"]
)
def test_what_is_no_list_has_no_events(raw: bytes) -> None:
    assert events_in(raw) is None


@pytest.mark.parametrize("item", [b'{"\xff": 1}', b'{"status_code": "\xff"}'])
def test_what_is_no_text_is_kept_as_it_came(item: bytes) -> None:
    [found] = events_in(b"[ " + item + b" ]") or []
    assert isinstance(found, UnreadableEvent)
    assert found.raw == item

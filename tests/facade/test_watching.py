"""Watching, in a client against the sandbox; no pause takes time."""

from __future__ import annotations

import asyncio
import contextlib
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from seqino.client import SeqinoClient
from seqino.errors import (
    AuthenticationFailed,
    BadRequest,
    InvalidInput,
    PermissionDenied,
)
from seqino.resources.rounds import MOST_LOOKS
from seqino.statuses import Backoff, LocalState
from tests.facade.conftest import EVENTS, QUICK, Feed, Stage, event, numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def test_many_invoices_are_watched_to_their_ends_with_few_requests(stage: Stage) -> None:
    scenarios = ("paid", "refused", "not_delivered", "approved")
    ids = {await stage.submit(scenario): scenario for scenario in scenarios}
    before = stage.sandbox.counters.requests
    told: dict[str, list[int | None]] = {scenario: [] for scenario in scenarios}
    over: dict[str, LocalState | None] = {}
    watching = stage.client.lifecycle.watch(*ids, *ids, max_age=timedelta(days=1))
    async for change in watching:
        told[ids[change.invoice_id]] += numbers(change.events)
        assert numbers(change.history) == told[ids[change.invoice_id]]
        if change.is_over:
            over[ids[change.invoice_id]] = change.state
    assert over == {
        "paid": LocalState.SETTLED,
        "refused": LocalState.DEAD,
        "not_delivered": LocalState.NOT_DELIVERED,
        "approved": LocalState.EXPIRED,
    }
    assert told["paid"] == [200, 201, 202, 203, 204, 205, 211, 212]
    # Ends within the first minute cost two looks; silence for a day costs a dozen or so.
    assert stage.sandbox.counters.requests - before <= 3 * 2 + Backoff().looks(timedelta(days=1)) + 3


async def test_watching_ends_at_an_approval_where_that_is_the_goal(stage: Stage) -> None:
    invoice_id = await stage.submit("approved")
    changes = [
        change async for change in stage.client.lifecycle.watch(invoice_id, until="approved", backoff=QUICK)
    ]
    assert (changes[-1].is_over, changes[-1].state) == (True, LocalState.ACCEPTED)


async def test_one_that_cannot_be_looked_at_keeps_no_other(stage: Stage) -> None:
    ids = [await stage.submit(), await stage.submit()]
    stage.sandbox.clock.advance(60)
    stage.sandbox.faults.plan("status-403-before", operation=EVENTS)
    changes = [change async for change in stage.client.lifecycle.watch(*ids)]
    [failed] = [change for change in changes if change.error is not None]
    assert isinstance(failed.error, PermissionDenied)
    # Whichever came first at the platform failed; it is looked at again after a minute.
    assert not failed.is_over
    assert {change.invoice_id for change in changes if change.is_over} == set(ids)
    assert changes[-1].invoice_id == failed.invoice_id
    assert stage.clock.now >= 60


class Hanging:
    """A platform that answers for some invoices, and never for others, until it is told to."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.under_way = self.most = 0

    async def tell(self, request: web.Request) -> web.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if request.query["object_id"].startswith("hang"):
                await self.over.wait()
        finally:
            self.under_way -= 1
        return web.json_response([event("COLLECTED")])


@pytest.fixture
async def hanging() -> AsyncIterator[tuple[SeqinoClient, Hanging]]:
    platform = Hanging()
    app = web.Application()
    app.router.add_get("/lifecycle-events", platform.tell)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url("")), timeout=math.inf) as client,
    ):
        yield client, platform
        platform.over.set()


async def test_a_look_that_hangs_keeps_no_other(hanging: tuple[SeqinoClient, Hanging]) -> None:
    client, platform = hanging
    ids = ["hang", *(f"inv-{number}" for number in range(20))]
    over: list[str] = []
    async for change in client.lifecycle.watch(*ids):
        over.append(change.invoice_id)
        if len(over) == 20:
            platform.over.set()
    assert over[-1] == "hang"
    assert sorted(over) == sorted(ids)


async def test_a_few_are_looked_at_at_a_time_and_who_stops_watching_leaves_no_look(
    hanging: tuple[SeqinoClient, Hanging],
) -> None:
    client, platform = hanging
    before = asyncio.all_tasks()
    watching = client.lifecycle.watch(*(f"hang-{number}" for number in range(MOST_LOOKS - 1)), *"abc")
    async with contextlib.aclosing(watching):
        assert {(await anext(watching)).invoice_id for _ in range(3)} == set("abc")
        assert platform.most == MOST_LOOKS
    ours = {task for task in asyncio.all_tasks() - before if "look" in repr(task)}
    assert ours == set()


async def test_what_concerns_all_ends_the_looks_that_are_under_way(stage: Stage) -> None:
    ids = [await stage.submit() for _ in range(3)]
    stage.sandbox.faults.plan("status-401-before", operation=EVENTS)
    with pytest.raises(AuthenticationFailed):
        _ = [change async for change in stage.client.lifecycle.watch(*ids)]
    assert not [task for task in asyncio.all_tasks() if "_look_at" in repr(task)]


async def test_one_that_fails_for_ever_is_given_up_at_its_age(feed: Feed) -> None:
    client, shown = feed
    shown[:] = [400] * 99
    changes = [change async for change in client.lifecycle.watch("inv-1", max_age=timedelta(hours=1))]
    assert {type(change.error) for change in changes} == {BadRequest}
    assert [change.state for change in changes][-2:] == [None, LocalState.EXPIRED]
    assert len(changes) < 10


async def test_a_wrong_key_ends_the_watch(feed: Feed) -> None:
    client, shown = feed
    shown.append(401)
    with pytest.raises(AuthenticationFailed):
        _ = [change async for change in client.lifecycle.watch("inv-1")]


async def test_what_cannot_be_watched_is_refused(stage: Stage) -> None:
    refused: tuple[dict[str, Any], ...] = ({"until": "paid"}, {}, {"max_age": 5}, {"backoff": 5})
    for arguments in refused:
        with pytest.raises(InvalidInput):
            _ = [change async for change in stage.client.lifecycle.watch("", **arguments)]
    assert [change async for change in stage.client.lifecycle.watch()] == []
    assert stage.sandbox.counters.requests == 0

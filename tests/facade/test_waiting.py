"""Histories, waiting, watching and polling, in a client against the sandbox; no pause takes time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import json
import math
import pickle
import ssl
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from seqino.client import SeqinoClient
from seqino.errors import (
    AuthenticationFailed,
    BadRequest,
    DeadlineExceeded,
    InsecureConnection,
    InvalidInput,
    NotReached,
    PermissionDenied,
    ServerError,
    WaitTimedOut,
)
from seqino.resources.rounds import MOST_LOOKS
from seqino.sandbox import Sandbox
from seqino.statuses import Backoff, LocalState
from tests.facade.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from seqino.models import LifecycleEvent

DRAFTS = Path(__file__).parents[2] / "src/seqino/sandbox/invoices"
DRAFT: dict[str, Any] = json.loads(
    (DRAFTS / "13-consulting-draft.json").read_text(encoding="utf-8"), parse_float=Decimal
)
QUICK = Backoff(first=timedelta(seconds=3), longest=timedelta(seconds=24))
EVENTS = "GET /lifecycle-events"


@attrs.define
class Stage:
    """A sandbox whose time goes on while the client pauses, and never else."""

    sandbox: Sandbox
    client: SeqinoClient
    clock: Clock

    async def submit(self, scenario: str = "paid") -> str:
        self.sandbox.scenario = scenario
        submitted = await self.client.submit(DRAFT)
        assert submitted.invoice_id is not None
        return submitted.invoice_id


@attrs.define
class JointClock(Clock):
    sandbox: Sandbox | None = None

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        assert self.sandbox is not None
        self.sandbox.clock.advance(seconds)


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = JointClock()
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("key-1", client_id="sandbox-client-seqino", base_url=sandbox.url) as client,
    ):
        clock.sandbox = sandbox
        yield Stage(sandbox, client, clock)


def numbers(events: Iterable[LifecycleEvent]) -> list[int | None]:
    return [event.status_code.number for event in events]


# History


async def test_a_history_has_each_event_once_and_in_order(stage: Stage) -> None:
    invoice_id = await stage.submit()
    stage.sandbox.clock.advance(60)
    history = await stage.client.lifecycle.history(invoice_id)
    assert numbers(history) == [200, 201, 202, 203, 204, 205, 211, 212]


def event(status: str, at: int = 0, **fields: Any) -> dict[str, Any]:
    moment = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=at)
    return {"status_code": status, "timestamp": moment.isoformat(), "emitter": "PDPE", **fields}


@pytest.fixture
async def feed(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> AsyncIterator[tuple[SeqinoClient, list[Any]]]:
    """A client of a platform that answers with a list of events, or with a status."""
    shown: list[Any] = []

    async def tell(_: web.Request) -> web.Response:
        if shown and isinstance(shown[0], int):
            return web.json_response({}, status=shown.pop(0))
        return web.json_response(shown)

    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    app = web.Application()
    app.router.add_get("/lifecycle-events", tell)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client,
    ):
        yield client, shown


Feed = tuple[SeqinoClient, list[Any]]


async def test_a_history_takes_repetitions_for_one_and_goes_by_the_moments(feed: Feed) -> None:
    client, shown = feed
    shown += [event("APPROVED", 9), event("DEPOSITED", 1), event("APPROVED", 9)]
    assert numbers(await client.lifecycle.history("inv-1")) == [200, 205]


# Waiting


async def test_waiting_ends_as_soon_as_it_is_true(stage: Stage) -> None:
    invoice_id = await stage.submit()
    history = await stage.client.lifecycle.wait_until(invoice_id, "approved", timeout=100, backoff=QUICK)
    assert numbers(history)[-1] == 205
    assert stage.clock.now < 40
    history = await stage.client.lifecycle.wait_until(invoice_id, timeout=1000, backoff=QUICK)
    assert numbers(history)[-1] == 212


async def test_what_is_true_already_costs_one_request(stage: Stage) -> None:
    invoice_id = await stage.submit()
    stage.sandbox.clock.advance(60)
    before = stage.sandbox.counters.requests
    await stage.client.lifecycle.wait_until(invoice_id, ("settled", "dead"), timeout=100)
    assert stage.sandbox.counters.requests == before + 1
    assert stage.clock.slept == []


def more_than_five(events: Sequence[LifecycleEvent]) -> bool:
    return len(events) > 5


@pytest.mark.parametrize(
    ("scenario", "condition", "last"),
    [
        ("paid", "delivered", 203),
        ("refused", ("settled", "dead"), 210),
        ("not_delivered", ["not delivered", "settled"], 200),
        # As text of a configuration has it.
        ("not_delivered", "not delivered or settled", 200),
        ("not_delivered", "end", 200),
        ("disputed", more_than_five, 207),
    ],
)
async def test_conditions_by_name_and_by_function(
    stage: Stage, scenario: str, condition: Any, last: int
) -> None:
    invoice_id = await stage.submit(scenario)
    history = await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=600, backoff=QUICK)
    assert last in numbers(history)


async def test_a_buyer_that_has_set_a_status_has_the_invoice(feed: Feed) -> None:
    client, shown = feed
    shown += [event("DEPOSITED"), event("ACKNOWLEDGED", 5)]
    assert len(await client.lifecycle.wait_until("inv-1", "delivered", timeout=100)) == 2


async def test_a_wait_that_times_out_tells_what_happened_instead(stage: Stage) -> None:
    invoice_id = await stage.submit("approved")
    with pytest.raises(WaitTimedOut, match=f"{invoice_id} is accepted after 100 s .* 'settled'") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, "settled", timeout=100, backoff=QUICK)
    assert numbers(caught.value.history)[-1] == 205
    # A second is kept for the last look.
    assert stage.clock.now == 99
    assert isinstance(caught.value, TimeoutError)
    for copied in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - our own
        assert (copied.object_id, copied.history) == (invoice_id, caught.value.history)


async def test_an_end_that_rules_it_out_ends_the_wait(stage: Stage) -> None:
    invoice_id = await stage.submit("refused")
    with pytest.raises(NotReached, match="is dead: 'settled' cannot follow that") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, "settled", timeout=1e6, backoff=QUICK)
    assert numbers(caught.value.history)[-1] == 210
    assert stage.clock.now < 60
    # What a function waits for, nobody else can judge.
    with pytest.raises(WaitTimedOut, match="what was asked for"):
        await stage.client.lifecycle.wait_until(invoice_id, lambda _: False, timeout=1)


async def test_a_delivery_that_is_refused_as_a_duplicate_ends_waiting_and_watching(stage: Stage) -> None:
    file = (DRAFTS / "01-it-services-ubl.xml").read_bytes()
    held, refused = [(await stage.client.submit_file(file, name="a.xml")).invoice_id or "" for _ in range(2)]
    history = await stage.client.lifecycle.wait_until(refused, "end", timeout=600, backoff=QUICK)
    assert numbers(history) == [200, 201, 213]
    assert await stage.client.lifecycle.wait_until(refused, "duplicate", timeout=100) == history
    with pytest.raises(NotReached, match="is duplicate: 'delivered or dead' cannot follow that"):
        await stage.client.lifecycle.wait_until(refused, ("delivered", "dead"), timeout=100)
    ends = {
        change.invoice_id: change.state
        async for change in stage.client.lifecycle.watch(held, refused, backoff=QUICK)
        if change.is_over
    }
    assert ends == {held: LocalState.SETTLED, refused: LocalState.DUPLICATE}


@pytest.mark.parametrize("condition", ["delivered", "approved", ("delivered", "approved")])
async def test_a_buyer_without_a_platform_never_answers(stage: Stage, condition: Any) -> None:
    invoice_id = await stage.submit("not_delivered")
    with pytest.raises(NotReached, match=r"is not_delivered: '.*' cannot follow that") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=math.inf, backoff=QUICK)
    assert not isinstance(caught.value, WaitTimedOut)
    assert stage.clock.slept == []


@pytest.mark.parametrize("condition", ["settled", ("approved", "settled")])
async def test_a_buyer_without_a_platform_may_pay(stage: Stage, condition: Any) -> None:
    invoice_id = await stage.submit("not_delivered_then_paid")
    history = await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=600, backoff=QUICK)
    assert numbers(history) == [200, 212]


async def test_an_invoice_that_is_not_there_yet_is_waited_for(feed: Feed) -> None:
    client, shown = feed
    shown += [404, 404, event("COLLECTED")]
    assert numbers(await client.lifecycle.wait_until("inv-1", "settled", timeout=1e4)) == [212]
    shown[:] = [404]
    with pytest.raises(WaitTimedOut, match="inv-1 is without any event"):
        await client.lifecycle.wait_until("inv-1", timeout=1)


async def test_pauses_grow_until_there_is_news(feed: Feed, clock: Clock) -> None:
    client, shown = feed
    with pytest.raises(WaitTimedOut):
        await client.lifecycle.wait_until("inv-1", timeout=30, backoff=QUICK)
    assert clock.slept == [3, 6, 12, 8]
    shown += [404, 404, event("DEPOSITED")]
    clock.slept.clear()
    with pytest.raises(WaitTimedOut):
        await client.lifecycle.wait_until("inv-1", timeout=20, backoff=QUICK)
    assert clock.slept == [3, 6, 3, 6, 1]


async def test_trouble_that_passes_is_waited_over_and_told_at_the_end(feed: Feed, clock: Clock) -> None:
    client, shown = feed
    shown += [*[503] * 4, event("COLLECTED")]
    assert numbers(await client.lifecycle.wait_until("inv-1", timeout=1e4)) == [212]
    shown[:] = [503] * 99
    with pytest.raises(WaitTimedOut) as caught:
        await client.lifecycle.wait_until("inv-1", timeout=clock.now + 1)
    assert isinstance(caught.value.__cause__, ServerError)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (403, PermissionDenied)])
async def test_trouble_that_does_not_pass_ends_the_wait(
    feed: Feed, status: int, kind: type[Exception]
) -> None:
    client, shown = feed
    shown.append(status)
    with pytest.raises(kind):
        await client.lifecycle.wait_until("inv-1", timeout=1e4)


async def test_a_server_that_is_not_trusted_ends_waiting_and_watching(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # PyOpenSSL's
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=context)
    try:
        async with SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client:
            with pytest.raises(InsecureConnection):
                await client.lifecycle.wait_until("inv-1", timeout=1e4)
            with pytest.raises(InsecureConnection):
                _ = [change async for change in client.lifecycle.watch("inv-1")]
    finally:
        await server.close()
    assert clock.slept == []


@pytest.mark.parametrize("condition", ["paid", "settled or", "", 5, None, (), ("settled", "paid"), {"dead"}])
async def test_a_condition_that_is_none_is_refused(stage: Stage, condition: Any) -> None:
    with pytest.raises(InvalidInput, match="condition must be a function of events, or one or"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=1)
    with pytest.raises(InvalidInput, match="timeout must be a number of seconds above 0"):
        await stage.client.lifecycle.wait_until("inv-1", timeout=0)
    backoff: Any = timedelta(seconds=5)
    with pytest.raises(InvalidInput, match=r"backoff must be a statuses\.Backoff, such as"):
        await stage.client.lifecycle.wait_until("inv-1", timeout=1, backoff=backoff)
    assert stage.sandbox.counters.requests == 0


async def awaited(_: Sequence[LifecycleEvent]) -> bool:
    raise AssertionError("it is not even begun")


class Awaited:
    async def __call__(self, _: Sequence[LifecycleEvent]) -> bool:
        raise AssertionError("it is not even begun")


@pytest.mark.parametrize("condition", [awaited, Awaited(), functools.partial(awaited)])
async def test_a_condition_that_has_to_be_awaited_is_refused_before_anything_is_sent(
    stage: Stage, condition: Any
) -> None:
    with pytest.raises(InvalidInput, match="condition must be a plain function"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=100)
    assert stage.sandbox.counters.requests == 0


def coroutine(events: Sequence[LifecycleEvent]) -> Any:
    return awaited(events)


def task(_: Sequence[LifecycleEvent]) -> Any:
    return asyncio.ensure_future(never())


@pytest.mark.parametrize("condition", [coroutine, task])
async def test_a_condition_that_returns_what_has_to_be_awaited_is_never_taken_for_true(
    stage: Stage, condition: Any
) -> None:
    with pytest.raises(InvalidInput, match="condition must be a plain function"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=100)


async def never() -> None:
    """What is begun, and of no use."""


async def test_a_look_that_hangs_ends_with_the_wait() -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        asked.set()
        await over.wait()
        return web.json_response([])

    app = web.Application()
    app.router.add_get("/lifecycle-events", hang)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url("")), timeout=math.inf) as client,
    ):
        with pytest.raises(WaitTimedOut) as caught:
            await client.lifecycle.wait_until("inv-1", timeout=0.3)
        over.set()
    assert asked.is_set()
    assert isinstance(caught.value.__cause__, DeadlineExceeded)


# Watching


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


# Polling


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

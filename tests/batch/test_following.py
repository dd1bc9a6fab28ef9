"""What becomes of accepted invoices: looked at when due, with few requests, until they are at an end."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from seqino.batch import Followed, Ledger, State, schema
from seqino.batch.items import Change
from seqino.batch.states import ItemEvent
from seqino.batch.watches import Goal
from seqino.client import SeqinoClient
from seqino.errors import AuthenticationFailed, ConfigurationError, InvalidInput, OutcomeUnknown
from seqino.models import LifecycleStatusCode
from seqino.sandbox import Sandbox
from seqino.statuses import Backoff
from tests.batch.conftest import CLIENT, DRAFT
from tests.batch.platform import Platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from seqino.batch import Item
    from tests.batch.conftest import Machine

SPONSORED = "sandbox-client-seqino"
MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR


async def pass_time(ledger: Ledger, seconds: float) -> None:
    """Let time pass on the clock of the database, by moving all that it wrote into the past."""
    item, watch = schema.item.c, schema.watch.c

    def perform(connection: Any) -> None:
        for table, columns in (
            (schema.item, [item.created, item.updated, item.not_before, item.doubt_since]),
            (schema.watch, [watch.since, watch.looked_at, watch.hinted_at]),
        ):
            values = {column.name: column - seconds for column in columns}
            connection.execute(update(table).values(values))

    await ledger.store.transact(perform)


def event(status: str, at: int = 0, **fields: Any) -> dict[str, Any]:
    moment = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=at)
    return {"status_code": status, "timestamp": moment.isoformat(), "emitter": "PDPE", **fields}


SENT = event("InvoiceLifecycleStatus.DEPOSITED", 1)
APPROVED = event("InvoiceLifecycleStatus.APPROVED", 20)
PAID = event("InvoiceLifecycleStatus.COLLECTED", 30)
UNSENT = event("InvoiceLifecycleStatus.DEPOSITED", 1, rejection_reason="NON_TRANSMISE")


class Eventful(Platform):
    """A platform that also has events, by invoice id."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, Any] = {}
        self.asked: list[str] = []

    def app(self) -> web.Application:
        app = super().app()
        app.router.add_get("/api/lifecycle-events", self._tell)
        return app

    async def _tell(self, request: web.Request) -> web.Response:
        invoice_id = request.query["object_id"]
        self.asked.append(invoice_id)
        shown = self.events.get(invoice_id, [])
        return await self._perform(invoice_id, request, lambda: web.json_response(shown))


@pytest.fixture
async def platform() -> AsyncIterator[Eventful]:
    made = Eventful()
    async with TestServer(made.app()) as server:
        made.url = str(server.make_url("/api"))
        yield made


async def send(ledger: Ledger, client: SeqinoClient, count: int = 1) -> None:
    for number in range(1, count + 1):
        await ledger.submit(client, DRAFT, key=f"k-{number}")
    await pass_time(ledger, 2 * MINUTE)


async def item(ledger: Ledger, number: int = 1) -> Item:
    found = await ledger.find(f"k-{number}", client_id=CLIENT)
    assert found is not None
    return found


def webhook(number: int = 1, kind: str = "invoice.status_updated", **data: Any) -> dict[str, Any]:
    return {"event_id": f"e-{number}", "event_type": kind, "data": {"invoice_id": "inv-1", **data}}


# With the sandbox


async def test_invoices_of_the_sandbox_are_followed_to_their_ends(tmp_path: Path) -> None:
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("sandbox-key", client_id=SPONSORED, base_url=sandbox.url) as client,
        Ledger.open(
            tmp_path / "l.db", server=sandbox.url, sponsor="acme", copies=tmp_path / "copies"
        ) as ledger,
    ):
        for scenario in ("paid", "refused", "approved", "not_delivered"):
            sandbox.scenario = scenario
            await ledger.submit(client, DRAFT, key=scenario)
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            sandbox.clock.advance(seconds)
            await pass_time(ledger, seconds)

        rounds = [
            followed
            async for followed in ledger.follow_until(
                client, max_age=timedelta(days=2), at_most=DAY, sleep=sleep, clock=lambda: sum(slept)
            )
        ]
        assert await ledger.counts() == {
            State.SETTLED: 1,
            State.DEAD: 1,
            State.EXPIRED: 1,
            State.NOT_DELIVERED: 1,
        }
        assert (rounds[0].looked, rounds[0].waiting) == (0, 4)
        assert rounds[-1] == Followed(looked=1, requests=1, ends={State.EXPIRED: 1})
        silent = await ledger.find("approved", client_id=SPONSORED)
        paid = await ledger.find("paid", client_id=SPONSORED)
        assert silent is not None
        assert paid is not None
        # Two to submit each, and one for what ended within the first minute; the silent one costs ever fewer.
        assert paid.requests == 2 + 1
        looks = sum(followed.requests for followed in rounds) - 3
        assert silent.requests == 2 + looks
        assert abs(looks - Backoff().looks(timedelta(days=2))) <= 2
        codes = [event.status_code.number for event in await ledger.status_events(paid)]
        assert codes == [200, 201, 202, 203, 204, 205, 211, 212]
        last = [entry async for entry in ledger.history(paid)][-1]
        assert (last.event, last.detail["status"]) == (
            ItemEvent.SETTLED,
            LifecycleStatusCode.INVOICE_COLLECTED,
        )


# When


async def test_an_invoice_is_not_looked_at_before_a_minute_and_then_ever_more_seldom(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await ledger.submit(client, DRAFT, key="k-1")
    assert (await ledger.follow(client)).looked == 0
    for pause, looked in ((61, 1), (110, 0), (30, 1), (230, 0), (40, 1)):
        await pass_time(ledger, pause)
        assert (await ledger.follow(client)).looked == looked
    assert platform.asked == ["inv-1"] * 3
    assert (await item(ledger)).requests == 2 + 3


async def test_what_was_seen_and_the_next_moment_outlive_the_process(
    machine: Machine, client: SeqinoClient, platform: Eventful
) -> None:
    first = await machine.open()
    platform.events["inv-1"] = [SENT]
    await send(first, client)
    assert (await first.follow(client)).news == 1
    await first.aclose()
    other = await machine.open()
    assert (await other.follow(client)).looked == 0
    await pass_time(other, 2 * MINUTE)
    followed = await other.follow(client)
    assert (followed.looked, followed.news) == (1, 0)
    assert [event.status_code.number for event in await other.status_events(await item(other))] == [200]


async def test_an_invoice_that_a_dead_process_had_taken_is_looked_at_later(
    ledger: Ledger, client: SeqinoClient
) -> None:
    await send(ledger, client)
    watches = ledger.watches
    await watches.begin(Goal())
    assert len(await watches.claim(9, by=await ledger.store.now(), lease=600.0)) == 1
    assert (await ledger.follow(client)).looked == 0
    await pass_time(ledger, 601)
    assert (await ledger.follow(client)).looked == 1


async def test_following_stops_at_its_timeout(ledger: Ledger, client: SeqinoClient) -> None:
    await send(ledger, client)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await pass_time(ledger, seconds)

    rounds = [
        followed.looked
        async for followed in ledger.follow_until(
            client, timeout=100.0, sleep=sleep, clock=lambda: sum(slept)
        )
    ]
    assert rounds == [1, 0, 0]
    assert slept == [60.0, 40.0]


async def test_nothing_to_follow_is_over_at_once(ledger: Ledger, client: SeqinoClient) -> None:
    assert [followed async for followed in ledger.follow_until(client)] == [Followed()]


# To what


async def test_an_approval_is_an_end_where_it_is_the_goal_and_only_there(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [SENT, APPROVED]
    await send(ledger, client)
    followed = await ledger.follow(client, until="approved")
    assert (followed.looked, followed.waiting, followed.next_in) == (1, 0, None)
    assert (await item(ledger)).state is State.ACCEPTED
    assert (await ledger.follow(client, until="approved")).looked == 0
    platform.events["inv-1"].append(PAID)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}


async def test_a_goal_that_is_none_is_refused(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    with pytest.raises(InvalidInput, match="until must be one of 'end', 'approved'"):
        await ledger.follow(client, until="paid")
    with pytest.raises(ConfigurationError, match="this is the ledger of"):
        await ledger.follow(SeqinoClient("key-1", base_url="http://localhost:1"))
    assert platform.asked == []


async def test_late_repeated_and_disordered_events_are_each_kept_once_in_order(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [APPROVED, APPROVED, {**APPROVED, "status_code": "APPROVED"}]
    await send(ledger, client)
    assert (await ledger.follow(client)).news == 1
    # A platform may also forget what it has told before.
    platform.events["inv-1"] = [SENT]
    await pass_time(ledger, 2 * MINUTE)
    assert (await ledger.follow(client)).news == 1
    events = await ledger.status_events(await item(ledger))
    assert [event.status_code.number for event in events] == [200, 205]
    assert events[0].timestamp == datetime(2026, 9, 1, 0, 0, 1, tzinfo=UTC)
    assert (await item(ledger)).state is State.ACCEPTED


DOUBLE = event("InvoiceLifecycleStatus.REJECTED", 9, rejection_reason="DOUBLON", reason="x")


async def test_a_refused_second_delivery_is_no_end_of_an_invoice_that_lives(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [SENT, DOUBLE, APPROVED]
    await send(ledger, client)
    assert (await ledger.follow(client)).ends == {}
    assert (await item(ledger)).state is State.ACCEPTED
    events = await ledger.status_events(await item(ledger))
    assert (events[1].rejection_reason, events[1].reason, events[1].is_mandatory) == ("DOUBLON", "x", False)


async def test_a_delivery_that_was_refused_as_a_duplicate_is_at_an_end(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [SENT, DOUBLE]
    await send(ledger, client)
    followed = await ledger.follow(client)
    assert (followed.ends, followed.waiting) == ({State.DUPLICATE: 1}, 0)
    assert (await item(ledger)).state.is_taken
    # Should it be the invoice that is held after all, its later life is not overwritten.
    platform.events["inv-1"].append(PAID)
    await ledger.record_event(webhook())
    await pass_time(ledger, MINUTE)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}


async def test_a_duplicate_never_overwrites_an_end(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [SENT, PAID]
    await send(ledger, client)
    await ledger.follow(client)
    platform.events["inv-1"] = [DOUBLE]
    await ledger.record_event(webhook())
    await pass_time(ledger, MINUTE)
    await ledger.follow(client)
    assert (await item(ledger)).state is State.SETTLED


# Webhooks


async def test_a_webhook_shortens_the_wait(ledger: Ledger, client: SeqinoClient, platform: Eventful) -> None:
    await send(ledger, client)
    await ledger.follow(client)
    platform.events["inv-1"] = [PAID]
    assert (await ledger.follow(client)).looked == 0
    await pass_time(ledger, 10)
    found = await ledger.record_event(webhook())
    assert found is not None
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}
    # It is over: what comes later is kept, and asks for nothing.
    await ledger.record_event(webhook(2))
    assert (await ledger.follow(client)).looked == 0


async def test_a_webhook_before_the_first_look_begins_following(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await ledger.submit(client, DRAFT, key="k-1")
    await ledger.record_event(webhook())
    assert (await ledger.follow(client)).looked == 1
    assert platform.asked == ["inv-1"]


async def test_the_same_webhook_again_asks_for_no_further_look(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    await ledger.record_event(webhook())
    await ledger.follow(client)
    await pass_time(ledger, 10)
    await ledger.record_event(webhook())
    await ledger.record_event(webhook(2, "invoice.created"))
    assert (await ledger.follow(client)).looked == 0
    assert platform.asked == ["inv-1"]


async def test_a_webhook_completes_an_id_and_following_begins(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await ledger.submit(client, DRAFT, key="k-1")
    taken = await item(ledger)

    def forget(connection: Any) -> None:
        unnamed = {"state": "accepted_unidentified", "invoice_id": None}
        connection.execute(update(schema.item).values(unnamed))

    await ledger.store.transact(forget)
    assert await ledger.status_events(await item(ledger)) == []
    await pass_time(ledger, 2 * MINUTE)
    assert (await ledger.follow(client)).looked == 0
    await ledger.record_event(webhook(1, "invoice.created", draft_id=taken.draft_id))
    platform.events["inv-1"] = [PAID]
    await pass_time(ledger, 2 * MINUTE)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}


async def test_a_webhook_asks_for_a_look_at_what_is_in_doubt(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.faults["validate"], platform.faults["look"] = ["lost after"], ["503"] * 9
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k-1")
    doubtful = await item(ledger)
    assert doubtful.not_before is not None
    await ledger.record_event(webhook(draft_id="draft-1"))
    hinted = await item(ledger)
    assert hinted.not_before is not None
    assert hinted.not_before <= await ledger.store.now() < doubtful.not_before
    platform.faults["look"] = []
    await ledger.reconcile(client)
    assert (await item(ledger)).state is State.ACCEPTED


async def test_later_news_of_what_was_not_delivered_are_looked_for_where_a_webhook_says_so(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [UNSENT]
    await send(ledger, client)
    assert (await ledger.follow(client)).ends == {State.NOT_DELIVERED: 1}
    await pass_time(ledger, DAY)
    assert (await ledger.follow(client)).looked == 0
    await ledger.record_event(webhook())
    looks = 0
    for _ in range(9):
        # What the webhook told of is not shown yet, and never comes.
        looks += (await ledger.follow(client)).looked
        await pass_time(ledger, DAY)
    assert looks == 4
    await ledger.record_event(webhook(2))
    platform.events["inv-1"].append(PAID)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}


async def test_an_invoice_that_expired_is_looked_at_where_a_webhook_says_so(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    platform.events["inv-1"] = [SENT]
    await send(ledger, client)
    assert (await ledger.follow(client, max_age=timedelta(seconds=1))).ends == {State.EXPIRED: 1}
    await ledger.record_event(webhook())
    platform.events["inv-1"].append(event("InvoiceLifecycleStatus.MADE_AVAILABLE", 5))
    await pass_time(ledger, 10)
    followed = await ledger.follow(client, max_age=timedelta(seconds=1))
    assert (followed.looked, followed.news, followed.waiting) == (1, 1, 0)
    assert (await item(ledger)).state is State.EXPIRED


# What goes wrong


async def test_one_failing_invoice_never_keeps_the_others_from_their_ends(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 4)
    platform.events = {f"inv-{number}": [SENT, PAID] for number in range(1, 5)}
    platform.faults["inv-1"] = ["500"]
    platform.faults["inv-2"] = ["404"]
    poison = {"status_code": 5, "timestamp": "yesterday"}
    platform.events["inv-3"] = [poison, "what", {}, event("COLLECTED", 30), {**PAID, "emitter": 7}]
    followed = await ledger.follow(client)
    assert (followed.looked, followed.failed, followed.requests) == (4, 2, 4)
    assert followed.ends == {State.SETTLED: 2}
    assert [(await item(ledger, number)).state for number in (1, 2, 3, 4)] == [
        *(State.ACCEPTED, State.ACCEPTED, State.SETTLED, State.SETTLED)
    ]
    await pass_time(ledger, 10 * MINUTE)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 2}


async def test_an_event_that_cannot_be_read_is_kept_once_as_it_came(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    odd: list[Any] = [{"status_code": 5, "timestamp": "yesterday", "name": "café"}, "what"]
    platform.events["inv-1"] = [odd[0], SENT, odd[0]]
    before = await item(ledger)
    assert (await ledger.follow(client)).news == 1
    await pass_time(ledger, DAY)
    platform.events["inv-1"] = [odd[0], SENT, odd[1]]
    assert (await ledger.follow(client)).news == 0
    kept = [entry async for entry in ledger.history() if entry.event is ItemEvent.UNREADABLE]
    assert [json.loads(entry.detail["raw"]) for entry in kept] == odd
    assert ["timestamp" in entry.detail["problem"] for entry in kept] == [True, False]
    after = await item(ledger)
    assert (after.state, after.attempt, after.draft_id) == (before.state, before.attempt, before.draft_id)
    # What is heard of an invoice makes it looked at sooner, readable or not.
    assert after.not_before is not None
    platform.events["inv-1"] = [odd[0], SENT, odd[1], PAID]
    await pass_time(ledger, DAY)
    assert (await ledger.follow(client)).ends == {State.SETTLED: 1}


async def test_an_event_of_a_moment_that_cannot_be_is_left_out(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    platform.events["inv-1"] = [{**SENT, "timestamp": "0001-01-01T00:00:00+14:00"}, PAID]
    followed = await ledger.follow(client)
    assert (followed.news, followed.failed, followed.ends) == (1, 1, {State.SETTLED: 1})


async def test_an_id_that_cannot_be_asked_for_is_no_obstacle(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 2)
    platform.events["inv-2"] = [PAID]

    def empty(connection: Any) -> None:
        first = update(schema.item).where(schema.item.c.business_key == "k-1")
        connection.execute(first.values(invoice_id=""))

    await ledger.store.transact(empty)
    followed = await ledger.follow(client)
    assert (followed.failed, followed.requests, followed.ends) == (1, 1, {State.SETTLED: 1})


async def test_a_wrong_key_ends_the_round_and_loses_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 40)
    platform.faults.update({f"inv-{number}": ["401"] for number in range(1, 41)})
    with pytest.raises(AuthenticationFailed):
        await ledger.follow(client)
    assert len(platform.asked) <= 8
    platform.faults.clear()
    assert (await ledger.follow(client)).looked == 40


async def test_a_platform_that_asks_for_a_pause_is_left_alone(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 40)
    platform.faults.update({f"inv-{number}": ["429"] for number in range(1, 41)})
    followed = await ledger.follow(client)
    assert len(platform.asked) <= 8
    assert followed.waiting == 40
    assert followed.next_in is not None
    assert followed.next_in > 0


async def test_a_platform_that_is_down_is_asked_a_few_times_only(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 40)
    platform.faults.update({f"inv-{number}": ["503"] for number in range(1, 41)})
    followed = await ledger.follow(client)
    assert 20 <= len(platform.asked) < 28
    assert followed.looked == followed.failed == len(platform.asked)
    assert (followed.waiting, followed.next_in is not None) == (40, True)


async def test_an_end_that_was_written_during_a_look_stays(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    platform.events["inv-1"] = [SENT]
    platform.holds = "inv-1"
    following = asyncio.create_task(ledger.follow(client))
    await platform.held.wait()
    await ledger.store.change(Change(item=await item(ledger), event=ItemEvent.DEAD))
    platform.release()
    followed = await following
    assert (followed.looked, followed.news, followed.waiting) == (1, 1, 0)
    after = await item(ledger)
    assert (after.state, after.not_before, after.requests) == (State.DEAD, None, 2 + 1)


async def test_a_webhook_during_a_look_asks_for_another(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    platform.holds = "inv-1"
    following = asyncio.create_task(ledger.follow(client))
    await platform.held.wait()
    await ledger.record_event(webhook())
    platform.release()
    followed = await following
    assert followed.looked == 1
    assert followed.next_in is not None
    assert followed.next_in < 10


# Of a run, in parts, and stopped


async def test_only_what_is_of_a_run_is_followed_where_one_is_named(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    runs = [
        await ledger.create_run([(key, DRAFT)], client_id=CLIENT) for key in ("first of all", "second of all")
    ]
    for run in runs:
        async for _ in run.submit(client, paced=False):
            pass
    await pass_time(ledger, 2 * MINUTE)
    (second,) = [one async for one in runs[1].items()]
    followed = await ledger.follow(client, run_id=runs[1].id)
    assert (followed.looked, followed.waiting) == (1, 1)
    assert platform.asked == [second.invoice_id]
    assert (await ledger.follow(client)).waiting == 2


async def test_a_run_that_is_not_there_is_not_followed(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client)
    with pytest.raises(InvalidInput, match="there is no run 9 in this ledger"):
        await ledger.follow(client, run_id=9)
    with pytest.raises(InvalidInput, match="there is no run 9 in this ledger"):
        await anext(ledger.follow_until(client, run_id=9))
    assert platform.asked == []


async def test_a_long_round_is_told_of_in_parts_that_make_it_up(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 70)
    platform.events["inv-1"] = [SENT, PAID]
    ticks = iter(range(1000))
    parts = [
        followed
        async for followed in ledger.follow_until(
            client, timeout=0.0, interval=0.5, clock=lambda: float(next(ticks))
        )
    ]
    assert [part.looked for part in parts] == [32, 32, 6, 0]
    assert sum(part.requests for part in parts) == 70
    assert [part.ends for part in parts if part.ends] == [{State.SETTLED: 1}]
    assert [part.next_in == 0 for part in parts] == [True, True, False, False]


async def test_what_was_being_looked_at_when_it_was_stopped_is_due_at_once(
    ledger: Ledger, client: SeqinoClient, platform: Eventful
) -> None:
    await send(ledger, client, 3)
    platform.holds = "inv-2"
    following = asyncio.create_task(ledger.follow(client))
    await platform.held.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    platform.release()
    waiting, next_in = await ledger.watches.waiting()
    assert (waiting, next_in) == (3, 0.0)
    await ledger.follow(client)
    assert {one.not_before is not None for one in [await item(ledger, at) for at in (1, 2, 3)]} == {True}
    assert platform.asked.count("inv-2") == 2

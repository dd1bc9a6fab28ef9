"""What arrives at a webhook: over real connections, on a clock that is stepped."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.sandbox import SCENARIOS, Receiver, Sandbox
from seqino.sandbox.clock import stamp
from seqino.sandbox.deliveries import Behaviour, Limits
from seqino.sandbox.description import SHIPPED, Description
from seqino.sandbox.lifecycle import Leg
from seqino.sandbox.world.records import Invoice

BUYER = "523456788"

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

NO_ANSWER_NEEDED = Limits(timeout=0.05, patience=0.01)


def told(receiver: Receiver) -> list[str]:
    """The type of each event that arrived, or the last word of its status where there is one."""
    return [
        one.payload["data"].get("status_code", "").rpartition(".")[2] or one.event_type
        for one in receiver.events
    ]


# --- What is told ---


async def test_an_invoice_is_told_of_as_it_moves(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    invoice_id = await call.issue()
    await sandbox.deliveries.settled()
    assert told(hook) == ["invoice.created", "DEPOSITED"]
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert told(hook)[1:] == await call.statuses(invoice_id)
    assert hook.refused == []
    assert {one.payload["client_id"] for one in hook.events} == {"sandbox-client-seqino"}
    assert len({one.event_id for one in hook.events}) == len(hook.events)
    assert (await call("GET", "/webhooks")).body["last_triggered_at"] == stamp(sandbox.clock.now())


async def test_what_arrives_is_valid_and_signed_as_the_description_says(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    await call.issue()
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    validator = Description().validator({"$ref": "#/components/schemas/WebhookEventPayload"})
    facts = json.loads(SHIPPED.read_bytes())["x-webhook-signature"]
    for one in hook.events:
        assert validator.is_valid(one.payload)
        assert json.loads(one.body) == one.payload
        assert one.event_id.startswith("evt_")
        assert one.headers["Content-Type"] == "application/json"
        assert one.headers["User-Agent"] == "seqino-sandbox"
        assert {facts["header"], facts["timestamp-header"]} <= one.headers.keys()


async def test_the_catalogue_shows_what_is_sent(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    listed = (await call("GET", "/webhooks/event-types")).body["event_types"]
    examples = {one["event_type"]: one["example_payload"] for one in listed}
    for one in hook.events:
        assert one.payload.keys() == examples[one.event_type].keys()
        assert one.payload["data"].keys() >= examples[one.event_type]["data"].keys()


async def test_only_the_types_that_were_chosen_are_told(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any
) -> None:
    await register(call, receiver, events=["invoice.created"])
    await call.issue()
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert told(receiver) == ["invoice.created"]


async def test_what_happened_before_the_webhook_is_not_told(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any
) -> None:
    await call.issue()
    await register(call, receiver)
    await sandbox.deliveries.settled()
    assert told(receiver) == [], "though the clock stands still"
    sandbox.clock.advance(2)
    await sandbox.deliveries.settled()
    assert told(receiver) == ["TRANSMITTED_BY_PLATFORM"]


async def test_many_things_of_one_moment_are_each_told_once(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    ids = [await call.issue() for _ in range(3)]
    await sandbox.deliveries.settled()
    ids += [await call.issue() for _ in range(3)]
    await sandbox.deliveries.settled()
    created = [one for one in hook.events if one.event_type == "invoice.created"]
    assert [one.payload["data"]["invoice_id"] for one in created] == ids
    assert len(hook.events) == 12
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    moments = [json.loads(one.payload)["timestamp"] for one in sandbox.deliveries.list()]
    assert moments == sorted(moments)
    assert [one.event_id for one in sandbox.deliveries.list()] == [one.event_id for one in hook.events]


async def test_a_sponsor_is_told_of_its_own_only(
    call: Any, sandbox: Sandbox, hook: Receiver, register: Any
) -> None:
    async with Receiver() as other:
        await register(call, other, key="another-key")
        await call.issue(headers={"Authorization": "another-key"})
        await call.issue(headers={"X-PDP-Client-Id": "client_abc123"})
        await sandbox.deliveries.settled()
        assert {(one.payload["sponsor_id"], one.payload["client_id"]) for one in other.events} == {
            ("sandbox-sponsor-2", "sandbox-client-seqino")
        }
    assert {(one.payload["sponsor_id"], one.payload["client_id"]) for one in hook.events} == {
        ("sandbox-sponsor-1", "client_abc123")
    }


async def test_what_others_have_under_way_is_not_told_to_a_new_webhook(
    call: Any, sandbox: Sandbox, hook: Receiver, register: Any
) -> None:
    await call.issue()
    async with Receiver() as other:
        await register(call, other, key="another-key")
        sandbox.clock.advance(60)
        await sandbox.deliveries.settled()
        assert other.events == []
    assert told(hook)[-1] == "COLLECTED"


async def test_a_course_that_changes_is_told_as_it_then_goes(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    invoice_id = await call.issue()
    client = sandbox.world.sponsors[0].clients["sandbox-client-seqino"]
    invoice = client.invoices[invoice_id]
    sandbox.clock.advance(1)
    now = sandbox.clock.now()
    invoice.course = [
        attrs.evolve(invoice.course[0], until=now),
        Leg(SCENARIOS["refused"].steps[2:], now + timedelta(seconds=100)),
    ]
    sandbox.world.save(client, invoice)
    sandbox.world.commit()
    sandbox.clock.advance(99)
    await sandbox.deliveries.settled()
    assert told(hook) == ["invoice.created", "DEPOSITED"]
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert told(hook)[2:] == ["RECEIVED_BY_PLATFORM", "MADE_AVAILABLE", "ACKNOWLEDGED", "REFUSED"]


async def test_a_deleted_client_is_told_of_no_more(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call.issue()
    await call("DELETE", "/clients/sandbox-client-seqino")
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert told(hook) == ["invoice.created", "DEPOSITED"]


async def test_without_a_webhook_nothing_is_asked_and_nothing_kept(
    call: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Invoice, "happenings")
    await call.issue()
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert list(sandbox.deliveries.list()) == []


async def test_time_that_runs_tells_by_itself(calling: Callable[[Sandbox], Any], register: Any) -> None:
    async with Sandbox(speed=400) as sandbox, Receiver() as receiver:
        call = calling(sandbox)
        await register(call, receiver)
        await call.issue()
        while (await receiver.next(event_type="invoice.status_updated", timeout=60)).payload["data"][
            "status_code"
        ] != "InvoiceLifecycleStatus.COLLECTED":
            pass
        assert told(receiver)[0] == "invoice.created"


async def test_what_comes_due_between_two_looks_at_the_clock_is_told(
    calling: Callable[[Sandbox], Any], register: Any
) -> None:
    async with Sandbox(speed=1) as sandbox, Receiver() as receiver:
        call = calling(sandbox)
        await register(call, receiver)
        await call.issue()
        await receiver.next(event_type="invoice.created", timeout=60)
        await sandbox.deliveries.settled()
        before = told(receiver)
        clock, due = sandbox.clock, sandbox.deliveries._agenda.next
        assert due is not None
        at = clock._since + (due - clock._base).total_seconds()
        looks = itertools.chain([at - 0.001], itertools.repeat(at + 0.001))
        clock._monotonic = lambda: next(looks)
        sandbox.deliveries._wake()
        while told(receiver) == before:
            await receiver.next(timeout=60)


async def test_a_clock_that_is_set_going_wakes_the_deliveries(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    sandbox.clock.speed = 400
    while told(hook)[-1:] != ["COLLECTED"]:
        await hook.next(timeout=60)


async def test_another_thread_may_step_the_clock(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call.issue()
    thread = threading.Thread(target=sandbox.clock.advance, args=(60,))
    thread.start()
    while told(hook)[-1:] != ["COLLECTED"]:
        await hook.next(timeout=60)
    thread.join()


async def test_the_buyers_platform_tells_of_what_arrives(
    call: Any, sandbox: Sandbox, hook: Receiver, register: Any, for_buyer: Any
) -> None:
    async with Receiver() as buyer:
        await register(call, buyer, key="buyer-key")
        client = sandbox.world.sponsors[1].clients["client_abc123"]
        sandbox.deliveries.recipients = lambda siren: [client] if siren == "812345676" else []
        await call.issue()
        await call.issue(for_buyer("999990021"))  # rejected before it arrives
        invoice_id = await call.issue(for_buyer("812345676"))
        sandbox.clock.advance(3.9)
        await sandbox.deliveries.settled()
        assert told(buyer) == []
        sandbox.clock.advance(60)
        await sandbox.deliveries.settled()
        (one,) = buyer.events
        assert one.event_type == "invoice.received"
        assert one.payload["client_id"] == "client_abc123"
        assert one.payload["data"]["invoice_id"] == invoice_id
        assert one.payload["data"]["buyer_siren"] == "812345676"
    assert "invoice.received" not in told(hook)


async def test_what_is_on_its_way_when_the_buyer_registers_is_told_when_it_arrives(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any
) -> None:
    sandbox.world.sponsor("no-webhook")
    sandbox.deliveries.recipients = lambda _: [
        sponsor.clients["client_abc123"] for sponsor in sandbox.world.sponsors
    ]
    await call.issue()
    await register(call, receiver, events=["invoice.received"])
    sandbox.clock.advance(4)
    await sandbox.deliveries.settled()
    assert told(receiver) == ["invoice.received"]


async def test_who_has_an_active_mandate_for_the_buyer_receives_the_invoice(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any, for_buyer: Any
) -> None:
    await register(call, receiver, events=["invoice.received"])
    body = {"start_date": "2024-01-15T00:00:00Z", "directory_entry": {"siren": BUYER, "name": "Canal"}}
    assert (await call("POST", "/mandates", json=body)).status == 201
    await call.issue(for_buyer(BUYER))  # the mandate is not active yet
    sandbox.clock.advance(60)
    invoice_id = await call.issue(for_buyer(BUYER))
    await call.issue(for_buyer("999990005"))  # in the directory, and nobody's mandate
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert [one.payload["data"]["invoice_id"] for one in receiver.events] == [invoice_id]


# --- Misbehaving ---


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(wrong_signature=True), "another secret"),
        (Behaviour(old_timestamp=True), "s old; 300 s are allowed"),
    ],
)
async def test_a_delivery_that_must_not_be_taken(
    sandbox: Sandbox, hook: Receiver, behaviour: Behaviour, reason: str
) -> None:
    sandbox.deliveries.behaviour = behaviour
    sandbox.deliveries.send("webhook.test", {})
    await sandbox.deliveries.settled()
    assert hook.events == []
    assert reason in hook.refused[0]
    sandbox.deliveries.behaviour = Behaviour()
    sandbox.clock.advance(1)
    await sandbox.deliveries.settled()
    assert len(hook.events) == 1


async def test_a_duplicate_comes_with_the_same_id(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.behaviour = Behaviour(duplicate=True)
    hook.fail(1)
    await call.issue()
    await sandbox.deliveries.settled()
    sandbox.clock.advance(1)
    await sandbox.deliveries.settled()
    assert [one.event_type for one in hook.events].count("invoice.created") == 2
    assert len(hook.events) == 4
    assert [one.is_repeated for one in hook.events].count(True) == 2
    assert {one.outcome for one in sandbox.deliveries.list()} == {"delivered"}


async def test_out_of_order_the_last_comes_first(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    sandbox.deliveries.behaviour = Behaviour(out_of_order=True)
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert told(hook)[2:4] == ["COLLECTED", "PAYMENT_TRANSMITTED"]
    assert told(hook)[-1] == "TRANSMITTED_BY_PLATFORM"


async def test_a_delay_counts_on_the_sandboxs_clock(sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.behaviour = Behaviour(delay=30)
    sandbox.deliveries.send("webhook.test", {})
    sandbox.clock.advance(29)
    await sandbox.deliveries.settled()
    assert hook.events == []
    sandbox.clock.advance(1)
    await sandbox.deliveries.settled()
    assert told(hook) == ["webhook.test"]


async def test_a_dropped_event_never_comes(sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.behaviour = Behaviour(drop=True)
    sandbox.deliveries.send("webhook.test", {})
    await sandbox.deliveries.settled()
    sandbox.deliveries.behaviour = Behaviour()
    sandbox.clock.advance(3600)
    await sandbox.deliveries.settled()
    assert hook.events == []
    assert [(one.outcome, one.attempts) for one in sandbox.deliveries.list()] == [("given_up", [])]


# --- Stopping ---


async def test_a_stop_in_the_midst_leaves_what_was_not_answered_due(
    call: Any, answering: Any, sandbox: Sandbox, register: Any, receiver: Receiver
) -> None:
    arrived, hanging = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        arrived.set()
        await hanging.wait()

    async with answering(hang) as url:
        await register(call, url)
        secret = sandbox.world.sponsors[0].webhook
        assert secret is not None
        await call.issue()
        await arrived.wait()
        await sandbox.stop()
        hanging.set()
    assert [(one.outcome, one.attempts) for one in sandbox.deliveries.list()] == [("pending", [])] * 2
    secret.url, receiver.secret = receiver.url, secret.secret
    ids = [one.event_id for one in sandbox.deliveries.list()]
    async with sandbox:
        await sandbox.deliveries.settled()
        assert [one.event_id for one in receiver.events] == ids
        sandbox.clock.advance(2)
        await sandbox.deliveries.settled()
        assert told(receiver) == ["invoice.created", "DEPOSITED", "TRANSMITTED_BY_PLATFORM"]


async def test_a_reset_ends_what_is_under_way(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.behaviour = Behaviour(delay=5)
    await call.issue()
    await sandbox.deliveries.settled()
    sandbox.reset()
    assert sandbox.deliveries.behaviour == Behaviour()
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert hook.events == []
    assert sandbox.counters.deliveries_attempted == 0


async def test_a_stop_waits_for_no_time_that_runs(calling: Any, register: Any) -> None:
    async with Sandbox(speed=1) as sandbox, Receiver() as receiver:
        call = calling(sandbox)
        await register(call, receiver)
        await call.issue()
        await sandbox.deliveries.settled()
        sandbox.clock.advance(2)
        await sandbox.deliveries.stop()
        await asyncio.sleep(0)  # what the clock woke finds nothing to do
    assert told(receiver) == ["invoice.created", "DEPOSITED"]


async def test_settled_says_that_nothing_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        await Sandbox().deliveries.settled()


async def test_what_is_sent_while_stopped_goes_out_at_the_next_start(
    sandbox: Sandbox, hook: Receiver
) -> None:
    await sandbox.stop()
    sandbox.deliveries.send("webhook.test", {})
    async with sandbox:
        await sandbox.deliveries.settled()
    assert told(hook) == ["webhook.test"]


async def test_hidden_evidence_is_not_in_webhooks_either(sandbox: Sandbox, hook: Receiver, call: Any) -> None:
    sandbox.show_inferred = False
    assert (await call("POST", f"/drafts/{await call.create()}/validate")).status == 200
    await sandbox.deliveries.settled()
    sandbox.show_inferred = True
    invoice_id = await call.issue()
    await sandbox.deliveries.settled()
    hidden, told = (one.payload["data"] for one in hook.events if one.event_type == "invoice.created")
    assert hidden == {"invoice_number": "SBX-2026-000001"}
    assert told["invoice_id"] == invoice_id

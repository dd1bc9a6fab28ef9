from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox.catalogue import Catalogue
from seqino.sandbox.deliveries import Behaviour
from seqino.sandbox.description import Description

if TYPE_CHECKING:
    from seqino.sandbox import Receiver, Sandbox

NO_KEY = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
PATH = "/_sandbox/deliveries"


async def test_deliveries_are_listed_with_their_attempts(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    hook.fail(1)
    await call.issue()
    await sandbox.deliveries.settled()
    (failed, taken) = (await call("GET", PATH, **NO_KEY)).body["deliveries"]
    assert failed["outcome"] == "pending"
    assert failed["due"] > failed["attempts"][0]["at"]
    assert (failed["attempts"][0]["status"], failed["attempts"][0]["error"]) == (
        500,
        "answered 500 Internal Server Error",
    )
    assert taken.keys() == failed.keys()
    assert (taken["outcome"], taken["due"]) == ("delivered", None)
    assert taken["attempts"][0].keys() == {"at", "status", "error", "seconds"}
    assert (taken["sponsor_id"], taken["client_id"]) == ("sandbox-sponsor-1", "sandbox-client-seqino")


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("outcome=pending", ["invoice.created"]),
        ("outcome=delivered", ["invoice.status_updated"]),
        ("outcome=given_up", []),
        ("event_type=invoice.status_updated", ["invoice.status_updated"]),
        ("event_type=invoice.created&outcome=delivered", []),
    ],
)
async def test_deliveries_are_chosen(
    call: Any, sandbox: Sandbox, hook: Receiver, query: str, types: list[str]
) -> None:
    hook.fail(1)
    await call.issue()
    await sandbox.deliveries.settled()
    listed = (await call("GET", f"{PATH}?{query}", **NO_KEY)).body["deliveries"]
    assert [one["event_type"] for one in listed] == types


async def test_one_delivery_is_shown_with_what_was_sent(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    one = hook.events[0]
    shown = (await call("GET", f"{PATH}/{one.event_id}", **NO_KEY)).body
    assert shown["payload"] == one.payload
    sent = shown["attempts"][0]["headers"]
    assert sent.items() <= one.headers.items()
    assert len(sent) == 4
    assert str(hook.secret) not in str(shown)


async def test_a_test_event_is_sent(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    (sent,) = (await call("POST", PATH, **NO_KEY)).body["deliveries"]
    await sandbox.deliveries.settled()
    assert hook.events[0].event_id == sent["event_id"]
    assert hook.events[0].event_type == "webhook.test"
    assert hook.events[0].payload["client_id"] is None


@pytest.mark.parametrize("event_type", list(Catalogue(Description()).types))
async def test_any_event_can_be_sent_whatever_was_chosen(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any, event_type: str
) -> None:
    await register(call, receiver, events=[])
    await call("POST", PATH, json={"event_type": event_type}, **NO_KEY)
    await sandbox.deliveries.settled()
    assert receiver.events[0].event_type == event_type
    assert receiver.events[0].payload["data"]


async def test_what_a_test_event_says_and_to_whom_can_be_chosen(
    call: Any, sandbox: Sandbox, hook: Receiver, register: Any
) -> None:
    await register(call, "http://127.0.0.1:1/", key="another-key")
    asked = {
        "event_type": "invoice.created",
        "data": {"amount": 1.10, "name": "é"},
        "client_id": "client_abc123",
        "sponsor_id": "sandbox-sponsor-1",
    }
    (sent,) = (await call("POST", PATH, json=asked, **NO_KEY)).body["deliveries"]
    assert sent["sponsor_id"] == "sandbox-sponsor-1"
    await sandbox.deliveries.settled()
    (one,) = hook.events
    assert one.payload["data"] == {"amount": "1.1", "name": "é"}, "an amount is text"
    assert one.payload["client_id"] == "client_abc123"
    both = (await call("POST", PATH, **NO_KEY)).body["deliveries"]
    assert [one["sponsor_id"] for one in both] == ["sandbox-sponsor-1", "sandbox-sponsor-2"]
    assert (await call("GET", f"{PATH}/{both[1]['event_id']}", **NO_KEY)).body["outcome"] == "pending"


async def test_an_event_is_sent_again(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    await call("POST", PATH, **NO_KEY)
    await sandbox.deliveries.settled()
    event_id = hook.events[0].event_id
    hook.fail(1)
    again = (await call("POST", f"{PATH}/{event_id}/redeliver", **NO_KEY)).body
    assert (again["event_id"], again["outcome"]) == (event_id, "pending")
    await sandbox.deliveries.settled()
    sandbox.clock.advance(1)
    await sandbox.deliveries.settled()
    assert [one.event_id for one in hook.events] == [event_id, event_id]
    assert hook.events[0].body == hook.events[1].body
    assert [one.status for one in sandbox.deliveries.find(event_id).attempts] == [204, 500, 204]


async def test_what_waits_is_sent_now_and_once(call: Any, sandbox: Sandbox, hook: Receiver) -> None:
    hook.fail(1)
    (sent,) = (await call("POST", PATH, **NO_KEY)).body["deliveries"]
    await sandbox.deliveries.settled()
    for _ in range(2):
        await call("POST", f"{PATH}/{sent['event_id']}/redeliver", **NO_KEY)
    await sandbox.deliveries.settled()
    sandbox.clock.advance(3600)
    await sandbox.deliveries.settled()
    assert len(hook.events) == 1


async def test_deliveries_are_told_to_misbehave(call: Any, sandbox: Sandbox) -> None:
    asked = {"duplicate": True, "delay": 1.5}
    shown = (await call("POST", f"{PATH}/behaviour", json=asked, **NO_KEY)).body
    assert shown == {
        "duplicate": True,
        "out_of_order": False,
        "delay": 1.5,
        "wrong_signature": False,
        "old_timestamp": False,
        "drop": False,
    }
    assert sandbox.deliveries.behaviour == Behaviour(duplicate=True, delay=1.5)
    assert (await call("GET", f"{PATH}/behaviour", **NO_KEY)).body == shown
    await call("POST", f"{PATH}/behaviour", json={}, **NO_KEY)
    assert sandbox.deliveries.behaviour == Behaviour()


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("", {"event_type": "invoice.lost"}, "event_type is one of webhook.test, invoice.created"),
        ("", {"data": []}, "data must be an object"),
        ("", {"client_id": 7}, "client_id must be text"),
        ("", {"secret": "s"}, "unknown: secret"),
        ("/behaviour", {"drop": 1}, "drop must be true or false"),
        ("/behaviour", {"delay": True}, "delay must be a number of seconds"),
        ("/behaviour", {"delay": "long"}, "delay must be a number of seconds"),
        ("/behaviour", {"delay": -1}, "delay must be 0 to 31536000 seconds"),
        ("/behaviour", {"delay": 1e300}, "delay must be 0 to 31536000 seconds"),
        ("/behaviour", {"explode": True}, "unknown: explode; known here: duplicate, out_of_order"),
        ("/behaviour", [], "JSON object"),
    ],
)
async def test_what_is_asked_in_a_wrong_way_is_refused(
    call: Any, hook: Receiver, path: str, body: Any, message: str
) -> None:
    reply = await call("POST", f"{PATH}{path}", json=body, **NO_KEY)
    assert (reply.status, message in reply.body["error"]) == (400, True), reply.body
    assert hook.events == []


@pytest.mark.parametrize(
    ("query", "message"),
    [("outcome=lost", "outcome is one of pending, delivered, given_up"), ("state=pending", "unknown: state")],
)
async def test_a_wrong_choice_is_refused(call: Any, query: str, message: str) -> None:
    reply = await call("GET", f"{PATH}?{query}", **NO_KEY)
    assert reply.status == 400
    assert message in reply.body["error"]


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/evt_0", "there is no event evt_0"),
        ("POST", "/evt_0/redeliver", "there is no event evt_0"),
        ("GET", "/evt_0/redeliver", "it has GET deliveries"),
        ("DELETE", "", "it has GET deliveries"),
        ("POST", "", "no sponsor has a webhook: register one with POST /webhooks"),
    ],
)
async def test_what_is_not_there_is_told(call: Any, method: str, path: str, message: str) -> None:
    reply = await call(method, f"{PATH}{path}", **NO_KEY)
    assert reply.status == 404
    assert message in reply.body["error"]


async def test_a_sponsor_without_a_webhook_is_told(call: Any) -> None:
    reply = await call("POST", PATH, json={"sponsor_id": "sandbox-sponsor-9"}, **NO_KEY)
    assert reply.status == 404
    assert "sandbox-sponsor-9 has no webhook" in reply.body["error"]

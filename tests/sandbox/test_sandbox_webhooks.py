from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.description import SHIPPED, Description

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPONSOR = {"headers": {"X-PDP-Client-Id": None}}
"""The webhook is the sponsor's: no client is named."""
NO_KEY = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
URL = "https://api.example.com/webhooks/pdp"
TYPES = json.loads(SHIPPED.read_bytes())["components"]["schemas"]["WebhookEventType"]["enum"]


async def test_a_webhook_is_registered_and_its_secret_shown_once(call: Any, sandbox: Sandbox) -> None:
    created = await call("POST", "/webhooks", json={"url": URL, "events": ["invoice.created"]}, **SPONSOR)
    assert created.status == 201
    assert len(bytes.fromhex(created.body["secret"])) == 32
    assert created.body["webhook_id"].startswith("webhook_")
    shown = (await call("GET", "/webhooks", **SPONSOR)).body
    assert shown == {
        "webhook_id": created.body["webhook_id"],
        "url": URL,
        "events": ["invoice.created"],
        "is_active": True,
        "created_at": created.body["created_at"],
        "last_triggered_at": None,
    }
    assert sandbox.counters.webhooks_registered == 1


@pytest.mark.parametrize("body", [{"url": URL}, {"url": URL, "events": None}])
async def test_without_events_it_is_told_of_all(call: Any, body: dict[str, Any]) -> None:
    created = await call("POST", "/webhooks", json=body, **SPONSOR)
    assert created.body["events"] == TYPES
    assert (await call("GET", "/webhooks", **SPONSOR)).body["events"] == TYPES


async def test_a_sponsor_has_one_webhook(call: Any, sandbox: Sandbox) -> None:
    await call("POST", "/webhooks", json={"url": URL}, **SPONSOR)
    again = await call("POST", "/webhooks", json={"url": URL}, **SPONSOR)
    assert again.status == 409
    assert "secret" not in str(again.body)
    other = {"headers": {"Authorization": "another-key", "X-PDP-Client-Id": None}}
    assert (await call("GET", "/webhooks", **other)).status == 404
    assert (await call("POST", "/webhooks", json={"url": URL}, **other)).status == 201
    assert sandbox.counters.webhooks_registered == 2


async def test_there_is_none_before_it_is_registered(call: Any) -> None:
    reply = await call("GET", "/webhooks", **SPONSOR)
    assert reply.status == 404
    assert "POST /webhooks" in reply.body["error"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/hook",
        "http://[::1]:8000/hook",
        "https://user:word@example.com/a?b=c#d",
        "HTTPS://example.com",
        "https://exämple.com/é",
    ],
)
async def test_a_url_that_can_be_reached_is_taken(call: Any, url: str) -> None:
    assert (await call("POST", "/webhooks", json={"url": url}, **SPONSOR)).status == 201


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "https://"),
        ("api.example.com/webhooks", "https://"),
        ("ftp://example.com", "https://"),
        ("javascript:alert(1)", "https://"),
        ("https://", "no host"),
        ("https:///path", "no host"),
        ("https://example.com:port/", "Port could not be cast"),
        ("https://example.com:99999/", "Port out of range"),
        ("https://[::1/", "Invalid IPv6"),
        ("https://exa mple.com/", "space"),
        ("https://example.com/\nHost: other", "control character"),
        ("https://example.com/" + "a" * 2083, "more than 2083"),
    ],
)
async def test_a_url_that_cannot_be_reached_is_refused(call: Any, url: str, message: str) -> None:
    reply = await call("POST", "/webhooks", json={"url": url}, **SPONSOR)
    assert reply.status == 422
    (problem,) = reply.body["detail"]
    assert problem["loc"] == ["body", "url"]
    assert problem["type"] == "url_parsing"
    assert message in problem["msg"]


@pytest.mark.parametrize(
    "body", [{"url": URL, "events": ["invoice.lost"]}, {"url": 7}, {}, {"url": URL, "events": "all"}, []]
)
async def test_what_the_description_does_not_allow_is_refused(call: Any, body: Any) -> None:
    assert (await call("POST", "/webhooks", json=body, **SPONSOR)).status == 422
    assert (await call("GET", "/webhooks", **SPONSOR)).status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/webhooks"), ("GET", "/webhooks"), ("GET", "/webhooks/event-types")]
)
async def test_a_key_is_needed(call: Any, method: str, path: str) -> None:
    headers = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}}
    assert (await call(method, path, json={"url": URL}, **headers)).status == 401


async def test_every_type_of_event_is_listed_with_an_example(call: Any) -> None:
    reply = await call("GET", "/webhooks/event-types", **SPONSOR)
    validator = Description().validator({"$ref": "#/components/schemas/WebhookEventPayload"})
    listed = reply.body["event_types"]
    assert [one["event_type"] for one in listed] == TYPES
    for one in listed:
        assert one["description"]
        assert one["example_payload"]["event_type"] == one["event_type"]
        assert validator.is_valid(one["example_payload"])


async def test_a_type_that_a_newer_description_adds_is_listed(
    tmp_path: Path, calling: Callable[[Sandbox], Any]
) -> None:
    document = json.loads(SHIPPED.read_bytes())
    document["components"]["schemas"]["WebhookEventType"]["enum"].append("invoice.archived")
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    async with Sandbox(description=path) as sandbox:
        listed = (await calling(sandbox)("GET", "/webhooks/event-types", judged=False)).body["event_types"]
    assert listed[-1]["event_type"] == "invoice.archived"
    assert listed[-1]["description"] == "The platform sends invoice.archived."


def test_a_description_that_says_nothing_of_signatures_is_refused(tmp_path: Path) -> None:
    document = json.loads(SHIPPED.read_bytes())
    del document["x-webhook-signature"]
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="x-webhook-signature"):
        Sandbox(description=path)


async def test_the_secret_is_in_no_repr_and_in_no_other_answer(call: Any, sandbox: Sandbox) -> None:
    secret = (await call("POST", "/webhooks", json={"url": URL}, **SPONSOR)).body["secret"]
    (sponsor,) = sandbox.world.sponsors
    assert secret not in repr(sponsor.webhook) + repr(sandbox) + repr(sandbox.deliveries)
    for name in ("world", "counters", "deliveries"):
        assert secret not in str((await call("GET", f"/_sandbox/{name}", **NO_KEY)).body)
    assert secret not in str((await call("GET", "/webhooks", **SPONSOR)).body)
    await call("POST", "/_sandbox/reset", **NO_KEY)
    again = (await call("POST", "/webhooks", json={"url": URL}, **SPONSOR)).body
    assert again["secret"] != secret, "no seed makes a secret known"

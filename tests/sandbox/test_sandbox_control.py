from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.sandbox import MAGIC_BUYERS, SCENARIOS, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

NO_KEY = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}


async def test_the_clock_is_stepped_and_its_speed_set(call: Any, sandbox: Sandbox) -> None:
    before = (await call("GET", "/_sandbox/clock", **NO_KEY)).body
    reply = await call("POST", "/_sandbox/clock", json={"advance": 3600}, **NO_KEY)
    assert before["speed"] == reply.body["speed"] == 0
    assert reply.body["now"] > before["now"]
    await call("POST", "/_sandbox/clock", json={"speed": 60}, **NO_KEY)
    assert sandbox.clock.speed == 60


async def test_counters_hold_together(call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]) -> None:
    await call.issue()
    await call.send_file(ubl())
    await call.send_file(ubl())
    await call("GET", "/nothing")
    counters = (await call("GET", "/_sandbox/counters", **NO_KEY)).body
    assert counters == attrs.asdict(sandbox.counters)
    assert counters["requests"] == 5
    assert counters["files_taken"] + counters["drafts_validated"] == 3
    assert counters["invoices_created"] + counters["duplicates"] == 3


async def test_the_scenario_is_shown_and_changed(call: Any, sandbox: Sandbox) -> None:
    shown = (await call("GET", "/_sandbox/scenario", **NO_KEY)).body
    assert shown["scenario"] == "paid"
    assert shown["scenarios"].keys() == SCENARIOS.keys()
    assert shown["buyers"] == MAGIC_BUYERS
    await call("POST", "/_sandbox/scenario", json={"scenario": "silent"}, **NO_KEY)
    assert sandbox.scenario == "silent"


async def test_faults_are_planned(call: Any) -> None:
    asked = {"fault": "status-503-before", "operation": "GET /clients", "times": 1}
    assert (await call("POST", "/_sandbox/faults", json=asked, **NO_KEY)).body == {"planned": asked}
    assert (await call("GET", "/clients")).status == 503
    assert (await call("GET", "/clients")).status == 200


async def test_faults_are_drawn_shown_and_forgotten(call: Any) -> None:
    where = {"operation": "GET /clients", "client_id": "sandbox-client-seqino"}
    drawn = {"fault": "status-503-before; retry-after=1", "rate": 1, **where}
    planned = {"fault": "hang-after", "times": 3}
    assert (await call("POST", "/_sandbox/faults", json=drawn, **NO_KEY)).body == {"drawn": drawn}
    await call("POST", "/_sandbox/faults", json=planned, **NO_KEY)
    shown = (await call("GET", "/_sandbox/faults", **NO_KEY)).body
    assert (shown["planned"], shown["rates"]) == ([planned], [drawn])
    assert shown["faults"]["no-http"].startswith("A greeting")
    forgotten = (await call("DELETE", "/_sandbox/faults", **NO_KEY)).body
    assert (forgotten["planned"], forgotten["rates"]) == ([], [])
    assert (await call("GET", "/clients")).status == 200


async def test_the_world_is_shown_without_a_key(call: Any) -> None:
    invoice_id = await call.issue()
    draft_id = await call.create()
    reply = await call("GET", "/_sandbox/world", **NO_KEY)
    (sponsor,) = reply.body["sponsors"]
    client = sponsor["clients"]["sandbox-client-seqino"]
    assert client["drafts"][draft_id] is None
    assert invoice_id in client["drafts"].values()
    assert client["invoices"][invoice_id]["number"] == "SBX-2026-000001"
    assert client["invoices"][invoice_id]["scenario"] == "paid"
    assert "a-key" not in str(reply.body)


@pytest.mark.parametrize("asked", [{"advance": -1, "speed": 5}, {"advance": 5, "speed": -1}])
async def test_the_clock_is_changed_as_asked_or_not_at_all(
    call: Any, sandbox: Sandbox, asked: dict[str, float]
) -> None:
    before = sandbox.clock.now()
    assert (await call("POST", "/_sandbox/clock", json=asked, **NO_KEY)).status == 400
    assert (sandbox.clock.now(), sandbox.clock.speed) == (before, 0)
    assert (await call("POST", "/_sandbox/clock", json={"advance": 5, "speed": 5}, **NO_KEY)).status == 200
    assert (sandbox.clock.now() > before, sandbox.clock.speed) == (True, 5)


async def test_reset_forgets_everything_that_was_sent(call: Any, sandbox: Sandbox) -> None:
    sandbox.scenario = "refused"
    first = await call.create()
    await call.issue()
    sandbox.faults.plan("status-503-before", operation="POST /drafts")
    assert not any((await call("POST", "/_sandbox/reset", **NO_KEY)).body.values())
    assert sandbox.scenario == "refused"
    assert (await call("GET", f"/drafts/{first}")).status == 404
    assert await call.create() == first, "ids start over with the seed"
    sandbox.reset()
    assert sandbox.counters.drafts_created == 0


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("clock", {"advance": -1}, "finite"),
        ("clock", {"advance": "much"}, "advance must be a number; this is 'much'"),
        ("clock", {"advance": None}, "advance must be a number"),
        ("clock", {"advance": True}, "advance must be a number; this is True"),
        ("clock", {"speed": 10**400}, "speed is out of range: it has 401 digits"),
        ("clock", {"advance": ["x" * 500]}, "…"),
        ("clock", {"jump": 1}, "unknown: jump; known here: advance, speed"),
        ("clock", [], "JSON object"),
        ("scenario", {"scenario": "sunny"}, "no scenario 'sunny'"),
        ("scenario", {}, "no scenario ''"),
        ("scenario", {"scenario": ["paid"]}, "scenario must be text"),
        ("faults", {"fault": "explode"}, "no fault 'explode'"),
        ("faults", {"fault": "hang-before", "times": "many"}, "whole number"),
        ("faults", {"fault": "hang-before", "times": True}, "whole number; this is True"),
        ("faults", {"fault": ["hang-before"]}, "fault must be text"),
        ("faults", {"fault": "hang-before", "times": 2, "rate": 0.5}, "leave one of them out"),
        ("faults", {"fault": "hang-before", "rate": 7}, "from 0 to 1"),
        ("faults", {"fault": "hang-before", "rate": None}, "rate must be a number"),
        ("faults", {"fault": "hang-before", "rate": False}, "rate must be a number"),
        ("faults", {"fault": "hang-before", "operation": 5}, "operation must be text"),
        ("faults", {"fault": "hang-before", "operation": "GET /draft"}, "near to it are: POST /drafts"),
        ("mandates", {"mandate_id": ["m"], "status": "active"}, "mandate_id must be text; this is ['m']"),
        ("onboarding", {"url": {}, "answer": "complete"}, "url must be text"),
        ("deliveries", {"event_type": ["webhook.test"]}, "event_type must be text; this is ['webhook.test']"),
        ("reset", {"all": True}, "known here: nothing"),
    ],
)
async def test_what_is_asked_in_a_wrong_way_is_refused(call: Any, name: str, body: Any, message: str) -> None:
    reply = await call("POST", f"/_sandbox/{name}", json=body, **NO_KEY)
    assert reply.status == 400
    assert message in reply.body["error"]


@pytest.mark.parametrize(
    ("method", "name"), [("PUT", "faults"), ("POST", "world"), ("DELETE", "clock"), ("POST", "")]
)
async def test_what_the_control_api_does_not_have_is_told(call: Any, method: str, name: str) -> None:
    reply = await call(method, f"/_sandbox/{name}", **NO_KEY)
    assert reply.status == 404
    assert "GET counters" in reply.body["error"]


async def test_the_control_api_tells_what_it_has(call: Any, sandbox: Sandbox) -> None:
    ways = (await call("GET", "/_sandbox/", **NO_KEY)).body["control"]
    assert {"POST clock", "DELETE faults", "POST deliveries/{event_id}/redeliver"} <= set(ways)
    for way in ways:
        method, _, name = way.partition(" ")
        reply = await call(method, f"/_sandbox/{name}", **NO_KEY)
        assert "the control API has no" not in str(reply.body), way
    assert sandbox.counters.requests == 0


async def test_who_is_lost_is_told_where_to_look(call: Any) -> None:
    for path in ("/", "/_sandbox"):
        error = (await call("GET", path, **NO_KEY)).body["error"]
        assert f"there is nothing at {path}; GET /openapi.json" in error
        assert "GET /_sandbox/" in error


async def test_the_control_api_counts_as_no_request(call: Any, sandbox: Sandbox) -> None:
    await call("GET", "/_sandbox/clock", **NO_KEY)
    assert sandbox.counters.requests == 0

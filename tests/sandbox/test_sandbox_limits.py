"""What is beyond a limit is refused with 429 before it has an effect, until its window ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.limits import Limits, parse_limits

if TYPE_CHECKING:
    from collections.abc import Callable

NO_KEY = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
OTHER = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
START = datetime(2030, 5, 15, 12, 30, 20, tzinfo=UTC)


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """One whose clock stands at 20 seconds past a minute."""
    sandbox.clock.not_before(START)
    return sandbox


async def test_beyond_the_limit_nothing_happens_until_the_next_minute(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    sandbox.limits.set({"minute": 2})
    for _ in range(2):
        await call.create()
    reply = await call("POST", "/drafts", json=draft())
    assert reply.status == 429
    assert reply.body["code"] == 429
    assert reply.body["error"] == (
        "the limit 2/minute is used up; the next minute begins in 40 s of the sandbox's time"
    )
    assert reply.headers["Retry-After"] == "40"
    assert sandbox.counters.drafts_created == 2
    assert (await call("GET", "/clients", **OTHER)).status == 200, "each client has its own"
    sandbox.clock.advance(39.5)
    reply = await call("GET", "/clients")
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")
    sandbox.clock.advance(0.5)
    await call.create()


@pytest.mark.parametrize(
    ("per", "seconds"),
    [("minute", 40), ("hour", 29 * 60 + 40), ("day", 41380), ("month", 16 * 86400 + 41380)],
)
async def test_a_limit_ends_with_its_window(call: Any, sandbox: Sandbox, per: str, seconds: int) -> None:
    sandbox.limits.set({per: 1})
    await call("GET", "/clients")
    assert (await call("GET", "/clients")).headers["Retry-After"] == str(seconds)
    sandbox.clock.advance(seconds)
    assert (await call("GET", "/clients")).status == 200
    assert (await call("GET", "/clients")).status == 429


@pytest.mark.parametrize(("speed", "wait"), [(1, "40"), (60, "1"), (0.5, "80"), (0, "40")])
async def test_what_is_to_be_waited_is_in_real_seconds(
    call: Any, sandbox: Sandbox, speed: float, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"_monotonic": float, "_since": 0.0, "_speed": speed}.items():
        monkeypatch.setattr(sandbox.clock, name, value)
    sandbox.limits.set({"minute": 0})
    assert (await call("GET", "/clients")).headers["Retry-After"] == wait


async def test_an_endpoint_can_have_limits_of_its_own_on_top(call: Any, sandbox: Sandbox) -> None:
    sandbox.limits.set({"minute": 4, "/drafts": {"hour": 1}})
    await call.create()
    reply = await call("POST", "/drafts", json={})
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1780")
    assert "the limit /drafts 1/hour is used up" in reply.body["error"]
    for expected in (200, 200, 200, 429):  # one that is refused counts to no limit
        assert (await call("GET", "/clients")).status == expected
    reply = await call("POST", "/drafts", json={})
    assert reply.headers["Retry-After"] == "1780", "of two that are used up, the longer is told"


async def test_a_client_can_have_limits_of_its_own_instead(call: Any, sandbox: Sandbox) -> None:
    sandbox.limits.set({"minute": 0, "day": 100})
    sandbox.limits.set({"minute": None}, client="client_abc123")
    assert (await call("GET", "/clients", **OTHER)).status == 200
    assert (await call("GET", "/clients")).status == 429
    limits = (await call("GET", "/usage/limits", **OTHER)).body
    assert (limits["rate_limit_per_minute"], limits["rate_limit_per_day"]) == (None, 100)
    sandbox.limits.clear()
    assert (await call("GET", "/clients")).status == 200


async def test_a_refused_call_is_counted_as_a_failed_one(call: Any, sandbox: Sandbox) -> None:
    sandbox.limits.set({"/clients": {"minute": 0}})
    await call("GET", "/clients")
    (usage,) = (await call("GET", "/usage/metrics")).body["endpoint_usage"]
    assert (usage["call_count"], usage["error_count"]) == (1, 1)


async def test_control_health_and_calls_of_nobody_are_never_limited(call: Any, sandbox: Sandbox) -> None:
    sandbox.limits.set({"minute": 0})
    assert (await call("GET", "/health")).status == 200
    assert (await call("GET", "/_sandbox/clock", judged=False)).status == 200
    assert (await call("GET", "/clients", headers={"X-PDP-Client-Id": None})).status == 200
    assert (await call("GET", "/clients", headers={"Authorization": "invalid"})).status == 401


async def test_a_client_is_told_its_limits_and_what_it_used_of_them(call: Any, sandbox: Sandbox) -> None:
    nothing = (await call("GET", "/usage/limits")).body
    assert {value for name, value in nothing.items() if name != "company_id"} == {None}
    sandbox.limits.set({"minute": 9, "month": 1000, "/drafts": {"minute": 2, "day": 50, "month": 5000}})
    await call.create()
    await call("GET", "/clients")
    body = (await call("GET", "/usage/limits")).body
    assert body == {
        "company_id": "sandbox-client-seqino",
        "endpoint": None,
        "rate_limit_per_minute": 9,
        "current_minute_calls": 3,
        "rate_limit_per_hour": None,
        "current_hour_calls": None,
        "rate_limit_per_day": None,
        "current_day_calls": None,
        "rate_limit_per_month": 1000,
        "current_month_calls": 3,
    }
    body = (await call("GET", "/usage/limits?endpoint=/drafts")).body
    assert (body["endpoint"], body["rate_limit_per_minute"], body["current_minute_calls"]) == (
        "/drafts",
        2,
        1,
    )
    assert (body["rate_limit_per_day"], body["current_day_calls"]) == (50, 1)
    assert (body["rate_limit_per_month"], body["current_month_calls"]) == (1000, 4), "the narrower one counts"
    sandbox.clock.advance(60)
    body = (await call("GET", "/usage/limits?endpoint=/drafts")).body
    assert (body["current_minute_calls"], body["current_day_calls"]) == (0, 1)


async def test_an_endpoint_that_the_api_does_not_have_is_refused(call: Any) -> None:
    reply = await call("GET", "/usage/limits?endpoint=/draft")
    assert reply.status == 422
    assert reply.body["detail"] == [
        {
            "loc": ["query", "endpoint"],
            "msg": "there is no endpoint '/draft': it is a path such as /drafts/{draft_id}",
            "type": "value_error",
        }
    ]


async def test_limits_are_set_and_shown_by_the_control_api(call: Any) -> None:
    limits = {"minute": 1, "/drafts": {"day": 5}}
    reply = await call("POST", "/_sandbox/limits", json={"limits": limits}, **NO_KEY)
    assert reply.body == {"limits": limits, "clients": {}}
    asked = {"limits": {"minute": 3}, "client": "client_abc123"}
    await call("POST", "/_sandbox/limits", json=asked, **NO_KEY)
    shown = (await call("GET", "/_sandbox/limits", **NO_KEY)).body
    assert shown == {"limits": limits, "clients": {"client_abc123": {"minute": 3}}}
    assert [(await call("GET", "/clients")).status for _ in range(2)] == [200, 429]
    await call("POST", "/_sandbox/reset", **NO_KEY)
    assert [(await call("GET", "/clients")).status for _ in range(2)] == [200, 429], "limits stay, counts go"
    await call("POST", "/_sandbox/limits", json={"limits": {}}, **NO_KEY)
    assert (await call("GET", "/clients")).status == 200


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"second": 1}, "'second' is no window of a limit: minute, hour, day, month, or an endpoint"),
    ({"/draft": {"minute": 1}}, "there is no endpoint '/draft'"),
    ({"/drafts": {"second": 1}}, "'second' is no window of a limit"),
    ({"minute": -1}, "minute: a limit is a whole number of calls, 0 or more; this is -1"),
    ({"minute": True}, "this is True"),
    ({"/drafts": {"day": "many"}}, "/drafts day: a limit is a whole number"),
]


@pytest.mark.parametrize(("limits", "message"), WRONG)
async def test_what_is_no_limit_is_refused(call: Any, limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint|window|whole number") as caught:
        Sandbox(limits=limits)
    assert message in str(caught.value)
    reply = await call("POST", "/_sandbox/limits", json={"limits": limits}, **NO_KEY)
    assert reply.status == 400
    assert message in reply.body["error"]


@pytest.mark.parametrize("asked", [{}, {"limits": 5}, {"limits": {}, "client": 5}])
async def test_limits_are_asked_for_as_an_object(call: Any, asked: dict[str, Any]) -> None:
    reply = await call("POST", "/_sandbox/limits", json=asked, **NO_KEY)
    told = "client must be text" if "client" in asked else "limits are an object"
    assert (reply.status, told in reply.body["error"]) == (400, True)


async def test_what_was_used_of_a_limit_outlives_a_restart(tmp_path: Any, calling: Any) -> None:
    for status in (200, 429):
        async with Sandbox(speed=0, state=tmp_path / "state", limits={"month": 1}) as sandbox:
            sandbox.clock.not_before(START)
            assert (await calling(sandbox)("GET", "/clients")).status == status


def test_limits_are_read_as_on_a_command_line() -> None:
    read = parse_limits(["100/minute", "5000/day", "/drafts 10/minute", " /drafts/{draft_id}  2/hour "])
    assert read == {
        "minute": 100,
        "day": 5000,
        "/drafts": {"minute": 10},
        "/drafts/{draft_id}": {"hour": 2},
    }
    Limits(["/drafts", "/drafts/{draft_id}"]).set(read)


@pytest.mark.parametrize(
    "text", ["", "100", "100/second", "x/minute", "-1/minute", "/minute", "1.5/day", "²/day"]
)
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit: write it as 100/minute"):
        parse_limits([text])

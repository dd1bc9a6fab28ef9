"""Calls are counted by day and endpoint, as the platform saw them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.description import Description
from seqino.sandbox.metering import Meter
from seqino.sandbox.usage import figures, period, summary, window
from seqino.sandbox.world.tallies import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = {"X-PDP-Client-Id": "client_abc123"}


def step_to(sandbox: Sandbox, year: int, month: int, day: int) -> None:
    """Let the sandbox's clock be at noon of a day to come."""
    sandbox.clock.not_before(datetime(year, month, day, 12, tzinfo=UTC))


async def metrics(call: Any, query: str = "", **options: Any) -> dict[str, Any]:
    reply = await call("GET", f"/usage/metrics{query}", **options)
    assert reply.status == 200, reply
    body: dict[str, Any] = reply.body
    return body


def counts(body: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    return {
        f"{one['method']} {one['endpoint']}": (one["call_count"], one["success_count"], one["error_count"])
        for one in body["endpoint_usage"]
    }


async def test_every_call_of_a_client_is_counted_by_endpoint_and_method(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    step_to(sandbox, 2030, 1, 15)
    await call.issue()
    await call("GET", "/drafts/none")
    await call("POST", "/drafts", json={})
    await call("GET", "/lifecycle-events?object_type=parcel")
    await call.send_file(ubl())
    await call("GET", "/clients")
    body = await metrics(call)
    assert counts(body) == {
        "GET /clients": (1, 1, 0),
        "GET /drafts/{draft_id}": (1, 0, 1),
        "GET /lifecycle-events": (1, 0, 1),
        "POST /drafts": (2, 1, 1),
        "POST /drafts/{draft_id}/validate": (1, 1, 0),
        "POST /invoicing/files/submit": (1, 1, 0),
    }
    assert (body["total_api_calls"], body["total_successful_calls"], body["total_failed_calls"]) == (7, 4, 3)
    assert body["success_rate"] == 57.14
    assert (body["company_id"], body["period"]) == ("sandbox-client-seqino", "monthly")
    assert (body["start_date"], body["end_date"]) == ("2030-01-01", "2030-01-31")
    assert body["generated_at"] == "2030-01-15T12:00:00.000Z"
    assert counts(await metrics(call))["GET /usage/metrics"] == (1, 1, 0), "a call counts once it is answered"


async def test_what_is_nobodys_call_or_no_endpoint_is_not_counted(call: Any) -> None:
    await call("GET", "/health")
    await call("GET", "/nothing")
    await call("PATCH", "/drafts/1")
    await call("GET", "/clients", headers={"Authorization": None})
    await call("GET", "/clients", headers={"X-PDP-Client-Id": None})
    await call("GET", "/lifecycle-events", headers={"X-PDP-Client-Id": "nobody"})
    await call("GET", "/_sandbox/clock", judged=False)
    await call("POST", "/drafts", json={}, headers={"X-Sandbox-Fault": "status-503-before"})
    assert counts(await metrics(call)) == {}


async def test_a_client_sees_its_own_calls_alone(call: Any) -> None:
    await call.create()
    assert counts(await metrics(call, headers=OTHER)) == {}
    assert counts(await metrics(call, headers={"Authorization": "another-key"})) == {}


async def test_an_effect_whose_answer_was_lost_counts_as_the_platform_saw_it(
    call: Any, draft: Callable[..., Any]
) -> None:
    await call("POST", "/drafts", json=draft(), headers={"X-Sandbox-Fault": "status-503-after"})
    assert counts(await metrics(call)) == {"POST /drafts": (1, 1, 0)}


async def test_the_mean_time_is_in_real_milliseconds(sandbox: Sandbox) -> None:
    times = iter([1.0, 1.030, 2.0, 2.010])
    meter = Meter(sandbox.world, sandbox.limits, seconds=lambda: next(times))
    sponsor = sandbox.world.sponsor("a-key")
    operation = Description().operation("GET /clients")
    for _ in range(2):
        with meter.metered(sponsor, "client_abc123", operation) as metered:
            metered.status = 200
    tallies = sponsor.clients["client_abc123"].tallies.values()
    (one,) = figures(tallies, date.min, date.max)["endpoint_usage"]
    assert one["avg_response_time_ms"] == 20.0


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2030-05-01", "2030-05-31"),
        ("?period=daily", "2030-05-15", "2030-05-15"),
        ("?period=weekly", "2030-05-13", "2030-05-19"),
        ("?period=yearly", "2030-01-01", "2030-12-31"),
        ("?period=weekly&start_date=2030-05-14", "2030-05-14", "2030-05-19"),
        ("?start_date=2028-02-10", "2028-02-10", "2028-02-29"),
        ("?end_date=2030-03-10", "2030-03-01", "2030-03-10"),
        ("?period=yearly&start_date=2030-05-15&end_date=2030-05-15", "2030-05-15", "2030-05-15"),
    ],
)
async def test_days_that_are_left_out_are_those_of_the_period(
    call: Any, sandbox: Sandbox, query: str, first: str, last: str
) -> None:
    step_to(sandbox, 2030, 5, 15)
    body = await metrics(call, query)
    assert (body["start_date"], body["end_date"]) == (first, last)


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("?start_date=2030-02-30", "start_date", "any_of"),
        ("?end_date=soon", "end_date", "any_of"),
        ("?start_date=0000-01-01", "start_date", "date_parsing"),
        ("?start_date=2030-02-02&end_date=2030-02-01", "end_date", "value_error"),
        ("?period=hourly", "period", "enum"),
    ],
)
async def test_days_that_are_none_or_the_wrong_way_round_are_refused(
    call: Any, query: str, name: str, kind: str
) -> None:
    reply = await call("GET", f"/usage/metrics{query}")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["query", name]
    assert reply.body["detail"][0]["type"] in (kind, "date_parsing")


async def test_a_day_ends_at_midnight_utc_on_the_sandboxs_clock(call: Any, sandbox: Sandbox) -> None:
    sandbox.clock.not_before(datetime(2030, 5, 15, 23, 59, 59, tzinfo=UTC))
    await call.create()
    sandbox.clock.advance(1)
    await call.create()
    assert counts(await metrics(call, "?period=daily"))["POST /drafts"] == (1, 1, 0)
    assert counts(await metrics(call, "?start_date=2030-05-15"))["POST /drafts"] == (2, 2, 0)
    assert counts(await metrics(call, "?start_date=2031-01-01")) == {}


async def test_the_summary_sets_this_month_beside_the_last(call: Any, sandbox: Sandbox) -> None:
    step_to(sandbox, 2029, 12, 10)
    empty = (await call("GET", "/usage/summary")).body
    assert empty == {
        "company_id": "sandbox-client-seqino",
        "current_month_calls": 0,
        "previous_month_calls": 0,
        "month_over_month_change": 0.0,
        "most_used_endpoint": None,
        "least_used_endpoint": None,
        "peak_usage_day": None,
        "peak_usage_count": None,
    }
    await call("GET", "/clients")
    assert (await call("GET", "/usage/summary")).body["month_over_month_change"] == 100.0
    await call("GET", "/clients")
    step_to(sandbox, 2030, 1, 20)
    for _ in range(3):
        await call.create()
    step_to(sandbox, 2030, 1, 21)
    await call.create()
    for _ in range(2):
        await call("GET", "/lifecycle-events")
    assert (await call("GET", "/usage/summary")).body == {
        "company_id": "sandbox-client-seqino",
        "current_month_calls": 6,
        "previous_month_calls": 4,
        "month_over_month_change": 50.0,
        "most_used_endpoint": "/drafts",
        "least_used_endpoint": "/lifecycle-events",
        "peak_usage_day": "2030-01-20",
        "peak_usage_count": 3,
    }


async def test_calls_are_counted_on_after_a_restart(tmp_path: Any, calling: Any) -> None:
    for expected in (1, 2, 3):
        async with Sandbox(speed=0, state=tmp_path / "state") as sandbox:
            call = calling(sandbox)
            await call.create()
            body = await metrics(call, "?period=yearly")
            assert counts(body)["POST /drafts"] == (expected, expected, 0)


def tally(day: date, endpoint: str, calls: int) -> Tally:
    return Tally(day=day, method="GET", endpoint=endpoint, calls=calls)


def test_of_equals_the_first_is_the_most_used_and_the_last_the_least() -> None:
    days = [tally(date(2030, 1, 2), one, 5) for one in ("/b", "/c", "/a")] + [
        tally(date(2030, 1, 1), "/d", 15)
    ]
    shown = summary(days, datetime(2030, 1, 31, tzinfo=UTC))
    assert (shown["most_used_endpoint"], shown["least_used_endpoint"]) == ("/d", "/c")
    assert (shown["peak_usage_day"], shown["peak_usage_count"]) == ("2030-01-01", 15)


def test_the_last_week_of_the_calendar_is_cut_off() -> None:
    assert period("weekly", date.max) == (date(9999, 12, 27), date.max)


@pytest.mark.parametrize(
    ("per", "since", "left"),
    [
        ("minute", datetime(2028, 2, 29, 23, 58, tzinfo=UTC), timedelta(seconds=29, milliseconds=500)),
        ("hour", datetime(2028, 2, 29, 23, tzinfo=UTC), timedelta(seconds=89, milliseconds=500)),
        ("day", datetime(2028, 2, 29, tzinfo=UTC), timedelta(seconds=89, milliseconds=500)),
        ("month", datetime(2028, 2, 1, tzinfo=UTC), timedelta(seconds=89, milliseconds=500)),
    ],
)
def test_a_window_is_one_of_the_calendar(per: str, since: datetime, left: timedelta) -> None:
    assert window(per, datetime(2028, 2, 29, 23, 58, 30, 500000, tzinfo=UTC)) == (since, left)
    assert window(per, since + timedelta(0))[0] == since


def test_the_last_month_of_the_calendar_has_an_end() -> None:
    assert window("month", datetime.max.replace(tzinfo=UTC))[1] == timedelta(microseconds=1)

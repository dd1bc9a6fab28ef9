"""Every fault of the running sandbox: what a caller sees of it, and what became of the world."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox.fault_plays import FAULTS, fault, moments
from tests.sandbox.wires import attempt, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox import Sandbox

SHORT = {
    "slow": "slow; seconds=0.01",
    "late": "late; seconds=0.01",
    "drip-head": "drip-head; seconds=0.0001; bytes=20",
    "drip-body": "drip-body; seconds=0.0001; bytes=20",
    "huge": "huge; bytes=300000",
}
"""Parameters that leave a fault what it is, and a test quick."""

RESET, CLOSED = "reset", "closed"
CONNECTION = {"close-at-once": CLOSED, "reset-at-once": RESET, "close-unread": CLOSED, "reset-unread": RESET}

SEEN = {
    **CONNECTION,
    "close": CLOSED,
    "reset": RESET,
    "hang": TimeoutError,
    "slow": 201,
    "late": 201,
    "stale": 201,
    "early-hints": 201,
    "stall-head": TimeoutError,
    "stall-body": TimeoutError,
    "drip-head": 201,
    "drip-body": 201,
    "cut-head": CLOSED,
    "cut-body": aiohttp.ClientPayloadError,
    "reset-body": aiohttp.ClientPayloadError,
    "cut-chunk": aiohttp.ClientPayloadError,
    "bad-chunk": (aiohttp.ClientPayloadError, aiohttp.ClientResponseError),
    "bad-gzip": aiohttp.ClientPayloadError,
    "two-lengths": aiohttp.ClientResponseError,
    "huge-header": aiohttp.ClientResponseError,
    "no-http": aiohttp.ClientResponseError,
    "html": 502,
    "empty-body": 201,
    "invalid-json": 201,
    "truncated-json": 201,
    "wrong-type": 201,
    "unknown-field": 201,
    "unknown-enum": 201,
    "huge": 201,
}
"""What aiohttp's client sees of each fault of a plain connection."""

PLAIN = [kind for kind in FAULTS if kind not in {"refuse", "slow-handshake", "cut-handshake", "cut-tls"}]


def names() -> list[str]:
    return [kind + moment for kind in PLAIN for moment in moments(kind)]


@pytest.mark.parametrize("name", names())
async def test_a_fault_is_what_its_name_says_and_has_the_effect_that_it_says(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any], name: str
) -> None:
    kind = re.sub("-(before|after)$", "", name)
    play = fault(name)
    asked = name.replace(kind, SHORT.get(kind, kind).partition(";")[0])
    asked += SHORT.get(kind, "").removeprefix(kind)
    expected = SEEN[kind]
    if expected == 201 and not play.effect:
        expected = 200  # what stands for the answer that was never given
    if play.strikes == "request":
        calling = attempt(session, sandbox, draft(), asked)
    else:
        sandbox.faults.plan(asked)
        calling = attempt(session, sandbox, draft())
    if expected is TimeoutError:
        task = asyncio.create_task(calling)
        await until(lambda: sandbox.counters.faults)
        assert not task.done()
        task.cancel()
    elif isinstance(expected, int):
        assert (await calling)[0] == expected
    else:
        failures: Any = {
            CLOSED: (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError),
            RESET: aiohttp.ClientOSError,
        }
        with pytest.raises(failures.get(expected, expected)):
            await calling
    assert sandbox.counters.drafts_created == play.effect
    assert sandbox.counters.faults == 1
    assert sandbox.counters.faults_by_name == {play.name: 1}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("status", [*range(400, 600), 301, 302, 303, 307, 308])
async def test_any_status_stands_in_for_the_answer(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any], status: int, moment: str
) -> None:
    seen, headers, body = await attempt(
        session, sandbox, draft(), f"status-{status}-{moment}", allow_redirects=False
    )
    assert seen == status
    assert json.loads(body)["code"] == status
    assert headers.get("Location") == ("/drafts" if status < 400 else None)
    assert sandbox.counters.drafts_created == (moment == "after")


async def test_a_redirect_may_lead_anywhere(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    asked = "status-302; location=https://elsewhere.example/"
    _, headers, _ = await attempt(session, sandbox, draft(), asked, allow_redirects=False)
    assert headers.getall("Location") == ["https://elsewhere.example/"]


async def test_a_redirect_that_is_followed_brings_the_body_again_and_again(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    with pytest.raises(aiohttp.TooManyRedirects):
        await attempt(session, sandbox, draft(), "status-307-after", max_redirects=4)
    assert sandbox.counters.drafts_created == 4


async def test_a_refusal_can_get_lost_too(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientOSError):
        await attempt(session, sandbox, [], "reset-after")
    assert (sandbox.counters.drafts_created, sandbox.counters.faults) == (0, 1)


async def test_a_proxys_request_gets_502(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
        await session.get("https://platform.example/health", proxy=sandbox.url)
    assert caught.value.status == 502


async def test_a_check_of_health_can_come_late_too(call: Any, sandbox: Sandbox) -> None:
    reply = await call("GET", "/health", headers={"X-Sandbox-Fault": "late-after; seconds=0.001"})
    assert (reply.status, reply.body) == (200, None)
    assert sandbox.counters.faults == 1

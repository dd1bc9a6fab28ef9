from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.faults import Fault, Faults, reset

if TYPE_CHECKING:
    from collections.abc import Callable

FAULT = "X-Sandbox-Fault"


@pytest.mark.parametrize(("name", "created"), [("reset-before", 0), ("reset-after", 1)])
async def test_a_reset_loses_the_answer_and_says_whether_there_was_an_effect(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], name: str, created: int
) -> None:
    with pytest.raises(aiohttp.ClientOSError, match="reset"):
        await call("POST", "/drafts", json=draft(), headers={FAULT: name})
    assert sandbox.counters.drafts_created == created
    assert sandbox.counters.faults == 1


@pytest.mark.parametrize(("name", "created"), [("status-503-before", 0), ("status-503-after", 1)])
async def test_a_status_stands_in_for_the_answer(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], name: str, created: int
) -> None:
    reply = await call("POST", "/drafts", json=draft(), headers={FAULT: name})
    assert reply.status == 503
    assert reply.body["code"] == 503
    assert sandbox.counters.drafts_created == created


@pytest.mark.parametrize(("name", "created"), [("hang", 0), ("hang-before", 0), ("hang-after", 1)])
async def test_a_request_hangs_until_the_sandbox_stops(
    calling: Callable[[Sandbox], Any], draft: Callable[..., Any], name: str, created: int
) -> None:
    async with Sandbox() as sandbox:
        hanging = asyncio.create_task(
            calling(sandbox)("POST", "/drafts", json=draft(), headers={FAULT: name})
        )
        while not sandbox.counters.faults:  # noqa: ASYNC110 - the server gives no other sign
            await asyncio.sleep(0)
        assert not hanging.done()
        assert sandbox.counters.drafts_created == created
    with pytest.raises(aiohttp.ClientOSError, match="reset"):
        await hanging


async def test_planned_faults_are_played_in_turn_on_their_operation(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    sandbox.faults.plan("status-503-before", operation="POST /drafts", times=2)
    sandbox.faults.plan("status-500-before")
    assert (await call("POST", "/drafts", json=draft())).status == 503
    assert (await call("GET", "/clients")).status == 500
    assert (await call("GET", "/clients")).status == 200
    assert (await call("POST", "/drafts", json=draft())).status == 503
    assert (await call("POST", "/drafts", json=draft())).status == 201


async def test_faults_can_be_forgotten(call: Any, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status-503-before")
    sandbox.faults.clear()
    assert (await call("GET", "/clients")).status == 200


@pytest.mark.parametrize("name", ["", "explode", "status-200-after", "status-900-before", "reset"])
async def test_an_unknown_fault_is_refused_without_effect(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], name: str
) -> None:
    reply = await call("POST", "/drafts", json=draft(), headers={FAULT: name})
    assert reply.status == 400
    assert "there is no fault" in reply.body["error"]
    assert sandbox.counters.drafts_created == 0
    with pytest.raises(ValueError, match="there is no fault"):
        Faults().plan(name)


def test_a_fault_is_planned_at_least_once() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        Faults().plan("hang", times=0)


def test_a_fault_is_read_by_name() -> None:
    assert Fault.parse("status-429-after") == Fault("status-429-after", "status", after=True, status=429)


class Transport:
    aborted = False

    def get_extra_info(self, _name: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True


def test_a_connection_that_is_gone_or_no_socket_is_let_go() -> None:
    transport: Any = Transport()
    reset(None)
    reset(transport)
    assert transport.aborted

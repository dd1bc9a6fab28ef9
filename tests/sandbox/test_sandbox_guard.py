"""No web page reaches the control API: it needs no key, and a browser sends what a page asks it to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Reply


async def ask(call: Any, path: str, method: str = "POST", body: bytes = b"", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply: Reply = await call(method, f"/_sandbox/{path}", judged=False, data=body or None, headers=named)
    return reply


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1"]
)
@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("GET", "world"), ("DELETE", "faults")])
async def test_what_a_page_of_another_origin_asks_is_refused(
    call: Any, sandbox: Sandbox, method: str, path: str, origin: str
) -> None:
    draft_id = await call.create()
    reply = await ask(call, path, method, Origin=origin)
    assert (reply.status, origin in reply.body["error"]) == (403, True)
    assert sandbox.counters.drafts_created == 1
    assert (await call("GET", f"/drafts/{draft_id}")).status == 200


async def test_its_own_origin_may_ask(call: Any, sandbox: Sandbox) -> None:
    assert (await ask(call, "counters", "GET", Origin=sandbox.url)).status == 200
    assert (await ask(call, "reset", Origin=sandbox.url.upper())).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "[x"]
)
async def test_a_name_that_was_made_to_lead_here_is_refused(call: Any, host: str) -> None:
    reply = await ask(call, "reset", Host=host)
    assert (reply.status, "localhost" in reply.body["error"]) == (403, True)
    assert (await ask(call, "reset", Host=host, Origin=f"http://{host}")).status == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "sandbox.localhost:8052", "127.0.0.1:1", "127.1.2.3", "[::1]:8052"]
)
async def test_every_name_of_this_machine_s_loopback_is_taken(call: Any, host: str) -> None:
    assert (await ask(call, "clock", "GET", Host=host)).status == 200


async def test_where_other_machines_are_let_in_any_name_is_taken(calling: Callable[..., Any]) -> None:
    async with Sandbox(host="0.0.0.0", speed=0) as sandbox:  # noqa: S104 - that is the point
        call = calling(sandbox)
        assert (await ask(call, "clock", "GET", Host="sandbox.ci.example")).status == 200
        assert (await ask(call, "reset", Host="sandbox.ci.example", Origin="http://a.example")).status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_has_to_be_said_to_be_json(call: Any, sandbox: Sandbox, kind: str) -> None:
    before = sandbox.clock.now()
    reply = await ask(call, "clock", body=b'{"advance": 5}', Content_Type=kind)
    assert (reply.status, "application/json" in reply.body["error"]) == (415, True)
    assert sandbox.clock.now() == before
    assert (await ask(call, "clock", body=b'{"advance": 5}', Content_Type="application/json")).status == 200


async def test_the_api_itself_does_not_ask_for_origins(call: Any) -> None:
    headers = {"Origin": "https://erp.example", "Host": "erp.example"}
    assert (await call("GET", "/clients", headers=headers)).status == 200

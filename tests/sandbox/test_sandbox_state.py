# ruff: noqa: ASYNC240 - nothing else runs in the loop of these tests that a file could hold up
"""What the sandbox acknowledged is there after a restart, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino.sandbox import Sandbox, SandboxError
from seqino.sandbox.clock import LAST
from seqino.sandbox.state import Memory, Standing
from seqino.sandbox.state_file import StateFile
from seqino.sandbox.world.kinds import Holdings, load
from seqino.sandbox.world.records import Draft, Series
from tests.sandbox.keeping import crashed, database, held, kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACME = {"organization_name": "Acme", "contact_email": "contact@acme.example", "external_ref": "EXT-1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.state"


async def busy(call: Any, draft: Callable[..., Any], ubl: Callable[..., bytes]) -> None:
    """Do a little of everything that changes something."""
    await call.issue(draft(field_of_tomorrow={"ratio": 1.10, "huge": 2**70}))
    gone, changed = await call.create(), await call.create()
    await call("DELETE", f"/drafts/{gone}")
    await call("PUT", f"/drafts/{changed}", json=draft(note="à bientôt"))
    for number in ("F-1", "F-1", "F-2"):
        await call.send_file(ubl(number))
    await call.send_file(ubl("F-3", total="1.00"))
    client_id = (await call("POST", "/clients", json=ACME)).body["client_id"]
    await call.send_file(ubl("F-4"), headers={"X-PDP-Client-Id": client_id})
    await call.send_file(ubl("F-4"), headers={"X-PDP-Client-Id": client_id})
    await call("DELETE", f"/clients/{client_id}")
    await call("POST", "/clients", json=ACME)
    await call.issue(headers={"Authorization": "another-key"})


async def seen(call: Any, sandbox: Sandbox) -> list[Any]:
    """All that a caller can read, for each key."""
    answers: list[Any] = []
    for key in ("a-key", "another-key"):
        options = {"headers": {"Authorization": key}}
        answers += [(await call("GET", path, **options)).body for path in ("/clients", "/lifecycle-events")]
        for sponsor in sandbox.world.sponsors:
            client = sponsor.clients["sandbox-client-seqino"]
            answers += [(await call("GET", f"/drafts/{one}", **options)).body for one in client.drafts]
            answers += [
                (await call("GET", f"/invoicing/invoice_data/{one}", judged=False, **options)).body
                for one in client.invoices
            ]
    for answer in answers:
        if isinstance(answer, dict):
            cast("dict[str, Any]", answer).pop("trace_id", None)
    return answers


async def test_after_a_restart_everything_is_there_and_goes_on(
    path: Path, calling: Any, draft: Callable[..., Any], ubl: Callable[..., bytes]
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        await busy(call, draft, ubl)
        sandbox.clock.advance(3)
        invoice_id = await call.issue()
        sandbox.clock.advance(5)
        before, counters = await seen(call, sandbox), sandbox.counters.as_dict()
        now, order = sandbox.clock.now(), list(held(sandbox))
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        sandbox.clock.not_before(now)
        assert await seen(call, sandbox) == before
        assert sandbox.counters.as_dict() == {**counters, "requests": counters["requests"] + len(before)}
        assert [one for one in held(sandbox) if one[1] != "tally"] == [
            one for one in order if one[1] != "tally"
        ]
        reply = await call.statuses(invoice_id)
        sandbox.clock.advance(60)
        assert (await call.statuses(invoice_id))[: len(reply)] == reply
        assert (await call.statuses(invoice_id))[-1] == "COLLECTED"


async def test_the_file_holds_what_memory_holds(
    path: Path, calling: Any, draft: Callable[..., Any], ubl: Callable[..., bytes]
) -> None:
    async with Sandbox(speed=0, state=path, limits={"hour": 1000}) as sandbox:
        await busy(calling(sandbox), draft, ubl)
        expected = held(sandbox)
    assert kept(path) == expected
    assert {kind for _, kind, _ in expected} == {
        "client", "draft", "gauge", "invoice", "retired_number", "series", "sponsor", "tally",
    }  # fmt: skip


async def test_what_was_answered_is_kept_before_the_answer(
    path: Path, calling: Any, draft: Callable[..., Any]
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        draft_id = await call.create()
        with pytest.raises(OSError, match="reset"):
            await call("POST", "/drafts", json=draft(), headers={"X-Sandbox-Fault": "reset-after"})
        expected = held(sandbox)
        assert kept(crashed(path)) == expected
    assert any(key == draft_id for _, _, key in expected)
    assert sum(kind == "draft" for _, kind, _ in expected) == 2


async def test_no_id_number_or_trace_is_given_twice(
    path: Path, calling: Any, ubl: Callable[..., bytes]
) -> None:
    ids: list[str] = []
    for run in range(3):
        async with Sandbox(speed=0, state=path, seed=run % 2) as sandbox:
            call = calling(sandbox)
            ids += [await call.create(), await call.issue(), await call.issue()]
            ids.append((await call("GET", "/nothing")).body["trace_id"])
            ids.append(
                (await call("POST", "/clients", json={**ACME, "external_ref": str(run)})).body["client_id"]
            )
            await call.send_file(ubl("SBX-2026-000003") if run == 0 else ubl(f"F-{run}"))
            # A number is a number, whether its client is still there or not.
            other = {"headers": {"X-PDP-Client-Id": ids[-1]}}
            await call.send_file(ubl(f"G-{run}"), **other)
            await call("DELETE", f"/clients/{ids[-1]}")
            assert sandbox.counters.duplicates == 0
    assert len(set(ids)) == len(ids)
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        await call.send_file(ubl("G-0"))
        assert sandbox.counters.duplicates == 1
        (sponsor,) = sandbox.world.sponsors
        numbers = [one for _, _, one in sponsor.numbers if one.startswith("SBX")]
        assert sorted(numbers) == [f"SBX-2026-{one:06d}" for one in range(1, 8)]


async def test_the_same_draft_sent_again_after_a_restart_is_noticed(path: Path, calling: Any) -> None:
    for expected in (0, 1):
        async with Sandbox(speed=0, state=path) as sandbox:
            await calling(sandbox).issue()
            assert sandbox.counters.same_content == expected


async def test_figures_that_were_shown_outlive_a_kill(path: Path, calling: Any) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        for _ in range(3):
            await call("GET", "/clients")
            await call("GET", "/mandates/nobody")
        shown = (await call("GET", "/usage/metrics")).body
        summary = (await call("GET", "/usage/summary")).body
        await call("GET", "/health")
        counted = (await call("GET", "/_sandbox/counters", judged=False)).body
        async with Sandbox(speed=0, state=crashed(path)) as after:
            again = calling(after)
            figures = (await again("GET", "/usage/metrics")).body
            assert figures["total_api_calls"] >= shown["total_api_calls"] + 2
            assert figures["total_failed_calls"] == shown["total_failed_calls"] == 3
            assert figures["total_api_calls"] == summary["current_month_calls"] + 1
            assert after.counters.requests == counted["requests"] + 1


@pytest.mark.parametrize(
    ("path_", "status"),
    [("/drafts/nothing", 404), ("/lifecycle-events?object_type=x", 422), ("/clients", 200)],
)
async def test_a_limit_that_was_reached_stays_reached_after_a_kill(
    path: Path, calling: Any, path_: str, status: int
) -> None:
    async with Sandbox(speed=0, state=path, limits={"hour": 3}) as sandbox:
        call = calling(sandbox)
        for _ in range(3):
            assert (await call("GET", path_)).status == status
        async with Sandbox(speed=0, state=crashed(path), limits={"hour": 3}) as after:
            assert (await calling(after)("GET", path_)).status == 429


async def test_at_the_clock_s_last_moment_it_goes_on_answering_and_starts_again(
    path: Path, calling: Any
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        assert (await call("POST", "/webhooks", json={"url": "http://127.0.0.1:9/"})).status == 201
        sandbox.clock.advance((LAST - sandbox.clock.now()).total_seconds() - 5)
        invoice_id = await call.issue()  # what comes of it later never comes
        sandbox.clock.advance((LAST - sandbox.clock.now()).total_seconds())
        sandbox.clock.speed = 1e6
        assert await call.statuses(invoice_id) == [
            "DEPOSITED",
            "TRANSMITTED_BY_PLATFORM",
            "RECEIVED_BY_PLATFORM",
        ]
        reply = await call("POST", "/_sandbox/clock", json={"advance": 1}, judged=False)
        assert (reply.status, "9000" in reply.body["error"]) == (400, True)
        for end in ("/usage/summary", "/usage/limits", "/mandates"):
            assert (await call("GET", end)).status == 200
    async with Sandbox(speed=1e6, state=path) as sandbox:
        assert sandbox.clock.now() == LAST
        assert (await calling(sandbox)("GET", "/clients")).status == 200


async def test_a_file_whose_time_is_later_than_any_clock_is_refused(path: Path) -> None:
    async with Sandbox(speed=0, state=path):
        pass
    state = StateFile.open(path)
    state.commit(Standing(now=LAST.replace(year=9999), ids=0, starts=1, counters={}))
    state.close()
    with pytest.raises(SandboxError, match="its time is 9999-01-01"):
        await Sandbox(speed=0, state=path).start()


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_the_clock_never_goes_back(path: Path, calling: Any, how: str) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        await call("POST", "/_sandbox/clock", json={"advance": 86400}, judged=False)
        sandbox.clock.advance(60)
        await call("GET", "/lifecycle-events")
        now, copy = sandbox.clock.now(), crashed(path)
    async with Sandbox(speed=0, state=path if how == "stopped" else copy) as sandbox:
        assert sandbox.clock.now() == now
    # The real time is later than what is kept: it is taken.
    async with Sandbox(speed=0, state=path.with_name("other")) as sandbox:
        early = sandbox.clock.now()
    async with Sandbox(speed=0, state=path.with_name("other")) as sandbox:
        assert early < sandbox.clock.now() < now


async def test_running_time_is_kept_a_second_ahead_so_that_reading_need_not_write(
    path: Path, calling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        real = [0.0]
        monkeypatch.setattr(sandbox.clock, "_monotonic", lambda: real[0])
        sandbox.clock.speed = 60
        call, connection = calling(sandbox), database(sandbox)
        writes: list[int] = []
        for real[0] in (0.0, 0.5, 1.0, 1.1, 2.0, 2.2):
            before = connection.total_changes
            await call("GET", "/lifecycle-events")
            writes.append(connection.total_changes > before)
            state = StateFile.open(crashed(path))
            standing = state.standing()
            state.close()
            assert standing is not None
            assert standing.now >= sandbox.clock.now()
        assert writes == [True, False, False, True, False, True]


async def test_reset_clears_the_file(path: Path, calling: Any) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        first = await call.create()
        await call("POST", "/_sandbox/reset", judged=False)
        assert kept(crashed(path)) == {}
        assert await call.create() == first, "ids start over with the seed"
        sandbox.reset()
        sandbox.reset()
    assert kept(path) == {}
    with pytest.raises(RuntimeError, match="its state file not open: start it first"):
        sandbox.reset()


async def test_a_request_that_a_reset_overtakes_leaves_nothing_behind(
    path: Path, calling: Any, draft: Callable[..., Any]
) -> None:
    async with Sandbox(speed=0, state=path, limits={"day": 10}) as sandbox:
        call = calling(sandbox)
        await call.create()
        body = json.dumps(draft()).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
        writer.write(
            b"POST /drafts HTTP/1.1\r\nHost: x\r\nAuthorization: a-key\r\nConnection: close\r\n"
            b"X-PDP-Client-Id: sandbox-client-seqino\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body[:10])
        while sandbox.counters.requests < 2:  # noqa: ASYNC110 - the server gives no other sign
            await asyncio.sleep(0)
        old = sandbox.world.sponsors[0]
        sandbox.reset()
        writer.write(body[10:])
        assert b" 201 " in await reader.readline()
        writer.close()
        sandbox.world.save_for(old, Series("seller", "2026"))
        sandbox.world.save(old.clients["client_abc123"], Draft("draft_of_before", {}, sandbox.clock.now()))
        expected = held(sandbox)
    assert kept(path) == expected
    assert not any(kind == "tally" for _, kind, _ in expected)
    async with Sandbox(speed=0, state=path) as sandbox:
        assert held(sandbox) == expected


async def test_a_sandbox_can_be_stopped_and_started_with_its_file(path: Path, calling: Any) -> None:
    sandbox = Sandbox(speed=0, state=str(path))
    async with sandbox:
        draft_id = await calling(sandbox).create()
    await sandbox.stop()
    async with sandbox:
        assert (await calling(sandbox)("GET", f"/drafts/{draft_id}")).status == 200


async def test_the_file_is_for_its_owner_alone_and_holds_no_key(path: Path, calling: Any) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        await calling(sandbox).create()
        for end in ("", "-wal"):
            file = path.with_name(path.name + end)
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert b"a-key" not in file.read_bytes()
    path.chmod(0o644)
    async with Sandbox(state=path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_memory_keeps_nothing() -> None:
    state = Memory()
    assert state.standing() is None
    assert load(state) == Holdings()

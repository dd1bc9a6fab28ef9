# ruff: noqa: ASYNC240 - nothing else runs in the loop of these tests that a file could hold up
"""What the sandbox acknowledged is there after a restart, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino.sandbox import Sandbox, SandboxError
from seqino.sandbox.description import SHIPPED
from seqino.sandbox.state import Memory
from seqino.sandbox.state_file import FORMAT, StateFile, write
from seqino.sandbox.world.kinds import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACME = {"organization_name": "Acme", "contact_email": "contact@acme.example", "external_ref": "EXT-1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.state"


def crashed(path: Path) -> Path:
    """Copy what a sandbox that runs has in the hands of the system: what is left when it is killed."""
    copy = path.with_name("crashed.state")
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    return copy


def held(sandbox: Sandbox) -> dict[tuple[str, str, str], Any]:
    """Every record in memory, as it would be written."""
    found: dict[tuple[str, str, str], Any] = {}
    for sponsor in sandbox.world.sponsors:
        found |= {
            (sponsor.sponsor_id, one.kind, one.key): json.loads(write(one)) for one in sponsor.records()
        }
        for client in sponsor.clients.values():
            found |= {(client.owner, one.kind, one.key): json.loads(write(one)) for one in client.records()}
    return found


def database(sandbox: Sandbox) -> sqlite3.Connection:
    world: Any = sandbox.world
    connection: sqlite3.Connection = world._state.connection
    return connection


def kept(path: Path) -> dict[tuple[str, str, str], Any]:
    """Every record in a file."""
    state = StateFile.open(path)
    try:
        return {
            (owner, kind, key): json.loads(data)
            for owner, kind, key, data in state.connection.execute(
                "SELECT owner, kind, key, data FROM record ORDER BY place"
            )
        }
    finally:
        state.close()


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
    path: Path, calling: Any
) -> None:
    async with Sandbox(speed=3600, state=path) as sandbox:
        call = calling(sandbox)
        await call.create()
        connection = database(sandbox)
        shown = (await call("GET", "/_sandbox/clock", judged=False)).body["now"]
        state = StateFile.open(crashed(path))
        standing = state.standing()
        state.close()
        assert standing is not None
        assert standing.now.isoformat() > shown.replace("Z", "")
        sandbox.clock.speed = 0
        await call("GET", "/clients")
        writes = connection.total_changes
        for _ in range(3):
            await call("GET", "/lifecycle-events")
        assert connection.total_changes == writes


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
        sandbox.world.save_for(old, old.registration)
        sandbox.world.save(old.clients["client_abc123"], old.clients["client_abc123"].account)
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


# --- What can be wrong with a file


async def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(SandboxError) as caught:
        await Sandbox(speed=0, state=path, **options).start()
    return str(caught.value)


async def test_a_file_in_use_is_said_clearly(path: Path) -> None:
    async with Sandbox(state=path):
        assert await refusal(path) == (
            f"{path} is in use by another sandbox that runs: stop that one, or choose another file"
        )


async def test_a_port_in_use_leaves_the_file_free(path: Path, sandbox: Sandbox) -> None:
    port = int(sandbox.url.rpartition(":")[2])
    assert "already in use" in await refusal(path, port=port)
    async with Sandbox(state=path):
        pass


async def test_what_is_no_state_is_left_alone(path: Path, tmp_path: Path) -> None:
    path.write_text("Dear diary, today nothing happened at all, and then " * 20)
    before = path.read_bytes()
    assert await refusal(path) == f"{path} is no state of a sandbox: choose another file"
    assert path.read_bytes() == before
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE diary (day)")
    connection.close()
    before = other.read_bytes()
    assert await refusal(other) == f"{other} is a database of something else: choose another file"
    assert other.read_bytes() == before
    assert "has to be a file in a folder that exists" in await refusal(tmp_path)
    assert "has to be a file in a folder that exists" in await refusal(tmp_path / "none" / "state")


async def test_an_empty_file_is_taken(path: Path, calling: Any) -> None:
    path.touch()
    async with Sandbox(state=path) as sandbox:
        await calling(sandbox).create()
    assert kept(path)


async def changed(path: Path, sql: str) -> None:
    """Make a state, and change it."""
    async with Sandbox(state=path) as sandbox:
        sandbox.world.sponsor("a-key")
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


async def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    await changed(path, f"PRAGMA user_version = {FORMAT + 1}")
    assert f"newer version (format {FORMAT + 1}, this one knows {FORMAT})" in await refusal(path)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DROP TABLE record", "cannot be used: no such table: record"),
        ("DROP TABLE meta", "cannot be used: no such table: meta"),
        ("UPDATE meta SET value = '{}' WHERE name = 'standing'", "is damaged"),
        ("UPDATE record SET kind = 'parcel' WHERE kind = 'client'", "holds what this sandbox cannot use"),
        ("DELETE FROM record WHERE kind = 'sponsor'", "which is not there"),
    ],
)
async def test_a_damaged_file_is_said_to_be_so_and_is_free_again(path: Path, sql: str, message: str) -> None:
    await changed(path, sql)
    assert message in await refusal(path)
    sqlite3.connect(path).execute("CREATE TABLE free (x)").connection.close()


def refused(_path: Path, _mode: int) -> bool:
    return False


async def test_a_file_that_may_only_be_read_is_said_clearly(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(state=path):
        pass
    path.chmod(0o400)
    if os.access(path, os.W_OK):  # pragma: no cover - a superuser may write whatever the mode says
        monkeypatch.setattr(os, "access", refused)
    assert await refusal(path) == f"{path} may only be read: make it writable, or choose another file"


# --- A disk that is full


async def test_when_nothing_can_be_written_nothing_is_acknowledged(
    path: Path, calling: Any, draft: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        acknowledged = [await call.create()]
        connection = database(sandbox)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")
        replies = [await call("POST", "/drafts", json=draft(note="x" * 3000)) for _ in range(40)]
        acknowledged += [reply.body["draft_id"] for reply in replies if reply.status == 201]
        expected = (
            f"{path} has no room left: free some and start the sandbox again; nothing since then is kept"
        )
        assert {(one.status, one.body["error"]) for one in replies if one.status != 201} == {(503, expected)}
        assert caplog.messages == [expected]
        # Memory is ahead of the file: what it shows may not be there tomorrow.
        for method, place in (("GET", "/clients"), ("GET", "/health"), ("POST", "/_sandbox/reset")):
            reply = await call(method, place, judged=False)
            assert (reply.status, reply.body["error"]) == (503, expected)
        with pytest.raises(SandboxError, match="no room left"):
            sandbox.reset()
    assert 1 < len(acknowledged) < 40
    async with Sandbox(speed=0, state=path) as sandbox:
        assert list(sandbox.world.sponsors[0].clients["sandbox-client-seqino"].drafts) == acknowledged
        assert sandbox.counters.drafts_created == len(acknowledged)
        await calling(sandbox).create()


async def test_a_file_that_cannot_be_written_at_the_start_is_said_clearly(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(StateFile, "_write", full)
        sandbox = Sandbox(speed=0, state=path)
        with pytest.raises(SandboxError, match="no room left"):
            await sandbox.start()
        assert sandbox.world.failure is None, "it is not the file's any more"
    async with sandbox:
        pass


# --- Another description


def renamed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    document = json.loads(SHIPPED.read_bytes())
    change(document)
    path = tmp_path / "description.json"
    path.write_text(json.dumps(document))
    return path


async def test_with_another_description_it_says_so_and_goes_on_while_the_records_fit(
    path: Path, tmp_path: Path, calling: Any, ubl: Callable[..., bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        await calling(sandbox).issue()
        await calling(sandbox).send_file(ubl("F-1", currency="X" * 9, type_code="none"))
        expected = held(sandbox)
    description = renamed(tmp_path, lambda document: document["info"].update(version="2"))
    async with Sandbox(speed=0, state=path, description=description) as sandbox:
        assert held(sandbox) == expected
    assert caplog.messages == [f"{path} was made with another description of the API"]
    async with Sandbox(speed=0, state=path, description=description) as sandbox:
        pass
    assert len(caplog.messages) == 1, "it is now this description's"


async def test_records_that_do_not_fit_another_description_are_refused(
    path: Path, tmp_path: Path, calling: Any
) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        draft_id = await calling(sandbox).create()

    def shorter(document: dict[str, Any]) -> None:
        del document["paths"]["/clients/{client_id}"]  # what is not answered cannot be wrong
        for schema in document["components"]["schemas"].values():
            if "currency_code" in schema.get("properties", {}):
                schema["properties"]["currency_code"] = {"type": "integer"}

    message = await refusal(path, description=renamed(tmp_path, shorter))
    assert f"draft {draft_id} does not fit the description" in message
    async with Sandbox(speed=0, state=path) as sandbox:
        assert (await calling(sandbox)("GET", f"/drafts/{draft_id}")).status == 200


def test_memory_keeps_nothing() -> None:
    state = Memory()
    assert state.standing() is None
    assert load(state) == []

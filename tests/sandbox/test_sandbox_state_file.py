# ruff: noqa: ASYNC240 - nothing else runs in the loop of these tests that a file could hold up
"""What can be wrong with a state file, at the start and while it is written, is said clearly."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox, SandboxError
from seqino.sandbox.description import SHIPPED
from seqino.sandbox.state_file import FORMAT, StateFile
from tests.sandbox.keeping import database, held, kept

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.state"


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
    assert "has to be a file in a folder that exists" in await refusal(Path(os.devnull))
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
        created = sandbox.counters.drafts_created
        assert created == len(acknowledged) + 1
        for method, place in (
            ("GET", "/clients"),
            ("GET", "/health"),
            ("GET", "/nothing"),
            ("POST", "/_sandbox/reset"),
        ):
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
    assert f"draft {draft_id} does not fit the description: currency_code (type)" in message
    assert "EUR" not in message
    async with Sandbox(speed=0, state=path) as sandbox:
        assert (await calling(sandbox)("GET", f"/drafts/{draft_id}")).status == 200


async def test_a_draft_whose_invoice_is_gone_is_not_gone_on_with(path: Path, calling: Any) -> None:
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        draft_id = await call.create()
        invoice_id = (await call("POST", f"/drafts/{draft_id}/validate")).body["invoice_id"]
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM record WHERE kind = 'invoice'")
    connection.commit()
    connection.close()
    assert f"draft {draft_id} became {invoice_id}, which is not there" in await refusal(path)

"""``seqino doctor``: what is wrong, said in one line each."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import seqino.batch
from seqino.batch import Ledger
from seqino.cli.diagnosis import Finding, Level, examine
from seqino.cli.probe import probe, read_draft
from seqino.cli.result import ExitCode
from seqino.client import SeqinoClient
from seqino.errors import InvalidInput
from tests.facade.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

PROBE = ("--probe-once", "--yes")
NOON = 1_767_009_600.0
"""Seconds since 1970 of the date below."""
DATE = "Mon, 29 Dec 2025 12:00:00 GMT"


def levels(result: Result) -> dict[str, str]:
    return {
        line[6:].partition(":")[0]: line[:5].strip()
        for line in result.stdout.splitlines()
        if line[:5].strip() in set(Level)
    }


# --- Nothing is changed


def test_all_is_well(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", *platform.arguments)
    assert result.exit_code == ExitCode.OK
    checks = ("server", "client id", "api key", "connection", "clock", "key", "client")
    assert levels(result) == dict.fromkeys(checks, "ok")
    assert platform.sandbox.counters.drafts_created == 0
    assert f"{platform.url} (from --base-url)" in result.stdout
    assert "test-key" not in result.stdout + result.stderr


def test_it_says_where_each_value_comes_from(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEQINO_BASE_URL", platform.url)
    monkeypatch.setenv("SEQINO_CLIENT_ID", "sandbox-client-seqino")
    key = tmp_path / "key"
    key.write_text("secret-of-the-file\n")
    result = seqino_command("doctor", "--api-key-file", key)
    assert result.exit_code == ExitCode.OK
    for told in ("(from SEQINO_BASE_URL)", "(from SEQINO_CLIENT_ID)", f"from the file {key}"):
        assert told in result.stdout
    assert "secret-of-the-file" not in result.stdout + result.stderr
    assert "from SEQINO_API_KEY" in seqino_command("doctor").stdout


def test_findings_are_lines_for_machines(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", *platform.arguments, "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [finding["level"] for finding in found] == ["ok"] * 7
    assert set(found[0]) == {"level", "check", "text"}


def test_a_missing_key_is_told_and_the_rest_is_looked_at(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQINO_API_KEY")
    result = seqino_command("doctor", "--base-url", platform.url)
    assert result.exit_code == ExitCode.FAILURE
    found = levels(result)
    assert (found["api key"], found["client id"]) == ("fail", "warn")
    assert (found["connection"], found["key"], found["client"]) == ("ok", "skip", "skip")


def test_a_wrong_key_is_told(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "invalid")
    result = seqino_command("doctor", *platform.arguments)
    assert result.exit_code == ExitCode.FAILURE
    assert (levels(result)["key"], levels(result)["client"]) == ("fail", "skip")
    assert "401" in result.stdout


def test_a_client_of_somebody_else_is_told(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", "--base-url", platform.url, "--client-id", "nobodys")
    assert result.exit_code == ExitCode.FAILURE
    assert (levels(result)["key"], levels(result)["client"]) == ("ok", "fail")


def test_without_a_client_the_key_alone_is_tried(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", "--base-url", platform.url)
    assert result.exit_code == ExitCode.OK
    assert (levels(result)["key"], levels(result)["client"]) == ("ok", "skip")


def test_a_call_that_fails_leaves_the_key_open(seqino_command: Command, platform: Platform) -> None:
    platform.sandbox.faults.plan("status-410-before", operation="GET /clients/{client_id}")
    result = seqino_command("doctor", *platform.arguments)
    assert result.exit_code == ExitCode.FAILURE
    assert (levels(result)["key"], levels(result)["client"]) == ("fail", "skip")


def test_a_platform_that_cannot_be_reached_is_told_and_nothing_else_is_guessed(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setattr("seqino.client.Runtime", Clock().runtime)
    result = seqino_command("doctor", "--base-url", f"http://127.0.0.1:{unused_port}")
    assert platform.sandbox.counters.requests == 0
    assert result.exit_code == ExitCode.FAILURE
    found = levels(result)
    assert found["connection"] == "fail"
    assert (found["clock"], found["key"], found["client"]) == ("skip", "skip", "skip")


def test_a_configuration_that_cannot_be_used_is_refused(seqino_command: Command, platform: Platform) -> None:
    for arguments in (
        ("--base-url", "ftp://x"),
        ("--base-url", platform.url, "--draft", "x"),
        ("--base-url", platform.url, "--probe-once"),
    ):
        result = seqino_command("doctor", *arguments)
        assert result.exit_code == ExitCode.INPUT
        assert len(result.stderr.splitlines()) == 1
    assert platform.sandbox.counters.requests == 0


@pytest.mark.parametrize(
    ("date", "level"),
    [
        (DATE, Level.OK),
        ("Mon, 29 Dec 2025 12:01:00 GMT", Level.WARNING),
        ("Mon, 29 Dec 2025 11:59:00 GMT", Level.WARNING),
        ("yesterday", Level.WARNING),
        (None, Level.WARNING),
    ],
)
async def test_a_clock_is_compared_with_the_servers(date: str | None, level: Level) -> None:
    async def health(request: web.Request) -> web.StreamResponse:
        if date is None:
            assert request.transport is not None
            request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")
            request.transport.close()
            return web.Response()
        return web.json_response(None, headers={"Date": date})

    app = web.Application()
    app.router.add_get("/health", health)
    async with TestServer(app) as server, SeqinoClient("key", base_url=str(server.make_url(""))) as client:
        found = [finding async for finding in examine(client, has_key=False, wall=lambda: NOON)]
    assert [finding.level for finding in found if finding.check == "clock"] == [level]


# --- The probe


def test_a_probe_sees_the_refusal_and_the_ledger_knows_of_it(
    seqino_command: Command, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = tmp_path / "ledger.db"

    async def is_probed() -> bool:
        async with Ledger.open(place, server=platform.url, sponsor="acme") as ledger:
            return ledger.is_probed

    assert not asyncio.run(is_probed())
    result = seqino_command("doctor", *platform.arguments, *PROBE, "--ledger", place, "--sponsor", "acme")
    assert result.exit_code == ExitCode.OK
    assert "warning: --probe-once issues a real invoice" in result.stderr
    assert (levels(result)["second validation"], levels(result)["ledger"]) == ("ok", "ok")
    assert platform.sandbox.counters.invoices_created == 1
    assert asyncio.run(is_probed())


def test_a_probe_without_a_ledger_notes_nothing(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", *platform.arguments, *PROBE)
    assert result.exit_code == ExitCode.OK
    assert "ledger" not in levels(result)


def test_nothing_is_issued_without_a_yes(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", *platform.arguments, "--probe-once")
    assert result.exit_code == ExitCode.INPUT
    assert "Add --yes" in result.stderr
    assert platform.sandbox.counters.requests == 0


def test_nothing_is_issued_where_something_else_is_wrong(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("doctor", "--base-url", platform.url, "--client-id", "nobodys", *PROBE)
    assert result.exit_code == ExitCode.FAILURE
    assert levels(result)["second validation"] == "skip"
    assert platform.sandbox.counters.drafts_created == 0


def test_a_ledger_that_cannot_be_used_is_told_before_anything_is_issued(
    seqino_command: Command, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing = ("doctor", *platform.arguments, *PROBE, "--ledger", tmp_path / "none.db")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    without_sponsor = seqino_command(*probing)
    assert "--ledger needs --sponsor" in without_sponsor.stderr
    missing = seqino_command(*probing, "--sponsor", "acme")
    assert "there is no ledger at" in missing.stderr
    assert {without_sponsor.exit_code, missing.exit_code} == {ExitCode.INPUT}
    assert platform.sandbox.counters.requests == 0


def test_only_a_ledger_needs_the_extra(
    seqino_command: Command,
    platform: Platform,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forget_modules: Callable[..., None],
) -> None:
    for name in ("Ledger", "LedgerUnusable"):
        monkeypatch.delitem(vars(seqino.batch), name, raising=False)
    forget_modules("seqino.batch.")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    assert seqino_command("doctor", *platform.arguments, *PROBE).exit_code == ExitCode.OK
    named = ("--ledger", tmp_path / "l.db", "--sponsor", "acme")
    result = seqino_command("doctor", *platform.arguments, *PROBE, *named)
    assert result.exit_code == ExitCode.INPUT
    assert "seqino[batch]" in result.stderr


def test_the_draft_of_a_probe_is_read_from_a_file(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    sample = samples / "13-consulting-draft.json"
    result = seqino_command("doctor", *platform.arguments, *PROBE, "--draft", sample)
    assert result.exit_code == ExitCode.OK
    with pytest.raises(InvalidInput, match="--probe-once needs --draft FILE"):
        read_draft(None, base_url="https://pdp.seqino.dev/api")
    for content, why in (
        (b"\xff", "draft.json is not JSON"),
        (b"{", "draft.json is not JSON"),
        (b'{"amount": NaN}', "draft.json is not JSON"),
        (b"[" * 100_000, "draft.json is not JSON"),
        (b"[]", "draft.json is JSON, but not an invoice draft"),
    ):
        (tmp_path / "draft.json").write_bytes(content)
        with pytest.raises(InvalidInput, match=why):
            read_draft(tmp_path / "draft.json", base_url=platform.url)
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        read_draft(tmp_path / "none.json", base_url=platform.url)


def test_the_amounts_of_a_draft_are_never_floats(tmp_path: Path) -> None:
    (tmp_path / "draft.json").write_text('{"amount": 0.10}')
    assert str(read_draft(tmp_path / "draft.json", base_url="x")["amount"]) == "0.10"


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqino.client.Runtime", Clock().runtime)


async def probed(first: Any, second: Any) -> tuple[Finding, bool]:
    """Probe a platform that answers a validation with one thing, and the next with another."""
    answers = [first, second]

    async def create(_: web.Request) -> web.Response:
        return web.json_response({"draft_id": "d-1"}, status=201)

    async def look(_: web.Request) -> web.Response:
        return web.json_response({"draft_id": "d-1", "status": "draft"})

    async def validate(_: web.Request) -> web.Response:
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/drafts", create)
    app.router.add_get("/drafts/d-1", look)
    app.router.add_post("/drafts/d-1/validate", validate)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client,
    ):
        found = await probe(client, read_draft(None, base_url=client.base_url))
    return found.finding, found.is_refused


DONE: Any = (200, {"invoice_id": "i-1", "status": "submitted"})


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize("status", [400, 404, 409, 410, 422])
async def test_a_refusal_proves_it(status: int) -> None:
    finding, is_refused = await probed(DONE, (status, {"error": "no", "code": status, "trace_id": "t"}))
    assert (finding.level, is_refused) == (Level.OK, True)
    assert f"HTTP {status}" in finding.text


EMPTY: dict[str, Any] = {}


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (DONE, DONE, "shown again"),
        (DONE, (200, EMPTY), "without an invoice and without a refusal"),
        (DONE, (403, EMPTY), "told nothing"),
        (DONE, (503, EMPTY), "told nothing"),
        *((DONE, (status, EMPTY), "told nothing") for status in (401, 408, 425, 426, 429, 431)),
        ((422, EMPTY), DONE, "no invoice was issued"),
        ((503, EMPTY), (503, EMPTY), "ended unclear"),
        ((200, {"status": "submitted"}), DONE, "shows no id"),
    ],
)
async def test_what_proves_nothing_is_no_proof(first: Any, second: Any, words: str) -> None:
    finding, is_refused = await probed(first, second)
    assert (finding.level, is_refused) == (Level.FAILURE, False)
    assert words in finding.text


async def test_a_second_invoice_is_told_loudly() -> None:
    finding, is_refused = await probed(DONE, (200, {"invoice_id": "i-2", "status": "submitted"}))
    assert (finding.level, is_refused) == (Level.FAILURE, False)
    assert "ISSUES A SECOND INVOICE" in finding.text

"""``seqino sandbox``: what it says when it is up, how it stops, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seqino.cli.announce import announcement, local, warning
from seqino.cli.result import ExitCode
from seqino.cli.sandbox import Settings, serve
from seqino.sandbox import MAGIC_BUYERS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]


# --- What it says


def lines(url: str = "http://127.0.0.1:8052", **changes: Any) -> list[str]:
    settings: dict[str, Any] = {"scenario": "paid", "speed": 1.0, "is_strict": False, "buyers": MAGIC_BUYERS}
    control_url = url.replace("65535", "65534").replace("8052", "8053")
    return list(announcement(url, control_url, **{**settings, **changes}))


@pytest.mark.parametrize("url", ["http://127.0.0.1:65535", "http://0.0.0.0:65535", "http://[::]:65535"])
@pytest.mark.parametrize("speed", [0, 1, 123.5])
def test_all_that_is_said_fits_on_one_screen(url: str, speed: float) -> None:
    said = lines(url, scenario="rejected_on_issue", speed=speed, is_strict=True)
    # One row is the command itself, and one the cursor's.
    assert len(said) <= 22
    assert max(len(line) for line in said) <= 80


def test_every_hint_names_a_buyer_that_does_so() -> None:
    said = "\n".join(lines())
    for siren, scenario in (("999990013", "refused"), ("999990047", "disputed"), ("999990088", "silent")):
        assert siren in said
        assert MAGIC_BUYERS[siren] == scenario
    assert "999990047" not in "\n".join(lines(buyers={"999990013": "refused"}))


@pytest.mark.parametrize(
    ("speed", "said"),
    [
        (0, "Time stands still."),
        (1, "Time runs as it does here."),
        (2.5, "Time runs 2.5 times as fast as here."),
    ],
)
def test_it_is_said_how_time_passes(speed: float, said: str) -> None:
    assert any(line.startswith(said) for line in lines(speed=speed))


@pytest.mark.parametrize(
    ("url", "near", "warned"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1", False),
        ("http://[::1]:1", "http://[::1]:1", False),
        ("http://0.0.0.0:1", "http://127.0.0.1:1", True),
        ("https://[::]:1", "https://[::1]:1", True),
        ("http://192.0.2.1:1", "http://192.0.2.1:1", True),
    ],
)
def test_who_can_reach_it_is_said(url: str, near: str, *, warned: bool) -> None:
    assert local(url) == near
    assert (warning(url) is not None) == warned
    assert any(line.startswith("WARNING") for line in lines(url)) == warned
    assert f"  export SEQINO_BASE_URL={near}" in lines(url)


# --- How it runs


async def said_by(
    settings: Settings, capsys: pytest.CaptureFixture[str], *, as_json: bool = False
) -> tuple[str, str]:
    """What a sandbox says before it is stopped."""
    task = asyncio.create_task(serve(settings, as_json=as_json))
    last = "}\n" if as_json else "answers.\n"
    out, error = "", ""
    while last not in out:
        await asyncio.sleep(0)
        more = capsys.readouterr()
        out, error = out + more.out, error + more.err
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return out, error


async def test_a_strict_key_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(port=0, api_key="my-own-key")
    out, error = await said_by(settings, capsys)
    assert "my-own-key" not in out + error + repr(settings)


async def test_a_machine_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    out, error = await said_by(Settings(port=0), capsys, as_json=True)
    told = json.loads(out)
    assert told["pid"] == os.getpid()
    assert told["control"] == f"{told['url']}/_sandbox/"
    assert told["control_always"] != told["control"]
    assert (out.count("\n"), error) == (1, "")


async def test_a_machine_is_told_as_well_that_others_may_reach_it(capsys: pytest.CaptureFixture[str]) -> None:
    out, error = await said_by(Settings(port=0, host="0.0.0.0"), capsys, as_json=True)  # noqa: S104 - on purpose
    assert json.loads(out)["url"].startswith("http://127.0.0.1:")
    assert error.startswith("WARNING: whoever reaches this machine")


@contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start the command as a script would, and wait for its line."""
    command = [sys.executable, "-m", "seqino.cli", "sandbox", "--port", "0", "--json", *arguments]
    with subprocess.Popen(  # noqa: S603 - this very package
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_told(stop: signal.Signals) -> None:
    with running() as (process, told):
        host, port = told["url"].removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            # A request that never ends keeps nobody waiting.
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Sandbox-Fault: hang\r\n\r\n")
            process.send_signal(stop)
            said = process.communicate(timeout=120)
    assert (process.returncode, *said) == (0, "", "")
    assert told["pid"] == process.pid
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0


def call(url: str, key: str, body: bytes | None = None) -> Any:
    headers = {
        "Authorization": key,
        "X-PDP-Client-Id": "sandbox-client-seqino",
        "Content-Type": "application/json",
    }
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:  # noqa: S310 - our own
        return json.load(answer)


def test_its_options_reach_the_sandbox(samples: Path) -> None:
    draft = (samples / "13-consulting-draft.json").read_bytes()
    options = ("--scenario", "refused", "--speed", "0", "--hide-inferred", "--api-key", "my-key")
    with running(*options, "--seed", "7") as (_, told):
        assert call(told["control"] + "scenario", "")["scenario"] == "refused"
        assert call(told["control"] + "clock", "")["speed"] == 0
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            call(told["url"] + "/lifecycle-events", "another-key")
        refused.value.close()
        seventh = call(told["url"] + "/drafts", "my-key", draft)["draft_id"]
        assert "status" not in call(f"{told['url']}/drafts/{seventh}", "my-key")
    with running("--seed", "8") as (_, told):
        eighth = call(told["url"] + "/drafts", "my-key", draft)["draft_id"]
        assert seventh != eighth
        assert "status" in call(f"{told['url']}/drafts/{eighth}", "my-key")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_what_it_says_can_be_copied(platform: Platform, tmp_path: Path) -> None:
    script = [
        line.replace("curl", "curl --silent --show-error --fail")
        for line in lines(platform.url)
        if line.startswith("  ") and not line.startswith(("  seqino submit", "  9999"))
    ]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - what this very package says
        ["/bin/sh", "-eu", "-c", "\n".join(script)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "[]" in done.stdout
    assert '"speed":' in done.stdout
    assert '"planned":' in done.stdout
    assert platform.counters.requests == 2


# --- What it refuses


def test_a_busy_port_ends_in_one_line(seqino_command: Command, platform: Platform) -> None:
    result = seqino_command("sandbox", "--port", platform.url.rpartition(":")[2])
    assert result.exit_code == ExitCode.FAILURE
    assert "is already in use" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_address_that_is_none_ends_in_one_line(seqino_command: Command) -> None:
    result = seqino_command("sandbox", "--port", 0, "--host", "no-such-host.invalid")
    assert result.exit_code == ExitCode.FAILURE
    assert "cannot listen on no-such-host.invalid:0" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scenario", "utopia"], "there is no scenario 'utopia'"),
        (["--speed", -1], "speed must be 0, or"),
        (["--api-key", ""], "api_key: no request would be taken with it: no API key"),
        (["--api-key", "Bearer my-own-key"], "without Bearer"),
    ],
)
def test_a_value_out_of_its_range_ends_in_one_line(
    seqino_command: Command, arguments: list[object], said: str
) -> None:
    result = seqino_command("sandbox", "--port", 0, *arguments)
    assert result.exit_code == ExitCode.INPUT
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1

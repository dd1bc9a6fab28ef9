"""The other commands: events, health, sandbox, demo, and the way in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seqino.cli.__main__ import main
from seqino.cli.result import ExitCode
from seqino.cli.running import carry_out
from seqino.cli.sending import Following
from seqino.sandbox import MAGIC_BUYERS, Sandbox
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]


# --- health


def test_health_needs_no_key(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQINO_API_KEY")
    result = seqino_command("health", "--base-url", platform.url)
    assert result.exit_code == ExitCode.OK
    assert result.stdout == f"{platform.url}: up\n"


def test_what_a_platform_says_of_its_health_is_shown(
    seqino_command: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def well(_: object) -> object:
        return {"status": "très bien", "load": Decimal("0.50")}

    monkeypatch.setattr("seqino.client.SeqinoClient.health", well)
    result = seqino_command("health", "--base-url", platform.url)
    assert result.stdout.splitlines()[1] == '{"status": "très bien", "load": "0.50"}'
    machine = seqino_command("health", "--base-url", platform.url, "--json")
    assert json.loads(machine.stdout) == {
        "base_url": platform.url,
        "up": True,
        "answer": {"status": "très bien", "load": "0.50"},
    }


# --- sandbox, besides test_sandbox_command.py


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("reset-after", "is not NAME=RATE"),
        ("reset-after=often", "is not NAME=RATE"),
        ("explode=0.1", "there is no fault 'explode'"),
        ("reset-after=2", "with a rate from 0 to 1"),
        ("slow; minutes=3=0.1", "'minutes=3'"),
    ],
)
def test_a_fault_that_cannot_be_drawn_ends_in_one_line(
    seqino_command: Command, given: str, message: str
) -> None:
    result = seqino_command("sandbox", "--port", 0, "--fault", "slow=0.1", "--fault", given)
    assert result.exit_code == ExitCode.INPUT
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_sandbox_draws_faults(seqino_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []

    async def keep(server: Sandbox) -> None:
        drawn.extend(server.faults.shown()["rates"])

    monkeypatch.setattr(Sandbox, "serve_forever", keep)
    result = seqino_command(
        "sandbox", "--port", 0, "--fault", "slow; seconds=3=0.1", "--fault", "reset-after=0.05"
    )
    assert result.exit_code == ExitCode.OK
    assert drawn == [{"fault": "slow; seconds=3", "rate": 0.1}, {"fault": "reset-after", "rate": 0.05}]


@pytest.mark.parametrize("command", ["sandbox", "demo"])
def test_a_missing_sandbox_extra_is_named(
    seqino_command: Command,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    forget_modules: Callable[..., None],
) -> None:
    forget_modules("seqino.sandbox")
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    result = seqino_command(command)
    assert result.exit_code == ExitCode.INPUT
    assert "pip install 'seqino[sandbox]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


# --- running

_TURNS = 10
"""Turns of the loop, in which a signal gets to where it is handled."""


def test_work_runs_to_its_end() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert carry_out(work()) is False


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_work_is_interrupted_by_a_signal(stop: signal.Signals) -> None:
    async def work() -> None:
        signal.raise_signal(stop)
        await asyncio.Event().wait()

    assert carry_out(work()) is True


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_what_the_first_one_waits_for(stop: signal.Signals) -> None:
    ends: list[str] = []

    async def work() -> None:
        signal.raise_signal(stop)
        for end in ("first", "second"):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            ends.append(end)
            signal.raise_signal(stop)
        # Only the third Ctrl-C is raised wherever it comes.
        ends.append("third is no Ctrl-C")
        await asyncio.Event().wait()

    assert carry_out(work()) is True
    assert ends[:2] == ["first", "second"]
    assert (len(ends) == 2) is (stop is signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_waited_for_when_the_work_is_done_is_ended_by_ctrl_c_too() -> None:
    async def left_behind() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for turn in range(2 * _TURNS):
                if not turn % _TURNS:
                    signal.raise_signal(signal.SIGINT)
                await asyncio.sleep(0)

    async def work() -> None:
        left.append(asyncio.create_task(left_behind()))
        await asyncio.sleep(0)

    left: list[asyncio.Task[None]] = []
    assert carry_out(work()) is True


def test_work_that_is_to_ignore_ctrl_c_does() -> None:
    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)

    handled = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert carry_out(work()) is False
    finally:
        signal.signal(signal.SIGINT, handled)


def test_work_runs_where_signals_cannot_be_handled() -> None:
    async def work() -> None:
        done.append(True)

    done: list[bool] = []
    thread = threading.Thread(target=lambda: carry_out(work()))
    thread.start()
    thread.join()
    assert done == [True]


# --- demo


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute of the demo pass in no time."""
    monkeypatch.setattr("seqino.cli.demo.SPEED", 1e5)
    monkeypatch.setattr(
        "seqino.cli.demo.FOLLOWING", Following(pace=Backoff(first=timedelta(seconds=0.01)), limit=60)
    )


def demo_line(invoices: int) -> str:
    return f"demo: {invoices} invoices submitted, {invoices} settled, 0 in doubt, 0 duplicates"


def test_the_demo_settles_every_sample(seqino_command: Command, samples: Path) -> None:
    result = seqino_command("demo")
    count = len([path for path in samples.iterdir() if path.suffix != ".md"])
    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines()[-1] == demo_line(count)
    ends = next(line for line in result.stdout.splitlines() if line.startswith("ends: "))
    assert ends == f"ends: {count - 4} paid, 1 refused, 2 rejected, 1 not delivered"


def test_the_samples_meet_the_magic_buyers(samples: Path) -> None:
    texts = [path.read_text("utf-8") for path in samples.iterdir() if path.suffix in {".xml", ".json"}]
    met = {scenario for siren, scenario in MAGIC_BUYERS.items() if any(siren in text for text in texts)}
    assert met >= {"refused", "rejected", "not_delivered", "disputed", "suspended", "rejected_on_issue"}


@pytest.mark.usefixtures("hurried")
def test_the_demo_adds_a_folder_and_counts_copies_apart(
    seqino_command: Command, samples: Path, tmp_path: Path
) -> None:
    for name in ("01-it-services-ubl.xml", "05-books-and-press-ubl.xml"):
        (tmp_path / name).write_bytes((samples / name).read_bytes())
    text = (samples / "08-pharmacy-four-rates-cii.xml").read_text("utf-8")
    (tmp_path / "more.xml").write_text(text.replace("PHO-F-260914", "PHO-F-260915"), "utf-8")
    result = seqino_command("demo", "--invoices", tmp_path)
    count = len([path for path in samples.iterdir() if path.suffix != ".md"]) + 1
    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines()[-1] == demo_line(count)
    assert "2 refused before sending" in result.stdout


def test_a_demo_folder_without_invoices_ends_in_one_line(seqino_command: Command, tmp_path: Path) -> None:
    result = seqino_command("demo", "--invoices", tmp_path)
    assert result.exit_code == ExitCode.INPUT
    assert "a folder without invoice files" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.skipif(
    "SEQINO_TEST_DATA" not in os.environ, reason="SEQINO_TEST_DATA names no folder of invoices"
)
def test_the_demo_settles_real_invoices(seqino_command: Command) -> None:
    result = seqino_command("demo", "--invoices", Path(os.environ["SEQINO_TEST_DATA"], "invoices"))
    assert result.exit_code == ExitCode.OK
    submitted = int(result.stdout.splitlines()[-1].split()[1])
    assert submitted > 50
    assert result.stdout.splitlines()[-1] == demo_line(submitted)


def test_an_interrupted_demo_says_so(seqino_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seqino.cli.work.Run.follow", interrupted)
    assert seqino_command("demo").exit_code == ExitCode.FAILURE


def test_a_demo_that_comes_to_no_end_fails(seqino_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr("seqino.cli.work.Run.follow", nothing)
    result = seqino_command("demo")
    assert result.exit_code == ExitCode.FAILURE
    assert " 0 settled, 0 in doubt, 0 duplicates" in result.stdout


# --- the way in


def test_the_way_in_shows_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["seqino", "--help"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    said = capsys.readouterr().out
    for command in ("demo", "submit", "events", "health", "sandbox"):
        assert command in said


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_named(
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    forget_modules: Callable[..., None],
) -> None:
    forget_modules("seqino.cli.", "rich")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == ExitCode.INPUT
    said = capsys.readouterr().err
    assert "pip install 'seqino[cli]'" in said
    assert len(said.splitlines()) == 1


def test_a_module_of_our_own_that_is_missing_is_a_bug(
    monkeypatch: pytest.MonkeyPatch, forget_modules: Callable[..., None]
) -> None:
    forget_modules("seqino.cli.app")
    monkeypatch.setitem(sys.modules, "seqino.cli.demo", None)
    with pytest.raises(ModuleNotFoundError, match="seqino"):
        main()


def test_importing_the_package_loads_no_command() -> None:
    code = (
        "import seqino, sys; sys.exit(any(name in sys.modules for name in ('typer', 'rich', 'seqino.cli')))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)  # noqa: S603 - this very package
    assert done.returncode == 0


def test_a_reader_that_left_is_no_error(platform: Platform) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "seqino.cli", "health", "--base-url", platform.url]
    done = subprocess.run(command, check=False, stdout=writer, stderr=subprocess.PIPE, text=True)  # noqa: S603
    os.close(writer)
    assert done.returncode == ExitCode.FAILURE
    assert done.stderr == ""

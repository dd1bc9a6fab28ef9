"""The command as a whole: help, version, completion, options that all have, pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from seqino import errors
from seqino.cli.app import app
from seqino.cli.common import Target, one_line_errors
from seqino.cli.output import Output
from seqino.cli.result import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

GROUPS = (
    "invoices",
    "drafts",
    "clients",
    "mandates",
    "directory",
    "reporting",
    "settings",
    "usage",
    "webhooks",
)


def commands() -> list[tuple[str, ...]]:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    found: list[tuple[str, ...]] = []
    for name, one in root.commands.items():
        inner = [(name, each) for each in one.commands] if isinstance(one, TyperGroup) else [(name,)]
        found += inner
    return found


def test_the_version_is_told(seqino_command: Command) -> None:
    result = seqino_command("--version")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, f"seqino {version('seqino')}\n")


def test_every_group_is_in_the_help(seqino_command: Command) -> None:
    said = seqino_command("--help").stdout
    assert all(f"  {name} " in said for name in GROUPS)
    assert "4 something is in doubt" in " ".join(said.split())


@pytest.mark.parametrize("command", [pytest.param(one, id=" ".join(one)) for one in commands()])
def test_every_command_has_help_and_takes_no_key(seqino_command: Command, command: tuple[str, ...]) -> None:
    result = seqino_command(*command, "--help")
    assert result.exit_code == ExitCode.OK
    if command != ("sandbox",):
        assert "--api-key " not in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(one, id=" ".join(one))
        for one in commands()
        # The commands of a ledger name its server once; most of them call nobody.
        if one not in {("demo",), ("sandbox",), ("invoices", "sample")} and one[0] != "batch"
    ],
)
def test_every_command_that_calls_takes_the_same_options(
    seqino_command: Command, command: tuple[str, ...]
) -> None:
    said = seqino_command(*command, "--help").stdout
    for option in ("--base-url", "--server", "--client-id", "--api-key-file", "--timeout", "--json"):
        assert option in said


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_alone_shows_its_help(seqino_command: Command, group: str) -> None:
    result = seqino_command(group)
    assert "Usage: " in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--timeout", "0"), "timeout must be a number of seconds above 0"),
        (("--timeout", "nan"), "timeout must be"),
        (("--base-url", "ftp://x"), "does not begin with http"),
        (("--server", "moon"), "one of the names dev, local"),
        (("--api-key-file", "nowhere"), "cannot be read"),
    ],
)
def test_whom_to_call_is_checked_first(
    seqino_command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], complaint: str
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "k")
    result = seqino_command("clients", "list", *arguments)
    assert result.exit_code == ExitCode.INPUT
    (line,) = result.stderr.splitlines()
    assert complaint in line


def test_an_unknown_option_is_wrong_usage(seqino_command: Command) -> None:
    assert seqino_command("clients", "list", "--api-key", "secret").exit_code == ExitCode.INPUT


def test_a_refused_key_is_a_failure_that_does_not_show_it(
    seqino_command: Command, platform: Platform, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("Bearer s3cr3t")
    result = seqino_command("clients", "list", *platform.arguments, "--api-key-file", key)
    assert result.exit_code == ExitCode.FAILURE
    assert "401" in result.stderr
    assert "s3cr3t" not in result.stderr + result.stdout


def test_a_platform_that_is_not_there_is_a_failure(
    seqino_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "k")
    monkeypatch.setenv("SEQINO_CLIENT_ID", "c")
    result = seqino_command("settings", "get", "--base-url", "http://127.0.0.1:1", "--timeout", "2")
    assert result.exit_code == ExitCode.FAILURE
    assert len(result.stderr.splitlines()) == 1


# --- errors as one line


@pytest.mark.parametrize(
    ("error", "sends", "code", "said"),
    [
        (errors.ConnectionFailed("No.", operation="x"), False, ExitCode.FAILURE, "error: No.\n"),
        (
            errors.UnprocessableContent("No.", operation="x", status=422),
            True,
            ExitCode.REJECTED,
            "error: No.\n",
        ),
        (PermissionError(), False, ExitCode.FAILURE, "error: PermissionError\n"),
        (RecursionError(), True, ExitCode.IN_DOUBT, "error: the answer is nested too deeply"),
        (KeyboardInterrupt(), False, ExitCode.FAILURE, "error: interrupted\n"),
    ],
)
def test_what_a_user_or_a_network_can_cause_is_one_line(
    error: BaseException, code: ExitCode, said: str, capsys: pytest.CaptureFixture[str], *, sends: bool
) -> None:
    with pytest.raises(typer.Exit) as left, one_line_errors(sends=sends):
        raise error
    assert left.value.exit_code == code
    assert capsys.readouterr().err.startswith(said)


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError


# --- what is said


def test_a_card_shows_what_says_something_and_never_breaks_a_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    Output(as_json=False).one(
        {
            "id": "x" * 60,
            "absent": None,
            "entry": {"siren": "552100554", "address": {"city": "Nantes"}},
            "events": ["a", "b"],
            "lines": [{"n": 1}, {"n": 2.5}],
            "empty": [],
            "is_active": True,
        }
    )
    assert capsys.readouterr().out.splitlines() == [
        f"id                  {'x' * 60}",
        "entry.siren         552100554",
        "entry.address.city  Nantes",
        "events              a, b",
        "lines[0].n          1",
        "lines[1].n          2.5",
        "empty               ",
        "is_active           yes",
    ]


def test_an_empty_card_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).one({})
    assert capsys.readouterr().out == ""


# --- completion and pipes


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - this very package
        command, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )


def test_without_the_ledger_its_commands_alone_are_missing() -> None:
    hidden = "import sys; sys.modules.update(sqlalchemy=None, platformdirs=None)"
    call = f"{hidden}; from seqino.cli.__main__ import main; main()"
    assert run(sys.executable, "-c", call, "--version").stdout == f"seqino {version('seqino')}\n"
    ledger = run(sys.executable, "-c", call, "batch", "status")
    assert (ledger.returncode, ledger.stdout) == (ExitCode.INPUT, "")
    assert ledger.stderr == "error: The ledger needs the extra 'batch': pip install 'seqino[batch]'\n"


def seqino(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "seqino.cli", *arguments, **environ)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown_for_a_shell(shell: str) -> None:
    done = seqino("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    assert "_COMPLETE" in done.stdout


def test_completion_is_installed(tmp_path: Path) -> None:
    done = seqino(
        "--install-completion",
        "bash",
        _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1",
        HOME=str(tmp_path),
    )
    assert done.returncode == 0
    assert list(tmp_path.rglob("*.sh"))


def test_the_shell_is_told_the_commands_of_a_group() -> None:
    code = "from seqino.cli.app import app; app(prog_name='seqino')"
    done = run(
        *(sys.executable, "-c", code),
        _SEQINO_COMPLETE="complete_bash",
        COMP_WORDS="seqino mandates ex",
        COMP_CWORD="2",
    )
    assert done.stdout.split() == ["expiring"]


@pytest.mark.parametrize(
    "arguments", [("clients", "list", "--json"), ("clients", "list"), ("events", "--follow")]
)
def test_a_reader_that_left_is_no_error(
    platform: Platform, on_platform: Command, arguments: tuple[str, ...]
) -> None:
    on_platform("mandates", "create", "--siren", "552100554", "--name", "Atelier Bois")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "seqino.cli", *arguments, *platform.arguments]
    done = subprocess.run(command, check=False, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120)  # noqa: S603 - this very package
    os.close(writer)
    assert done.returncode == ExitCode.FAILURE
    assert done.stderr == ""


def test_a_target_makes_a_client_of_what_was_given() -> None:
    assert Target(base_url="http://127.0.0.1:1", client_id="c").client().client_id == "c"

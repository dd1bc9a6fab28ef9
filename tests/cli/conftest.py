from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
from typer.testing import CliRunner

import seqino
from seqino.cli.app import app
from seqino.sandbox import Sandbox
from seqino.statuses import Backoff
from seqino.testing import SandboxThread
from tests.cli.batch_ledgers import Batch
from tests.cli.results import Result
from tests.facade.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLES = Path(seqino.__file__).parent / "sandbox" / "invoices"


@pytest.fixture
def samples() -> Path:
    return SAMPLES


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SEQINO_", "LC_"))]:
        if name != "SEQINO_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("COLUMNS", raising=False)


class Platform(SandboxThread):
    """A sandbox on a thread of its own, so that commands can run their own event loops."""

    @property
    def arguments(self) -> list[str]:
        """Options that name it on a command line."""
        return ["--base-url", self.url, "--client-id", "sandbox-client-seqino"]


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SEQINO_API_KEY", "test-key")
    monkeypatch.setattr("seqino.cli.submit.PACE", Backoff(first=timedelta(seconds=0.01)))
    with Platform(Sandbox(speed=1e5)) as platform:
        yield platform


@pytest.fixture
def seqino_command() -> Callable[..., Result]:
    """Run the command with some arguments."""

    def run(*arguments: object, stdin: str = "") -> Result:
        done = CliRunner().invoke(app, list(map(str, arguments)), input=stdin, catch_exceptions=False)
        return Result(exit_code=done.exit_code, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def on_platform(seqino_command: Callable[..., Result], platform: Platform) -> Callable[..., Result]:
    """Run the command with some arguments, and those that name the platform; 80 columns are seen."""

    def run(*arguments: object, stdin: str = "", **environ: str) -> Result:
        with pytest.MonkeyPatch.context() as patched:
            for name, value in {"COLUMNS": "80", **environ}.items():
                patched.setenv(name, value)
            return seqino_command(*arguments, *platform.arguments, stdin=stdin)

    return run


class _NoTimer:
    def cancel(self) -> None:
        pass


def _never(_seconds: float, _callback: Callable[[], None]) -> _NoTimer:
    return _NoTimer()


@pytest.fixture
def no_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the clients of commands time passes in pauses only, and at once: no timeout is used up."""
    runtime = attrs.evolve(Clock().runtime(), call_later=_never)
    monkeypatch.setattr("seqino.client.Runtime", lambda: runtime)


@pytest.fixture
def batch(
    seqino_command: Callable[..., Result],
    platform: Platform,
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Batch:
    """``seqino batch`` on a new ledger; what is kept for a user is kept in the test's folder."""
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return Batch(seqino_command, platform, samples, tmp_path)

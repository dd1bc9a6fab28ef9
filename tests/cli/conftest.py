from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from typer.testing import CliRunner

import seqino
from seqino.cli.app import app
from seqino.cli.follow import Pace
from seqino.sandbox import Sandbox
from tests.cli.batch_ledgers import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

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


@attrs.frozen(kw_only=True)
class Result:
    """How a command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


class Platform:
    """A sandbox on a thread of its own, so that commands can run their own event loops."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.sandbox = Sandbox(speed=1e5)
        self._do(self.sandbox.start())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    @property
    def url(self) -> str:
        return self.sandbox.url

    @property
    def arguments(self) -> list[str]:
        """Options that name it on a command line."""
        return ["--base-url", self.url, "--client-id", "sandbox-client-seqino"]

    def close(self) -> None:
        self._do(self.sandbox.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SEQINO_API_KEY", "test-key")
    monkeypatch.setattr("seqino.cli.submit.PACE", Pace(first=0.01))
    platform = Platform()
    yield platform
    platform.close()


@pytest.fixture
def seqino_command() -> Callable[..., Result]:
    """Run the command with some arguments."""

    def run(*arguments: object) -> Result:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        return Result(exit_code=done.exit_code, stdout=done.stdout, stderr=done.stderr)

    return run


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

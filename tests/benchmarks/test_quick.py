"""The benchmark runs and compares like with like; what it finds is for people to read, never asserted."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import calls, quick

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]


def test_every_figure_is_printed_with_what_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert quick.main(["--tiny"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # The difference of two that cost nearly the same may be less than nothing.
    figures = [line for line in lines if re.search(r" -?\d+\.\d\d  -?\d+\.\d\d\.\.-?\d+\.\d\d ", line)]
    asked = [re.search(r"([<>]=) (\d\.\d\d)  (\d\.\d\d)  (aim|asked|missed)", line) for line in figures]
    assert [match.groups()[:3] for match in asked if match is not None] == [
        *[(">=", "0.80", "0.95")] * 4,
        ("<=", "1.25", "1.05"),
        ("<=", "1.80", "1.50"),
        ("<=", "1.30", "1.20"),
        ("<=", "1.30", "1.10"),
        ("<=", "1.25", "1.10"),
    ]
    assert len(figures) == 14


def test_client_and_aiohttp_alone_send_the_same_bytes() -> None:
    assert asyncio.run(calls.differences()) == []


def test_contenders_that_send_other_bytes_are_not_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = calls.Raw.of

    def without_type(request: Any) -> Any:
        made = raw(request)
        made.headers.pop("Content-Type", None)
        return made

    monkeypatch.setattr(calls.Raw, "of", without_type)
    assert quick.main(["--tiny"]) == 1
    assert "not comparable: other bytes are sent by ready, typed" in capsys.readouterr().err


def test_a_figure_says_what_it_reached() -> None:
    def reached(*ratios: float, asked: tuple[str, float, float]) -> str:
        return str(quick.Figure(name="x", ratios=ratios, asked=asked)).split()[-1]

    assert reached(0.7, 0.96, 1.2, asked=(">=", 0.8, 0.95)) == "aim"
    assert reached(0.81, asked=(">=", 0.8, 0.95)) == "asked"
    assert reached(0.79, asked=(">=", 0.8, 0.95)) == "missed"
    assert reached(1.05, asked=("<=", 1.25, 1.05)) == "aim"
    assert reached(1.26, asked=("<=", 1.25, 1.05)) == "missed"


def test_the_server_ends_with_the_benchmark() -> None:
    command = [sys.executable, "-m", "benchmarks.answering"]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True)  # noqa: S603
    assert int(done.stdout) > 0

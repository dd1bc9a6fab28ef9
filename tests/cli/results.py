"""What a command said, as the tests of all commands read it."""

from __future__ import annotations

import json
from typing import Any

import attrs

__all__ = ["Result", "lines", "one_error"]


@attrs.frozen(kw_only=True)
class Result:
    """How a command ended, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def lines(result: Result) -> list[dict[str, Any]]:
    """What was written for machines."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_error(result: Result) -> str:
    """The one line on the error stream."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line

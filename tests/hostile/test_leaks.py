"""What thousands of calls leave behind, in a process of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_thousands_of_calls_leave_nothing_behind() -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.hostile.leaks", "--calls", "2000"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(  # noqa: S603 - this file's own
        command, cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    told = ended.stdout
    assert ended.returncode == 0, told + ended.stderr
    assert ended.stderr == ""
    # Enough of each kind, so that it means something.
    assert "2000 calls over 4 clients" in told
    for kind, least in {
        "done": 500,
        "cancelled": 50,
        "OutcomeUnknown": 20,
        "ResponseDecodeError": 20,
    }.items():
        found = re.search(rf"{kind} (\d+)", told)
        assert found is not None, told
        assert int(found[1]) >= least, told
    before, after = re.findall(r"left (?:before|after) +(Left\(.*\))", told)
    assert before == after

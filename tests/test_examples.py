"""The examples do what they say, run as a user would run them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from seqino.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "src" / "seqino" / "sandbox" / "invoices"


async def python(*arguments: str, cwd: Path, **environ: str) -> tuple[int, str]:
    """How Python ends in a process of its own, and what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=cwd,
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_files_are_submitted_and_each_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.xml").write_text("<notes/>")
    async with Sandbox(speed=1e6) as sandbox:
        code, said = await python(
            str(ROOT / "examples" / "submit_and_follow.py"),
            str(SAMPLES / "01-it-services-ubl.xml"),
            str(SAMPLES / "08-pharmacy-four-rates-cii.xml"),
            str(tmp_path / "notes.xml"),
            cwd=tmp_path,
            SEQINO_BASE_URL=sandbox.url,
            SEQINO_API_KEY="any-key",
            SEQINO_CLIENT_ID="sandbox-client-seqino",
        )
        assert (code, sandbox.counters.invoices_created) == (0, 2)
    lines = dict(line.split(": ", 1) for line in said.strip().splitlines())
    assert lines["01-it-services-ubl.xml"].startswith("taken as inv_")
    assert lines["01-it-services-ubl.xml"].endswith(": settled")
    assert lines["notes.xml"].startswith("not sent: notes.xml: is XML, but its root is")


@pytest.mark.parametrize("mode", ["auto", "strict"])
async def test_the_example_of_tests_passes_where_a_user_copies_it(tmp_path: Path, mode: str) -> None:
    copy = tmp_path / "test_with_sandbox.py"
    copy.write_bytes((ROOT / "examples" / copy.name).read_bytes())
    ini = f"[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\n"
    (tmp_path / "pytest.ini").write_text(ini)
    # Of the plugins of others, schemathesis takes longer to load than the tests take.
    quiet = ("-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:schemathesis")
    code, said = await python("-m", "pytest", *quiet, copy.name, cwd=tmp_path)
    assert code == 0, said
    assert f"{copy.read_text('utf-8').count('async def test_')} passed" in said

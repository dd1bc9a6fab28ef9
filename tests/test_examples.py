"""The examples do what they say, run as a user would run them."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from seqino.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "src" / "seqino" / "sandbox" / "invoices"


async def run(script: str, *arguments: str, url: str) -> tuple[int, str]:
    """What a script prints, run in a process of its own with the environment lines of the sandbox."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "examples" / script),
        *arguments,
        env={
            **os.environ,
            "SEQINO_BASE_URL": url,
            "SEQINO_API_KEY": "any-key",
            "SEQINO_CLIENT_ID": "sandbox-client-seqino",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_files_are_submitted_and_each_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.xml").write_text("<notes/>")
    async with Sandbox(speed=1e6) as sandbox:
        code, said = await run(
            "submit_and_follow.py",
            str(SAMPLES / "01-it-services-ubl.xml"),
            str(SAMPLES / "08-pharmacy-four-rates-cii.xml"),
            str(tmp_path / "notes.xml"),
            url=sandbox.url,
        )
        assert (code, sandbox.counters.invoices_created) == (0, 2)
    lines = dict(line.split(": ", 1) for line in said.strip().splitlines())
    assert lines["01-it-services-ubl.xml"].startswith("taken as inv_")
    assert lines["01-it-services-ubl.xml"].endswith(": settled")
    assert lines["notes.xml"].startswith("not sent: notes.xml: is XML, but its root is")

"""A judge that knows nothing of the project holds the sandbox against the description that it serves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from seqino.sandbox import Sandbox
from seqino.testing import SandboxThread

CONFIG = Path(__file__).with_name("schemathesis.toml")


async def _judged(sandbox: Sandbox, *arguments: str) -> tuple[int | None, str]:
    """Run schemathesis in a process of its own: it brings threads, hooks and checks for one run only."""
    command = Path(sys.executable).with_name("schemathesis")
    process = await asyncio.create_subprocess_exec(
        command,
        f"--config-file={CONFIG}",
        "run",
        f"{sandbox.url}/openapi.json",
        "--no-color",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_schemathesis_finds_nothing() -> None:
    with SandboxThread(Sandbox(speed=0, api_key="k")) as thread:
        status, output = await _judged(thread.sandbox)
    assert status == 0, output


async def test_schemathesis_finds_a_sandbox_that_takes_any_key() -> None:
    with SandboxThread(Sandbox(speed=0)) as thread:
        status, output = await _judged(thread.sandbox, "--include-path=/drafts", "--phases=coverage")
    assert status == 1, output
    assert "invalid authentication" in output

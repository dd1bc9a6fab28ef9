"""The benchmark of the sandbox runs and compares like with like; what it finds is for people to read."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from benchmarks import load, sandbox

if TYPE_CHECKING:
    import pytest


def test_every_case_is_compared_with_the_bare_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert sandbox.main(["--tiny"]) == 0
    lines = capsys.readouterr().out.splitlines()
    figures = [line for line in lines if re.search(r" \d+\.\d\d  \d+\.\d\d\.\.\d+\.\d\d ", line)]
    assert len(figures) == len(sandbox.CASES) * len(sandbox.SERVERS)
    assert all("requests/s; CPU of one: " in line for line in figures)
    assert [line.partition(":")[0] for line in figures[:: len(sandbox.SERVERS)]] == list(sandbox.CASES)


def test_refused_requests_are_no_measure() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 422 No\r\nContent-")
        await writer.drain()
        writer.write(b"Length: 2\r\n\r\nno")
        await reader.read()
        writer.close()

    async def run() -> str:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        async with server:
            try:
                await load.send(server.sockets[0].getsockname()[1], [b"GET / HTTP/1.1\r\n\r\n"], width=2)
            except RuntimeError as error:
                return str(error)
        return ""

    assert asyncio.run(run()) == "1 requests were refused"

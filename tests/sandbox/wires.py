"""What tests of the sandbox send over bare sockets, and how they wait for what gives no sign."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    import aiohttp

    from seqino.sandbox import Sandbox
    from seqino.sandbox.connections import Connection, Front

__all__ = [
    "FAULT",
    "attempt",
    "connections_of",
    "front_of",
    "no_task_is_left",
    "port_of",
    "settled",
    "until",
    "wire",
]

FAULT = "X-Sandbox-Fault"


def front_of(sandbox: Sandbox) -> Front:
    """What takes the connections of a sandbox."""
    inside: Any = sandbox
    front: Front = inside._running.api.front
    return front


def connections_of(sandbox: Sandbox) -> list[Connection]:
    """The connections that are open, as the server sees them."""
    return front_of(sandbox).connections


def port_of(sandbox: Sandbox) -> int:
    return int(sandbox.url.rpartition(":")[2])


async def attempt(
    session: aiohttp.ClientSession, sandbox: Sandbox, body: Any, asked: str = "", **options: Any
) -> Any:
    """Create a draft, and tell what comes of it: status, headers and body, or a failure."""
    headers = {"Authorization": "a-key", "X-PDP-Client-Id": "sandbox-client-seqino"}
    if asked:
        headers[FAULT] = asked
    async with session.post(f"{sandbox.url}/drafts", json=body, headers=headers, **options) as response:
        return response.status, response.headers, await response.read()


@asynccontextmanager
async def wire(
    sandbox: Sandbox, asked: str, body: bytes = b"", line: str = "GET /clients", *, more: str = ""
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Send a request with a fault over a bare socket."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    writer.write(
        f"{line} HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nX-PDP-Client-Id: sandbox-client-seqino\r\n"
        f"{FAULT}: {asked}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode()
        + body
    )
    yield reader, writer
    writer.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the server gives no other sign of."""
    async with asyncio.timeout(120):  # rather than wait for ever
        while not condition():  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)


async def settled() -> None:
    """Wait until no request is under way."""
    await until(lambda: not any("_handle_request" in str(task) for task in asyncio.all_tasks()))


async def no_task_is_left() -> None:
    """Wait until nothing runs but the test; a leftover makes it hang, and the test fail."""
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})

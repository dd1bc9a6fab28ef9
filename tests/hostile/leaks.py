"""Makes thousands of calls in a process of its own, and says what they left behind.

``python -W error -m tests.hostile.leaks --calls 10000`` ends with 1 if anything is left: sockets, file
descriptors, tasks, memory, a warning, or an exception that nobody saw.
"""

# ruff: noqa: T201 - a command that reports on the terminal

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import random
import re
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import aiohttp
import attrs

import seqino.client
from seqino import File, SeqinoClient
from seqino._core.attempts import LogicalCall
from seqino._core.runtime import Runtime
from seqino.errors import SeqinoError
from seqino.options import CallOptions
from tests.hostile.fakes import OPERATIONS, arguments
from tests.hostile.samples import document

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["Left", "main"]

AT_ONCE = 40
SEASON = 500
"""Calls over one client."""

MOST_GROWTH = 100_000
"""Bytes that the memory in use may grow by between the first quarter of the calls and the last: what is kept
must not depend on how many there were."""


@attrs.define(kw_only=True)
class Left:
    """What is there at one moment, after all clients are closed."""

    descriptors: int
    tasks: int
    connections: int
    calls: int
    sessions: int


# --- A platform that fails in every way


def _routes() -> list[tuple[str, re.Pattern[str], int, bytes]]:
    """Each operation as method and path, and how it is answered."""
    routes: list[tuple[str, re.Pattern[str], int, bytes]] = []
    for operation in OPERATIONS.values():
        path = re.compile(re.sub(r"\{[^}]+\}", "[^/?]+", operation.path) + r"(\?.*)?")
        status, form = next(iter(operation.responses.items()))
        routes.append((operation.method, path, status, b"" if form is None else document(form).text))
    return routes


class Platform(asyncio.Protocol):
    """One connection to it."""

    routes = _routes()
    chance = random.Random(7)  # noqa: S311 - to be repeated
    open_now = 0
    ends: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._data = b""
        type(self).open_now += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        type(self).open_now -= 1

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        size = int(length[1]) if length is not None else 0
        if end and len(rest) >= size:
            self._data = rest[size:]
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            self._answer(method, path)

    def _answer(self, method: str, path: str) -> None:
        _, _, status, body = next(
            route for route in self.routes if route[0] == method and route[1].fullmatch(path)
        )
        end = self.chance.choices(
            [
                "well",
                "refused",
                "busy",
                "told to wait",
                "unreadable",
                "cut",
                "reset",
                "closed",
                "no HTTP",
                "late",
            ],
            [60, 6, 6, 3, 4, 4, 4, 4, 2, 7],
        )[0]
        self.ends[end] += 1
        match end:
            case "well":
                self._send(status, body)
            case "refused":
                self._send(422, b'{"detail": [{"loc": ["body", "lines"], "msg": "no"}]}')
            case "busy":
                self._send(503, b"<html>" + b"x" * 5000)
            case "told to wait":
                self._send(429, b"{}", "Retry-After: 0")
            case "unreadable":
                self._send(status, body[: len(body) // 2])
            case "cut":
                self._write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body) + 5}\r\n\r\n".encode() + body)
                self._transport.close()
            case "reset":
                self._transport.abort()
            case "closed":
                self._transport.close()
            case "no HTTP":
                self._write(b"220 mail.example\r\n\r\n")
                self._transport.close()
            case _:
                asyncio.get_running_loop().call_later(0.02, self._send, status, body)

    def _send(self, status: int, body: bytes, *headers: str) -> None:
        if status == 204:
            self._write(b"HTTP/1.1 204 X\r\n\r\n")
            return
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
        self._write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


# --- Calls


@attrs.define
class Clock:
    """Real time, but for pauses, which are skipped."""

    skipped: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.skipped += seconds
        await asyncio.sleep(0)

    def runtime(self) -> Runtime:
        return Runtime(monotonic=lambda: time.monotonic() + self.skipped, sleep=self.sleep)


_DRAFT = arguments(OPERATIONS["create_draft"])["body"]
_MANDATE = arguments(OPERATIONS["create_mandate"])["body"]

_HURRIED = CallOptions(timeout=0.6)


def _call(client: SeqinoClient, chance: random.Random) -> Awaitable[Any]:  # noqa: PLR0911 - a table
    match chance.randrange(12):
        case 0 | 1:
            return client.drafts.create(_DRAFT)
        case 2:
            return client.drafts.replace("d-1", _DRAFT)
        case 3:
            return client.drafts.delete("d-1")
        case 4:
            return client.drafts.validate("d-1")
        case 5:
            return client.invoicing.submit_file(File(name="a.xml", content=b"<a/>" * 5000))
        case 6:
            return client.submit(_DRAFT)
        case 7:
            return client.drafts.get("d-1", options=_HURRIED)
        case 8:
            return _read_raw(client)
        case 9:
            return client.for_client("another").mandates.create(_MANDATE)
        case _:
            return client.drafts.get("d-1")


async def _read_raw(client: SeqinoClient) -> object:
    # Made in here: a coroutine given to one that is cancelled before it begins would be awaited by nobody.
    return await client.raw(client.drafts.get("d-1"))


async def _one(client: SeqinoClient, chance: random.Random, told: Counter[str]) -> None:
    task = asyncio.ensure_future(_call(client, chance))
    try:
        if chance.random() < 0.1:
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                await asyncio.sleep(chance.uniform(0, 0.004))
            task.cancel()
        await task
        told["done"] += 1
    except asyncio.CancelledError:
        told["cancelled"] += 1
    except SeqinoError as error:
        told[type(error).__name__] += 1


async def _season(number: int, calls: int, url: str, told: Counter[str]) -> None:
    """One client, its own or another's session, and its calls."""
    chance = random.Random(number)  # noqa: S311 - to be repeated
    session = aiohttp.ClientSession() if number % 3 == 2 else None
    limits: dict[str, Any] = {"max_concurrency": 20} if number % 2 else {}
    async with SeqinoClient(
        "key", client_id="c-1", base_url=url, timeout=300, session=session, on_event=lambda _: None, **limits
    ) as client:
        left = calls

        async def work() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                await _one(client, chance, told)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    if session is not None:
        await session.close()


def _descriptors() -> int:
    """How many files and sockets the process has open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


async def _all_closed() -> None:
    """Wait until the server has seen the end of each connection, or for a minute."""
    for _ in range(12_000):
        await asyncio.sleep(0.005)
        if Platform.open_now == 0:
            break


async def _left() -> Left:
    """What is there once everything had the time to end."""
    await _all_closed()
    gc.collect()
    things = gc.get_objects()
    return Left(
        descriptors=_descriptors(),
        tasks=len(asyncio.all_tasks()),
        connections=Platform.open_now,
        calls=sum(isinstance(thing, LogicalCall) for thing in things),
        sessions=sum(isinstance(thing, aiohttp.ClientSession) for thing in things),
    )


# --- The command


async def _run(calls: int) -> bool:
    unseen: list[str] = []
    sys.unraisablehook = lambda told: unseen.append(f"{told.exc_value!r} in {told.object!r}")
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: unseen.append(str(context)))
    module: Any = seqino.client
    module.Runtime = Clock().runtime
    server = await loop.create_server(Platform, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    told: Counter[str] = Counter()
    seasons = max(4, round(calls / SEASON))
    # What is made once, such as the decoders of models, is made now.
    await _season(-1, SEASON // 2, url, Counter())
    before = await _left()
    used: list[int] = []
    began = time.monotonic()
    tracemalloc.start()
    for number in range(seasons):
        await _season(number, calls // seasons, url, told)
        # The server's part lives in the same memory.
        await _all_closed()
        gc.collect()
        used.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    after = await _left()
    server.close()
    await server.wait_closed()
    # A table of Python's own that doubles is as large as thousands of calls, once. What is kept of each call
    # grows again and again.
    once = max(later - earlier for earlier, later in itertools.pairwise(used))
    growth = min(used[-(seasons // 4) :]) - min(used[: seasons // 4]) - max(once, 0)
    print(f"{told.total()} calls over {seasons} clients in {time.monotonic() - began:.1f} s: {_listed(told)}")
    print(f"the server's part: {_listed(Platform.ends)}")
    print(f"left before {before}")
    print(f"left after  {after}")
    print(f"memory grew by {growth} bytes, {len(unseen)} things were told to nobody")
    for text in unseen[:20]:
        print(f"  {text}")
    return before == after and growth < MOST_GROWTH and not unseen


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def main() -> int:
    """Make the calls, and say what is left."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    return 0 if asyncio.run(_run(parser.parse_args().calls)) else 1


if __name__ == "__main__":
    sys.exit(main())

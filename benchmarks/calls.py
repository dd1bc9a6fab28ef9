"""Calls of the client beside the same requests sent by aiohttp alone, in one process and one loop.

Each round times all contenders in small batches of a shuffled order, so that whatever else the machine does
falls on all of them alike, and only ratios within a round are compared.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import attrs
from yarl import URL

from benchmarks.answering import serve
from benchmarks.codec import invoice
from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, resolve
from seqino._core.request import build_request
from seqino._generated.operations import CREATE_DRAFT, VALIDATE_DRAFT
from seqino._generated.tables import CONSTRAINTS, WIRE_NAMES
from seqino.client import SeqinoClient
from seqino.models import InvoiceDraft

if TYPE_CHECKING:
    from seqino._core.request import Request

__all__ = ["Batch", "Cost", "Raw", "contend", "differences"]

_ROOT = Path(__file__).parents[1]
KEY, CLIENT_ID, DRAFT_ID = "benchmark-key", "benchmark-client", "drf_01J9ZK4R7Q"

Call: TypeAlias = Callable[[], Awaitable[object]]


class _Ready(Codec):
    """A codec that costs nothing: bytes stay bytes."""

    def encode(self, value: Any, type: Any, *, extra: Any = None) -> bytes:  # noqa: A002, ARG002
        ready: bytes = value
        return ready

    def decode(self, data: bytes, type: Any) -> Any:  # noqa: A002, ARG002
        return data


@attrs.frozen
class Cost:
    """What a call took on average, in seconds."""

    wall: float
    cpu: float


Batch: TypeAlias = dict[str, Cost]
"""The cost of each contender in one round."""


@attrs.frozen
class Raw:
    """What aiohttp alone sends: URL, headers and body of one request, all made before."""

    url: URL
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, request: Request) -> Raw:
        """Take them over from a request of the client."""
        headers = {**request.headers, "Authorization": KEY}
        return cls(URL(request.url, encoded=True), headers, request.body or b"")


async def _send(session: aiohttp.ClientSession, raw: Raw) -> bytes:
    skipped = None if raw.body else ("Content-Type",)
    async with session.post(
        raw.url, data=raw.body, headers=raw.headers, allow_redirects=False, skip_auto_headers=skipped
    ) as response:
        return await response.read()


@contextlib.asynccontextmanager
async def _contenders(port: int, width: int) -> AsyncGenerator[dict[str, Call]]:
    """Give each way to make the same call, all over connections of their own."""
    config = resolve(api_key=KEY, client_id=CLIENT_ID, base_url=f"http://127.0.0.1:{port}")
    codec = Codec(CONSTRAINTS, WIRE_NAMES)
    draft: InvoiceDraft = codec.decode(invoice(), InvoiceDraft)
    body = codec.encode(draft, InvoiceDraft)
    creation, validation = _requests(config, codec, draft)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=width),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )
    engine = CallEngine(config, _Ready())
    client = SeqinoClient(KEY, client_id=CLIENT_ID, base_url=config.base_url)

    async def aiohttp_submit() -> object:
        await _send(session, creation)
        return await _send(session, validation)

    async with session, client, contextlib.aclosing(engine):
        yield {
            "aiohttp": lambda: _send(session, creation),
            "ready": lambda: engine.call(CREATE_DRAFT, body=body),
            "typed": lambda: client.drafts.create(draft),
            "aiohttp submit": aiohttp_submit,
            "typed submit": lambda: client.submit(draft),
        }


def _requests(config: Config, codec: Codec, draft: InvoiceDraft) -> tuple[Raw, Raw]:
    """The two requests of a submission, as the client makes them."""
    creation = build_request(CREATE_DRAFT, config=config, codec=codec, parameters={}, body=draft)
    parameters = {"draft_id": DRAFT_ID}
    validation = build_request(VALIDATE_DRAFT, config=config, codec=codec, parameters=parameters)
    return Raw.of(creation), Raw.of(validation)


async def _batch(call: Call, *, width: int, calls: int) -> Cost:
    """Make calls with some workers on one iterator."""

    async def work() -> None:
        for _ in numbers:
            await call()

    numbers = iter(range(calls))
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(width)))
    return Cost((time.perf_counter() - wall) / calls, (time.process_time() - cpu) / calls)


async def _rounds(
    port: int, names: tuple[str, ...], *, width: int, rounds: int, batches: int, calls: int
) -> list[Batch]:
    """Give the cost of each contender, round by round; a first one, which opens connections, is left out."""
    taken: list[Batch] = []
    async with _contenders(port, width) as contenders:
        for _ in range(rounds + 1):
            costs: dict[str, list[Cost]] = {name: [] for name in names}
            for _ in range(batches):
                for name in random.sample(names, len(names)):
                    costs[name].append(await _batch(contenders[name], width=width, calls=calls))
            taken.append({name: _sum(each) for name, each in costs.items()})
    return taken[1:]


def _sum(costs: list[Cost]) -> Cost:
    return Cost(sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs))


@contextlib.contextmanager
def _server() -> Generator[int]:
    """A server in a process of its own, by its port."""
    command = [sys.executable, "-m", "benchmarks.answering"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - asked for above
        assert process.stdin is not None  # noqa: S101
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def contend(names: tuple[str, ...], *, width: int, rounds: int, batches: int, calls: int) -> list[Batch]:
    """Time contenders against each other.

    Args:
        names: Which: "aiohttp", "ready", "typed", "aiohttp submit", "typed submit".
        width: How many calls are under way at a time.
        rounds: How many results are wanted.
        batches: How many batches of each contender make up a round.
        calls: How many calls make up a batch.
    """
    # What is imported by now is no garbage, and need not be looked through before each batch.
    gc.collect()
    gc.freeze()
    try:
        with _server() as port:
            return asyncio.run(_rounds(port, names, width=width, rounds=rounds, batches=batches, calls=calls))
    finally:
        gc.unfreeze()


async def differences() -> list[str]:
    """Say which contenders do not send the bytes that aiohttp alone sends, but for the order of headers."""
    heard: list[bytes] = []
    server, port = await serve(heard.append)
    sent: dict[str, list[tuple[list[bytes], bytes]]] = {}
    async with server, _contenders(port, 1) as contenders:
        for name, call in contenders.items():
            await call()
            sent[name] = [_parts(request) for request in heard]
            heard.clear()
    return [
        name
        for name, requests in sent.items()
        if requests != sent["aiohttp submit" if name.endswith("submit") else "aiohttp"]
    ]


def _parts(request: bytes) -> tuple[list[bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    return sorted(head.split(b"\r\n")), body

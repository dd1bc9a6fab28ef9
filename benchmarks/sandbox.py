"""How fast the sandbox is, beside a bare aiohttp server that gives the same answers without any thought.

``python -m benchmarks.sandbox [--quick]`` runs each server in a process of its own and sends all of them the
same requests in rounds of a shuffled order: the sandbox in memory, with a state file, with limits, and the
bare one. It prints the ratio of requests a second, the median over rounds with the least and the greatest.
Nothing is asserted: a busy machine is no fault.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import importlib.resources
import json
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import attrs
from aiohttp import web

from benchmarks.codec import SAMPLE, invoice
from benchmarks.load import fetch, time_of
from benchmarks.quick import Figure
from seqino.sandbox import Sandbox

__all__ = ["main"]

_ROOT = Path(__file__).parents[1]
_CLIENT = "sandbox-client-seqino"
_FILE, _NUMBER = "01-it-services-ubl.xml", b"ANR-2026-0412"
_BARE = "bare"
SERVERS = ("sandbox", "with a state file", "with limits")
CASES = ("POST /drafts, 8 kB", "validate a draft", "GET a draft", "GET events of one", "submit a file")


@attrs.frozen
class Cost:
    """What a request took on average, in seconds: until it was answered, and of the server's CPU time."""

    wall: float
    cpu: float


Costs: TypeAlias = dict[tuple[str, str], Cost]
"""The cost by server and case, in one round."""


@attrs.frozen(kw_only=True)
class Effort:
    """How much is measured: the more, the narrower the ratios."""

    rounds: int
    requests: int
    width: int = 16


FULL = Effort(rounds=9, requests=1500)
QUICK = Effort(rounds=3, requests=500)
TINY = Effort(rounds=1, requests=20, width=4)


# --- Requests


@functools.cache
def _sample(name: str) -> bytes:
    return importlib.resources.files("seqino.sandbox").joinpath("invoices", name).read_bytes()


def _draft() -> bytes:
    """The codec's draft, with amounts that add up, so that it can be validated."""
    draft = json.loads(invoice())
    for line in draft["lines"][len(json.loads(_sample(SAMPLE))["lines"]) :]:
        line["line_net_amount"] = "0.00"
    return json.dumps(draft, ensure_ascii=False, separators=(",", ":")).encode()


def _request(case: str, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    head = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Authorization: a-key",
        f"X-PDP-Client-Id: {_CLIENT}",
        f"X-Case: {case}",
        *((f"Content-Type: {kind}", f"Content-Length: {len(body)}") if body else ()),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def _file(number: int) -> bytes:
    """A request that submits an invoice file with a number of its own; all have the same length."""
    xml = _sample(_FILE).replace(_NUMBER, b"ANR-%08d" % number)
    said = b'form-data; name="file"; filename="invoice.xml"'
    part = b"Content-Disposition: %b\r\nContent-Type: application/xml" % said
    body = b"--b\r\n%b\r\n\r\n%b\r\n--b--\r\n" % (part, xml)
    return _request(CASES[4], "POST", "/invoicing/files/submit", body, "multipart/form-data; boundary=b")


@attrs.frozen
class Plan:
    """The requests of each case; the first one makes what the others need."""

    create: bytes
    invoice_id: str
    draft_ids: Sequence[str]

    def requests(self, case: str, count: int) -> Iterable[bytes]:
        """Give the requests of a case."""
        if case == CASES[0]:
            return [self.create] * count
        if case == CASES[1]:
            return [_request(case, "POST", f"/drafts/{one}/validate") for one in self.draft_ids]
        if case == CASES[2]:
            return [_request(case, "GET", f"/drafts/{self.draft_ids[0]}")] * count
        if case == CASES[3]:
            path = f"/lifecycle-events?object_type=invoice&object_id={self.invoice_id}"
            return [_request(case, "GET", path)] * count
        return map(_file, range(count))


def _plan(port: int, effort: Effort) -> Plan:
    """Let a sandbox forget everything, and make an invoice with a history and drafts to validate."""
    create = _request(CASES[0], "POST", "/drafts", _draft())
    fetch(port, [_request("", "POST", "/_sandbox/reset")])
    (first,) = _ids(fetch(port, [create]))
    (issued,) = fetch(port, [_request("", "POST", f"/drafts/{first}/validate")])
    fetch(port, [_request("", "POST", "/_sandbox/clock", b'{"advance": 3600}')])
    drafts = _ids(fetch(port, [create] * effort.requests, width=effort.width))
    return Plan(create, _body(issued)["invoice_id"], drafts)


def _body(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def _ids(answers: Iterable[bytes]) -> list[str]:
    return [_body(answer)["draft_id"] for answer in answers]


# --- Servers

Recorded: TypeAlias = tuple[int, dict[str, str], str]
"""Status, headers and body of an answer."""


async def _serve(kind: str) -> None:
    """Be one of the servers until standard input is closed; its port is the first line that is printed."""
    with tempfile.TemporaryDirectory() as folder:
        async with contextlib.AsyncExitStack() as stack:
            if kind == _BARE:
                port = await _bare(stack, json.loads(sys.stdin.readline()))
            else:
                sandbox = Sandbox(
                    state=Path(folder) / "sandbox.state" if kind == SERVERS[1] else None,
                    limits={"minute": 10**9, "month": 10**9, "/drafts": {"hour": 10**9}}
                    if kind == SERVERS[2]
                    else None,
                )
                await stack.enter_async_context(sandbox)
                port = int(sandbox.url.rpartition(":")[2])
            print(port, flush=True)
            await asyncio.to_thread(_tell_cpu_time)


def _tell_cpu_time() -> None:
    """Answer each line with the CPU time of this process so far, in seconds."""
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


async def _bare(stack: contextlib.AsyncExitStack, recorded: dict[str, Recorded]) -> int:
    """Answer by the header ``X-Case`` what a sandbox answered, once the request is read whole."""
    answers = {case: (status, headers, body.encode()) for case, (status, headers, body) in recorded.items()}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        status, headers, body = answers[request.headers["X-Case"]]
        return web.Response(status=status, headers=headers, body=body)

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return int(runner.addresses[0][1])


@attrs.frozen
class Server:
    """A server in a process of its own."""

    port: int
    process: subprocess.Popen[str]

    def cpu(self) -> float:
        """Return its CPU time so far, in seconds."""
        assert self.process.stdout is not None  # noqa: S101 - asked for where it was started
        assert self.process.stdin is not None  # noqa: S101
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@contextlib.contextmanager
def _server(kind: str, *lines: str) -> Generator[Server]:
    command = [sys.executable, "-m", "benchmarks.sandbox", "--serve", kind]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=_ROOT) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - asked for above
        assert process.stdin is not None  # noqa: S101
        try:
            process.stdin.writelines(f"{line}\n" for line in lines)
            process.stdin.flush()
            yield Server(int(process.stdout.readline()), process)
        finally:
            process.stdin.close()


def _record(port: int) -> str:
    """Record a sandbox's answer to each case, for the bare server to repeat; Date and lengths follow."""
    plan = _plan(port, Effort(rounds=1, requests=1))
    recorded: dict[str, Recorded] = {}
    for case in CASES:
        (answer,) = fetch(port, plan.requests(case, 1))
        head, _, body = answer.decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        for name in ("Date", "Content-Length"):
            del headers[name]
        recorded[case] = int(status.split()[1]), headers, body
    return json.dumps(recorded)


# --- Rounds


def _round(servers: Mapping[str, Server], effort: Effort) -> Costs:
    """Time every case on every server, in a shuffled order."""
    costs: Costs = {}
    plans = {name: _plan(servers[name].port, effort) for name in SERVERS}
    plans[_BARE] = plans[SERVERS[0]]
    for case in CASES[2:] + CASES[:2]:  # a draft is read before it is issued
        for name in random.sample(list(servers), len(servers)):
            requests = list(plans[name].requests(case, effort.requests))
            before = servers[name].cpu()
            wall = time_of(servers[name].port, requests, width=effort.width)
            cpu = servers[name].cpu() - before
            costs[name, case] = Cost(wall / len(requests), cpu / len(requests))
    return costs


def figures(effort: Effort) -> Iterable[Figure]:
    """Measure; a first round, which warms everything up, is left out."""
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(name)) for name in SERVERS}
        servers[_BARE] = stack.enter_context(_server(_BARE, _record(servers[SERVERS[0]].port)))
        taken = [_round(servers, effort) for _ in range(effort.rounds + 1)][1:]
    for case in CASES:
        for name in SERVERS:
            pairs = [(each[name, case], each[_BARE, case]) for each in taken]
            yield Figure(
                name=f"{case}: {name}" if name == SERVERS[0] else f"  {name}",
                ratios=[bare.wall / ours.wall for ours, bare in pairs],
                note=f"{statistics.median(1 / ours.wall for ours, _ in pairs):,.0f} requests/s; CPU of one: "
                f"{statistics.median(ours.cpu for ours, _ in pairs) * 1e6:,.0f} µs, "
                f"{statistics.median(ours.cpu / bare.cpu for ours, bare in pairs):.1f} times as much",
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 30 s: wider ratios")
    parser.add_argument("--tiny", action="store_true", help="only to see that all of it runs")
    parser.add_argument("--serve", choices=[*SERVERS, _BARE], help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.serve is not None:
        asyncio.run(_serve(given.serve))
        return 0
    effort = TINY if given.tiny else QUICK if given.quick else FULL
    start = time.monotonic()
    print(
        f"Python {platform.python_version()}, aiohttp {aiohttp.__version__}; requests a second over those of "
        f"a bare aiohttp server with the same answers, {effort.rounds} rounds, {effort.width} at a time"
    )
    print(f"{'':<52} {'ratio':>5}  {'least..most':<12}  {'':<24}  here")
    for figure in figures(effort):
        print(figure, flush=True)
    print(f"{time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

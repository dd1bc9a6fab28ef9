"""From an HTTP request to its answer: route, judge, play. It answers at the root and under ``/api``."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import attrs
from aiohttp import web
from aiohttp.multipart import BodyPartReader

from seqino.sandbox.description import Operation
from seqino.sandbox.faults import HEADER as FAULT_HEADER
from seqino.sandbox.faults import Fault, reset
from seqino.sandbox.judge import Refusal, Unprocessable, authenticate, parameters, parse_body, problems
from seqino.sandbox.operations import Answer, Call, Upload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from decimal import Decimal

    from seqino.sandbox.control import Control
    from seqino.sandbox.description import Description
    from seqino.sandbox.faults import Faults
    from seqino.sandbox.operations import Operations
    from seqino.sandbox.world import World

__all__ = ["LARGEST_BODY", "App"]

LARGEST_BODY = 32 * 2**20
"""Bytes of the largest request body that is read."""

_CONTROL = "/_sandbox/"
_HEALTH = "GET /health"
"""The one operation without a key; its body is ``null``, as in the public example."""


@attrs.define(eq=False)
class _Route:
    """The operations at one path, by method."""

    segments: tuple[str, ...]
    methods: dict[str, Operation] = attrs.field(factory=dict[str, "Operation"])

    def match(self, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path parameters, if these are the segments of such a path."""
        found: dict[str, str] = {}
        for ours, theirs in zip(self.segments, segments, strict=True):
            if ours.startswith("{"):
                found[ours[1:-1]] = theirs
            elif ours != theirs:
                return None
        return found


class Routes:
    """Finds the operation of a path; a fixed path goes before a template that would match it too."""

    def __init__(self, description: Description) -> None:
        self._by_length: dict[int, list[_Route]] = {}
        routes: dict[str, _Route] = {}
        for operation in description.operations:
            route = routes.get(operation.path)
            if route is None:
                route = routes[operation.path] = _Route(tuple(operation.path.strip("/").split("/")))
                self._by_length.setdefault(len(route.segments), []).append(route)
            route.methods[operation.method] = operation
        for alike in self._by_length.values():
            alike.sort(key=lambda route: sum(one.startswith("{") for one in route.segments))

    def find(self, raw_path: str) -> tuple[_Route, dict[str, str]] | None:
        """Return the route of a path and its parameters, ``/api`` in front or not."""
        segments = tuple(unquote(one) for one in raw_path.strip("/").split("/"))
        if segments[0] == "api":
            segments = segments[1:]
        for route in self._by_length.get(len(segments), ()):
            found = route.match(segments)
            if found is not None:
                return route, found
        return None


class App:
    """The handler of every request.

    Args:
        description: What requests are judged by.
        world: What they act on.
        operations: What they do.
        control: The sandbox's own API, under ``/_sandbox/``.
        faults: Faults planned for coming requests.
        api_key: The one key that is taken; any but ``invalid`` when ``None``.
    """

    def __init__(
        self,
        *,
        description: Description,
        world: World,
        operations: Operations,
        control: Control,
        faults: Faults,
        api_key: str | None,
    ) -> None:
        self._world = world
        self._operations = operations
        self._control = control
        self._faults = faults
        self._api_key = api_key
        self._routes = Routes(description)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let go of every request that hangs on request of a fault."""
        self._stopping.set()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        path = request.rel_url.raw_path
        if path.startswith(_CONTROL):
            return await self._guarded(self._control.answer(request, path.removeprefix(_CONTROL)))
        self._world.counters.requests += 1
        return await self._guarded(self._play(request, path))

    async def _guarded(self, answering: Awaitable[Answer | web.StreamResponse]) -> web.StreamResponse:
        """Turn a refusal into its answer."""
        try:
            answer = await answering
        except Refusal as refusal:
            return self._error(refusal.status, refusal.message, refusal.headers)
        except Unprocessable as refusal:
            return _respond(422, {"detail": refusal.details})
        except web.HTTPRequestEntityTooLarge:
            return self._error(413, f"a request body may have {LARGEST_BODY} bytes")
        return answer if isinstance(answer, web.StreamResponse) else _respond(answer.status, answer.body)

    async def _play(self, request: web.BaseRequest, path: str) -> Answer | web.StreamResponse:
        operation, in_path = self._routed(request.method, path)
        fault = self._fault(request, operation)
        if fault is not None and not fault.after:
            return await self._break(request, fault)
        answer = await self._effect(request, operation, in_path)
        return answer if fault is None else await self._break(request, fault)

    def _routed(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        found = self._routes.find(path)
        if found is None:
            raise Refusal(404, f"there is nothing at {path}")
        route, in_path = found
        if method not in route.methods:
            allowed = ", ".join(sorted(route.methods))
            raise Refusal(405, f"{path} takes {allowed}", headers={"Allow": allowed})
        return route.methods[method], in_path

    async def _effect(
        self, request: web.BaseRequest, operation: Operation, in_path: Mapping[str, str]
    ) -> Answer:
        if operation.key == _HEALTH:
            return Answer(200)
        key = authenticate(request.headers.get("Authorization"), only=self._api_key)
        play = self._operations.table.get(operation.key)
        if play is None:
            raise Refusal(404, f"this sandbox does not play {operation.name} yet")
        places = {"path": in_path, "query": request.rel_url.query, "header": request.headers}
        values, details = parameters(operation, {**places, "cookie": request.cookies})
        body, file = None, None
        if operation.body is not None:
            body = parse_body(
                await request.read(), request.content_type if "Content-Type" in request.headers else ""
            )
            details.extend(problems(operation.body, body, ["body"]))
        elif operation.media_type is not None:
            file = await _upload(request)
        if details:
            raise Unprocessable(details)
        answer = play(Call(sponsor=self._world.sponsor(key), parameters=values, body=body, file=file))
        # Before the answer: what was acknowledged is kept.
        self._world.commit()
        return answer

    def _fault(self, request: web.BaseRequest, operation: Operation) -> Fault | None:
        name = request.headers.get(FAULT_HEADER)
        if name is None:
            return self._faults.next(operation.key)
        try:
            return Fault.parse(name)
        except ValueError as error:
            raise Refusal(400, str(error)) from None

    async def _break(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        self._world.counters.faults += 1
        if fault.kind == "status":
            return self._error(fault.status, f"{fault.name} was asked for")
        if fault.kind == "hang":
            await self._stopping.wait()
        reset(request.transport)
        # The connection is gone, so that this goes nowhere; the server wants an answer to drop.
        return web.Response(status=500)

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
        body = {"error": message, "code": status, "trace_id": self._world.new_trace()}
        return _respond(status, body, headers)


async def _upload(request: web.BaseRequest) -> Upload | None:
    """Read the part ``file`` of a multipart request; ``None`` where there is none."""
    if not request.content_type.startswith("multipart/"):
        await request.read()
        return None
    found = None
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.name == "file" and part.filename is not None:
                found = Upload(part.filename, bytes(await part.read(decode=True)))
    except ValueError as error:
        raise Refusal(400, f"a multipart body that cannot be read: {error}") from None
    return found


def _respond(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    if status == 204:  # noqa: PLR2004 - an answer without a body
        return web.Response(status=status)
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_number)
    # A header can hold bytes that are no UTF-8, and an error may quote it.
    return web.Response(
        status=status, body=data.encode(errors="replace"), content_type="application/json", headers=headers
    )


def _number(value: Decimal) -> float | str:
    """Write a fraction in a field that the description does not know; what no float can hold becomes text."""
    number = float(value)
    return number if math.isfinite(number) else str(value)

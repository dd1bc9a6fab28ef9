"""From an HTTP request to its answer: route, judge, play. It answers at the root and under ``/api``."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

import attrs
import msgspec
from aiohttp import web

from seqino.sandbox.connections import CONTROL, Connection
from seqino.sandbox.description import Operation
from seqino.sandbox.errors import SandboxError
from seqino.sandbox.faults import HEADER as FAULT_HEADER
from seqino.sandbox.judge import Refusal, Unprocessable, authenticate, cut, parameters, parse_body, problems
from seqino.sandbox.operations import Answer, Call
from seqino.sandbox.operations.base import CLIENT_HEADER
from seqino.sandbox.published import PATH as OPENAPI
from seqino.sandbox.published import published
from seqino.sandbox.replies import REDIRECTS, Form, Reply
from seqino.sandbox.room import NoRoom, Room
from seqino.sandbox.staging import Staged
from seqino.sandbox.uploads import read_upload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from seqino.sandbox.control import Control
    from seqino.sandbox.description import Description
    from seqino.sandbox.fault_plays import Play
    from seqino.sandbox.faults import Faults
    from seqino.sandbox.metering import Meter
    from seqino.sandbox.operations import Operations
    from seqino.sandbox.world import World

__all__ = ["LARGEST_BODY", "App", "Refuse"]

LARGEST_BODY = 32 * 2**20
"""Bytes of the largest request body that is read."""

_ROOM = 4 * LARGEST_BODY
"""Bytes of large bodies that are held at once: read, each takes several times as much memory."""

_PATIENCE = 30.0
"""Seconds that a large body waits for room."""

_TOO_LARGE = f"a request body may have {LARGEST_BODY} bytes"
_JSON = (("Content-Type", "application/json"),)
_json = msgspec.json.Encoder(decimal_format="number")

_log = logging.getLogger("seqino.sandbox")

_HEALTH = "GET /health"
"""The one operation without a key; its body is ``null``, as in the public example."""


Refuse: TypeAlias = "Callable[[int, str], web.Response]"
"""Writes an answer of the platform's own error shape: a status, and what is wrong."""

_Hold: TypeAlias = "Callable[[], Awaitable[None]]"
"""Waits, between the judgement of a request and its effect."""


_Answered: TypeAlias = "Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]"


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
        meter: Counts the calls of clients, and keeps their limits.
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
        meter: Meter,
        api_key: str | None,
    ) -> None:
        self._world = world
        self._operations = operations
        self._control = control
        self._faults = faults
        self._meter = meter
        self._api_key = api_key
        self._routes = Routes(description)
        self._description = description
        self._room = Room(_ROOM, _PATIENCE)
        self._stopping: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def stop(self) -> None:
        """Let go of every request that a fault keeps waiting."""
        self._stopping.set_result(None)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        return await self._guarded(request, self._answered)

    async def handle_control(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request on the port that is for the control API alone."""
        return await self._guarded(request, self._answered_control)

    async def _guarded(self, request: web.BaseRequest, answered: _Answered) -> web.StreamResponse:
        size = request.content_length
        if size is None:  # nobody knows before all of it is there
            size = LARGEST_BODY if request.can_read_body else 0
        elif size > LARGEST_BODY:
            return self.refuse(413, _TOO_LARGE)
        try:
            async with self._room.taken(size):
                refused = await self._checked(request)
                return await answered(request) if refused is None else refused
        except NoRoom as error:
            return _respond(self._error(503, str(error)).having(("Retry-After", "1")))
        except (ConnectionError, web.RequestPayloadError) as error:
            # The caller has left, or its body cannot be read on: the connection is of no more use.
            response = self.refuse(400, f"a body that cannot be read: {error}")
            response.force_close()
            return response
        except Exception:  # noqa: BLE001 - whatever fails is answered, and logged with all that is known
            _log.exception("%s %s failed: this is a fault of the sandbox", request.method, request.path)
            return self.refuse(500, "the sandbox itself failed; its log says how")
        finally:
            # Else what comes next is still of this request, and aiohttp drops it or closes the connection.
            if isinstance(request.protocol, Connection) and request.content.is_eof():
                request.protocol.is_used = False

    async def _checked(self, request: web.BaseRequest) -> web.StreamResponse | None:
        """Return the refusal of what is refused wherever it leads."""
        if request.method == "CONNECT":
            response = self.refuse(502, "the sandbox is no proxy")
            response.force_close()
            return response
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._world.failure is not None:
            return self.refuse(503, self._world.failure)
        return None

    async def _answered_control(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path.startswith(CONTROL):
            return _respond(await self._settled(self._controlled(request, path.removeprefix(CONTROL))))
        return self.refuse(404, f"there is nothing at {path}: on this port only {CONTROL} answers")

    async def _answered(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if path.startswith(CONTROL):
            return await self._answered_control(request)
        if path.removeprefix("/api") == OPENAPI:
            return web.Response(body=self._published, content_type="application/json")
        self._world.counters.requests += 1
        return await self._play(request, path)

    @cached_property
    def _published(self) -> bytes:
        return published(self._description)

    def refuse(self, status: int, message: str) -> web.Response:
        """Return an answer of the platform's own error shape."""
        return _respond(self._error(status, message))

    async def _settled(self, answering: Awaitable[Answer]) -> Reply:
        """Turn an answer or a refusal into what is sent."""
        try:
            answer = await answering
        except web.HTTPRequestEntityTooLarge:
            return self._error(413, _TOO_LARGE)
        except SandboxError as error:
            return self._error(503, str(error))
        except (Refusal, Unprocessable) as refusal:
            return self._refused(refusal)
        return _reply(answer.status, answer.body)

    def _refused(self, refusal: Refusal | Unprocessable) -> Reply:
        if isinstance(refusal, Unprocessable):
            return _reply(422, {"detail": refusal.details})
        return self._error(refusal.status, refusal.message).having(*refusal.headers.items())

    async def _play(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        try:
            operation, in_path = self._routed(request.method, path)
            play = self._fault(request, operation)
        except Refusal as refusal:
            return _respond(self._refused(refusal))
        perform = partial(self._performed, request, operation, in_path)
        if play is None:
            return _respond(await self._settled(perform()))
        return await self._break(request, operation, perform, play)

    def _routed(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        found = self._routes.find(path)
        if found is None:
            hint = f"GET {OPENAPI} tells what there is, and GET {CONTROL} how the sandbox is controlled"
            raise Refusal(404, f"there is nothing at {path}; {hint}")
        route, in_path = found
        if method not in route.methods:
            allowed = ", ".join(sorted(route.methods))
            raise Refusal(405, f"{path} takes {allowed}", headers={"Allow": allowed})
        return route.methods[method], in_path

    async def _controlled(self, request: web.BaseRequest, name: str) -> Answer:
        answer = await self._control.answer(request, name)
        self._world.commit()
        return answer

    async def _performed(
        self,
        request: web.BaseRequest,
        operation: Operation,
        in_path: Mapping[str, str],
        hold: _Hold | None = None,
    ) -> Answer:
        """Judge a request, wait, let it have its effect, and keep that: then it may be acknowledged."""
        if operation.key == _HEALTH:
            if hold is not None:
                await hold()
            return Answer(200)
        key = authenticate(request.headers.get("Authorization"), only=self._api_key)
        sponsor = self._world.sponsor(key)
        with self._meter.metered(sponsor, request.headers.get(CLIENT_HEADER), operation) as metered:
            act = await self._judged(request, operation, in_path, key)
            if hold is not None:
                await hold()
            answer = act()
            metered.status = answer.status
        self._world.commit()
        return answer

    async def _judged(
        self, request: web.BaseRequest, operation: Operation, in_path: Mapping[str, str], key: str
    ) -> Callable[[], Answer]:
        """Read and judge a request; return what has its effect, and answers it."""
        play = self._operations.table.get(operation.key)
        if play is None:
            raise Refusal(404, f"this sandbox does not play {operation.name}")
        places = {"path": in_path, "query": request.rel_url.query, "header": request.headers}
        values, details = parameters(operation, {**places, "cookie": request.cookies})
        body, file = None, None
        if operation.body is not None:
            body = parse_body(
                await request.read(), request.content_type if "Content-Type" in request.headers else ""
            )
            details.extend(problems(operation.body, body, ["body"]))
        elif operation.media_type is not None:
            file = await read_upload(request)
        if details:
            raise Unprocessable(details)
        # The sponsor is looked for once more: a reset may have come while the body did.
        return lambda: play(Call(sponsor=self._world.sponsor(key), parameters=values, body=body, file=file))

    def _fault(self, request: web.BaseRequest, operation: Operation) -> Play | None:
        asked = request.headers.get(FAULT_HEADER)
        if asked is None:
            client_id = request.headers.get(CLIENT_HEADER)
            return self._faults.take("request", operation=operation.key, client_id=client_id)
        try:
            return self._faults.asked(asked, operation.key)
        except ValueError as error:
            raise Refusal(400, str(error)) from None

    async def _break(
        self,
        request: web.BaseRequest,
        operation: Operation,
        performed: Callable[[_Hold | None], Awaitable[Answer]],
        play: Play,
    ) -> web.StreamResponse:
        """Play a fault on a request."""
        target = request.rel_url.raw_path_qs

        def of(reply: Reply) -> Reply:
            schema = operation.responses.get(reply.status)
            form = None if schema is None else Form(schema, self._description.resolve)
            return attrs.evolve(reply, form=form)

        def error(status: int) -> Reply:
            reply = of(self._error(status, f"{play.name} was asked for"))
            return reply.having(("Location", target)) if status in REDIRECTS else reply

        async def perform(effect: bool, hold: _Hold | None) -> Reply:  # noqa: FBT001 - two words for two moments
            if effect:
                return of(await self._settled(performed(hold)))
            return of(_reply(min(operation.responses), {}))

        stage = Staged(request, perform=perform, error=error, faults=self._faults, stopping=self._stopping)
        return await stage.play(play)

    def _error(self, status: int, message: str) -> Reply:
        return _reply(status, {"error": cut(message), "code": status, "trace_id": self._world.new_trace()})


def _reply(status: int, body: Any) -> Reply:
    if status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        return Reply(status=status, body=b"")
    try:
        data = _json.encode(body)
    except UnicodeEncodeError:
        # A header can hold bytes that are no UTF-8, and an error may quote it.
        data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return Reply(status=status, body=data, headers=_JSON)


def _respond(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body or None, headers=reply.headers)

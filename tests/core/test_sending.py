"""Who is asked before a request leaves, and that nothing leaves unless it may."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import attrs
import pytest

from seqino._core.config import Config, Secret
from seqino._core.outcome import FaultKind, Outcome
from seqino._core.request import Request
from seqino._core.sending import SendMark, Unsent
from seqino._core.transport import Broken, Transport
from seqino._core.wire import Effect, LookUp, Operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.core.conftest import Bench

VALIDATE: Operation[None] = Operation(
    name="validate_thing",
    operation_id="validate_thing",
    tag="things",
    method="POST",
    path="/things",
    effect=Effect.ONCE,
    responses={204: None},
)
READ = attrs.evolve(VALIDATE, name="get_things", method="GET", effect=Effect.SAFE)
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Refused(Exception):  # noqa: N818 - says what happened
    pass


@attrs.define(eq=False)
class Guard:
    """Lets pass when it is told to, or refuses."""

    refuses: Exception | None = None
    asked: asyncio.Event = attrs.field(factory=asyncio.Event)
    may_pass: asyncio.Event = attrs.field(factory=asyncio.Event)
    times: int = 0

    async def prepare(self) -> None:
        self.times += 1
        self.asked.set()
        await self.may_pass.wait()
        if self.refuses is not None:
            raise self.refuses


@attrs.define(eq=False)
class Line:
    """A server that keeps what it is sent, and says what it is told to."""

    port: int = 0
    got: bytearray = attrs.field(factory=bytearray)
    accepted: asyncio.Future[asyncio.StreamWriter] = attrs.field(
        factory=lambda: asyncio.get_running_loop().create_future()
    )
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)
    answers: bytes = b"HTTP/1.1 204 No Content\r\n\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted.set_result(writer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                self.got += data
                writer.write(self.answers)
        self.ended.set()
        writer.close()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport(Config(base_url="http://unused"))
    yield made
    await made.aclose()


def request(line: Line, body: bytes | None) -> Request:
    url = f"http://127.0.0.1:{line.port}/things"
    return Request(operation=VALIDATE, url=url, headers={}, body=body, client_id=None, parameters={})


def sending(transport: Transport, line: Line, mark: SendMark, body: bytes | None = None) -> asyncio.Task[Any]:
    return asyncio.create_task(transport.send(request(line, body), key=Secret("k"), mark=mark))


BODIES = pytest.mark.parametrize("body", [None, b"{}", b"x" * 600_000], ids=["empty", "small", "large"])


@BODIES
async def test_the_guard_is_asked_when_a_connection_is_held_and_nothing_has_left(
    line: Line, transport: Transport, body: bytes | None
) -> None:
    guard = Guard()
    mark = SendMark(guard)
    task = sending(transport, line, mark, body)
    await guard.asked.wait()
    await line.accepted
    assert (bytes(line.got), mark.sent) == (b"", False)
    guard.may_pass.set()
    assert (await task).status == 204
    assert mark.sent
    assert line.got.startswith(b"POST /things")


@BODIES
async def test_what_the_guard_raises_comes_out_and_not_a_byte_leaves(
    line: Line, transport: Transport, body: bytes | None
) -> None:
    guard = Guard(refuses=Refused("no"))
    guard.may_pass.set()
    mark = SendMark(guard)
    with pytest.raises(Refused, match="no"):
        await sending(transport, line, mark, body)
    await transport.aclose()
    await line.ended.wait()
    assert (mark.sent, bytes(line.got)) == (False, b"")


async def test_a_guard_that_holds_back_makes_an_attempt_of_which_nothing_was_sent(
    line: Line, transport: Transport
) -> None:
    guard = Guard(refuses=Unsent("too late"))
    guard.may_pass.set()
    mark = SendMark(guard)
    result = await sending(transport, line, mark)
    assert result == Broken(kind=FaultKind.WITHHELD, detail="too late")
    assert (mark.sent, bytes(line.got)) == (False, b"")


async def test_a_connection_that_closes_while_the_guard_is_asked_was_not_used(
    line: Line, transport: Transport
) -> None:
    guard = Guard()
    mark = SendMark(guard)
    task = sending(transport, line, mark)
    await guard.asked.wait()
    (await line.accepted).close()
    result = await task
    guard.may_pass.set()
    await line.ended.wait()
    assert (result.kind, mark.sent, bytes(line.got)) == (FaultKind.DISCONNECTED, False, b"")


async def test_an_answer_that_comes_before_the_question_answers_nothing(
    line: Line, transport: Transport
) -> None:
    guard = Guard()
    mark = SendMark(guard)
    task = sending(transport, line, mark)
    await guard.asked.wait()
    writer = await line.accepted
    writer.write(TOO_LATE)
    result = await task
    assert isinstance(result, Broken)
    assert (result.kind, mark.sent) == (FaultKind.DISCONNECTED, False)
    # Not even when the guard lets pass what nobody waits for any more.
    guard.may_pass.set()
    writer.close()
    await line.ended.wait()
    assert bytes(line.got) == b""


async def test_a_call_given_up_while_the_guard_is_asked_sends_nothing(
    line: Line, transport: Transport
) -> None:
    guard = Guard()
    mark = SendMark(guard)
    task = sending(transport, line, mark)
    await guard.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    guard.may_pass.set()
    await line.ended.wait()
    assert (mark.sent, mark.refusal, bytes(line.got)) == (False, None, b"")


class Connection:
    def __init__(self, *, closing: bool) -> None:
        self.closing = closing

    def is_closing(self) -> bool:
        return self.closing


@pytest.mark.parametrize("given_up", [True, False])
@pytest.mark.parametrize("connection", [None, Connection(closing=True), Connection(closing=False)])
async def test_a_prepared_request_leaves_only_over_an_open_connection_that_somebody_waits_for(
    connection: Any, *, given_up: bool
) -> None:
    guard = Guard()
    guard.may_pass.set()
    mark = SendMark(guard)
    if given_up:
        mark.give_up()
    if connection is None or connection.closing or given_up:
        with pytest.raises(Unsent):
            await mark.prepare(connection)
    else:
        await mark.prepare(connection)


async def test_without_a_guard_nobody_is_asked() -> None:
    mark = SendMark()
    await mark.prepare(None)
    assert not mark.is_guarded


async def test_the_error_of_a_guard_comes_out_of_the_call_and_tells_that_nothing_was_sent(
    bench: Bench,
) -> None:
    guard = Guard(refuses=Refused("fenced off"))
    guard.may_pass.set()
    with pytest.raises(Refused, match="fenced off"):
        await bench.engine().call(VALIDATE, guard=guard)
    assert bench.server.seen == []
    assert [event.outcome for event in bench.told("verdict")] == [Outcome.NOT_SENT]


async def test_a_guard_is_asked_for_every_attempt(bench: Bench) -> None:
    guard = Guard()
    guard.may_pass.set()
    bench.server.plays(bench.server.answer(429), bench.server.answer(200))
    await bench.engine().call(VALIDATE, guard=guard)
    assert guard.times == 2


async def test_a_plain_read_is_not_guarded(bench: Bench) -> None:
    guard = Guard(refuses=Refused("no"))
    bench.server.plays(bench.server.answer(200))
    await bench.engine().call(READ, guard=guard)
    assert guard.times == 0


async def test_a_call_that_can_be_looked_up_is_guarded_too(bench: Bench) -> None:
    guard = Guard(refuses=Refused("no"))
    guard.may_pass.set()
    look_up = LookUp(operation=READ.name, arguments={}, match={"/a": "/a"}, compare={"/b": "/b"})
    register = attrs.evolve(VALIDATE, name="make_thing", effect=Effect.READABLE, look_up=look_up)
    engine = bench.engine(operations=(cast("Any", register), cast("Any", READ)))
    with pytest.raises(Refused):
        await engine.call(register, guard=guard)
    assert bench.server.seen == []


async def test_a_connection_of_a_loop_that_was_closed_is_given_up_in_silence() -> None:
    mark = SendMark()
    transport = Mock(abort=Mock(side_effect=RuntimeError("Event loop is closed")))
    mark.begin(transport)
    mark.abandon()
    transport.abort.assert_called_once_with()

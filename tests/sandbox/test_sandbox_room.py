"""Large bodies, many at once: so many are held, the others wait, and none takes the sandbox down."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.app import LARGEST_BODY
from seqino.sandbox.room import SMALL, NoRoom, Room
from tests.sandbox.wires import no_task_is_left, port_of

HEAD = b"POST /drafts HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nX-PDP-Client-Id: client_abc123\r\n"
AT_ONCE = 4


async def test_who_comes_first_is_served_first() -> None:
    room, served = Room(10 * SMALL, 60), list[int]()

    async def visit(number: int, size: int, leave: asyncio.Event) -> None:
        async with room.taken(size):
            served.append(number)
            await leave.wait()

    events = [asyncio.Event() for _ in range(4)]
    sizes = [6 * SMALL, 10 * SMALL, 3 * SMALL, 3 * SMALL]
    tasks = [
        asyncio.create_task(visit(number, size, event))
        for number, (size, event) in enumerate(zip(sizes, events, strict=True))
    ]
    await turns()
    assert served == [0]  # the third would find room, and would let the second wait for ever
    events[0].set()
    await turns()
    assert served == [0, 1]
    events[1].set()
    await turns()
    assert served == [0, 1, 2, 3]
    for event in events:
        event.set()
    await asyncio.gather(*tasks)


async def test_who_waits_too_long_is_turned_away_and_takes_nothing() -> None:
    room = Room(2 * SMALL, 0)
    async with room.taken(2 * SMALL):
        with pytest.raises(NoRoom, match=f"no room for one of {SMALL + 1} bytes"):
            async with room.taken(SMALL + 1):
                raise AssertionError
        async with room.taken(SMALL):  # a small one asks nobody
            pass
    room = Room(2 * SMALL, 60)
    async with room.taken(2 * SMALL):
        pass
    with pytest.raises(ValueError, match="it failed"):
        async with room.taken(2 * SMALL):
            raise ValueError("it failed")
    async with room.taken(2 * SMALL):
        pass


async def turns() -> None:
    """Let all go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


CHUNKED = b"Transfer-Encoding: chunked\r\n"


def length(size: int) -> bytes:
    return b"Content-Length: %d\r\n" % size


@pytest.mark.parametrize("framing", [length(LARGEST_BODY), CHUNKED], ids=["length", "chunks"])
async def test_large_bodies_that_never_end_keep_nobody_from_being_answered(
    monkeypatch: pytest.MonkeyPatch, framing: bytes
) -> None:
    monkeypatch.setattr("seqino.sandbox.app._PATIENCE", 0.001)
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(speed=0))

        async def begin(head: bytes, body: bytes = b"") -> tuple[bytes, asyncio.StreamReader]:
            """Send a head, and a body once it is asked for; return the first status."""
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
            callers.append(writer)
            writer.write(HEAD + b"Expect: 100-continue\r\n" + head + b"\r\n")
            status = (await reader.readuntil(b"\r\n"))[9:12]
            if status == b"100":
                await reader.readline()
                writer.write(body)
            return status, reader

        callers: list[asyncio.StreamWriter] = []

        def leave() -> None:
            for one in callers:
                one.close()

        stack.callback(leave)
        assert [(await begin(framing, b"5\r\n{"))[0] for _ in range(AT_ONCE)] == [b"100"] * AT_ONCE
        assert (await begin(framing))[0] == b"503"
        status, reader = await begin(length(2), b"{}")
        assert (status, (await reader.readuntil(b"\r\n"))[9:12]) == (b"100", b"422")
        callers[0].close()
        # Once it is seen to have left, there is room for another.
        while (await begin(framing))[0] == b"503":
            pass
    await no_task_is_left()

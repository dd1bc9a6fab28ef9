"""What a server can do wrong with one request, as data: how much is read, what is sent back, how it ends."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from seqino.sandbox.faults import reset

if TYPE_CHECKING:
    import asyncio

    from seqino.sandbox.fault_server import FaultServer

__all__ = ["FAULTS", "REFUSE", "Behaviour", "Exchange", "Play", "Seen", "answer", "fault", "leaves_unread"]


@attrs.frozen
class Seen:
    """A request that was read whole.

    Args:
        method: Its method.
        path: Its target, with the query.
        digest: SHA-256 of its body, in hexadecimal.
    """

    method: str
    path: str
    digest: str

    @property
    def route(self) -> str:
        """Method and path without the query, such as ``POST /drafts``."""
        return f"{self.method} {self.path.partition('?')[0]}"


class Exchange:
    """One request on one connection, as the server sees it.

    Args:
        server: The server.
        reader: The connection, to be read.
        writer: The connection, to be written.
        begun: What was read of the request before a behaviour was chosen.
    """

    def __init__(
        self,
        server: FaultServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        begun: bytes = b"",
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self._begun = begun
        self._seen: Seen | None = None

    async def read(self) -> Seen:
        """Read the request to its end and count it; a second time tells what was read."""
        if self._seen is None:
            head = self._begun + await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(fields.get("content-length", 0)))
            method, path, _ = first.split(" ", 2)
            self._seen = Seen(method, path, hashlib.sha256(body).hexdigest())
            self.server.note(head + body, self._seen)
        return self._seen

    async def write(self, data: bytes, *, drip: float = 0) -> None:
        """Send bytes: at once, or one by one with a pause of ``drip`` seconds after each."""
        for piece in [data[at : at + 1] for at in range(len(data))] if drip else [data]:
            self.writer.write(piece)
            await self.writer.drain()
            if drip:
                await self.server.pause(drip)
                if self.reader.at_eof():
                    break

    def close(self) -> None:
        """End the connection in an orderly way (FIN)."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a reset (RST)."""
        reset(self.writer.transport)

    async def hang(self) -> None:
        """Say nothing more until the other side gives up."""
        self.server.on_hang()
        await self.reader.read()


Behaviour: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""What the server does with one request."""


@attrs.frozen(kw_only=True)
class Play:
    """A behaviour as data, in the order in which it happens.

    Args:
        read: How much of the request is read: the ``whole`` of it, its ``first`` byte, or ``nothing``, which
            acts as soon as a connection is accepted.
        effect: Whether the request then does what it is for.
        delay: Seconds before the answer.
        answer: The bytes sent back, which need not be HTTP.
        drip: Seconds between two bytes of the answer; 0 sends them at once.
        then: What becomes of the connection. ``refuse`` stands for a closed port, and for nothing else.
    """

    read: Literal["whole", "first", "nothing"] = "whole"
    effect: bool = False
    delay: float = 0
    answer: bytes = b""
    drip: float = 0
    then: Literal["keep", "close", "reset", "hang", "refuse"] = "keep"

    async def __call__(self, exchange: Exchange) -> None:
        """Play it."""
        if self.read == "whole":
            seen = await exchange.read()
            exchange.server.effects[seen.route] += self.effect
        if self.delay:
            await exchange.server.pause(self.delay)
        await exchange.write(self.answer, drip=self.drip)
        match self.then:
            case "close":
                exchange.close()
            case "reset":
                exchange.reset()
            case "hang":
                await exchange.hang()
            case _:
                pass


REFUSE = Play(then="refuse")
"""The port is closed for one attempt: see ``FaultServer.turn``."""

_HEAD = b"HTTP/1.1 201 Created\r\n"

FAULTS: Mapping[str, Play] = {
    "refuse": REFUSE,
    # No answer; with -before or -after, whether the request has its effect.
    "close-at-once": Play(read="nothing", then="close"),
    "reset-at-once": Play(read="nothing", then="reset"),
    "close-unread": Play(read="first", then="close"),
    "reset-unread": Play(read="first", then="reset"),
    "close": Play(then="close"),
    "reset": Play(then="reset"),
    "hang": Play(then="hang"),
    # The beginning of an answer, and then nothing, or byte after byte for longer than anybody waits.
    "stall-head": Play(effect=True, answer=_HEAD + b"Content-Le", then="hang"),
    "stall-body": Play(effect=True, answer=_HEAD + b"Content-Length: 2\r\n\r\n{", then="hang"),
    "drip-head": Play(effect=True, answer=_HEAD + b"X: " + b"x" * 7000, drip=1, then="close"),
    "drip-body": Play(effect=True, answer=_HEAD + b"Content-Length: 7000\r\n\r\n" + b" " * 7000, drip=1),
    # An answer that ends before it is whole, or that is none.
    "cut-head": Play(effect=True, answer=_HEAD + b"Content-Le", then="close"),
    "cut-body": Play(effect=True, answer=_HEAD + b"Content-Length: 99\r\n\r\n{}", then="close"),
    "reset-body": Play(effect=True, answer=_HEAD + b"Content-Length: 99\r\n\r\n{}", then="reset"),
    "cut-chunk": Play(effect=True, answer=_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", then="close"),
    "bad-chunk": Play(
        effect=True,
        answer=_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        then="close",
    ),
    "bad-gzip": Play(
        effect=True, answer=_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", then="close"
    ),
    "two-lengths": Play(
        effect=True, answer=_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", then="close"
    ),
    "huge-header": Play(effect=True, answer=_HEAD + b"X: " + b"x" * 20_000 + b"\r\n\r\n", then="close"),
    "no-http": Play(effect=True, answer=b"220 mail.example ESMTP\r\n\r\n", then="close"),
}
"""Faults by name; ``fault`` knows more names."""

_NAME = re.compile(r"(?P<kind>status-(?P<status>[1-5]\d\d)|[a-z-]+?)(?:-(?P<moment>before|after))?")

_TWO_MOMENTS = frozenset({"close", "reset", "hang"})
"""Faults that do not tell by themselves whether the request had its effect."""


def fault(name: str) -> Play:
    """One fault by name.

    Args:
        name: A key of ``FAULTS``, or ``status-NNN`` for an answer with that status; with ``-before`` or
            ``-after`` for whether it comes before the request's effect, or after. Left out, an
            answer below 300 comes after it, any other status before.

    Raises:
        ValueError: There is no such fault.
    """
    match = _NAME.fullmatch(name)
    kind = match["kind"] if match else ""
    moment = match["moment"] if match else None
    if match and match["status"]:
        play = answer(int(match["status"]))
    elif kind in FAULTS and (moment or kind not in _TWO_MOMENTS):
        play = FAULTS[kind]
    else:
        raise ValueError(
            f"there is no fault {name!r}; there are status-NNN, {', '.join(sorted(FAULTS))}, with -before or "
            f"-after, which {', '.join(sorted(_TWO_MOMENTS))} need"
        )
    if moment is None:
        return play
    if play.read != "whole" or play is REFUSE:
        raise ValueError(f"{kind} has no effect that it could come before or after")
    return attrs.evolve(play, effect=moment == "after")


def answer(
    status: int = 200,
    body: bytes = b"{}",
    *,
    read: Literal["whole", "first"] = "whole",
    effect: bool | None = None,
    delay: float = 0,
    drip: float = 0,
    then: Literal["keep", "close", "reset", "hang"] = "keep",
    **headers: str,
) -> Play:
    """Return a complete answer, on a connection that stays open as a rule.

    Args:
        status: Its status.
        body: Its body.
        read: How much of the request is read before; what answers its first byte has no effect.
        effect: Whether the request has its effect; left out, where the status is below 300.
        delay: Seconds before it.
        drip: Seconds between two of its bytes.
        then: What becomes of the connection.
        headers: Its headers; an underscore stands for a hyphen.
    """
    lines = [f"HTTP/1.1 {status} Some Words", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Play(
        read=read,
        effect=status < 300 if effect is None else effect,  # noqa: PLR2004 - the first status of no success
        delay=delay,
        answer="\r\n".join([*lines, "", ""]).encode("latin-1") + body,
        drip=drip,
        then=then,
    )


def leaves_unread(behaviour: Behaviour) -> bool:
    """Whether a behaviour does without reading the request, and so without knowing its route."""
    return isinstance(behaviour, Play) and (behaviour.read != "whole" or behaviour is REFUSE)

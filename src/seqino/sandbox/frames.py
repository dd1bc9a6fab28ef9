"""How an answer's bytes can be wrong on the wire: begun, cut, padded, wrongly framed. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqino.sandbox.replies import Reply

__all__ = [
    "bad_chunk",
    "bad_gzip",
    "begun_body",
    "begun_head",
    "cut_body",
    "cut_chunk",
    "early_hints",
    "huge",
    "huge_header",
    "padded_body",
    "padded_head",
    "two_lengths",
    "whole",
]

_PIECE = 2**16
_CHUNKED = "Transfer-Encoding: chunked"


def whole(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the answer, and nothing wrong with it."""
    return (reply.wire,)


def begun_head(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the status line and half a header."""
    return (reply.line + b"Content-Le",)


def begun_body(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the head and the body's first byte."""
    return (reply.head(f"Content-Length: {len(reply.body)}") + reply.body[:1],)


def padded_head(reply: Reply, size: int) -> Iterable[bytes]:
    """Yield the answer with a header of ``size`` bytes that says nothing in front."""
    yield reply.line + b"X: "
    yield from _padding(b"x", size)
    yield b"\r\n" + reply.wire.removeprefix(reply.line)


def padded_body(reply: Reply, size: int) -> Iterable[bytes]:
    """Yield the answer with ``size`` spaces before its JSON, which mean nothing there."""
    yield reply.head(f"Content-Length: {size + len(reply.body)}")
    yield from _padding(b" ", size)
    yield reply.body


def huge(reply: Reply, size: int) -> Iterable[bytes]:
    """Yield the answer with spaces before its JSON that make its body ``size`` bytes long."""
    return padded_body(reply, max(0, size - len(reply.body)))


def huge_header(reply: Reply, size: int) -> Iterable[bytes]:
    """Yield an answer whose head is larger than clients read, with a header of ``size`` bytes."""
    before, after = reply.head("X: "), b"\r\n\r\n"
    yield before.removesuffix(after)
    yield from _padding(b"x", size)
    yield after


def _padding(byte: bytes, size: int) -> Iterator[bytes]:
    """Yield so many bytes in pieces: whoever asks for more than memory holds gets them all the same."""
    piece = byte * min(size, _PIECE)
    for left in range(size, 0, -_PIECE):
        yield piece if left >= _PIECE else piece[:left]


def cut_body(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the answer with a length that promises more."""
    return (reply.head(f"Content-Length: {len(reply.body) + 97}") + reply.body,)


def cut_chunk(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the body as a chunk that promises more."""
    return (reply.head(_CHUNKED) + f"{len(reply.body) + 3:x}\r\n".encode() + reply.body,)


def bad_chunk(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the body as a chunk whose size is no number."""
    return (reply.head(_CHUNKED) + b"zz\r\n" + reply.body + b"\r\n0\r\n\r\n",)


def bad_gzip(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the body as it is, and say that it is gzip."""
    return (reply.head("Content-Encoding: gzip", f"Content-Length: {len(reply.body)}") + reply.body,)


def two_lengths(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the answer with two lengths, of which one is wrong (request smuggling, RFC 9112 §6.3)."""
    length = len(reply.body)
    return (reply.head(f"Content-Length: {length}", f"Content-Length: {length + 1}") + reply.body,)


def early_hints(reply: Reply, _size: int) -> Iterable[bytes]:
    """Return the answer after an interim one (103, RFC 8297), which every client has to pass over."""
    return (b"HTTP/1.1 103 Early Hints\r\nLink: </docs>; rel=preload\r\n\r\n" + reply.wire,)

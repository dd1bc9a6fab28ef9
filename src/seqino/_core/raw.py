"""The platform's answer as it came, beside what it means."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import Awaitable, Generator, Iterator, Mapping
from typing import Generic, TypeVar, cast

import attrs

from seqino._core.failures import find_trace_id, read_error_body
from seqino._core.transport import Answer
from seqino.errors import ConfigurationError, InvalidInput

__all__ = ["Headers", "Listener", "Response", "hearing", "listen", "listening"]

T = TypeVar("T")


class Headers(Mapping[str, str]):
    """The headers of an answer, found in any case.

    A header that came more than once has its values joined by ``", "`` (RFC 9110 §5.2).
    """

    __slots__ = ("_fields",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        # Name as it came, and value, by the name in lower case.
        fields: dict[str, tuple[str, str]] = {}
        for name, value in headers.items():
            first, earlier = fields.get(name.lower(), (name, None))
            fields[name.lower()] = (first, value if earlier is None else f"{earlier}, {value}")
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        # Values may be cookies or the like.
        return f"<Headers {', '.join(self)}>"


@attrs.frozen(kw_only=True)
class Response(Generic[T]):
    """What a call returned, and the complete answer that it was read from.

    Args:
        value: What the call returned.
        status: The answer's HTTP status.
        headers: Its headers, found in any case.
        content: Its body, byte for byte (but for a compression on the way).
        trace_id: What to quote to the platform's support, or ``None``.
        attempts: How many attempts the call had made by then, 1 or more.
        elapsed: Seconds that the call had taken by then, with all attempts and pauses.
    """

    value: T = attrs.field(repr=lambda value: f"<{type(value).__name__}>")
    status: int
    headers: Mapping[str, str]
    content: bytes = attrs.field(repr=lambda content: f"<{len(content)} bytes>")
    trace_id: str | None
    attempts: int
    elapsed: float


@attrs.define
class Listener:
    """Hears the answers to the calls of a task, and of the tasks that it starts."""

    _outer: Listener | None
    last: tuple[Answer, int, float] | None = attrs.field(default=None, init=False)

    def hear(self, answer: Answer, attempts: int, elapsed: float) -> None:
        """Note a complete answer.

        Args:
            answer: The answer.
            attempts: Attempts of its call until now.
            elapsed: Seconds since its call began.
        """
        self.last = answer, attempts, elapsed
        if self._outer is not None:
            self._outer.hear(answer, attempts, elapsed)


_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("seqino_listener", default=None)

listening = _listener.get
"""Whoever listens to the calls of the running task; ``None`` where nobody does."""


@contextlib.contextmanager
def hearing() -> Generator[Listener]:
    """Hear the answers to the calls that are made meanwhile."""
    listener = Listener(_listener.get())
    token = _listener.set(listener)
    try:
        yield listener
    finally:
        _listener.reset(token)


async def listen(awaitable: Awaitable[T]) -> Response[T]:
    """Await something that makes calls, and return what it returns with the last complete answer.

    Args:
        awaitable: What makes the calls, not yet started.

    Raises:
        InvalidInput: If it is none, or was started elsewhere.
        ConfigurationError: If it ended without a complete answer.
    """
    if not inspect.isawaitable(cast("object", awaitable)) or isinstance(awaitable, asyncio.Future):
        raise InvalidInput(
            f"raw() takes a call that was not started yet, such as client.raw(client.drafts.get('…')), not "
            f"{type(awaitable).__name__}"
        )
    with hearing() as listener:
        value = await awaitable
    if listener.last is None:
        raise ConfigurationError(
            "raw() heard no answer: what it was given made no call, or in a task that was started before"
        )
    return _response(value, *listener.last)


def _response(value: T, answer: Answer, attempts: int, elapsed: float) -> Response[T]:
    error = read_error_body(answer.body) if answer.status >= 400 else None  # noqa: PLR2004 - RFC 9110 §15.5
    return Response(
        value=value,
        status=answer.status,
        headers=Headers(answer.headers),
        content=answer.body,
        trace_id=find_trace_id(error, answer.headers),
        attempts=attempts,
        elapsed=elapsed,
    )

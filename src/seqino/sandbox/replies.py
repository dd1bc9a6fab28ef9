"""A whole answer as data, and the bytes that it is on the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import attrs

__all__ = ["REDIRECTS", "Form", "Reply", "retry_after"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that send a caller elsewhere (RFC 9110 §15.4); they come with a ``Location``."""


@attrs.frozen(eq=False)
class Form:
    """What the description says of an answer's body.

    Args:
        schema: Its JSON Schema.
        resolve: Follows ``$ref`` in a schema of the description.
    """

    schema: Mapping[str, Any]
    resolve: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@attrs.frozen(kw_only=True)
class Reply:
    """A whole answer.

    Args:
        status: Its status, 100 to 599.
        body: Its body.
        headers: Its headers, without those that frame the body.
        date: When it is given, in seconds since 1970.
        form: What its body should be like; ``None`` where nobody says so.
    """

    status: int = 201
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    date: float = attrs.field(factory=time.time, eq=False)
    form: Form | None = None

    @property
    def line(self) -> bytes:
        """The status line."""
        try:
            words = HTTPStatus(self.status).phrase
        except ValueError:
            words = "Some Words"
        return f"HTTP/1.1 {self.status} {words}\r\n".encode()

    def head(self, *framing: str) -> bytes:
        """Everything before the body.

        Args:
            framing: Header lines that say how long the body is, which need not be true.
        """
        lines = [*(f"{name}: {value}" for name, value in self.headers), *framing, "", ""]
        return self.line + "\r\n".join(lines).encode("latin-1")

    @property
    def wire(self) -> bytes:
        """The answer as it is sent."""
        if self.status < HTTPStatus.OK or self.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            return self.head()  # RFC 9110 §6.4.1: they have no body
        return self.head(f"Content-Length: {len(self.body)}") + self.body

    def having(self, *headers: tuple[str, str]) -> Reply:
        """Return it with headers in place of those that it has by the same name."""
        named = {name.lower() for name, _ in headers}
        kept = (one for one in self.headers if one[0].lower() not in named)
        return attrs.evolve(self, headers=(*kept, *headers))


def retry_after(text: str, date: float) -> str:
    """Write a ``Retry-After``: ``date+SECONDS`` becomes an HTTP date, any other text stays what it is.

    >>> retry_after("date+90", 0)
    'Thu, 01 Jan 1970 00:01:30 GMT'

    Args:
        text: The value as asked for.
        date: The moment from which the seconds count, in seconds since 1970.

    Raises:
        ValueError: No whole number of seconds follows ``date``, or a clock cannot show the result.
    """
    if not text.startswith(("date+", "date-")):
        return text
    try:
        return formatdate(date + int(text[4:]), usegmt=True)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text} is no date: write date+SECONDS or date-SECONDS, such as date+2") from None

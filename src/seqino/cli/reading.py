"""Read what a user gives: JSON with exact numbers, moments, spans of time. Pure but for the file."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from seqino._core.wire import JSON

__all__ = ["read_file", "read_moment", "read_object", "read_object_file", "read_span"]

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"([0-9]{1,5})\s*([mhdw])")


def read_file(source: str) -> bytes:
    """Read a file whole, or the standard input where its name is ``-``.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInput(f"{source} cannot be read: {reason}") from None


def read_object_file(source: str, *, what: str) -> dict[str, JSON]:
    """Read a file that holds a JSON object, or the standard input where its name is ``-``.

    Args:
        source: Name of the file.
        what: What it should be, for the message: ``an invoice draft``.

    Raises:
        InvalidInput: It cannot be read, or holds no JSON object; the message names the file.
    """
    data = read_file(source)
    try:
        return read_object(data, what=what)
    except InvalidInput as error:
        raise InvalidInput(f"{'the input' if source == '-' else source} {error}") from None


def read_object(data: bytes, *, what: str) -> dict[str, JSON]:
    """Read a JSON object; numbers with a fraction keep their digits.

    Args:
        data: The document.
        what: What it should be, for the message: ``an invoice draft``.

    Raises:
        InvalidInput: It is no JSON, or no object.
    """
    if not data.strip():
        raise InvalidInput(f"is empty, and not {what} (a JSON object)")
    try:
        value = json.loads(data, parse_float=Decimal, parse_constant=_refuse_constant)
    except InvalidInput:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"is JSON, but not {what} (a JSON object)")
    return cast("dict[str, JSON]", value)


def _refuse_constant(text: str) -> NoReturn:
    raise InvalidInput(f"is not JSON ({text} is no number there)")


def read_moment(text: str, *, where: str, at_end: bool = False) -> datetime:
    """Read a moment, or a day as its first or last second in UTC.

    Args:
        text: ``2026-01-31``, or ``2026-01-31T08:00:00+01:00``.
        where: The option it comes from.
        at_end: Whether a day means its last second, and not its first.

    Raises:
        InvalidInput: It is neither, or a time without its zone.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time(23, 59, 59) if at_end else time(), tzinfo=UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{where} must be a day such as 2026-01-31, or a moment, not {text!r}") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"{where} has a time without its zone: write {text}Z for UTC, or {text}+01:00")
    return moment


def read_span(text: str, *, where: str) -> timedelta:
    """Read a span of time: ``30d``, ``12h``, ``90m``, ``2w``.

    Raises:
        InvalidInput: It is none.
    """
    read = _SPAN.fullmatch(text.strip())
    if read is None:
        raise InvalidInput(f"{where} must be a number with m, h, d or w, such as 30d, not {text!r}")
    return timedelta(**{_UNITS[read[2]]: int(read[1])})

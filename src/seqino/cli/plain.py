"""Answers as JSON lines: what the description knows is written as it says, and all else is kept. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs
import msgspec

from seqino._core.wire import JSON

if TYPE_CHECKING:
    from collections.abc import Sequence
__all__ = ["Found", "builtins_of", "found_in_answer", "found_in_list", "json_line", "read_answer"]

T = TypeVar("T")

_DECODE = msgspec.json.Decoder(float_hook=str).decode


@attrs.frozen
class Found(Generic[T]):
    """Something that the platform showed.

    Args:
        value: What the SDK made of it.
        raw: The same as it came, as ``read_answer`` reads it.
    """

    value: T
    raw: JSON

    @property
    def members(self) -> Any:
        """All of it as plain JSON: amounts as text, and what the description does not know as it came."""
        return _plain(self.value, self.raw)


def read_answer(content: bytes) -> JSON:
    """Read an answer that the SDK has read already; numbers with a fraction stay the text that they are."""
    return _DECODE(content) if content else None


def found_in_answer(value: T, raw: JSON) -> Found[T]:
    """Pair what a call returned with the last answer to it.

    Args:
        value: What it returned.
        raw: The answer. Where that is no object, the value was found in a list by a look: it is shown as the
            SDK read it, without what the description does not know.
    """
    is_its_own = isinstance(raw, Mapping) or not attrs.has(type(value))
    return Found(value, raw if is_its_own else builtins_of(value))


def found_in_list(values: Sequence[T], raw: JSON) -> list[Found[T]]:
    """Pair the items of a list with what they were made of.

    Args:
        values: The items.
        raw: The whole answer: an array, or the one item. Where the items stand elsewhere in it, each is shown
            as the SDK read it, without what the description does not know.
    """
    items = raw if isinstance(raw, list) else [raw]
    if len(items) != len(values):
        return [Found(value, builtins_of(value)) for value in values]
    return [Found(*pair) for pair in zip(values, items, strict=True)]


def _plain(value: object, raw: JSON) -> Any:
    match raw:
        case Mapping():
            known = {field.name for field in attrs.fields(kind)} if attrs.has(kind := type(value)) else ()
            return {
                name: _plain(getattr(value, name), member) if name in known else member
                for name, member in raw.items()
            }
        case list() if isinstance(value, list):
            return [_plain(*pair) for pair in zip(cast("list[object]", value), raw, strict=True)]
        case _ if isinstance(value, Decimal):
            return f"{value:f}"
        case _ if isinstance(value, float):
            return value
        case _:
            return raw


def builtins_of(value: object) -> Any:
    """Make plain JSON of a model, as the SDK read it."""
    return _plain(value, msgspec.to_builtins(value))


def json_line(members: JSON) -> str:
    """Write a JSON value on one line, without a character that could steer a terminal."""
    text = json.dumps(members, ensure_ascii=False, default=str)
    if text.isprintable():
        return text
    # Such characters stand inside of strings only, where their escapes mean the same.
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)

"""What a model is made of, as its annotations say. Pure."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeGuard

import attrs
from msgspec import UNSET, UnsetType

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Member", "alternatives", "is_list", "is_model", "is_object", "members", "models", "numbers"]


@attrs.frozen(kw_only=True)
class Member:
    """A field of a model."""

    name: str
    form: Any
    """Its type form, as annotated."""
    required: bool
    omissible: bool
    """Whether ``UNSET`` may stand for it."""
    default: Any
    """A constant, a factory, or ``attrs.NOTHING``."""


@functools.cache
def members(model: type) -> tuple[Member, ...]:
    """Read the fields of an attrs class, in their order."""
    hints = typing.get_type_hints(model)
    return tuple(
        Member(
            name=field.name,
            form=hints[field.name],
            required=field.default is attrs.NOTHING,
            omissible=field.default is UNSET or UnsetType in typing.get_args(hints[field.name]),
            default=field.default,
        )
        for field in attrs.fields(model)
        if field.init
    )


def is_model(form: Any) -> bool:
    """Whether a type form is an attrs class."""
    return isinstance(form, type) and attrs.has(form)


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether a value is written as a JSON list."""
    return isinstance(value, list | tuple)


def is_object(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is written as a JSON object."""
    return isinstance(value, Mapping)


def alternatives(form: Any) -> tuple[Any, ...]:
    """Give the members of a union without ``UNSET``, or the type form itself alone."""
    if typing.get_origin(form) in (types.UnionType, typing.Union):
        return tuple(part for part in typing.get_args(form) if part is not UnsetType)
    return (form,)


def _edges(form: Any) -> Iterator[tuple[Any, bool]]:
    """Give the type forms directly below one, each with whether it is a member of a JSON object."""
    if is_model(form):
        yield from ((member.form, True) for member in members(form))
    elif typing.get_origin(form) is dict:
        yield typing.get_args(form)[1], True
    elif typing.get_origin(form) is list:
        yield typing.get_args(form)[0], False


def _walk(form: Any) -> Iterator[tuple[Any, bool]]:
    """Give every type form that can be reached, each with whether it stands as a member of an object."""
    todo, seen = [(form, False)], set[tuple[Any, bool]]()
    while todo:
        found, is_member = todo.pop()
        for part in alternatives(found):
            if (part, is_member) not in seen:
                seen.add((part, is_member))
                yield part, is_member
                todo.extend(_edges(part))


def models(form: Any) -> set[type]:
    """Give every model that can be reached from a type form."""
    return {part for part, _ in _walk(form) if is_model(part)}


def numbers(form: Any) -> Literal["none", "members", "anywhere"]:
    """Say where whole and decimal numbers can stand in documents of a type form."""
    places = {is_member for part, is_member in _walk(form) if part in (Decimal, int)}
    if not places:
        return "none"
    return "anywhere" if False in places else "members"

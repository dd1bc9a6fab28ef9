"""Reading single values of plain JSON: what fits a type, and what to say of what does not. Pure."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import math
import typing
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import attrs
import msgspec

from seqino._core.decimals import MOST_DIGITS, Unreadable, decimal_of, out_of_range
from seqino._core.faults import expected, found
from seqino._core.typegraph import is_list, is_model, is_object

__all__ = ["Hook", "Mismatch", "fits", "mismatch", "rank", "scalar"]

Hook: TypeAlias = Callable[[Any, Any], Any]
"""Reads a value of a type form, as cattrs calls it."""

_TEXTS: tuple[Any, ...] = (dt.date, dt.datetime, dt.time, dt.timedelta, uuid.UUID, bytes)
"""Types whose text msgspec reads: asked to read it here too, so that both ways accept the same."""


class Mismatch(ValueError):  # noqa: N818 - as in errors
    """A value that does not fit; its text says why."""


def mismatch(form: Any, value: Any) -> Mismatch:
    """Say what was expected and what was found."""
    return Mismatch(f"expected {expected(form)}, found {found(value)}")


_NUMBERS = (int, float, Decimal, Unreadable)


def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


_FITS: Mapping[Any, Callable[[Any], bool]] = {
    Any: lambda _: True,
    dict: is_object,
    list: is_list,
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: _is_number,
    Decimal: lambda value: _is_number(value) or isinstance(value, str),
    bool: lambda value: isinstance(value, bool),
    type(None): lambda value: value is None,
}


def fits(part: Any) -> Callable[[Any], bool]:
    """Tell values of the kind that a member of a union reads; what they hold is not looked at."""
    origin = typing.get_origin(part) or part
    if origin in _FITS:
        return _FITS[origin]
    if is_model(part):
        return lambda value: is_object(value) or isinstance(value, part)
    if origin is typing.Literal:
        return lambda value: value in typing.get_args(part)
    return lambda value: isinstance(value, (str, part)) and not isinstance(value, Unreadable)


def rank(part: Any, value: Any) -> int:
    """Order the members of a union for trying: of models first the one that knows most of the members."""
    if is_model(part) and is_object(value):
        return -sum(field.name in value for field in attrs.fields(part))
    return 0 if part is int else 1


@functools.cache
def scalar(form: Any) -> Hook:
    """Give the function that reads values without parts."""
    if isinstance(form, type) and issubclass(form, enum.Enum):
        return _enum
    if form in _TEXTS:
        return _text
    return _SCALARS.get(form, _constant)


def _str(value: Any, form: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Unreadable):
        raise mismatch(form, value)
    return value


def _int(value: Any, form: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise mismatch(form, value)
    if len(str(value)) > MOST_DIGITS:
        raise Mismatch(out_of_range(str(value)))
    return value


def _float(value: Any, form: Any) -> float:
    if not isinstance(value, int | float | Decimal | Unreadable) or isinstance(value, bool):
        raise mismatch(form, value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Mismatch(out_of_range(str(value)))
    return number


def _decimal(value: Any, form: Any) -> Decimal:
    if isinstance(value, float):
        raise Mismatch(f'a float does not hold decimal digits exactly: write Decimal("{value!r}")')
    if isinstance(value, Unreadable):
        raise Mismatch(out_of_range(value))
    if isinstance(value, Decimal):
        number = value if value.is_finite() else None
    elif isinstance(value, str):
        number = decimal_of(value)
    else:
        number = Decimal(_int(value, form))
    if number is None:
        raise Mismatch(f"expected a plain decimal number such as 12.50, found {str(value)[:40]!r}")
    return number


def _text(value: Any, form: Any) -> Any:
    # A datetime is a date to Python, but no date in JSON.
    if type(value) is form:
        return value
    if not isinstance(value, str) or isinstance(value, Unreadable):
        raise mismatch(form, value)
    try:
        return msgspec.convert(value, form)
    except ValueError:
        raise Mismatch(f"expected {expected(form)}, found {value[:40]!r}") from None


def _enum(value: Any, form: Any) -> Any:
    # True and Decimal(1) equal 1, and would do for Python.
    if type(value) not in (str, int, form):
        raise mismatch(form, value)
    try:
        return form(value)
    except ValueError:
        raise mismatch(form, value) from None


def _constant(value: Any, form: Any) -> Any:
    if typing.get_origin(form) is typing.Literal:
        fits = any(value == constant and type(value) is type(constant) for constant in typing.get_args(form))
    else:
        fits = isinstance(value, form)
    if not fits:
        raise mismatch(form, value)
    return value


_SCALARS: Mapping[Any, Hook] = {
    str: _str,
    int: _int,
    float: _float,
    Decimal: _decimal,
}

"""Checking what is about to be sent, and making plain JSON values of it, with every fault named. Pure.

This is the careful way, for mappings and for whatever ``shortcuts`` does not recognise at once; it decides.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import re
import typing
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import UNSET

from seqino._core.constraints import breaches, misidentified
from seqino._core.decimals import MOST_DIGITS, decimal_of, plain
from seqino._core.faults import Notes, Path, expected, found
from seqino._core.typegraph import Member, alternatives, is_list, is_model, is_object, members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seqino._core.constraints import Constraint
    from seqino.errors import Fault

__all__ = ["Outgoing"]

Write: TypeAlias = "Callable[[Any, Path, Notes], Any]"
"""Makes the plain value of one value at a place; what is wrong is noted."""

_SIMPLE = re.compile(r"-?(?:0|[1-9][0-9]{0,19})(?:\.[0-9]{1,19})?\Z").match
"""Nearly every amount; it needs no rewriting."""

_ZONELESS = "a date and time needs its offset from UTC: give it a tzinfo, such as datetime.timezone.utc"


class Outgoing:
    """Writes models and mappings as plain JSON values.

    Args:
        constraints: What the description asks of fields beyond their types, by model and field.
        wire_names: Names in JSON that differ from those in Python, by model and field.
    """

    def __init__(
        self,
        constraints: Mapping[type, Mapping[str, Constraint]],
        wire_names: Mapping[type, Mapping[str, str]],
    ) -> None:
        self._constraints = constraints
        self._wire_names = wire_names
        self._writers: dict[Any, Write] = {}

    def write(self, value: Any, form: Any) -> tuple[Any, tuple[Fault, ...]]:
        """Make plain JSON values of a value that is to be sent.

        Args:
            value: A model, a mapping or any other value that ``form`` describes.
            form: The type form.

        Returns:
            Plain values that msgspec writes as they are, and what is wrong with the value.
        """
        notes = Notes()
        return self._writer(form)(value, None, notes), notes.listed()

    def _writer(self, form: Any) -> Write:
        """Give the function that writes values of a type form."""
        part, *others = alternatives(form)
        form = form if others else part
        known = self._writers.get(form)
        if known is not None:
            return known

        # Known before it is made, since a model may contain itself.
        def later(value: Any, path: Path, notes: Notes) -> Any:
            return self._writers[form](value, path, notes)

        self._writers[form] = later
        self._writers[form] = made = self._make(form)
        return made

    def _make(self, form: Any) -> Write:
        part, *others = alternatives(form)
        if others:
            return self._union(form, [part, *others])
        if part is Any:
            return write_open
        if is_model(part):
            return self._model(part)
        origin = typing.get_origin(part)
        if origin is list:
            return self._list(part)
        if origin is dict:
            return self._dict(part)
        write = (
            _enum if isinstance(part, type) and issubclass(part, enum.Enum) else _SCALARS.get(part, _constant)
        )
        return lambda value, path, notes: write(value, path, notes, part)

    def _union(self, form: Any, parts: list[Any]) -> Write:
        writers = [(_meant(part), self._writer(part)) for part in parts]
        optional = type(None) in parts

        def write(value: Any, path: Path, notes: Notes) -> Any:
            if value is None and optional:
                return None
            fitting = [writer for is_meant, writer in writers if is_meant(value)]
            if len(fitting) == 1:
                return fitting[0](value, path, notes)
            for writer in fitting:
                attempt = Notes()
                written = writer(value, path, attempt)
                if not attempt.count:
                    return written
            return notes.add(path, _advice(form, value))

        return write

    def _list(self, form: Any) -> Write:
        writer = self._writer(typing.get_args(form)[0])

        def write(value: Any, path: Path, notes: Notes) -> Any:
            if not is_list(value):
                return notes.add(path, _advice(form, value))
            return [writer(item, (path, index), notes) for index, item in enumerate(value)]

        return write

    def _dict(self, form: Any) -> Write:
        writer = self._writer(typing.get_args(form)[1])

        def write(value: Any, path: Path, notes: Notes) -> Any:
            if not is_object(value):
                return notes.add(path, _advice(form, value))
            return {
                name: writer(item, (path, name), notes)
                for name, item in _named(value, path, notes)
                if item is not UNSET
            }

        return write

    def _model(self, model: type) -> Write:
        names = self._wire_names.get(model, {})
        fields = {names.get(member.name, member.name): member for member in members(model)}
        writers = {wire: self._member(model, member) for wire, member in fields.items()}
        limits = self._constraints.get(model, {})
        identified = [
            (wire, limit, None if limit.scheme is None else names.get(limit.scheme, limit.scheme))
            for wire, member in fields.items()
            if (limit := limits.get(member.name)) is not None and limit.is_identifier
        ]

        def write(value: Any, path: Path, notes: Notes) -> Any:
            if isinstance(value, model):
                given = {wire: getattr(value, member.name, UNSET) for wire, member in fields.items()}
            elif is_object(value):
                given = dict(_named(value, path, notes))
            else:
                return notes.add(path, f"expected {model.__name__} or a mapping, found {found(value)}")
            for wire, member in fields.items():
                if member.required and given.get(wire, UNSET) is UNSET:
                    notes.add((path, wire), "is missing")
            # What the description does not know is sent as it is: its schemas are open.
            written = {
                wire: writers.get(wire, write_open)(item, (path, wire), notes)
                for wire, item in given.items()
                if item is not UNSET
            }
            for wire, limit, scheme in identified:
                beside = None if scheme is None else written.get(scheme)
                wrong = misidentified(limit, written.get(wire), beside, (path, wire))
                if wrong:
                    notes.add((path, wire), wrong)
            return written

        return write

    def _member(self, model: type, member: Member) -> Write:
        writer = self._writer(member.form)
        constraint = self._constraints.get(model, {}).get(member.name)
        is_number = Decimal in alternatives(member.form)
        optional = member.omissible and {type(None), Any}.isdisjoint(alternatives(member.form))

        def write(value: Any, path: Path, notes: Notes) -> Any:
            if value is None and optional:
                return notes.add(path, "must not be null; to leave it out, give UNSET or nothing")
            before = notes.count
            written = writer(value, path, notes)
            if constraint is not None and notes.count == before:
                limited = decimal_of(written) if is_number and isinstance(written, str) else written
                for message in breaches(constraint, limited):
                    notes.add(path, message)
            return written

        return write


def write_open(value: Any, path: Path, notes: Notes) -> Any:
    """Write a value of which nothing is known: any JSON, but no float."""
    if isinstance(value, enum.Enum):
        return write_open(value.value, path, notes)
    if is_object(value):
        return {
            name: write_open(item, (path, name), notes)
            for name, item in _named(value, path, notes)
            if item is not UNSET
        }
    if is_list(value):
        return [write_open(item, (path, index), notes) for index, item in enumerate(value)]
    for kind, write in _OPEN:
        if isinstance(value, kind):
            return write(value, path, notes, kind)
    return notes.add(path, f"is no JSON: {found(value)}")


def _named(value: Mapping[Any, Any], path: Path, notes: Notes) -> list[tuple[str, Any]]:
    """Give the members of a mapping; names that are no text are noted."""
    named: list[tuple[str, Any]] = []
    for name, item in value.items():
        if isinstance(name, str):
            named.append((_str(name, path, notes, str), item))
        else:
            notes.add(path, f"names of members must be text, found {name!r}")
    return named


def _meant(part: Any) -> Callable[[Any], bool]:
    """Tell values of the kind that a member of a union writes; what they hold is not looked at."""
    kind = typing.get_origin(part) or part
    if kind is Any:
        return lambda _: True
    if kind is list:
        return is_list
    if kind is dict:
        return is_object
    if is_model(kind):
        return lambda value: is_object(value) or isinstance(value, kind)
    if kind is type(None):
        return lambda value: value is None
    return _is_single


def _is_single(value: Any) -> bool:
    """Whether a value has no parts."""
    return isinstance(value, str) or not (
        value is None or is_list(value) or is_object(value) or is_model(type(value))
    )


def _advice(form: Any, value: Any) -> str:
    return f"expected {expected(form)}, found {found(value)}"


def _no_float(value: float) -> str:
    if not math.isfinite(value):
        return f"{value!r} is no JSON number"
    return f'a float does not hold decimal digits exactly: write Decimal("{value!r}")'


def _str(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    if type(value) is str and value.isascii():
        return value
    if isinstance(value, enum.Enum):
        value = value.value
    if not isinstance(value, str):
        return notes.add(path, _advice(form, value))
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return notes.add(path, f"is no valid Unicode text: a lone surrogate at character {error.start}")
    return str(value)


def _int(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return notes.add(path, _advice(form, value))
    if abs(value) >= 10**MOST_DIGITS:
        return notes.add(path, f"has more than {MOST_DIGITS} digits")
    return int(value)


def _float(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    if not isinstance(value, float):
        return _int(value, path, notes, form)
    if not math.isfinite(value):
        return notes.add(path, _no_float(value))
    return float(value)


def _decimal(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    if isinstance(value, float):
        return notes.add(path, _no_float(value))
    if isinstance(value, str):
        number = decimal_of(value)
        if number is None:
            return notes.add(path, f"expected a plain decimal number such as 12.50, found {value[:40]!r}")
        return value if _SIMPLE(value) else _decimal(number, path, notes, form)
    if isinstance(value, Decimal):
        written = str(value)
        text = written if _SIMPLE(written) else plain(value)
        if text is None:
            notes.add(path, f"must be finite and have at most {MOST_DIGITS} digits on each side of the point")
        return text
    return _int(value, path, notes, form)


def _time(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    """Write a date, a time or a UUID, or a text of the same meaning."""
    written = value
    if isinstance(value, str):
        try:
            value = msgspec.convert(value, form)
        except ValueError:
            return notes.add(path, f"expected {expected(form)}, found {value[:40]!r}")
    # A datetime is a date to Python, but no date in JSON.
    if not isinstance(value, form) or (form is dt.date and isinstance(value, dt.datetime)):
        return notes.add(path, _advice(form, value))
    if isinstance(value, dt.datetime) and value.utcoffset() is None:
        return notes.add(path, _ZONELESS)
    return written


def _enum(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    # True and Decimal(1) equal 1, and would do for Python.
    if not isinstance(value, str) and type(value) not in (int, form):
        return notes.add(path, _advice(form, value))
    try:
        plain_value = form(value).value
    except ValueError:
        return notes.add(path, _advice(form, value))
    return _str(plain_value, path, notes, form) if isinstance(plain_value, str) else plain_value


def _constant(value: Any, path: Path, notes: Notes, form: Any) -> Any:
    if typing.get_origin(form) is typing.Literal:
        fits = any(value == constant and type(value) is type(constant) for constant in typing.get_args(form))
    else:
        fits = isinstance(value, form)
    return value if fits else notes.add(path, _advice(form, value))


_SCALARS: Mapping[Any, Callable[[Any, Path, Notes, Any], Any]] = {
    str: _str,
    int: _int,
    float: _float,
    Decimal: _decimal,
    dt.date: _time,
    dt.datetime: _time,
    dt.time: _time,
    uuid.UUID: _time,
}

_OPEN: tuple[tuple[type, Callable[[Any, Path, Notes, Any], Any]], ...] = (
    (bool, _constant),
    (type(None), _constant),
    (float, _decimal),
    *((kind, _SCALARS[kind]) for kind in (str, int, Decimal, dt.datetime, dt.date, dt.time, uuid.UUID)),
)
"""What may stand where nothing is known; bool before int and datetime before date, which they are as well."""

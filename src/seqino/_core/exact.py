"""Reading through cattrs: slower than msgspec alone, it checks each digit and names every fault.

Only documents that msgspec refuses, or that look odd, come here; on the happy path cattrs is not imported.
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import threading
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import msgspec
from cattrs.errors import (
    ClassValidationError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.msgspec import MsgspecJsonConverter, make_converter

from seqino._core.decimals import MOST_DIGITS, Unreadable, decimal_of, out_of_range
from seqino._core.faults import MOST_FAULTS, Path, expected, found, shown
from seqino._core.typegraph import alternatives, is_model
from seqino.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cattrs import Converter

__all__ = ["ExactReader", "Faulty"]

Hook: TypeAlias = Callable[[Any, Any], Any]

_TEXTS: tuple[Any, ...] = (dt.date, dt.datetime, dt.time, dt.timedelta, uuid.UUID, bytes)
"""Types whose text msgspec reads: asked to read it here too, so that both ways accept the same."""


class _Mismatch(ValueError):  # noqa: N818 - as in errors
    """A value that does not fit; its text says why."""


class Faulty(Exception):  # noqa: N818 - says what the document is
    """A document with faults."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults


class ExactReader:
    """Makes models of plain JSON values, and names everything that does not fit.

    Accepts what msgspec's own decoder accepts, but for what is no plain decimal number.

    Args:
        wire_names: Names in JSON that differ from those in Python, by model and field.
    """

    def __init__(self, wire_names: Mapping[type, Mapping[str, str]]) -> None:
        self._wire_names = wire_names
        self._left = threading.local()
        self.converter = self._make_converter()

    def read(self, value: Any, form: Any) -> Any:
        """Make what a type form describes of plain JSON values.

        Args:
            value: Plain values; fractions as ``Decimal`` or, out of range, as ``Unreadable``.
            form: The type form.

        Raises:
            Faulty: It does not fit; with its faults, 100 at most.
            RecursionError: It is nested too deeply.
        """
        self._left.faults = MOST_FAULTS
        try:
            return self.converter.structure(value, form)
        except Exception as error:  # noqa: BLE001 - validators of models may raise anything
            faults: list[Fault] = []
            for path, message in self._faults(error, None):
                if len(faults) == MOST_FAULTS:
                    faults.append(Fault("$", f"and more; the first {MOST_FAULTS} are listed"))
                    break
                faults.append(Fault(shown(path), message))
            raise Faulty(tuple(faults)) from None

    def _faults(self, error: BaseException, path: Path) -> Iterator[tuple[Path, str]]:
        if isinstance(error, ClassValidationError):
            names = self._wire_names.get(error.cl, {})
            parts, others = error.group_exceptions()
            for part, note in parts:
                name = names.get(note.name, note.name)
                if isinstance(part, KeyError):
                    yield (path, name), "is missing"
                else:
                    yield from self._faults(part, (path, name))
            for other in others:
                yield from self._faults(other, path)
        elif isinstance(error, IterableValidationError):
            for part, item in error.group_exceptions()[0]:
                yield from self._faults(part, (path, item.index))
        elif isinstance(error, RecursionError):
            raise error
        else:
            yield path, str(error)

    def _make_converter(self) -> MsgspecJsonConverter:
        converter = make_converter(detailed_validation=True)

        def structure(value: Any, form: Any) -> Any:
            return self._hook(form)(value, form)

        # These are dispatched by class, and enums of text with them, before any predicate is asked.
        for plain_type in (str, int, float, bytes, dt.date, dt.datetime):
            converter.register_structure_hook(plain_type, structure)
        converter.register_structure_hook_factory(lambda _: True, self._hook)
        converter.register_unstructure_hook_factory(_is_union, _union_out)
        converter.register_unstructure_hook_factory(lambda form: form in self._wire_names, self._renamed_out)
        return converter

    def _renamed_out(self, form: Any, converter: Converter) -> Callable[[Any], Any]:
        return make_dict_unstructure_fn(form, converter, **self._overrides(form))

    def _overrides(self, model: type) -> dict[str, Any]:
        return {name: override(rename=wire) for name, wire in self._wire_names.get(model, {}).items()}

    def _hook(self, form: Any) -> Hook:
        """Give the function that reads values of a type form."""
        origin = typing.get_origin(form)
        if form is Any:
            return self._open
        if _is_union(form):
            return self._union(form)
        if is_model(form):
            return self._model(form)
        if origin is list:
            return self._list(form)
        if origin is dict:
            return self._dict(form)
        return _scalar(form)

    def _model(self, model: type) -> Hook:
        make: Hook = make_dict_structure_fn(model, self.converter, **self._overrides(model))

        def structure(value: Any, _: Any) -> Any:
            if isinstance(value, model):
                return value
            if not isinstance(value, Mapping):
                raise _mismatch(model, value)
            return make(value, model)

        return structure

    def _list(self, form: Any) -> Hook:
        (item,) = typing.get_args(form)
        hook = self.converter.get_structure_hook(item)

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, list | tuple):
                raise _mismatch(form, value)
            return [part for _, part in self._each(enumerate(value), hook, item)]

        return structure

    def _dict(self, form: Any) -> Hook:
        _, item = typing.get_args(form)
        hook = self.converter.get_structure_hook(item)

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, Mapping):
                raise _mismatch(form, value)
            return dict(self._each(value.items(), hook, item))

        return structure

    def _union(self, form: Any) -> Hook:
        hooks = {part: self.converter.get_structure_hook(part) for part in alternatives(form)}

        def structure(value: Any, _: Any) -> Any:
            first: Exception = _mismatch(form, value)
            fitting = [part for part in hooks if _fits(part, value)]
            for tried, part in enumerate(sorted(fitting, key=lambda part: _rank(part, value))):
                try:
                    return hooks[part](value, part)
                except RecursionError:
                    raise
                except Exception as error:  # noqa: BLE001 - validators of models may raise anything
                    first = first if tried else error
            raise first

        return structure

    def _open(self, value: Any, _: Any) -> Any:
        """Read a value of which nothing is known."""
        if isinstance(value, Unreadable):
            raise _Mismatch(out_of_range(value))
        if isinstance(value, list):
            return [part for _, part in self._each(enumerate(value), self._open, Any)]
        if isinstance(value, dict):
            return dict(self._each(value.items(), self._open, Any))
        return value

    def _each(self, items: Iterable[tuple[Any, Any]], hook: Hook, form: Any) -> list[tuple[Any, Any]]:
        """Read the parts of a list or object, each with its index or name, until there are faults enough."""
        parts: list[tuple[Any, Any]] = []
        errors: list[Exception] = []
        for index, value in items:
            try:
                parts.append((index, hook(value, form)))
            except RecursionError:
                raise
            except Exception as error:  # noqa: BLE001 - validators of models may raise anything
                error.add_note(IterableValidationNote("in a list or an object", index, form))
                errors.append(error)
                self._left.faults -= 1
                if self._left.faults <= 0:
                    break
        if errors:
            raise IterableValidationError("in a list or an object", errors, form)
        return parts


def _is_union(form: Any) -> bool:
    return typing.get_origin(form) in (types.UnionType, typing.Union)


def _union_out(form: Any, converter: Converter) -> Callable[[Any], Any]:
    """Leave a union to msgspec where it would leave each of its members to it.

    cattrs alone gives ``X | None`` a function of its own, and with it every model that has such a field: writing
    then takes three times as long.
    """
    hooks = [converter.get_unstructure_hook(part) for part in alternatives(form)]
    if all(hook in (identity, msgspec.to_builtins) for hook in hooks):
        return identity
    return converter.unstructure


def _mismatch(form: Any, value: Any) -> _Mismatch:
    return _Mismatch(f"expected {expected(form)}, found {found(value)}")


def _fits(part: Any, value: Any) -> bool:
    """Whether a value is of the kind that a member of a union reads; what it holds is not looked at."""
    is_text = isinstance(value, str) and not isinstance(value, Unreadable)
    origin = typing.get_origin(part)
    if part is int or part is float or part is Decimal:
        is_number = isinstance(value, int | float | Decimal | Unreadable) and not isinstance(value, bool)
        return (is_number and (part is not int or isinstance(value, int))) or (is_text and part is Decimal)
    if is_model(part) or origin is dict:
        return isinstance(value, Mapping | (part if origin is None else dict))
    if origin is list:
        return isinstance(value, list | tuple)
    if origin is typing.Literal:
        return value in typing.get_args(part)
    if part is Any or part is bool or part is type(None):
        return part is Any or isinstance(value, part)
    return is_text or isinstance(value, part)


def _rank(part: Any, value: Any) -> int:
    """Say in which order the members of a union are tried: of models first the one that knows most members."""
    if is_model(part) and isinstance(value, Mapping):
        return -sum(field.name in value for field in attrs.fields(part))
    return 0 if part is int else 1


def _scalar(form: Any) -> Hook:
    """Give the function that reads values without parts."""
    if isinstance(form, type) and issubclass(form, enum.Enum):
        return _enum
    if form in _TEXTS:
        return _text
    return _SCALARS.get(form, _constant)


def _str(value: Any, form: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Unreadable):
        raise _mismatch(form, value)
    return value


def _int(value: Any, form: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mismatch(form, value)
    if len(str(value)) > MOST_DIGITS:
        raise _Mismatch(out_of_range(str(value)))
    return value


def _float(value: Any, form: Any) -> float:
    if not isinstance(value, int | float | Decimal | Unreadable) or isinstance(value, bool):
        raise _mismatch(form, value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _Mismatch(out_of_range(str(value)))
    return number


def _decimal(value: Any, form: Any) -> Decimal:
    if isinstance(value, float):
        raise _Mismatch(f'a float does not hold decimal digits exactly: write Decimal("{value!r}")')
    if isinstance(value, Unreadable):
        raise _Mismatch(out_of_range(value))
    if isinstance(value, Decimal):
        number = value if value.is_finite() else None
    elif isinstance(value, str):
        number = decimal_of(value)
    else:
        number = Decimal(_int(value, form))
    if number is None:
        raise _Mismatch(f"expected a plain decimal number such as 12.50, found {str(value)[:40]!r}")
    return number


def _text(value: Any, form: Any) -> Any:
    # A datetime is a date to Python, but no date in JSON.
    if type(value) is form:
        return value
    if not isinstance(value, str) or isinstance(value, Unreadable):
        raise _mismatch(form, value)
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError:
        raise _Mismatch(f"expected {expected(form)}, found {value[:40]!r}") from None


def _enum(value: Any, form: Any) -> Any:
    try:
        return form(value)
    except ValueError:
        raise _mismatch(form, value) from None


def _constant(value: Any, form: Any) -> Any:
    if typing.get_origin(form) is typing.Literal:
        fits = any(value == constant and type(value) is type(constant) for constant in typing.get_args(form))
    else:
        fits = isinstance(value, form)
    if not fits:
        raise _mismatch(form, value)
    return value


_SCALARS: Mapping[Any, Hook] = {
    str: _str,
    int: _int,
    float: _float,
    Decimal: _decimal,
}

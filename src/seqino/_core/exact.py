"""Reading through cattrs: slower than msgspec alone, it checks each digit and names every fault.

Only documents that msgspec refuses, or that look odd, come here; on the happy path cattrs is not imported.
"""

from __future__ import annotations

import datetime as dt
import threading
import types
import typing
from typing import TYPE_CHECKING, Any, cast

import msgspec
from cattrs.errors import (
    ClassValidationError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.msgspec import MsgspecJsonConverter, make_converter, msgspec_attrs_unstructure_factory

from seqino._core.decimals import Unreadable, out_of_range
from seqino._core.faults import MOST_FAULTS, Path, shown
from seqino._core.typegraph import alternatives, is_list, is_model, is_object
from seqino._core.values import Hook, Mismatch, fits, mismatch, rank, scalar
from seqino.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cattrs import Converter

__all__ = ["ExactReader", "Faulty"]


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
            return scalar(form)(value, form)

        # These are dispatched by class, and enums of text with them, before any predicate is asked.
        for plain_type in (str, int, float, bytes, dt.date, dt.datetime):
            converter.register_structure_hook(plain_type, structure)
        converter.register_structure_hook_factory(lambda _: True, self._hook)
        # Left to msgspec: cattrs alone would look into each value, and in every model that has such a field.
        converter.register_unstructure_hook_factory(lambda form: form is Any, _any_out)
        converter.register_unstructure_hook_factory(_is_union, _union_out)
        converter.register_unstructure_hook_factory(is_model, self._model_out)
        return converter

    def _model_out(self, model: type, converter: Converter) -> Callable[[Any], Any]:
        hook = msgspec_attrs_unstructure_factory(model, converter)
        if hook is msgspec.to_builtins and model not in self._wire_names:
            return hook
        write: Callable[[Any], dict[str, Any]]
        write = make_dict_unstructure_fn(model, converter, **self._overrides(model))

        def without_unset(value: Any) -> dict[str, Any]:
            return {name: part for name, part in write(value).items() if part is not msgspec.UNSET}

        return without_unset

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
        return scalar(form)

    def _model(self, model: type) -> Hook:
        make = cast("Hook", make_dict_structure_fn(model, self.converter, **self._overrides(model)))

        def structure(value: Any, _: Any) -> Any:
            if isinstance(value, model):
                return value
            if not is_object(value):
                raise mismatch(model, value)
            return make(value, model)

        return structure

    def _list(self, form: Any) -> Hook:
        (item,) = typing.get_args(form)
        hook = self.converter.get_structure_hook(item)

        def structure(value: Any, _: Any) -> Any:
            if not is_list(value):
                raise mismatch(form, value)
            return [part for _, part in self._each(enumerate(value), hook, item)]

        return structure

    def _dict(self, form: Any) -> Hook:
        _, item = typing.get_args(form)
        hook = self.converter.get_structure_hook(item)

        def structure(value: Any, _: Any) -> Any:
            if not is_object(value):
                raise mismatch(form, value)
            return dict(self._each(value.items(), hook, item))

        return structure

    def _union(self, form: Any) -> Hook:
        readers = [(part, fits(part), self.converter.get_structure_hook(part)) for part in alternatives(form)]

        def structure(value: Any, _: Any) -> Any:
            fitting = [(part, hook) for part, is_fit, hook in readers if is_fit(value)]
            if not fitting:
                raise mismatch(form, value)
            if len(fitting) > 1:
                fitting.sort(key=lambda reader: rank(reader[0], value))
            errors: list[Exception] = []
            for part, hook in fitting:
                try:
                    return hook(value, part)
                except RecursionError:
                    raise
                except Exception as error:  # noqa: BLE001 - validators of models may raise anything
                    errors.append(error)
            raise errors[0]

        return structure

    def _open(self, value: Any, _: Any) -> Any:
        """Read a value of which nothing is known."""
        if isinstance(value, Unreadable):
            raise Mismatch(out_of_range(value))
        if is_list(value):
            return [part for _, part in self._each(enumerate(value), self._open, Any)]
        if is_object(value):
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
            # pyright takes the constructor of ExceptionGroup for that of its child.
            raise IterableValidationError("in a list or an object", errors, form)  # pyright: ignore[reportCallIssue]
        return parts


def _is_union(form: Any) -> bool:
    return typing.get_origin(form) in (types.UnionType, typing.Union)


def _any_out(_: Any) -> Callable[[Any], Any]:
    return identity


def _union_out(form: Any, converter: Converter) -> Callable[[Any], Any]:
    """Leave a union to msgspec where it would leave each of its members to it.

    cattrs alone gives ``X | None`` a function of its own, and with it every model that has such a field:
    writing then takes three times as long.
    """
    writers = [(fits(part), converter.get_unstructure_hook(part)) for part in alternatives(form)]
    if all(hook in (identity, msgspec.to_builtins) for _, hook in writers):
        return identity

    def write(value: Any) -> Any:
        return next((hook for is_fit, hook in writers if is_fit(value)), identity)(value)

    return write

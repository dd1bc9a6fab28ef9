"""Functions made for one model each: the outgoing check of what needs no second look, and filled-in defaults.

They are generated as source, the way attrs makes ``__init__``: a loop over fields would cost as much as the
encoding itself. They recognise the plainest case only; anything else is left to the careful way.
"""

from __future__ import annotations

import datetime as dt
import enum
import typing
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from msgspec import UNSET

from seqino._core.constraints import breaches, identifies
from seqino._core.decimals import MOST_DIGITS
from seqino._core.typegraph import Member, alternatives, is_model, members
from seqino._core.wire import OpenEnum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from seqino._core.constraints import Constraint


__all__ = ["Recogniser", "fill_in_defaults"]

Recognise: TypeAlias = "Callable[[Any], bool]"
"""Says whether a value is plainly right, but for the Decimals in it, which are looked at once written."""

_FEWEST_DEFAULTS = 6
"""With fewer fields that have a default, filling them in costs more than it saves."""

_SIMPLE = (str, bool, dt.date, dt.time, uuid.UUID)
"""Values of exactly these types are right wherever the type is asked for."""


def fill_in_defaults(model: type[attrs.AttrsInstance]) -> None:
    """Let msgspec begin each instance of a model with its defaults.

    msgspec finds the fields that a document left out by asking the instance for each, and Python answers with
    an exception: 0.2 µs a field, for an invoice more than all the rest. ``__attrs_pre_init__`` is called by
    msgspec first thing, and by attrs only where it was there when attrs made the class, so ``__init__`` stays
    as it is. What is in the document replaces what was filled in.

    Args:
        model: An attrs class; it is changed only if it gains by it.
    """
    groups: dict[int, list[attrs.Attribute[Any]]] = {}
    for field in attrs.fields(model):
        if field.init and field.default is not attrs.NOTHING and not hasattr(field.default, "factory"):
            groups.setdefault(id(field.default), []).append(field)
    setter: Any = model.__setattr__
    if (
        sum(map(len, groups.values())) < _FEWEST_DEFAULTS
        or "__attrs_pre_init__" in vars(model)
        or setter is not object.__setattr__
    ):
        return
    space = {f"default{key}": fields[0].default for key, fields in groups.items()}
    body = "\n".join(
        "  " + " = ".join(f"self.{field.name}" for field in fields) + f" = default{key}"
        for key, fields in groups.items()
    )
    _define(space, "__attrs_pre_init__", "self", body)
    type.__setattr__(model, "__attrs_pre_init__", space["__attrs_pre_init__"])


def _define(space: dict[str, Any], name: str, arguments: str, body: str) -> None:
    """Define a function among the names of ``space``."""
    # Only names of fields come from elsewhere, and Python has accepted them as such before.
    exec(f"def {name}({arguments}):\n{body}\n", space)  # noqa: S102


class Recogniser:
    """Makes the function that recognises values of a type form which need no second look.

    What it recognises, ``outgoing`` finds no fault with, and msgspec writes as ``outgoing`` would.

    Args:
        constraints: What the description asks of fields beyond their types, by model and field.
        renamed: Models whose names in JSON are not all those in Python; they are never recognised.
    """

    def __init__(self, constraints: Mapping[type, Mapping[str, Constraint]], renamed: Iterable[type]) -> None:
        self._constraints = constraints
        self._renamed = frozenset(renamed)
        self._names: dict[Any, str] = {}
        self._space: dict[str, Any] = {"UNSET": UNSET, "is_open": _is_open, "most": 10**MOST_DIGITS}

    def recognise(self, form: Any) -> Recognise:
        """Give the function for a type form."""
        made: Recognise = self._space[self._function(form)]
        return made

    def _function(self, form: Any) -> str:
        """Name the function for a type form, made where there was none."""
        name = self._names.get(form)
        if name is None:
            # Named before it is made, since a model may contain itself.
            name = self._names[form] = f"recognise{len(self._names)}"
            lines = self._model(form) if is_model(form) else self._value(form, "value", "  ")
            _define(self._space, name, "value", "\n".join([*lines, "  return True"]))
        return name

    def _constant(self, value: Any) -> str:
        """Name a value that the source refers to."""
        name = f"constant{id(value)}"
        self._space[name] = value
        return name

    def _model(self, model: Any) -> Iterator[str]:
        if model in self._renamed:
            yield "  return False"
            return
        for member in members(model):
            yield f"  v = value.{member.name}"
            yield from self._member(model, member)

    def _member(self, model: type, member: Member) -> Iterator[str]:
        lines = list(self._value(member.form, "v", "    "))
        constraint = self._constraints.get(model, {}).get(member.name)
        if constraint is not None and member.form is Any:
            # A limit means different things for different kinds of values.
            lines.append("    return False")
        elif constraint is not None:
            lines.extend(self._limits(constraint))
        yield "  if v is not UNSET:" if member.omissible else "  if True:"
        yield from lines

    def _limits(self, constraint: Constraint) -> Iterator[str]:
        """Write the lines that return False unless the variable ``v`` keeps to its limits."""
        if constraint.has_bounds:
            yield f"    if {self._constant(_breaks(constraint))}(v): return False"
        if constraint.is_identifier:
            scheme = "None" if constraint.scheme is None else f"value.{constraint.scheme}"
            yield f"    if not {self._constant(identifies(constraint))}(v, {scheme}): return False"

    def _value(self, form: Any, name: str, indent: str) -> Iterator[str]:
        """Write the lines that return False unless the variable ``name`` is plainly right."""
        kind = f"{name}_kind"
        yield f"{indent}{kind} = {name}.__class__"
        word = "if"
        for part in alternatives(form):
            for test, lines in self._cases(part, name, indent + "  "):
                yield f"{indent}{word} {test.format(kind=kind, value=name)}:"
                yield from lines or [f"{indent}  pass"]
                word = "elif"
        yield f"{indent}{'else' if word == 'elif' else 'if True'}: return False"

    def _cases(self, part: Any, name: str, indent: str) -> Iterator[tuple[str, list[str]]]:
        """Give a test for each kind of value that may stand for a type, and what else must hold then."""
        if part is Any:
            yield "True", [f"{indent}if not is_open({name}): return False"]
        elif part is type(None):
            yield "{value} is None", []
        elif part is Decimal:
            yield f"{{kind}} is {self._constant(Decimal)}", []
            yield f"{{kind}} is {self._constant(int)} and -most < {{value}} < most", []
        elif part is int:
            yield f"{{kind}} is {self._constant(int)} and -most < {{value}} < most", []
        elif part is dt.datetime:
            yield f"{{kind}} is {self._constant(dt.datetime)} and {{value}}.utcoffset() is not None", []
        elif part in _SIMPLE:
            yield f"{{kind}} is {self._constant(part)}", []
        elif isinstance(part, type) and issubclass(part, OpenEnum):
            yield f"{{kind}} is {self._constant(part)} or {{kind}} is {self._constant(str)}", []
        else:
            yield from self._container(part, name, indent)

    def _container(self, part: Any, name: str, indent: str) -> Iterator[tuple[str, list[str]]]:
        """As ``_cases``, for a type with parts; none where each such value needs a second look."""
        origin = typing.get_origin(part)
        if is_model(part):
            yield (
                f"{{kind}} is {self._constant(part)}",
                [f"{indent}if not {self._function(part)}({name}): return False"],
            )
        elif origin is list:
            item = f"{name}_item"
            lines = [f"{indent}for {item} in {name}:"]
            lines.extend(self._value(typing.get_args(part)[0], item, indent + "  "))
            yield f"{{kind}} is {self._constant(list)}", lines
        elif origin is dict:
            item = f"{name}_item"
            lines = [f"{indent}for {name}_key, {item} in {name}.items():"]
            lines.append(f"{indent}  if {name}_key.__class__ is not {self._constant(str)}: return False")
            lines.extend(self._value(typing.get_args(part)[1], item, indent + "  "))
            yield f"{{kind}} is {self._constant(dict)}", lines


def _breaks(constraint: Constraint) -> Callable[[Any], bool]:
    def breaks(value: Any) -> bool:
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, Decimal) and not value.is_finite():
            return True
        return next(breaches(constraint, value), None) is not None

    return breaks


def _is_open(value: Any) -> bool:
    """Recognise any JSON without floats."""
    kind = value.__class__
    if kind is str or kind is bool or kind is Decimal or value is None:
        return True
    if kind is dict:
        return all(name.__class__ is str and _is_open(item) for name, item in value.items())
    if kind is list:
        return all(_is_open(item) for item in value)
    return kind is int and -(10**MOST_DIGITS) < value < 10**MOST_DIGITS

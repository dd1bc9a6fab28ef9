"""Valid JSON documents for any type form, with the place and the form of every value in them."""

from __future__ import annotations

import datetime as dt
import json
import typing
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.typegraph import Member, alternatives, is_model, members
from seqino._core.wire import OpenEnum
from seqino._generated.tables import CONSTRAINTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEPEST = 6
"""How deep a sample goes where a member may be left out."""


@attrs.frozen(kw_only=True)
class Span:
    """A value in a document.

    Args:
        form: Its type form.
        start: Where it begins.
        end: Where it ends.
        name_start: Where the member's name begins; ``None`` for an item of a list, or the root.
        name: The member's name.
        required: Whether the member may be left out.
        is_last: Whether nothing follows it in its object.
    """

    form: Any
    start: int
    end: int
    name_start: int | None = None
    name: str = ""
    required: bool = True
    is_last: bool = True


@attrs.frozen
class Document:
    """A document that can be read, and its values, the root first."""

    text: bytes
    spans: tuple[Span, ...]


_SCALARS: Mapping[Any, Any] = {
    str: "Boulangerie Dupain à Nîmes",
    bool: True,
    int: 7,
    Decimal: "12.50",
    float: 1.5,
    dt.date: "2026-09-01",
    dt.datetime: "2026-09-01T08:00:00Z",
    dt.time: "08:00:00",
    uuid.UUID: "0192d2f0-5b2a-7c3e-8f00-000000000001",
    type(None): None,
    Any: {"any": ["thing", 1.5, None]},
}

IDENTIFIERS: Mapping[str, str] = {
    "siren": "552100554",
    "siret": "55210055400013",
    "vat_number": "FR96552100554",
    "routing_code": "COMPTA-1",
    "suffix": "COMPTA",
    "address": "552100554_COMPTA",
}
"""An identifier of each kind that fields and parameters have."""


def document(form: Any, *, whole: bool = True) -> Document:
    """Write a document.

    Args:
        form: The type form of what it holds.
        whole: Whether members that may be left out are in it, some levels deep.
    """
    writer = _Writer(whole=whole)
    writer.value(form, ())
    return Document(b"".join(writer.pieces), tuple(sorted(writer.spans, key=lambda span: span.start)))


class _Writer:
    def __init__(self, *, whole: bool) -> None:
        self.pieces: list[bytes] = []
        self.spans: list[Span] = []
        self._size = 0
        self._whole = whole

    def _put(self, text: str) -> None:
        piece = text.encode()
        self.pieces.append(piece)
        self._size += len(piece)

    def value(self, form: Any, above: tuple[Any, ...], *, identifier: str = "", **place: Any) -> None:
        start = self._size
        (part, *_) = sorted(alternatives(form), key=_usefulness)
        origin, arguments = typing.get_origin(part), typing.get_args(part)
        if is_model(part):
            self._model(part, (*above, part))
        elif origin is list:
            self._put("[")
            self.value(arguments[0], above)
            self._put("]")
        elif origin is dict:
            self._put('{"key": ')
            self.value(arguments[1], above)
            self._put("}")
        elif isinstance(part, type) and issubclass(part, OpenEnum):
            self._put(json.dumps(next(iter(part)).value))
        else:
            self._put(json.dumps(IDENTIFIERS[identifier] if identifier else _SCALARS[part]))
        self.spans.append(Span(form=form, start=start, end=self._size, **place))

    def _model(self, model: Any, above: tuple[Any, ...]) -> None:
        chosen = list(self._chosen(model, above))
        self._put("{")
        for number, member in enumerate(chosen, start=1):
            name_start = self._size
            limits = CONSTRAINTS.get(model, {}).get(member.name)
            self._put(f"{json.dumps(member.name)}: ")
            self.value(
                member.form,
                above,
                identifier=(limits and limits.identifier) or "",
                name_start=name_start,
                name=member.name,
                required=member.required,
                is_last=number == len(chosen),
            )
            if number < len(chosen):
                self._put(", ")
        self._put("}")

    def _chosen(self, model: Any, above: tuple[Any, ...]) -> Iterator[Member]:
        """The members to write: a model inside itself, and what lies deep, only where it must be."""
        for member in members(model):
            inner = [part for part in _inside(member.form) if is_model(part)]
            fits = not set(inner).intersection(above) and (not inner or len(above) < DEEPEST)
            if member.required or (self._whole and fits):
                yield member


def _inside(form: Any) -> Iterator[Any]:
    for part in alternatives(form):
        if typing.get_origin(part) in (list, dict):
            yield from _inside(typing.get_args(part)[-1])
        else:
            yield part


def _usefulness(part: Any) -> int:
    """Of several forms, the one with most in it."""
    if part is type(None):
        return 3
    if typing.get_origin(part) is list:
        return 0
    return 1 if is_model(part) else 2

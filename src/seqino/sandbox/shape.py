"""Invoice data by business term: what the description says about where each term of EN 16931 stands. Pure.

The rules of EN 16931 speak of terms (BT-131), the API of fields (``line_net_amount``). The description names
the term of each field (``x-business-term``, or ``x-business-terms`` by group where a part stands in several
places), so the sandbox needs no table of its own, and a renamed field is still judged. Terms are read into
one flat mapping; a repeated group (BG-25) becomes a list of such mappings.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from seqino.sandbox.description import Description

__all__ = ["Shape", "Terms", "shape_of"]

Terms = dict[str, Any]
"""Values by business term; a list of such mappings for a repeated group."""


@attrs.define(eq=False)
class Shape:
    """What a schema says about a value: its fields and their terms, its items, whether it is an amount."""

    amount: bool = False
    fields: dict[str, tuple[str | None, Shape]] = attrs.field(factory=dict[str, "tuple[str | None, Shape]"])
    items: Shape | None = None

    def plain(self, value: Any) -> Any:
        """Copy a value as the platform answers it: an amount is text with the digits that were sent.

        A fraction that the description does not know stays a number, unless it is beyond every reader's.
        """
        if isinstance(value, dict):
            copy = cast("dict[str, Any]", value).copy()
            for name, one in copy.items():
                # Most fields are text, which stays; asking first saves most of the cost of a request.
                if one.__class__ is not str:
                    field = self.fields.get(name)
                    copy[name] = (field[1] if field else _UNKNOWN).plain(one)
            return copy
        if isinstance(value, list):
            items = self.items or _UNKNOWN
            return [items.plain(one) for one in cast("Iterable[Any]", value)]
        if self.amount and isinstance(value, int | Decimal):
            return str(value)
        if isinstance(value, Decimal) and not math.isfinite(float(value)):
            return str(value)
        return value

    def terms(self, value: Mapping[str, Any]) -> Terms:
        """Read the business terms of an object; absent and null fields are left out."""
        found: Terms = {}
        for name, (term, shape) in self.fields.items():
            one = value.get(name)
            if one is None:
                continue
            if term and one.__class__ is str:  # asked first, as above
                found[term] = one
            elif isinstance(one, dict):
                found.update(shape.terms(cast("dict[str, Any]", one)))
            elif isinstance(one, list):
                if term and shape.items:
                    found[term] = [shape.items.terms(item) for item in cast("list[dict[str, Any]]", one)]
            elif term:
                found[term] = one
        return found

    def only(self, terms: Container[str]) -> Shape:
        """Return the part of it that holds some terms: reading less of an object takes less time.

        Of a repeated group all is left out that is none of the terms; that there is such a group stays.
        """
        fields: dict[str, tuple[str | None, Shape]] = {}
        for name, (term, shape) in self.fields.items():
            part = shape.only(terms)
            if (term and term in terms) or part.fields:
                fields[name] = term, part
        return Shape(self.amount, fields, self.items and self.items.only(terms))

    def carry(self, terms: Terms) -> dict[str, Any]:
        """Write business terms into the fields that the description gives them."""
        return {
            name: value
            for name, (term, shape) in self.fields.items()
            if (value := shape.carried(terms, term)) is not None
        }

    def carried(self, terms: Terms, term: str | None) -> Any:
        """Return what stands in a field of this shape; ``None`` where no term gives it anything."""
        if self.items is not None:
            group: list[Terms] | None = terms.get(term or "")
            return group and [self.items.carry(one) for one in group]
        if self.fields:
            return self.carry(terms) or None
        return terms.get(term or "")

    def places(self, above: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield every term outside a repeated group, and each group, with the path of its field."""
        for name, (term, shape) in self.fields.items():
            path = (*above, name)
            if term:
                yield term, path
            yield from shape.places(path)


_UNKNOWN = Shape()
"""Of a field that the description does not know."""


def shape_of(description: Description, schema: Mapping[str, Any]) -> Shape:
    """Read the shape of a schema of the description."""
    return _Reader(description).read(schema, "")


class _Reader:
    def __init__(self, description: Description) -> None:
        self._description = description
        self._open: list[str] = []

    def read(self, schema: Mapping[str, Any], group: str) -> Shape:
        """Read a schema that stands in a group (BG-4); one inside itself is not followed again."""
        name = schema.get("$ref")
        if name is None:
            return self._fill(Shape(), schema, group)
        if name in self._open:
            return Shape()
        self._open.append(name)
        shape = self._fill(Shape(), self._description.resolve(schema), group)
        self._open.pop()
        return shape

    def _fill(self, shape: Shape, schema: Mapping[str, Any], group: str) -> Shape:
        alternatives = schema.get("anyOf", ())
        types = {branch.get("type") for branch in alternatives}
        shape.amount = {"number", "string"} <= types
        for branch in (*alternatives, *schema.get("allOf", ())):
            part = self.read(branch, group)
            shape.fields.update(part.fields)
            shape.items = shape.items or part.items
        if "items" in schema:
            shape.items = self.read(schema["items"], group)
        for name, field in schema.get("properties", {}).items():
            term = field.get("x-business-term") or field.get("x-business-terms", {}).get(group)
            inner = term if term and term.startswith("BG-") else group
            shape.fields[name] = (term, self.read(field, inner))
        return shape

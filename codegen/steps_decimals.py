"""Document to document: amounts marked as decimals, and the twins of FastAPI made one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.documents import SCHEMA_REF, Doc, child, map_schemas, schema_place, schemas_of, with_schemas
from codegen.problems import CodegenError, Notes
from codegen.steps_schemas import is_annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMITS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_SUFFIXES = ("-Input", "-Output")


def mark_decimals(doc: Doc) -> Doc:
    """Mark what is a decimal: ``number or string`` as pydantic writes one, and what the overlay names.

    The answer's twin of such a property shows text only and is marked after it.

    Raises:
        CodegenError: If ``x-decimal`` stands on something that cannot be a number.
    """
    marked = map_schemas(doc, _mark)
    schemas = dict(schemas_of(marked))
    for name, other in _twins(schemas):
        schemas[other] = _mark_like(schemas[name], schemas[other])
    return with_schemas(marked, schemas)


def _mark(schema: Doc, place: str) -> Doc:
    named = schema.get("x-decimal") is True
    members = schema.get("anyOf")
    if members is None:
        return _decimal(schema, place) if named else schema
    numbers = [member for member in members if member.get("type") == "number"]
    texts = [
        member
        for member in members
        if member.get("type") == "string" and not {"enum", "format"} & set(member)
    ]
    if not (numbers and texts) and not named:
        return schema
    rest = [member for member in members if member not in numbers and member not in texts]
    if named and not (numbers or texts):
        rest = [member if member.get("type") == "null" else _decimal(member, place) for member in members]
        return _stringly({**schema, "anyOf": rest})
    decimal = _decimal({**(texts or [{}])[0], **(numbers or [{}])[0]}, place)
    if not rest:
        outer = {key: value for key, value in schema.items() if key != "anyOf"}
        return _stringly({**decimal, **outer})
    return _stringly({**schema, "anyOf": [decimal, *rest]})


def _decimal(schema: Doc, place: str) -> Doc:
    if schema.get("type") == "array" and "items" in schema:
        return {**schema, "items": _decimal(schema["items"], child(place, "items"))}
    if schema.get("type") not in ("number", "string", "integer") or "enum" in schema:
        raise CodegenError("x-decimal stands on something that is no number", place=place)
    # The pattern that pydantic gives the text of a decimal says no more than the type.
    kept = {key: value for key, value in schema.items() if key in _LIMITS or is_annotation(key)}
    return _stringly({**kept, "type": "string", "x-python-type": "Decimal"})


def _stringly(schema: Doc) -> Doc:
    """Write a number given as default as text, as a decimal is declared to the parser."""
    default = schema.get("default")
    if isinstance(default, int | float) and not isinstance(default, bool):
        return {**schema, "default": str(default)}
    return schema


def _mark_like(model: Any, other: Any) -> Any:
    """Mark in ``other`` what is a decimal at the same place of ``model``."""
    if not isinstance(model, dict) or not isinstance(other, dict):
        return other
    if model.get("x-python-type") == "Decimal" and other.get("type") == "string" and "enum" not in other:
        return _decimal(other, "")
    out = dict(other)
    for key in ("items", "additionalProperties"):
        if key in out:
            out[key] = _mark_like(model.get(key), out[key])
    if "properties" in out:
        have = model.get("properties", {})
        out["properties"] = {
            name: _mark_like(have.get(name), part) for name, part in out["properties"].items()
        }
    if "anyOf" in out:
        decimals = [part for part in _parts(model) if part.get("x-python-type") == "Decimal"]
        out["anyOf"] = [_mark_like(decimals[0], part) if decimals else part for part in out["anyOf"]]
    return out


def _parts(schema: Doc) -> list[Doc]:
    return schema.get("anyOf", [schema])


def _twins(schemas: Mapping[str, Doc]) -> list[tuple[str, str]]:
    first, second = _SUFFIXES
    names = [name.removesuffix(first) for name in schemas if name.endswith(first)]
    return [(name + first, name + second) for name in names if name + second in schemas]


def merge_twins(doc: Doc, notes: Notes) -> Doc:
    """Make one schema of ``X-Input`` and ``X-Output`` where they describe the same, as they mostly do.

    FastAPI splits a model when the two sides differ in anything, such as a field that is filled in by default and
    therefore always there in an answer. Types must be equal; what one side has more is kept, and a property is
    required where both sides require it.
    """
    schemas = dict(schemas_of(doc))
    pairs = _twins(schemas)
    # Two twins may differ only in referring to twins: take all as merged, then drop those that do not fit.
    merging = {
        one: one.removesuffix(_SUFFIXES[0])
        for one, _ in pairs
        if one.removesuffix(_SUFFIXES[0]) not in schemas
    }
    while True:
        new_name = {}
        for one, name in merging.items():
            new_name |= {name + suffix: name for suffix in _SUFFIXES}
        renamed = {name: rename_references(schema, new_name) for name, schema in schemas.items()}
        misfits = [
            one for one, name in merging.items() if not _same(renamed[one], renamed[name + _SUFFIXES[1]])
        ]
        if not misfits:
            break
        for one in misfits:
            notes.warn(
                f"differs from {one.removesuffix('-Input')}-Output, so both become classes",
                place=schema_place(one),
            )
            del merging[one]
    out: dict[str, Doc] = {}
    for name, schema in renamed.items():
        whole = new_name.get(name)
        if whole is None:
            out[name] = schema
        elif name.endswith(_SUFFIXES[0]):
            out[whole] = _merge(schema, renamed[whole + _SUFFIXES[1]], [name, whole + _SUFFIXES[1]])
    return rename_references(with_schemas(doc, out), new_name)


def _same(one: Doc, other: Doc) -> bool:
    ours, theirs = one.get("properties"), other.get("properties")
    if ours is None or theirs is None:
        return _bare(one) == _bare(other)
    common = [name for name in ours if name in theirs]
    return all(_bare(ours[name]) == _bare(theirs[name]) for name in common)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: part for key, part in value.items() if key == "x-python-type" or not is_annotation(key)}
        return {key: _bare(part) for key, part in kept.items() if key not in _LIMITS}
    if isinstance(value, list):
        return [_bare(part) for part in value]
    return value


def _merge(one: Doc, other: Doc, sources: list[str]) -> Doc:
    out = {**other, **one, "x-sources": sources}
    if "properties" in one or "properties" in other:
        out["properties"] = {**other.get("properties", {}), **one.get("properties", {})}
        out["properties"] = {
            **{name: out["properties"][name] for name in one.get("properties", {})},
            **out["properties"],
        }
        required = [name for name in one.get("required", []) if name in other.get("required", [])]
        out["required"] = required
    return out


def rename_references(value: Any, names: Mapping[str, str]) -> Any:
    """Return a document or a part of one in which references to some components lead to others."""
    if isinstance(value, dict):
        out: Doc = {}
        for key, part in value.items():
            if key == "$ref" and isinstance(part, str):
                name = part.removeprefix(SCHEMA_REF)
                out[key] = SCHEMA_REF + names.get(name, name) if part.startswith(SCHEMA_REF) else part
            else:
                out[key] = rename_references(part, names)
        return out
    if isinstance(value, list):
        return [rename_references(part, names) for part in value]
    return value

"""Document to document: amounts marked as decimals, and the twins of FastAPI made one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.documents import (
    SCHEMA_REF,
    Doc,
    child,
    is_list,
    is_object,
    listed,
    map_schemas,
    schema_place,
    schemas_of,
    under,
    with_schemas,
)
from codegen.naming import class_name
from codegen.problems import CodegenError, Notes
from codegen.steps_schemas import is_annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

_LIMITS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_INPUT = "-Input"
_OUTPUT = "-Output"


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
    if not is_object(model) or not is_object(other):
        return other
    if model.get("x-python-type") == "Decimal" and other.get("type") == "string" and "enum" not in other:
        return _decimal(other, "")
    out = dict(other)
    for key in ("items", "additionalProperties"):
        if key in out:
            out[key] = _mark_like(model.get(key), out[key])
    if "properties" in out:
        have = under(model, "properties")
        out["properties"] = {
            name: _mark_like(have.get(name), part) for name, part in out["properties"].items()
        }
    if "anyOf" in out:
        decimals = [part for part in _parts(model) if part.get("x-python-type") == "Decimal"]
        out["anyOf"] = [_mark_like(decimals[0], part) if decimals else part for part in out["anyOf"]]
    return out


def _parts(schema: Doc) -> list[Doc]:
    return listed(schema, "anyOf") or [schema]


def _twins(schemas: Mapping[str, Doc]) -> list[tuple[str, str]]:
    bases = [name.removesuffix(_INPUT) for name in schemas if name.endswith(_INPUT)]
    return [(base + _INPUT, base + _OUTPUT) for base in bases if base + _OUTPUT in schemas]


def merge_twins(doc: Doc, notes: Notes) -> Doc:
    """Make one schema of ``X-Input`` and ``X-Output`` where they describe the same, as they mostly do.

    FastAPI splits a model when the two sides differ in anything, such as a field that is filled in by default
    and therefore always there in an answer. Types must be equal; what one side has more is kept, and a
    property is required where both sides require it. Of twins that differ, what is sent has their name.
    """
    schemas = dict(schemas_of(doc))
    bases = [one.removesuffix(_INPUT) for one, _ in _twins(schemas)]
    merging = [base for base in bases if base not in schemas]
    # Twins may differ in nothing but referring to twins: all count as merged until one proves not to fit.
    while True:
        names = {base + suffix: base for base in merging for suffix in (_INPUT, _OUTPUT)}
        renamed = {name: rename_references(schema, names) for name, schema in schemas.items()}
        misfits = [base for base in merging if not _same(renamed[base + _INPUT], renamed[base + _OUTPUT])]
        if not misfits:
            break
        for base in misfits:
            place = schema_place(base + _INPUT)
            notes.warn(f"differs from {base}{_OUTPUT}, so both become classes", place=place)
            name = schemas[base + _INPUT].get("x-python-name") or class_name(base)
            schemas[base + _INPUT] = {**schemas[base + _INPUT], "x-python-name": name}
            schemas[base + _OUTPUT] = {**schemas[base + _OUTPUT], "x-python-name": f"{name}Output"}
        merging = [base for base in merging if base not in misfits]
    out: dict[str, Doc] = {}
    for name, schema in renamed.items():
        if name not in names:
            out[name] = schema
        elif name.endswith(_INPUT):
            other = names[name] + _OUTPUT
            out[names[name]] = _merge(schema, renamed[other], [name, other])
    return rename_references_in(with_schemas(doc, out), names)


def _same(one: Doc, other: Doc) -> bool:
    ours, theirs = under(one, "properties"), under(other, "properties")
    if not ours or not theirs:
        return bool(_bare(one) == _bare(other))
    return all(_bare(ours[name]) == _bare(theirs[name]) for name in ours if name in theirs)


def _bare(value: Any) -> Any:
    """Return a schema without what may differ between twins: annotations, and limits of decimals."""
    if is_object(value):
        return {
            key: _bare(part)
            for key, part in value.items()
            if key == "x-python-type" or not (is_annotation(key) or key in _LIMITS)
        }
    if is_list(value):
        return [_bare(part) for part in value]
    return value


def _merge(one: Doc, other: Doc, sources: list[str]) -> Doc:
    out: Doc = {**other, **one, "x-sources": sources}
    if "properties" in one:
        ours, theirs = under(one, "properties"), under(other, "properties")
        out["properties"] = {**ours, **{name: part for name, part in theirs.items() if name not in ours}}
        out["required"] = [name for name in listed(one, "required") if name in listed(other, "required")]
    return out


def rename_references_in(doc: Doc, names: Mapping[str, str]) -> Doc:
    """Return a document in which references to some components lead to others."""
    return {key: rename_references(part, names) for key, part in doc.items()}


def rename_references(value: Any, names: Mapping[str, str]) -> Any:
    """Return part of a document in which references to some components lead to others."""
    if is_object(value):
        out: Doc = {}
        for key, part in value.items():
            if key == "$ref" and isinstance(part, str):
                name = part.removeprefix(SCHEMA_REF)
                out[key] = SCHEMA_REF + names.get(name, name) if part.startswith(SCHEMA_REF) else part
            else:
                out[key] = rename_references(part, names)
        return out
    if is_list(value):
        return [rename_references(part, names) for part in value]
    return value

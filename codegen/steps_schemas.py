"""Document to document: schemas brought into the few shapes that the parser reads without loss."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from codegen.documents import (
    SCHEMA_REF,
    Doc,
    Site,
    is_list,
    listed,
    map_operations,
    map_schemas,
    ref_name,
    schemas_of,
    target_name,
    under,
)
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ANNOTATIONS = {
    *("title", "description", "default", "deprecated", "example", "examples"),
    *("readOnly", "writeOnly", "externalDocs", "$comment", "xml"),
}
_TYPED = {
    "string": {"minLength", "maxLength", "pattern", "format", "contentMediaType", "contentEncoding"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"},
    "array": {"items", "minItems", "maxItems", "uniqueItems", "prefixItems"},
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
}
_TYPED["integer"] = _TYPED["number"]
_KNOWN = {
    *_ANNOTATIONS,
    *(keyword for keywords in _TYPED.values() for keyword in keywords),
    *("type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "discriminator", "nullable"),
    # They narrow which values are right, not their type: the platform and the sandbox judge by them.
    *("not", "if", "then", "else", "contains", "dependentRequired", "dependentSchemas"),
}
_OWN_HINTS = {"x-python-type", "x-sources", "x-enum-varnames"}
"""What the steps leave for each other, and become code: never taken from a description."""

_TYPE_NAMES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def is_annotation(keyword: str) -> bool:
    """Whether a keyword says something about a value without narrowing it."""
    return keyword in _ANNOTATIONS or keyword.startswith("x-")


def check_keywords(doc: Doc, notes: Notes) -> Doc:
    """Refuse what would be dropped or loosened without a word, and drop hints that are ours alone to give.

    Raises:
        CodegenError: For a keyword that is not understood, or a reference out of the components.
    """

    def visit(schema: Doc, place: str) -> Doc:
        schema = {key: value for key, value in schema.items() if key not in _OWN_HINTS}
        unknown = sorted(key for key in schema if key not in _KNOWN and not key.startswith("x-"))
        if unknown or "prefixItems" in schema:
            words = ", ".join(unknown or ["prefixItems"])
            raise CodegenError(f"{words} cannot be turned into a type", place=place)
        if "discriminator" in schema and not {"oneOf", "anyOf"} & set(schema):
            notes.warn("its discriminator names other schemas, but it is always read as itself", place=place)
        ref = schema.get("$ref")
        if ref is not None and (
            not str(ref).startswith(SCHEMA_REF) or ref_name(schema) not in schemas_of(doc)
        ):
            raise CodegenError(f"the reference {ref} leads to no component schema", place=place)
        return schema

    return map_schemas(doc, visit)


def plain_forms(doc: Doc) -> Doc:
    """Give each meaning one spelling: titles dropped, null as a member of ``anyOf``, references wrapped.

    A reference with a default or a description beside it becomes ``allOf`` around the reference, the only
    form whose siblings the parser keeps.
    """
    return map_schemas(doc, _plain)


def _plain(schema: Doc, place: str) -> Doc:
    # FastAPI titles everything after its name; a class is named after its component or its property.
    out = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    if "$ref" in out and len(out) > 1:
        ref = {"$ref": out.pop("$ref")}
        out["allOf"] = [ref, *listed(out, "allOf")]
    if "oneOf" in out:
        if "anyOf" in out:
            raise CodegenError("oneOf beside anyOf cannot be turned into a type", place=place)
        out["anyOf"] = out.pop("oneOf")
    nullable = out.pop("nullable", False) is True
    kinds = out.get("type")
    if is_list(kinds):
        out = _split_types(out, kinds, place)
    elif kinds is not None and kinds not in _TYPE_NAMES:
        raise CodegenError(f"{kinds!r} is no type", place=place)
    if out.get("type") == "array":
        out.setdefault("items", {})
    if None in listed(out, "enum"):
        nullable = True
        out["enum"] = [value for value in out["enum"] if value is not None]
        if not out["enum"]:
            return {**_only(out, is_annotation), "type": "null"}
    return _with_null(out) if nullable else out


def _split_types(schema: Doc, kinds: Sequence[str], place: str) -> Doc:
    unknown = [kind for kind in kinds if kind not in _TYPE_NAMES]
    if unknown or not kinds:
        raise CodegenError(f"{unknown or kinds} is no type", place=place)
    if len(kinds) == 1:
        return {**schema, "type": kinds[0]}
    if "anyOf" in schema or "allOf" in schema:
        raise CodegenError("several types beside anyOf or allOf cannot be turned into a type", place=place)
    members: list[Doc] = []
    for kind in kinds:
        member: Doc = {"type": kind, **({"items": {}} if kind == "array" else {})}
        member.update({key: value for key, value in schema.items() if key in _TYPED.get(kind, ())})
        if "enum" in schema and kind != "null":
            member["enum"] = [value for value in schema["enum"] if value is not None]
        members.append(member)
    return {**_only(schema, is_annotation), "anyOf": members}


def _with_null(schema: Doc) -> Doc:
    outer = _only(schema, is_annotation)
    inner = _only(schema, lambda key: not is_annotation(key))
    members = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    if {"type": "null"} not in members:
        members = [*members, {"type": "null"}]
    return {**outer, "anyOf": members}


def _only(schema: Doc, wanted: Callable[[str], bool]) -> Doc:
    return {key: value for key, value in schema.items() if wanted(key)}


def flatten_all_of(doc: Doc) -> Doc:
    """Write out every composition, since the parser loses what stands beside ``allOf``.

    One reference with nothing but annotations around it stays, as the same type described anew.
    """
    schemas = schemas_of(doc)

    def visit(schema: Doc, place: str) -> Doc:
        return _flatten(schema, place, schemas, ())

    return map_schemas(doc, visit)


def _flatten(schema: Doc, place: str, schemas: Mapping[str, Doc], above: tuple[str, ...]) -> Doc:
    if "allOf" not in schema:
        return schema
    outer = {key: value for key, value in schema.items() if key != "allOf"}
    parts: list[Doc] = []
    for part in schema["allOf"]:
        if all(is_annotation(key) for key in part):
            outer = {**part, **outer}
        else:
            parts.append(part)
    if len(parts) == 1 and "$ref" in parts[0] and all(is_annotation(key) for key in outer):
        return {**outer, "allOf": parts} if outer else parts[0]
    merged: Doc = {}
    for part in parts:
        _combine(merged, _part(part, place, schemas, above), place)
    _combine(merged, _only(outer, lambda key: not is_annotation(key)), place)
    return {**merged, **_only(outer, is_annotation)}


def _part(part: Doc, place: str, schemas: Mapping[str, Doc], above: tuple[str, ...]) -> Doc:
    name = ref_name(part)
    if name is None:
        return _flatten(part, place, schemas, above)
    if name in above:
        raise CodegenError(f"allOf leads back to {name}", place=place)
    part = _flatten(schemas[name], place, schemas, (*above, name))
    if "allOf" in part or "$ref" in part:  # a component that is another one, described anew
        part = _part({"$ref": SCHEMA_REF + str(target_name(part))}, place, schemas, (*above, name))
    # What a part says of itself is not said of the whole.
    return _only(part, lambda key: not is_annotation(key))


def _combine(merged: Doc, part: Doc, place: str) -> None:
    for key, value in part.items():
        if key == "required":
            merged[key] = list(dict.fromkeys([*listed(merged, key), *value]))
        elif key == "properties":
            have = under(merged, key)
            clash = sorted(name for name in value if name in have and have[name] != value[name])
            if clash:
                raise CodegenError(f"allOf describes {', '.join(clash)} in two ways", place=place)
            merged[key] = {**have, **value}
        elif merged.setdefault(key, value) != value:
            raise CodegenError(f"allOf has two values of {key}: {merged[key]!r} and {value!r}", place=place)


def settle_strings(doc: Doc) -> Doc:
    """Mark uploads as files, and times of day, which the parser knows under no or another name."""

    def visit(schema: Doc, _place: str) -> Doc:
        if schema.get("type") != "string":
            return schema
        media = schema.get("contentMediaType")
        if schema.get("format") == "binary" or (media is not None and "contentEncoding" not in schema):
            return {**schema, "format": "binary"}
        if schema.get("format") == "time":
            return {**schema, "x-python-type": "time"}
        return schema

    return map_schemas(doc, visit)


def settle_unions(doc: Doc, notes: Notes) -> Doc:
    """Leave unions that can be told apart by the kind of their JSON, the only ones decoded natively.

    Nested unions are written out. Several kinds of text become the one that holds them all: an open enum
    where the others are plain text, else ``str``.

    Raises:
        CodegenError: For several kinds of object or of list in one union.
    """
    schemas = schemas_of(doc)

    def visit(schema: Doc, place: str) -> Doc:
        if "anyOf" not in schema:
            return schema
        members = _unique(_members(schema["anyOf"], schemas))
        text = [member for member in members if _json_kind(member, schemas, place) == "text"]
        if len(text) > 1:
            kept = _widest_text(text, schemas, place, notes)
            members = _unique([kept if member in text else member for member in members])
        for kind in ("object", "list"):
            if sum(_json_kind(member, schemas, place) == kind for member in members) > 1:
                raise CodegenError(
                    f"a union of several kinds of {kind} is not supported yet; "
                    "let the overlay keep one of them, or an object without properties",
                    place=place,
                )
        outer = {key: value for key, value in schema.items() if key not in ("anyOf", "discriminator")}
        if len(members) > 1:
            return {**outer, "anyOf": members}
        if "$ref" in members[0]:
            return {**outer, "allOf": members} if outer else members[0]
        return {**members[0], **outer}

    return map_schemas(doc, visit)


def _members(members: Sequence[Doc], schemas: Mapping[str, Doc]) -> list[Doc]:
    out: list[Doc] = []
    for member in members:
        name = target_name(member)
        target = member if name is None else schemas[name]
        if "anyOf" in target:
            out += _members(target["anyOf"], schemas)
        elif name is not None:
            out.append({"$ref": SCHEMA_REF + name})
        else:
            out.append(member)
    return out


def _unique(members: Sequence[Doc]) -> list[Doc]:
    """Return the first of each kind; what only describes a member makes it no other."""
    out: dict[str, Doc] = {}
    for member in members:
        bare = _only(member, lambda key: key == "x-python-type" or not is_annotation(key))
        out.setdefault(json.dumps(bare, sort_keys=True), member)
    return list(out.values())


def _resolve(schema: Doc, schemas: Mapping[str, Doc], place: str) -> Doc:
    seen: list[str] = []
    while (name := target_name(schema)) is not None:
        if name in seen:
            raise CodegenError(f"the references lead in a circle: {' → '.join([*seen, name])}", place=place)
        seen.append(name)
        schema = schemas[name]
    return schema


def _json_kind(member: Doc, schemas: Mapping[str, Doc], place: str) -> str:
    schema = _resolve(member, schemas, place)
    kind = schema.get("type") or (
        "object" if "properties" in schema else "string" if "enum" in schema else None
    )
    if "const" in schema and schema["const"] is not None:
        return f"const {schema['const']!r}"
    return {"string": "text", "array": "list"}.get(str(kind), str(kind))


def _widest_text(text: Sequence[Doc], schemas: Mapping[str, Doc], place: str, notes: Notes) -> Doc:
    enums = [member for member in text if "enum" in _resolve(member, schemas, place)]
    plain = [
        member
        for member in text
        if not {"enum", "format", "x-python-type"} & set(_resolve(member, schemas, place))
    ]
    if len(enums) == 1 and len(enums) + len(plain) == len(text):
        return enums[0]
    notes.warn("a union of several kinds of text is read as str", place=place)
    return {"type": "string"}


def settle_parameters(doc: Doc) -> Doc:
    """Let a parameter that may be null simply be left out: null cannot be written into a URL or a header.

    A date in a header is declared to the parser as text, since it would drop the operation.
    """

    def change(site: Site) -> Doc:
        return {**site.operation, "parameters": [_settled(p) for p in site.operation["parameters"]]}

    return map_operations(doc, change)


_DATES = {"date": "date", "date-time": "datetime"}


def _settled(parameter: Doc) -> Doc:
    schema = _without_null(parameter["schema"])
    if parameter["in"] == "header" and schema.get("format") in _DATES:
        kept = {key: value for key, value in schema.items() if key != "format"}
        schema = {**kept, "x-python-type": _DATES[schema["format"]]}
    return {**parameter, "schema": schema}


def _without_null(schema: Doc) -> Doc:
    members = [member for member in listed(schema, "anyOf") if member.get("type") != "null"]
    if "anyOf" not in schema or len(members) == len(schema["anyOf"]) or not members:
        return schema
    outer = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(members) > 1:
        return {**outer, "anyOf": members}
    return {**members[0], **outer} if "$ref" not in members[0] else {**outer, "allOf": members}

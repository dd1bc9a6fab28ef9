"""Document to document: classes as components under their Python names, and enum values as members."""

from __future__ import annotations

from typing import Any

from codegen.documents import (
    Doc,
    Site,
    child,
    map_operations,
    map_schemas,
    media_types,
    ref_name,
    reference,
    schema_place,
    schemas_of,
    target_name,
    under,
    with_schemas,
)
from codegen.naming import RESERVED_CLASSES, class_name, member_name
from codegen.problems import CodegenError, Notes
from codegen.steps_decimals import rename_references_in
from codegen.steps_schemas import is_annotation

_ADDITIONAL = "x-published-additional-values"


def name_schemas(doc: Doc) -> Doc:
    """Put every component under the name of its class.

    Raises:
        CodegenError: If two would have one name, or one a name that the generated code uses itself.
    """
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    for key, schema in schemas_of(doc).items():
        given = schema.get("x-python-name")
        name = class_name(key) if given is None else str(given)
        if class_name(name) != name or name in RESERVED_CLASSES:
            raise CodegenError(
                f"the class cannot be called {name}; give it an x-python-name in the overlay",
                place=schema_place(key),
            )
        if name in owners:
            raise CodegenError(
                f"the class would be called {name}, as that of {owners[name]}; "
                "give one an x-python-name in the overlay",
                place=schema_place(key),
            )
        owners[name] = key
        names[key] = name
    out = {
        names[key]: {**schema, "x-sources": schema.get("x-sources", [key])}
        for key, schema in schemas_of(doc).items()
    }
    return rename_references_in(with_schemas(doc, out), names)


def settle_enums(doc: Doc, notes: Notes) -> Doc:
    """Add the values that were published elsewhere, and name every member after its value.

    Raises:
        CodegenError: If two members would have one name, or values are not all text or all whole numbers.
    """

    def visit(schema: Doc, place: str) -> Doc:
        if "enum" not in schema:
            return schema
        values = list(dict.fromkeys([*schema["enum"], *schema.get(_ADDITIONAL, [])]))
        if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            # An open enum is text; numbers stay numbers, and their known values stay in the description.
            notes.warn("its values are whole numbers, so it is read as int", place=place)
            return {**{key: value for key, value in schema.items() if key != "enum"}, "type": "integer"}
        if not all(isinstance(value, str) for value in values):
            raise CodegenError(
                f"an enum of {', '.join(map(repr, values))} is not supported: text or whole numbers only",
                place=place,
            )
        return {
            **schema,
            "type": "string",
            "enum": values,
            "x-enum-varnames": _members(schema, values, place),
        }

    return map_schemas(doc, visit)


def _members(schema: Doc, values: list[str], place: str) -> list[str]:
    given: dict[str, str] = under(schema, "x-python-member-names")
    prefixes: dict[str, str] = under(schema, "x-python-member-prefixes")
    owners: dict[str, str] = {}
    for value in values:
        name = given.get(value) or member_name(value, prefixes)
        if not name.isidentifier() or name != name.upper() or name.startswith("_"):
            raise CodegenError(f"{name!r} is no name for a member", place=place)
        if name in owners:
            raise CodegenError(
                f"the values {owners[name]!r} and {value!r} would both be called {name}; "
                "name them in the overlay (x-python-member-names)",
                place=place,
            )
        owners[name] = value
    return list(owners)


def lift_inline(doc: Doc) -> Doc:
    """Make a component of every enum and object that is described where it is used.

    It is called after the class and the property that use it; bodies and answers after their operation.

    Raises:
        CodegenError: If the name is taken.
    """
    lifted = dict(schemas_of(doc))

    def lift(schema: Doc, name: str, place: str) -> Doc:
        return _lift(schema, name, place, lifted)

    for key, schema in schemas_of(doc).items():
        lifted[key] = _lift_parts(schema, key, schema_place(key), lifted)

    def change(site: Site) -> Doc:
        base = class_name(("on " if site.webhook else "") + site.operation["operationId"])
        if site.webhook:
            base = class_name(site.path)
        operation = dict(site.operation)
        operation["parameters"] = [
            {
                **p,
                "schema": lift(
                    p["schema"], base + class_name(p["name"]), child(site.place, "parameters", index)
                ),
            }
            for index, p in enumerate(operation["parameters"])
        ]
        for role, place, content in media_types(operation, site.place):
            suffix = ("Payload" if site.webhook else "Body") if role == "body" else f"Answer{role}"
            new = {
                media: {**value, "schema": lift(under(value, "schema"), base + suffix, place)}
                for media, value in content.items()
            }
            if role == "body" and site.webhook:
                new = {
                    media: _as_component(value, base + suffix, place, lifted) for media, value in new.items()
                }
            operation = _with_content(operation, role, new)
        return operation

    changed = map_operations(doc, change)
    return with_schemas(changed, lifted)


def _with_content(operation: Doc, role: str, content: Doc) -> Doc:
    if not content:
        return operation
    if role == "body":
        return {**operation, "requestBody": {**operation["requestBody"], "content": content}}
    responses = {**operation["responses"]}
    responses[role] = {**responses[role], "content": content}
    return {**operation, "responses": responses}


def _as_component(media: Doc, name: str, place: str, lifted: dict[str, Doc]) -> Doc:
    """Make a component of a webhook's payload whatever it is: the parser reads no webhook."""
    if ref_name(media["schema"]) is not None:
        return media
    if (target := target_name(media["schema"])) is not None:
        return {**media, "schema": reference(target)}
    _add(media["schema"], name, place, lifted)
    return {**media, "schema": reference(name)}


def _add(schema: Doc, name: str, place: str, lifted: dict[str, Doc]) -> None:
    if name in lifted or name in RESERVED_CLASSES:
        raise CodegenError(
            f"what stands here would be called {name}, which is taken; make it a component in the overlay",
            place=place,
        )
    lifted[name] = {**schema, "x-sources": [place]}


def _lift(schema: Doc, name: str, place: str, lifted: dict[str, Doc]) -> Doc:
    schema = _lift_parts(schema, name, place, lifted)
    if "enum" not in schema and not schema.get("properties"):
        return schema
    # Where it is used, only its description stays: the rest says what it is.
    inner = {key: value for key, value in schema.items() if key not in ("default", "deprecated")}
    outer = {key: value for key, value in schema.items() if is_annotation(key) and key not in _OF_THE_TYPE}
    _add(inner, name, place, lifted)
    return {**outer, "allOf": [reference(name)]} if outer else reference(name)


_OF_THE_TYPE = {
    "x-enum-varnames",
    "x-python-base",
    "x-python-member-prefixes",
    "x-python-member-names",
    _ADDITIONAL,
}


def _lift_parts(schema: Doc, name: str, place: str, lifted: dict[str, Doc]) -> Doc:
    out = dict(schema)
    if "properties" in out:
        out["properties"] = {
            wire: _lift(part, name + class_name(wire), child(place, "properties", wire), lifted)
            for wire, part in out["properties"].items()
        }
    for key, suffix in (("items", "Item"), ("additionalProperties", "Value")):
        if isinstance(out.get(key), dict):
            out[key] = _lift(out[key], name + suffix, child(place, key), lifted)
    if "anyOf" in out:
        # A union has at most one enum and one object (settle_unions), so that these need no number.
        out["anyOf"] = [
            _lift(
                part,
                name + ("Object" if "enum" not in part and _has_enum(out["anyOf"]) else ""),
                child(place, "anyOf", i),
                lifted,
            )
            for i, part in enumerate(out["anyOf"])
        ]
    return out


def _has_enum(members: list[Any]) -> bool:
    return any("enum" in member for member in members)

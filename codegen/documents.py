"""Walking an OpenAPI document: where schemas and operations stand, and copies with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

import attrs

from codegen.problems import CodegenError

Doc: TypeAlias = dict[str, Any]
"""A description, or an object inside it."""

Visit: TypeAlias = Callable[[Doc, str], Doc]
"""Gets a schema whose parts were visited already, and its place; returns the schema to put there."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SCHEMA_REF = "#/components/schemas/"
JSON_TYPE = "application/json"

_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLES = ("items", "additionalProperties")


@attrs.frozen(kw_only=True)
class Site:
    """An operation where it stands in the document."""

    place: str
    path: str
    method: str
    item: Doc
    operation: Doc
    webhook: bool = False


def is_object(value: Any) -> TypeGuard[Doc]:
    """Whether a value is an object of JSON."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is a list of JSON."""
    return isinstance(value, list)


def under(thing: Doc, key: str) -> Doc:
    """Return the object under a key, an empty one where there is none."""
    found = thing.get(key)
    return found if is_object(found) else {}


def listed(thing: Doc, key: str) -> list[Any]:
    """Return the list under a key, an empty one where there is none."""
    found = thing.get(key)
    return found if is_list(found) else []


def child(place: str, *keys: str | int) -> str:
    """Return the JSON pointer (RFC 6901) of something below ``place``."""
    return place + "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def schema_place(name: str) -> str:
    """Return the JSON pointer of a component schema."""
    return child("#", "components", "schemas", name)


def ref_name(schema: Mapping[str, Any]) -> str | None:
    """Return the component that a schema is a reference to, ``None`` where it is no reference."""
    ref = schema.get("$ref")
    return ref.removeprefix(SCHEMA_REF) if isinstance(ref, str) else None


def target_name(schema: Mapping[str, Any]) -> str | None:
    """Return the component that a schema stands for: a reference, or one wrapped to carry a description."""
    parts = schema.get("allOf")
    if is_list(parts) and len(parts) == 1:
        return ref_name(parts[0])
    return ref_name(schema)


def reference(name: str) -> Doc:
    """Return a reference to a component schema."""
    return {"$ref": SCHEMA_REF + name}


def schemas_of(doc: Doc) -> dict[str, Doc]:
    """Return the component schemas by name."""
    return under(under(doc, "components"), "schemas")


def with_schemas(doc: Doc, schemas: Mapping[str, Doc]) -> Doc:
    """Return the document with other component schemas."""
    return {**doc, "components": {**under(doc, "components"), "schemas": dict(schemas)}}


def operations(doc: Doc) -> Iterator[Site]:
    """Yield the operations of all paths, then those of the webhooks, in the document's order."""
    for section in ("paths", "webhooks"):
        for path, item in under(doc, section).items():
            for method in METHODS:
                if method in item:
                    yield Site(
                        place=child("#", section, path, method),
                        path=path,
                        method=method,
                        item=item,
                        operation=item[method],
                        webhook=section == "webhooks",
                    )


def map_operations(doc: Doc, change: Callable[[Site], Doc]) -> Doc:
    """Return the document with every operation replaced by what ``change`` makes of it."""
    out = dict(doc)
    for section in ("paths", "webhooks"):
        if section in doc:
            out[section] = {path: dict(item) for path, item in under(doc, section).items()}
    for site in operations(doc):
        out["webhooks" if site.webhook else "paths"][site.path][site.method] = change(site)
    return out


def media_types(operation: Doc, place: str) -> Iterator[tuple[str, str, Doc]]:
    """Yield role (``body`` or a status), place and content of each body of an operation."""
    if "requestBody" in operation:
        yield "body", child(place, "requestBody"), under(operation["requestBody"], "content")
    for status, response in under(operation, "responses").items():
        yield str(status), child(place, "responses", status), under(response, "content")


def map_schemas(doc: Doc, visit: Visit) -> Doc:
    """Return the document with every schema visited, parts before wholes.

    Operations must be whole, and each body have one media type (see ``steps_operations``).
    """
    named = {name: rewrite(schema, schema_place(name), visit) for name, schema in schemas_of(doc).items()}
    return map_operations(with_schemas(doc, named), lambda site: _map_operation(site, visit))


def _map_operation(site: Site, visit: Visit) -> Doc:
    operation = dict(site.operation)
    operation["parameters"] = [
        _map_schema(parameter, child(site.place, "parameters", index), visit)
        for index, parameter in enumerate(operation["parameters"])
    ]
    if "requestBody" in operation:
        place = child(site.place, "requestBody")
        operation["requestBody"] = _map_content(operation["requestBody"], place, visit)
    operation["responses"] = {
        status: _map_content(response, child(site.place, "responses", status), visit)
        for status, response in operation["responses"].items()
    }
    return operation


def _map_content(holder: Doc, place: str, visit: Visit) -> Doc:
    if not holder.get("content"):
        return holder
    content = {
        media: _map_schema(value, child(place, "content", media), visit)
        for media, value in holder["content"].items()
    }
    return {**holder, "content": content}


def _map_schema(holder: Doc, place: str, visit: Visit) -> Doc:
    return {**holder, "schema": rewrite(holder["schema"], child(place, "schema"), visit)}


def rewrite(schema: Any, place: str, visit: Visit) -> Doc:
    """Return one schema with all its parts visited, then itself.

    Raises:
        CodegenError: For the schema ``false``, which allows no value.
    """
    if schema is False:
        raise CodegenError("the schema `false` allows no value, so it cannot become a type", place=place)
    out: Doc = {} if schema is True else dict(schema)
    for key in _MAPS:
        if key in out:
            out[key] = {
                name: rewrite(part, child(place, key, name), visit) for name, part in out[key].items()
            }
    for key in _LISTS:
        if key in out:
            out[key] = [rewrite(part, child(place, key, index), visit) for index, part in enumerate(out[key])]
    for key in _SINGLES:
        if key in out and not (key == "additionalProperties" and isinstance(out[key], bool)):
            out[key] = rewrite(out[key], child(place, key), visit)
    return visit(out, place)

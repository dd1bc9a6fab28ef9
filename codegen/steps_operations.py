"""Document to document: operations made whole, named, and left with one media type a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen.documents import (
    JSON_TYPE,
    METHODS,
    Doc,
    Site,
    child,
    is_object,
    map_operations,
    under,
)
from codegen.naming import RESERVED_PARAMETERS, identifier, operation_name
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Mapping

_BINARY: Doc = {"type": "string", "format": "binary"}
_IGNORED_HEADERS = {"accept", "content-type", "authorization"}  # OpenAPI 3.1 §4.8.12.2: "SHALL be ignored"
_LOCATIONS = {"path", "query", "header"}


def inline_components(doc: Doc) -> Doc:
    """Put referenced parameters, bodies and responses, and those of a path, into each operation."""
    out = map_operations(doc, lambda site: _whole_operation(doc, site))
    for section in ("paths", "webhooks"):
        for path, item in under(out, section).items():
            if "$ref" in item:
                raise CodegenError(
                    "a path that is a reference is not supported", place=child("#", section, path)
                )
            out[section][path] = {key: value for key, value in item.items() if key in METHODS}
    keep = {"schemas", "securitySchemes"}
    components = {key: value for key, value in under(out, "components").items() if key in keep}
    return {**out, "components": components}


def _whole_operation(doc: Doc, site: Site) -> Doc:
    operation = dict(site.operation)
    own = _parameters(doc, operation.get("parameters"), site.place)
    seen = {(parameter["name"], parameter["in"]) for parameter in own}
    common = _parameters(doc, site.item.get("parameters"), site.place)
    operation["parameters"] = own + [p for p in common if (p["name"], p["in"]) not in seen]
    if "servers" in site.item:
        operation.setdefault("servers", site.item["servers"])
    if "requestBody" in operation:
        operation["requestBody"] = _resolve(doc, operation["requestBody"], child(site.place, "requestBody"))
    operation["responses"] = {
        str(status): _resolve(doc, response, child(site.place, "responses", status))
        for status, response in under(operation, "responses").items()
    }
    return operation


def _parameters(doc: Doc, parameters: list[Doc] | None, place: str) -> list[Doc]:
    place = child(place, "parameters")
    return [_resolve(doc, parameter, child(place, index)) for index, parameter in enumerate(parameters or [])]


def _resolve(doc: Doc, thing: Doc, place: str) -> Doc:
    seen: set[str] = set()
    while "$ref" in thing:
        ref = str(thing["$ref"])
        if ref in seen or not ref.startswith("#/components/"):
            raise CodegenError(f"the reference {ref} leads nowhere", place=place)
        seen.add(ref)
        found: Any = doc
        for key in ref.removeprefix("#/").split("/"):
            found = found.get(key.replace("~1", "/").replace("~0", "~")) if is_object(found) else None
        if not is_object(found):
            raise CodegenError(f"the reference {ref} leads nowhere", place=place)
        thing = found
    return thing


def name_operations(doc: Doc, notes: Notes) -> Doc:
    """Give every operation its Python name as its id, and keep the id of the description beside it.

    Raises:
        CodegenError: If two operations would have one name.
    """
    named: dict[str, str] = {}

    def change(site: Site) -> Doc:
        operation = site.operation
        operation_id = operation.get("operationId")
        if operation_id is None:
            operation_id = identifier(f"{site.method} {site.path}")
            notes.warn(f"has no operationId, so it is called {operation_id}", place=site.place)
        name = operation.get("x-python-name")
        if name is None:
            name = operation_name(operation_id, path=site.path, method=site.method)
        elif not isinstance(name, str) or identifier(name) != name:
            raise CodegenError(f"x-python-name {name!r} is no name for a function", place=site.place)
        if name in named:
            raise CodegenError(
                f"would be called {name}, as {named[name]} is; give one an x-python-name in the overlay",
                place=site.place,
            )
        named[name] = site.place
        return {**operation, "operationId": name, "x-operation-id": operation_id}

    return map_operations(doc, change)


def name_parameters(doc: Doc) -> Doc:
    """Give every parameter its Python name, and refuse what the call path cannot send.

    Raises:
        CodegenError: For a parameter in a cookie, with ``content``, or written in a style of its own.
    """

    def change(site: Site) -> Doc:
        named: dict[str, str] = {}
        parameters: list[Doc] = []
        for index, parameter in enumerate(site.operation["parameters"]):
            place = child(site.place, "parameters", index)
            if parameter["in"] == "header" and parameter["name"].lower() in _IGNORED_HEADERS:
                continue
            _check_parameter(parameter, place)
            name = _parameter_name(parameter, place)
            if name in named:
                raise CodegenError(
                    f"the parameters {named[name]!r} and {parameter['name']!r} would both be called {name}; "
                    "give one an x-python-name in the overlay",
                    place=place,
                )
            named[name] = parameter["name"]
            parameters.append({**parameter, "x-python-name": name})
        return {**site.operation, "parameters": parameters}

    return map_operations(doc, change)


def _parameter_name(parameter: Doc, place: str) -> str:
    given = parameter.get("x-python-name")
    name = identifier(parameter["name"]) if given is None else str(given)
    if given is not None and identifier(name) != name:
        raise CodegenError(f"x-python-name {given!r} is no name for a parameter", place=place)
    return f"{name}_" if name in RESERVED_PARAMETERS else name


def _check_parameter(parameter: Doc, place: str) -> None:
    where, name = parameter["in"], parameter["name"]
    if where not in _LOCATIONS:
        raise CodegenError(
            f"the parameter {name!r} travels in a {where}, which is not supported", place=place
        )
    if "schema" not in parameter:
        raise CodegenError(
            f"the parameter {name!r} has content in place of a schema: not supported", place=place
        )
    usual = {"query": "form"}.get(where, "simple")
    style = parameter.get("style", usual)
    if style != usual or parameter.get("explode", where == "query") != (where == "query"):
        raise CodegenError(
            f"the parameter {name!r} is written in the style {style}, explode {parameter.get('explode')}: "
            f"only {usual} as OpenAPI defaults it is supported",
            place=place,
        )


def one_media_type(doc: Doc, notes: Notes) -> Doc:
    """Leave each body with the one media type that can be typed best; files become bytes.

    Raises:
        CodegenError: For a request body that is neither JSON nor multipart.
    """

    def change(site: Site) -> Doc:
        operation = dict(site.operation)
        if "requestBody" in operation:
            place = child(site.place, "requestBody", "content")
            body = operation["requestBody"]
            operation["requestBody"] = {**body, "content": _request_content(body["content"], place, notes)}
        operation["responses"] = {
            status: _with_response_content(response, child(site.place, "responses", status), notes)
            for status, response in operation["responses"].items()
        }
        return operation

    return map_operations(doc, change)


def _essence(media: str) -> str:
    return media.partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return _essence(media) == JSON_TYPE or _essence(media).endswith("+json")


def _request_content(content: Mapping[str, Doc], place: str, notes: Notes) -> Doc:
    as_json = [media for media in content if _is_json(media)]
    forms = [media for media in content if _essence(media) == "multipart/form-data"]
    if not as_json and not forms:
        raise CodegenError(
            f"a body of {', '.join(content) or 'no media type'} is not supported, only JSON and "
            "multipart/form-data",
            place=place,
        )
    chosen = (as_json or forms)[0]
    if len(content) > 1:
        others = ", ".join(media for media in content if media != chosen)
        notes.warn(f"is sent as {chosen}, never as {others}", place=place)
    return {JSON_TYPE if as_json else "multipart/form-data": {"schema": {}, **content[chosen]}}


def _with_response_content(response: Doc, place: str, notes: Notes) -> Doc:
    content: Mapping[str, Doc] = under(response, "content")
    if not content:
        return response
    files = [media for media in content if not _is_json(media)]
    # FastAPI lists an empty application/json beside the media type that an operation really answers with.
    typed = [media for media in content if _is_json(media) and (not files or content[media].get("schema"))]
    if typed and len(content) > 1:
        others = ", ".join(media for media in content if media != typed[0])
        notes.warn(f"is read as {typed[0]}, never as {others}", place=place)
    if typed:
        return {**response, "content": {JSON_TYPE: {"schema": {}, **content[typed[0]]}}}
    return {**response, "content": {"application/octet-stream": {"schema": dict(_BINARY)}}}

"""What an answer can say wrongly although its frame is whole. Pure functions of the real answer.

Enums and objects are found by the description's schema of the answer, so that no field is named here. A
function returns ``None`` where the answer holds nothing of what it changes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from seqino.sandbox.replies import Form, Reply

__all__ = [
    "UNKNOWN_FIELD",
    "UNKNOWN_VALUE",
    "Content",
    "contents",
    "empty",
    "html",
    "invalid_json",
    "truncated_json",
    "unknown_enum",
    "unknown_field",
    "wrong_type",
]

UNKNOWN_FIELD = "x_of_tomorrow"
"""Name of a field that no description has."""

UNKNOWN_VALUE = "of_tomorrow"
"""A value that no enum has."""

Content = Literal["body", "object", "enum"]
"""What an answer must hold to be changed in a certain way."""

_HTML = """<!DOCTYPE html>
<html><head><title>{status} {words}</title></head>
<body><center><h1>{status} {words}</h1></center><hr><center>gateway</center></body></html>
"""


def html(reply: Reply) -> Reply:
    """Return a gateway's page in place of the answer."""
    words = reply.line.split(b" ", 2)[2].decode().strip()
    page = _HTML.format(status=reply.status, words=words)
    return attrs.evolve(reply, body=page.encode()).having(("Content-Type", "text/html; charset=utf-8"))


def empty(reply: Reply) -> Reply | None:
    """Take the body away."""
    return attrs.evolve(reply, body=b"") if reply.body else None


def invalid_json(reply: Reply) -> Reply | None:
    """Put before the body what some services put there against script inclusion, and no JSON reader takes."""
    return attrs.evolve(reply, body=b")]}',\n" + reply.body) if reply.body else None


def truncated_json(reply: Reply) -> Reply | None:
    """Return half of the body, with the length of the half."""
    return attrs.evolve(reply, body=reply.body[: len(reply.body) // 2]) if len(reply.body) > 1 else None


def wrong_type(reply: Reply) -> Reply | None:
    """Put a list in place of each plain value of the answer's objects, and text in place of anything else."""
    if not reply.body:
        return None
    value = json.loads(reply.body)
    if isinstance(value, list):
        return _with_body(reply, [_wrong(one) for one in cast("Iterable[Any]", value)] or "none")
    return _with_body(reply, _wrong(value))


def _wrong(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _of_another_type(one) for name, one in cast("dict[str, Any]", value).items()}
    return _of_another_type(value)


def _of_another_type(value: Any) -> Any:
    return "something else" if isinstance(value, dict | list) else [value]


def unknown_field(reply: Reply) -> Reply | None:
    """Add a field that no description has to each object that is described by its fields."""
    value = json.loads(reply.body or b"null")
    found = [one for one, _ in _objects(value, reply.form)]
    for one in found:
        one[UNKNOWN_FIELD] = {"since": "tomorrow"}
    return _with_body(reply, value) if found else None


def unknown_enum(reply: Reply) -> Reply | None:
    """Put a value that no enum has in each field with an enum; where none is shown, add such fields."""
    if reply.form is None:
        return None
    holder = {"": json.loads(reply.body or b"null")}
    described = [({"": reply.form.schema}, holder)]
    described += [(properties, one) for one, properties in _objects(holder[""], reply.form)]
    is_changed = _set_enums(described, reply.form, absent=False) or _set_enums(
        described, reply.form, absent=True
    )
    return _with_body(reply, holder[""]) if is_changed else None


def _set_enums(described: list[tuple[dict[str, Any], dict[str, Any]]], form: Form, *, absent: bool) -> bool:
    found = False
    for properties, one in described:
        for name, schema in properties.items():
            if _is_enum(schema, form) and (name not in one) == absent:
                one[name], found = UNKNOWN_VALUE, True
            elif not absent and one.get(name) and isinstance(one[name], list) and _lists_enums(schema, form):
                one[name], found = [UNKNOWN_VALUE], True
    return found


def contents(*forms: Form) -> frozenset[Content]:
    """Tell what answers of these forms may hold."""
    found: set[Content] = set()
    for form in forms:
        found.add("body")
        for schema in _reachable(form.schema, form, set()):
            found |= {"object"} if "properties" in schema else set()
            found |= {"enum"} if "enum" in schema else set()
    return frozenset(found)


def _reachable(schema: Mapping[str, Any], form: Form, seen: set[int]) -> Iterator[Mapping[str, Any]]:
    for one in _branches(schema, form):
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            below = [*one.get("properties", {}).values(), one.get("items"), one.get("additionalProperties")]
            for deeper in below:
                if isinstance(deeper, dict):
                    yield from _reachable(cast("Mapping[str, Any]", deeper), form, seen)


def _branches(schema: Mapping[str, Any], form: Form) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and its alternatives."""
    schema = form.resolve(schema)
    yield schema
    for word in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(word, ()):
            yield from _branches(one, form)


def _is_enum(schema: Mapping[str, Any], form: Form) -> bool:
    return any("enum" in one for one in _branches(schema, form))


def _lists_enums(schema: Mapping[str, Any], form: Form) -> bool:
    return any("items" in one and _is_enum(one["items"], form) for one in _branches(schema, form))


def _objects(value: Any, form: Form | None) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each object of a value whose fields are described, with their schemas."""
    if form is not None:
        yield from _inside(value, form.schema, form)


def _inside(
    value: Any, schema: Mapping[str, Any], form: Form
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for one in _branches(schema, form):
        if isinstance(value, list) and "items" in one:
            for element in cast("Iterable[Any]", value):
                yield from _inside(element, one["items"], form)
        elif isinstance(value, dict) and "properties" in one:
            fields = cast("dict[str, Any]", value)
            # Whoever asked may change the object before it goes on.
            known = [(fields[name], sub) for name, sub in one["properties"].items() if name in fields]
            yield fields, one["properties"]
            for field, sub in known:
                yield from _inside(field, sub, form)


def _with_body(reply: Reply, value: Any) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return attrs.evolve(reply, body=body)

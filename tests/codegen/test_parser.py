"""What would happen if the parser lost or made something that this generator does not expect."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from codegen import adapter, build
from codegen.documents import Doc
from codegen.ir import Api
from codegen.normalise import normalise
from codegen.problems import CodegenError, Notes

Describe = Callable[..., Doc]
Understand = Callable[..., Api]


@pytest.fixture
def document(describe: Describe) -> Doc:
    parameter = {"name": "kind", "in": "query", "schema": {"type": "string"}}
    return describe(
        schemas={"Thing": {"type": "object", "properties": {"x": {}}}},
        paths={"/a": {"get": {"parameters": [parameter]}}},
    )


def _lose(parsed: adapter.Parsed, what: str) -> adapter.Parsed:
    endpoint = parsed.endpoints["/a", "get"]
    change: dict[str, dict[str, Any]] = {
        "model": {"models": {}},
        "property": {"models": {"Thing": {}}},
        "endpoint": {"endpoints": {}},
        "parameter": {"endpoints": {("/a", "get"): dataclasses.replace(endpoint, query_parameters=[])}},
    }
    return attrs.evolve(parsed, **change[what])


@pytest.mark.parametrize(
    ("what", "place"),
    [
        ("model", "#/components/schemas/Thing"),
        ("property", "#/components/schemas/Thing/properties/x"),
        ("endpoint", "#/paths/~1a/get"),
        ("parameter", "#/paths/~1a/get/parameters/0"),
    ],
)
def test_what_the_parser_loses_is_missed(
    what: str, place: str, document: Doc, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = adapter.parse
    monkeypatch.setattr(adapter, "parse", lambda doc: _lose(parse(doc), what))
    with pytest.raises(CodegenError, match="the parser lost it") as caught:
        build.build(normalise(document, Notes()), Notes())
    assert caught.value.place == place


def test_a_document_that_the_parser_refuses_is_refused(document: Doc) -> None:
    normal = normalise(document, Notes())
    del normal["info"]
    with pytest.raises(CodegenError, match="the parser refuses it"):
        adapter.parse(normal)


def test_a_kind_of_property_that_is_not_known_is_refused() -> None:
    with pytest.raises(CodegenError, match="#/x: the parser made a Decimal of it, unknown here"):
        adapter.type_of(Decimal(1), {}, "#/x")


def test_a_union_of_which_the_parser_drops_a_member_is_refused(describe: Describe) -> None:
    union = {"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 1}]}
    document = describe(schemas={"Thing": {"type": "object", "properties": {"x": union}}})
    parsed = adapter.parse(document)
    with pytest.raises(CodegenError, match="the parser sees 1 kinds of value, the schema has 2"):
        adapter.type_of(parsed.models["Thing"]["x"], union, "#/x")


def test_properties_that_would_share_a_name_are_refused(describe: Describe, understand: Understand) -> None:
    document = describe(schemas={"Thing": {"type": "object", "properties": {"from": {}, "from_": {}}}})
    with pytest.raises(CodegenError, match="several properties would be called from_"):
        understand(document)


def test_a_warning_is_given_once() -> None:
    notes = Notes()
    for _ in range(2):
        notes.warn("is new\x1b", place="#/x")
    assert notes.warnings == ["#/x: is new "]

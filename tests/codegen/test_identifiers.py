"""``x-identifier``: a kind of identifier that a parameter or a property must be."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from codegen import render
from codegen.documents import Doc
from codegen.identifiers import KINDS
from codegen.ir import Api, Field
from codegen.problems import CodegenError
from seqino import identifiers
from seqino._core.wire import IdentifierKind

Describe = Callable[..., Doc]
Understand = Callable[..., Api]


def test_the_kinds_are_those_that_can_be_checked() -> None:
    assert set(get_args(IdentifierKind)) == KINDS
    for kind in get_args(IdentifierKind):
        assert identifiers.fault(kind, "é") != ""


def test_a_property_gets_a_limit(field_of: Callable[..., Field]) -> None:
    assert field_of({"type": "string", "minLength": 1, "x-identifier": "siren"}).constraint == {
        "min_length": 1,
        "identifier": "siren",
    }
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}], "x-identifier": "siret"}
    assert field_of(nullable).constraint == {"identifier": "siret"}
    assert field_of({"type": "string"}).constraint == {}


def test_a_parameter_says_so_in_its_descriptor(describe: Describe, understand: Understand) -> None:
    parameter = {
        "name": "siren",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "x-identifier": "siren",
    }
    document = describe(paths={"/things/{siren}": {"get": {"parameters": [parameter]}}})
    files = render.render(understand(document), document, sha256="0" * 64)
    assert "identifier='siren'," in files["_generated/operations.py"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            {"type": "string", "x-identifier": "iban"},
            "x-identifier is 'iban', not one of address, routing_code",
        ),
        ({"type": "integer", "x-identifier": "siren"}, "an identifier is text"),
        ({"type": "array", "items": {"type": "string"}, "x-identifier": "siren"}, "an identifier is text"),
    ],
)
def test_what_is_no_identifier_is_refused(schema: Any, said: str, field_of: Callable[..., Field]) -> None:
    with pytest.raises(CodegenError, match=said):
        field_of(schema)

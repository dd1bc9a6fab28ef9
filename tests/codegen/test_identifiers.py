"""``x-identifier``: a kind of identifier that a parameter or a property must be."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

import pytest

from codegen import render
from codegen.documents import Doc
from codegen.identifiers import KINDS
from codegen.ir import Api, Field
from codegen.problems import CodegenError
from seqino import identifiers
from seqino._core.wire import IdentifierKind

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_property_may_be_an_identifier_in_some_schemes_or_with_some_beginning_only(
    describe: Describe, understand: Understand
) -> None:
    text = {"type": "string"}
    by_scheme = {"scheme": "from", "kinds": {"0002": "siren", "0009": "siret"}}
    thing = {
        "type": "object",
        "properties": {
            "from": text,
            "number": {**text, "x-identifier": by_scheme},
            "vat": {**text, "x-identifier": {"kind": "vat_number", "prefix": "FR"}},
            "tax": {
                **text,
                "x-identifier": {"kinds": {"VA": "vat_number"}, "scheme": "from", "prefix": "FR"},
            },
        },
    }
    api = understand(describe(schemas={"Thing": thing}))
    fields = {field.wire: field.constraint for field in api.models[0].fields}
    assert fields["number"] == {"by_scheme": {"0002": "siren", "0009": "siret"}, "scheme": "from_"}
    assert fields["vat"] == {"identifier": "vat_number", "prefix": "FR"}
    assert fields["tax"] == {"by_scheme": {"VA": "vat_number"}, "scheme": "from_", "prefix": "FR"}


def test_an_identifier_says_which_term_it_is_wherever_it_stands(
    describe: Describe, understand: Understand, load_package: Callable[[str], Any], tmp_path: Path
) -> None:
    address = {
        "type": "object",
        "properties": {
            "value": {
                "type": "string",
                "x-identifier": "address",
                "x-business-terms": {"BG-4": "BT-34", "BG-7": "BT-49"},
            },
            "free": {"type": "string", "maxLength": 5, "x-business-term": "BT-1"},
        },
    }
    party = {
        "type": "object",
        "properties": {
            "address": {"$ref": "#/components/schemas/Address"},
            "vat": {"type": "string", "x-identifier": "vat_number", "x-business-term": "BT-31"},
            "other": {"type": "string", "x-identifier": "siren"},
        },
    }
    invoice = {
        "type": "object",
        "properties": {
            name: {"allOf": [{"$ref": "#/components/schemas/Party"}], "x-business-term": term}
            for name, term in (("seller", "BG-4"), ("buyer", "BG-7"))
        },
    }
    document = describe(schemas={"Address": address, "Party": party, "Invoice": invoice})
    for path, text in render.render(understand(document), document, sha256="0" * 64).items():
        target = tmp_path / "made" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    tables, models = load_package("_generated.tables"), load_package("_generated.models")
    limits = tables.CONSTRAINTS
    assert limits[models.Address]["value"].terms == {"seller": "BT-34", "buyer": "BT-49"}
    assert limits[models.Address]["free"].terms == {}
    assert limits[models.Party]["vat"].terms == {"": "BT-31"}
    assert limits[models.Party]["other"].terms == {}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (
            {"type": "string", "x-identifier": "iban"},
            "x-identifier is 'iban', not one of address, routing_code",
        ),
        ({"type": "integer", "x-identifier": "siren"}, "an identifier is text"),
        ({"type": "string", "x-identifier": {"kind": "iban"}}, "x-identifier is 'iban'"),
        ({"type": "string", "x-identifier": {"kind": ["siren"]}}, "x-identifier is .'siren'., not one of"),
        (
            {"type": "string", "x-identifier": {"kinds": {"0002": "iban"}, "scheme": "x"}},
            "x-identifier is 'iban'",
        ),
        (
            {"type": "string", "x-identifier": {"kinds": {"0002": "siren"}, "scheme": "y"}},
            "there is no y beside it",
        ),
        ({"type": "string", "x-identifier": {"kinds": {"0002": "siren"}}}, "there is no None beside it"),
        ({"type": "string", "x-identifier": {"prefix": "FR"}}, "has kind, or kinds and scheme"),
        (
            {"type": "string", "x-identifier": {"kind": "siren", "kinds": {}}},
            "has kind, or kinds and scheme",
        ),
        ({"type": "string", "x-identifier": {"kind": "siren", "form": "x"}}, "has kind, or kinds and"),
        ({"type": "array", "items": {"type": "string"}, "x-identifier": "siren"}, "an identifier is text"),
    ],
)
def test_what_is_no_identifier_is_refused(schema: Any, said: str, field_of: Callable[..., Field]) -> None:
    with pytest.raises(CodegenError, match=said):
        field_of(schema)

"""What the parser gets wrong or drops without a word: each is right here, or refused with its place."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from codegen.documents import Doc
from codegen.ir import ANY, MISSING, NULL, Api, Const, DictOf, Enum, Field, ListOf, Named, Scalar, Type, Union
from codegen.problems import CodegenError, Notes

REF = {"$ref": "#/components/schemas/Other"}
OTHER = {"Other": {"type": "object", "properties": {"id": {"type": "string"}}}}
COLOUR = {"Other": {"type": "string", "enum": ["red", "green"]}}
TEXT, NUMBER = Scalar("str"), Scalar("int")

FieldOf = Callable[..., Field]
Describe = Callable[..., Doc]
Understand = Callable[..., Api]


@pytest.mark.parametrize(
    ("schema", "type_"),
    [
        ({"type": "string"}, TEXT),
        ({"type": "integer"}, NUMBER),
        ({"type": "number"}, Scalar("float")),
        ({"type": "boolean"}, Scalar("bool")),
        ({"type": "string", "format": "date"}, Scalar("date")),
        ({"type": "string", "format": "date-time"}, Scalar("datetime")),
        ({"type": "string", "format": "time"}, Scalar("time")),
        ({"type": "string", "format": "uuid"}, Scalar("UUID")),
        ({"type": "string", "format": "email"}, TEXT),
        ({"type": "string", "format": "binary"}, Scalar("File")),
        ({"type": "string", "contentMediaType": "application/octet-stream"}, Scalar("File")),
        ({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}, TEXT),
        ({"type": "null"}, NULL),
        ({}, ANY),
        (True, ANY),
        ({"const": "card"}, Const("card")),
        ({"type": "string", "const": "card"}, Const("card")),
        ({"type": "array", "items": {"type": "integer"}}, ListOf(NUMBER)),
        ({"type": "array"}, ListOf(ANY)),
        ({"type": "array", "items": True}, ListOf(ANY)),
        ({"type": ["array", "null"]}, Union((ListOf(ANY), NULL))),
        ({"type": "object"}, DictOf(ANY)),
        ({"type": "object", "additionalProperties": False}, DictOf(ANY)),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, DictOf(NUMBER)),
        ({"type": ["string", "null"]}, Union((TEXT, NULL))),
        ({"type": ["string"]}, TEXT),
        ({"type": ["string", "integer"], "minLength": 1}, Union((TEXT, NUMBER))),
        ({"type": "string", "nullable": True}, Union((TEXT, NULL))),
        ({"anyOf": [{"type": "string"}, {"type": "null"}], "nullable": True}, Union((TEXT, NULL))),
        ({"oneOf": [{"type": "string"}, {"type": "boolean"}]}, Union((TEXT, Scalar("bool")))),
        ({"anyOf": [{"type": "string"}]}, TEXT),
        ({"anyOf": [{"type": "string"}, {"type": "string", "maxLength": 3}]}, TEXT),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, Scalar("Decimal")),
        (
            {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]},
            Union((Scalar("Decimal"), NULL)),
        ),
        ({"type": "string", "x-decimal": True}, Scalar("Decimal")),
        ({"type": "number", "x-decimal": True}, Scalar("Decimal")),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "x-decimal": True},
            Union((Scalar("Decimal"), NULL)),
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}], "x-decimal": True},
            Union((Scalar("Decimal"), NULL)),
        ),
        ({"type": "array", "items": {"type": "string"}, "x-decimal": True}, ListOf(Scalar("Decimal"))),
        (REF, Named("Other")),
        ({"anyOf": [REF, {"type": "null"}]}, Union((Named("Other"), NULL))),
        ({"anyOf": [{"type": "array", "items": REF}, REF]}, Union((ListOf(Named("Other")), Named("Other")))),
    ],
)
def test_a_schema_becomes_its_type(schema: Any, type_: Type, field_of: FieldOf) -> None:
    assert field_of(schema, schemas=OTHER).type == type_


def test_what_stands_beside_all_of_is_kept(describe: Describe, understand: Understand) -> None:
    api = understand(
        describe(
            schemas={
                **OTHER,
                "Whole": {
                    "allOf": [REF, {"required": ["id"]}, {"description": "Of a part."}],
                    "properties": {"more": {"type": "integer"}},
                    "required": ["more"],
                    "description": "Of the whole.",
                },
            }
        )
    )
    (whole,) = [model for model in api.models if model.name == "Whole"]
    assert {field.name: field.required for field in whole.fields} == {"id": True, "more": True}
    assert whole.description == "Of the whole."


def test_a_composition_of_compositions_is_written_out(describe: Describe, understand: Understand) -> None:
    part = {"$ref": "#/components/schemas/Part"}
    alias = {"$ref": "#/components/schemas/Alias"}
    api = understand(
        describe(
            schemas={
                **OTHER,
                "Alias": {"allOf": [REF], "description": "Other, described anew."},
                "Part": {"allOf": [alias], "properties": {"part": {"type": "string"}}},
                "Whole": {
                    "allOf": [
                        part,
                        {"allOf": [{"type": "object"}], "properties": {"own": {"type": "string"}}},
                    ]
                },
            }
        )
    )
    (whole,) = [model for model in api.models if model.name == "Whole"]
    assert {field.name for field in whole.fields} == {"id", "part", "own"}
    assert [(alias.name, alias.type) for alias in api.aliases] == [("Alias", Named("Other"))]


@pytest.mark.parametrize(
    ("schemas", "said"),
    [
        (
            {
                "A": {
                    "allOf": [{"properties": {"x": {"type": "string"}}}],
                    "properties": {"x": {"type": "integer"}},
                }
            },
            "allOf describes x in two ways",
        ),
        ({"A": {"allOf": [{"type": "string"}, {"type": "integer"}]}}, "allOf has two values of type"),
        (
            {"A": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object"}]}},
            "allOf leads back to A",
        ),
    ],
)
def test_a_composition_that_contradicts_itself_is_refused(
    schemas: Any, said: str, describe: Describe, understand: Understand
) -> None:
    with pytest.raises(CodegenError, match=said) as caught:
        understand(describe(schemas=schemas))
    assert caught.value.place == "#/components/schemas/A"


def test_the_siblings_of_a_reference_are_kept(field_of: FieldOf) -> None:
    field = field_of({**REF, "default": "green", "description": "Which.", "deprecated": True}, schemas=COLOUR)
    assert (field.type, field.default, field.description) == (Named("Other"), "green", "Which.")
    assert field.deprecated


def test_a_default_that_no_value_fits_is_refused(field_of: FieldOf) -> None:
    with pytest.raises(CodegenError, match=r"would drop something"):
        field_of({**REF, "default": "blue"}, schemas=COLOUR)
    with pytest.raises(CodegenError, match=r"would drop something"):
        field_of({"type": "integer", "default": "abc"})


@pytest.mark.parametrize(
    ("schema", "default"),
    [
        ({"type": "array", "items": {"type": "string"}, "default": []}, []),
        ({"type": "object", "default": {}}, {}),
        ({"type": "boolean", "default": False}, False),
        ({"type": "string", "default": None}, None),
        ({"anyOf": [{"type": "number"}, {"type": "string"}], "default": 0}, "0"),
        ({"type": "number", "default": 1}, 1),
        ({"const": "a", "default": "a"}, "a"),
        ({"type": "string"}, MISSING),
    ],
)
def test_a_default_is_kept(schema: Any, default: Any, field_of: FieldOf) -> None:
    assert field_of(schema).default == default


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {"type": "string"}, "default": "x"},
        {"type": "object", "default": []},
        {"type": "integer", "default": True},
        {"type": "string", "default": 5},
        {"type": "boolean", "default": "yes"},
    ],
)
def test_a_default_of_another_type_is_refused(schema: Any, field_of: FieldOf) -> None:
    with pytest.raises(CodegenError, match=r"default|drop"):
        field_of(schema)


@pytest.mark.parametrize(
    ("schema", "said", "place"),
    [
        (False, "the schema `false` allows no value", ""),
        ({"type": "array", "items": False}, "the schema `false` allows no value", "/items"),
        (
            {"type": "array", "prefixItems": [{"type": "string"}]},
            "prefixItems cannot be turned into a type",
            "",
        ),
        (
            {"type": "object", "patternProperties": {"^a": {}}},
            "patternProperties cannot be turned into a type",
            "",
        ),
        ({"type": "object", "propertyNames": {}}, "propertyNames cannot be turned into a type", ""),
        ({"$defs": {"A": {}}}, r"\$defs cannot be turned into a type", ""),
        ({"$ref": "other.yaml#/A"}, "leads to no component schema", ""),
        ({"$ref": "#/components/schemas/Thing/properties/x"}, "leads to no component schema", ""),
        ({"type": "strin"}, "'strin' is no type", ""),
        ({"type": ["strin", "null"]}, "is no type", ""),
        ({"type": []}, "is no type", ""),
        ({"oneOf": [{}], "anyOf": [{}]}, "oneOf beside anyOf", ""),
        ({"type": ["string", "null"], "anyOf": [{}]}, "several types beside anyOf", ""),
        ({"type": "boolean", "x-decimal": True}, "x-decimal stands on something that is no number", ""),
        ({"anyOf": [REF, {"type": "null"}], "x-decimal": True}, "x-decimal stands on something", ""),
        ({"anyOf": [REF, {"type": "object"}]}, "a union of several kinds of object is not supported", ""),
        (
            {
                "oneOf": [REF, {"type": "object", "properties": {"a": {}}}],
                "discriminator": {"propertyName": "a"},
            },
            "a union of several kinds of object is not supported",
            "",
        ),
        (
            {"anyOf": [{"type": "array"}, {"type": "array", "items": {"type": "string"}}]},
            "a union of several kinds of list is not supported",
            "",
        ),
    ],
)
def test_what_has_no_type_is_refused_with_its_place(
    schema: Any, said: str, place: str, field_of: FieldOf
) -> None:
    with pytest.raises(CodegenError, match=said) as caught:
        field_of(schema, schemas=OTHER)
    assert caught.value.place == "#/components/schemas/Thing/properties/x" + place


def test_kinds_of_text_become_the_one_that_holds_them_all(field_of: FieldOf) -> None:
    notes = Notes()
    date = {"type": "string", "format": "date"}
    assert field_of({"anyOf": [REF, {"type": "string"}]}, schemas=COLOUR, notes=notes).type == Named("Other")
    assert not notes.warnings
    assert field_of({"anyOf": [date, {"type": "string"}, {"type": "null"}]}, notes=notes).type == Union(
        (TEXT, NULL)
    )
    assert "a union of several kinds of text is read as str" in notes.warnings[0]


def test_unions_of_unions_are_written_out(describe: Describe, understand: Understand) -> None:
    schemas = {
        "Inner": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "Thing": {
            "type": "object",
            "properties": {
                "x": {"anyOf": [{"$ref": "#/components/schemas/Inner"}, {"type": "string"}, {"const": 1}]},
                "y": {
                    "anyOf": [{"anyOf": [{"$ref": "#/components/schemas/Thing"}]}],
                    "description": "Again.",
                },
            },
        },
    }
    api = understand(describe(schemas=schemas))
    (thing,) = api.models
    assert thing.fields[0].type == Union((NUMBER, NULL, TEXT, Const(1)))
    assert thing.fields[1].type == Named("Thing")
    assert thing.fields[1].description == "Again."


def test_components_that_lead_in_a_circle_are_refused(describe: Describe, understand: Understand) -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"$ref": "#/components/schemas/A"},
        "C": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
    }
    with pytest.raises(CodegenError, match=r"the references lead in a circle: A → B → A"):
        understand(describe(schemas=schemas))


def test_a_component_that_is_no_class_becomes_an_alias(describe: Describe, understand: Understand) -> None:
    api = understand(
        describe(
            schemas={
                **OTHER,
                "Names": {"type": "array", "items": REF},
                "Free": {"type": "object", "additionalProperties": True, "description": "Anything."},
                "Text": {"type": "string"},
                "Recursive": {
                    "type": "object",
                    "properties": {"x": {"$ref": "#/components/schemas/Recursive"}},
                },
            }
        )
    )
    assert {alias.name: alias.type for alias in api.aliases} == {
        "Names": ListOf(Named("Other")),
        "Free": DictOf(ANY),
        "Text": TEXT,
    }
    assert [model.name for model in api.models] == ["Other", "Recursive"]


@pytest.mark.parametrize(
    ("schema", "constraint"),
    [
        (
            {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^a"},
            {"min_length": 1, "max_length": 3, "pattern": "^a"},
        ),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, {"max_length": 3}),
        ({"type": "integer", "minimum": 0, "exclusiveMaximum": 9}, {"minimum": 0, "exclusive_maximum": 9}),
        ({"type": "number", "minimum": 0.5, "maximum": 2.0}, {"minimum": Decimal("0.5"), "maximum": 2}),
        (
            {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^\\d"}]},
            {"minimum": 0},
        ),
        ({"type": "array", "minItems": 1, "maxItems": 2}, {"min_items": 1, "max_items": 2}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"minimum": 1}),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer", "minimum": 1}]}, {}),
    ],
)
def test_limits_are_recovered(schema: Any, constraint: dict[str, Any], field_of: FieldOf) -> None:
    assert field_of(schema).constraint == constraint


def test_hints_of_our_own_are_never_taken_from_a_description(field_of: FieldOf) -> None:
    hint = "__import__('os').system('true')"
    field = field_of(
        {"type": "string", "x-python-type": hint, "x-sources": [hint], "x-enum-varnames": [hint]}
    )
    assert field.type == TEXT


def test_titles_name_nothing(describe: Describe, understand: Understand) -> None:
    schemas = {
        "A-Input": {
            "type": "object",
            "title": "A",
            "properties": {"x": {"type": "string", "title": "Some Title"}},
        },
        "A-Output": {"type": "object", "title": "A", "properties": {"x": {"type": "string", "title": "X"}}},
    }
    assert set(understand(describe(schemas=schemas)).classes()) == {"A"}


def test_an_enum_of_which_a_twin_is_merged_keeps_its_source(
    describe: Describe, understand: Understand
) -> None:
    schemas = {name: {"type": "string", "enum": ["a"]} for name in ("E-Input", "E-Output")}
    (enum,) = understand(describe(schemas=schemas)).enums
    assert isinstance(enum, Enum)
    assert enum.sources == ("E-Input", "E-Output")


def test_what_one_side_leaves_out_is_required_of_neither(describe: Describe, understand: Understand) -> None:
    properties = {"id": {"type": "string", "readOnly": True}, "key": {"type": "string", "writeOnly": True}}
    schemas = {
        "Thing": {"type": "object", "properties": {**properties, "x": {}}, "required": ["id", "key", "x"]}
    }
    (thing,) = understand(describe(schemas=schemas)).models
    assert [field.required for field in thing.fields] == [False, False, True]


def test_a_discriminator_without_a_union_is_told(describe: Describe, understand: Understand) -> None:
    notes = Notes()
    schemas = {"Thing": {"type": "object", "properties": {"x": {}}, "discriminator": {"propertyName": "x"}}}
    understand(describe(schemas=schemas), notes=notes)
    assert notes.warnings == [
        "#/components/schemas/Thing: its discriminator names other schemas, but it is always read as itself"
    ]


def test_a_list_of_itself_is_refused(describe: Describe, understand: Understand) -> None:
    schemas = {"Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}
    with pytest.raises(CodegenError, match=r"would drop something: .*Tree"):
        understand(describe(schemas=schemas))

"""Enums, and classes for what is described where it is used."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codegen.documents import Doc
from codegen.ir import NULL, Api, Field, Named, Scalar, Union
from codegen.problems import CodegenError, Notes

NUMBER = Scalar("int")

FieldOf = Callable[..., Field]
Describe = Callable[..., Doc]
Understand = Callable[..., Api]


def _members(api: Api, name: str) -> dict[str, str]:
    (found,) = [enum for enum in api.enums if enum.name == name]
    return dict(found.members)


def test_enum_members_are_named_by_value_never_by_position(
    describe: Describe, understand: Understand
) -> None:
    api = understand(describe(schemas={"Code": {"type": "string", "enum": ["380", "381", "é", "add"]}}))
    assert _members(api, "Code") == {"CODE_380": "380", "CODE_381": "381", "E": "é", "ADD": "add"}


@pytest.mark.parametrize("values", [["a-b", "a b"], ["add", "ADD"]])
def test_values_that_would_share_a_name_are_refused(
    values: list[str], describe: Describe, understand: Understand
) -> None:
    with pytest.raises(CodegenError, match=r"would both be called") as caught:
        understand(describe(schemas={"Code": {"type": "string", "enum": values}}))
    assert caught.value.place == "#/components/schemas/Code"


def test_the_overlay_can_name_values_that_would_share_a_name(
    describe: Describe, understand: Understand
) -> None:
    schema = {"type": "string", "enum": ["a-b", "a b"], "x-python-member-names": {"a b": "A_SPACE_B"}}
    assert _members(understand(describe(schemas={"Code": schema})), "Code") == {
        "A_B": "a-b",
        "A_SPACE_B": "a b",
    }


def test_a_name_that_is_none_is_refused(describe: Describe, understand: Understand) -> None:
    schema = {"type": "string", "enum": ["a"], "x-python-member-names": {"a": "x = 1; import os"}}
    with pytest.raises(CodegenError, match=r"is no name for a member"):
        understand(describe(schemas={"Code": schema}))


def test_values_published_elsewhere_belong_to_the_enum(describe: Describe, understand: Understand) -> None:
    schema = {"type": "string", "enum": ["a"], "x-published-additional-values": ["b", "a"]}
    assert _members(understand(describe(schemas={"Code": schema})), "Code") == {"A": "a", "B": "b"}


def test_null_in_an_enum_makes_it_nullable(field_of: FieldOf) -> None:
    field = field_of({"type": ["string", "null"], "enum": ["a", None]})
    assert field.type == Union((Named("ThingX"), NULL))
    assert field_of({"enum": [None]}).type == NULL
    assert field_of({"type": "string", "enum": ["a", None]}).type == Union((Named("ThingX"), NULL))


def test_an_enum_of_whole_numbers_is_read_as_int_and_said_so(field_of: FieldOf) -> None:
    notes = Notes()
    assert field_of({"enum": [1, 2]}, notes=notes).type == NUMBER
    assert notes.warnings == [
        "#/components/schemas/Thing/properties/x: its values are whole numbers, so it is read as int"
    ]


@pytest.mark.parametrize("values", [["a", 1], [1.5], [True, False]])
def test_an_enum_of_mixed_values_is_refused(values: list[Any], field_of: FieldOf) -> None:
    with pytest.raises(CodegenError, match=r"an enum of .* is not supported"):
        field_of({"enum": values})


def test_inline_enums_and_objects_become_classes_named_after_their_use(
    describe: Describe, understand: Understand
) -> None:
    inner = {"type": "object", "properties": {"kind": {"enum": ["a"]}}, "description": "Inner."}
    api = understand(
        describe(
            schemas={
                "Thing": {
                    "type": "object",
                    "properties": {
                        "direction": {"enum": ["in", "out"], "default": "in", "description": "Which way."},
                        "part": inner,
                        "parts": {"type": "array", "items": inner},
                        "by_name": {"type": "object", "additionalProperties": inner},
                        "either": {"anyOf": [{"enum": ["none"]}, inner]},
                    },
                }
            },
            paths={
                "/things": {
                    "post": {
                        "parameters": [{"name": "sort", "in": "query", "schema": {"enum": ["up"]}}],
                        "requestBody": {"content": {"application/json": {"schema": inner}}},
                        "responses": {
                            "200": {"description": "d", "content": {"application/json": {"schema": inner}}}
                        },
                    }
                }
            },
        )
    )
    names = set(api.classes())
    assert names == {
        *("Thing", "ThingDirection", "ThingPart", "ThingPartKind", "ThingPartsItem", "ThingPartsItemKind"),
        *(
            "ThingByNameValue",
            "ThingByNameValueKind",
            "ThingEither",
            "ThingEitherObject",
            "ThingEitherObjectKind",
        ),
        *(
            "PostThingsSort",
            "PostThingsBody",
            "PostThingsBodyKind",
            "PostThingsAnswer200",
            "PostThingsAnswer200Kind",
        ),
    }
    (thing,) = [model for model in api.models if model.name == "Thing"]
    direction = thing.fields[0]
    assert (direction.type, direction.default, direction.description) == (
        Named("ThingDirection"),
        "in",
        "Which way.",
    )


def test_a_class_that_would_take_a_name_is_refused(describe: Describe, understand: Understand) -> None:
    schemas = {
        "Thing": {"type": "object", "properties": {"part": {"enum": ["a"]}}},
        "ThingPart": {"type": "object", "properties": {"a": {}}},
    }
    with pytest.raises(CodegenError, match=r"would be called ThingPart, which is taken") as caught:
        understand(describe(schemas=schemas))
    assert caught.value.place == "#/components/schemas/Thing/properties/part"

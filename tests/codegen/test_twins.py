from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codegen.documents import Doc
from codegen.ir import Api, Model, Named, Scalar
from codegen.problems import CodegenError, Notes

Describe = Callable[..., Doc]
Understand = Callable[..., Api]

AMOUNT = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}
TEXT = {"type": "string"}


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **more}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _models(api: Api) -> dict[str, Model]:
    return {model.name: model for model in api.models}


def test_twins_become_one_class_with_decimals_on_both_sides(
    describe: Describe, understand: Understand
) -> None:
    api = understand(
        describe(
            schemas={
                "Line-Input": _object(
                    {"amount": AMOUNT, "by": {"type": "object", "additionalProperties": AMOUNT}}
                ),
                "Line-Output": _object(
                    {"amount": TEXT, "by": {"type": "object", "additionalProperties": TEXT}}
                ),
                "Bill-Input": _object(
                    {"lines": {"type": "array", "items": _ref("Line-Input")}, "total": AMOUNT}
                ),
                "Bill-Output": _object(
                    {
                        "lines": {"type": "array", "items": _ref("Line-Output")},
                        "total": {"type": "string", "pattern": "^[-+.\\d]*$"},
                    }
                ),
                "Answer": _object({"bill": _ref("Bill-Output")}),
            }
        )
    )
    models = _models(api)
    assert set(models) == {"Line", "Bill", "Answer"}
    assert models["Bill"].sources == ("Bill-Input", "Bill-Output")
    assert models["Bill"].fields[1].type == models["Line"].fields[0].type == Scalar("Decimal")
    assert models["Bill"].fields[1].constraint == {"minimum": 0}
    assert models["Answer"].fields[0].type == Named("Bill")


def test_nullable_and_listed_decimals_are_found_in_the_answer(
    describe: Describe, understand: Understand
) -> None:
    null = {"type": "null"}
    api = understand(
        describe(
            schemas={
                "A-Input": _object(
                    {
                        "x": {"anyOf": [*AMOUNT["anyOf"], null]},
                        "y": {"type": "array", "items": AMOUNT},
                        "z": TEXT,
                    }
                ),
                "A-Output": _object(
                    {
                        "x": {"anyOf": [TEXT, null]},
                        "y": {"type": "array", "items": TEXT},
                        "z": TEXT,
                        "w": TEXT,
                    }
                ),
            }
        )
    )
    (model,) = api.models
    assert [
        Scalar("Decimal") in getattr(field.type, "members", (getattr(field.type, "item", field.type),))
        for field in model.fields
    ] == [True, True, False, False]


def test_what_one_side_has_more_is_kept_and_required_only_where_both_ask(
    describe: Describe, understand: Understand
) -> None:
    api = understand(
        describe(
            schemas={
                "A-Input": _object({"a": TEXT, "b": {**TEXT, "default": "x"}}, "a", description="Sent."),
                "A-Output": _object({"a": TEXT, "b": {**TEXT, "default": "x"}, "id": TEXT}, "a", "b", "id"),
            }
        )
    )
    (model,) = api.models
    assert {field.name: field.required for field in model.fields} == {"a": True, "b": False, "id": False}
    assert model.description == "Sent."


def test_twins_that_differ_in_type_stay_two_classes_and_it_is_said(
    describe: Describe, understand: Understand
) -> None:
    notes = Notes()
    name = {"x-python-name": "Bill"}
    api = understand(
        describe(
            schemas={
                "BillModel-Input": _object({"a": {"type": "integer"}}, **name),
                "BillModel-Output": _object({"a": {"type": "boolean"}}, **name),
                "Outer-Input": _object({"bill": _ref("BillModel-Input")}),
                "Outer-Output": _object({"bill": _ref("BillModel-Output")}),
            }
        ),
        notes=notes,
    )
    assert set(_models(api)) == {"Bill", "BillOutput", "Outer", "OuterOutput"}
    assert notes.warnings == [
        "#/components/schemas/BillModel-Input: differs from BillModel-Output, so both become classes",
        "#/components/schemas/Outer-Input: differs from Outer-Output, so both become classes",
    ]


def test_twins_without_properties_are_compared_whole(describe: Describe, understand: Understand) -> None:
    api = understand(describe(schemas={"A-Input": {"type": "object"}, "A-Output": {"type": "object"}}))
    assert [(alias.name, alias.sources) for alias in api.aliases] == [("A", ("A-Input", "A-Output"))]


def test_twins_beside_a_schema_of_their_name_stay_apart(describe: Describe, understand: Understand) -> None:
    schemas = {name: _object({"a": TEXT}) for name in ("A", "A-Input", "A-Output")}
    assert set(_models(understand(describe(schemas=schemas)))) == {"A", "AInput", "AOutput"}


@pytest.mark.parametrize(
    ("schemas", "said"),
    [
        ({"a b": _object({"x": TEXT}), "a-b": _object({"x": TEXT})}, "would be called AB, as that of a b"),
        ({"Decimal": _object({"x": TEXT})}, "the class cannot be called Decimal"),
        ({"ValueError": _object({"x": TEXT})}, "the class cannot be called ValueError"),
        (
            {"A": _object({"x": TEXT}, **{"x-python-name": "os.system"})},
            "the class cannot be called os.system",
        ),
        ({"A1B": _object({"x": TEXT}), "A1b": _object({"x": TEXT})}, "the parser cannot tell it from"),
    ],
)
def test_names_that_cannot_be_given_are_refused(
    schemas: dict[str, Any], said: str, describe: Describe, understand: Understand
) -> None:
    with pytest.raises(CodegenError, match=said):
        understand(describe(schemas=schemas))

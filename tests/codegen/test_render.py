from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import attrs
import pytest

from codegen import docs, imports, python_text, render
from codegen.documents import Doc
from codegen.ir import ANY, NULL, Answer, Api, Const, DictOf, Field, ListOf, Model, Named, Scalar, Type, Union

Describe = Callable[..., Doc]
Understand = Callable[..., Api]

TEXT = Scalar("str")
REF = {"$ref": "#/components/schemas/Thing"}
JSON = "application/json"

HOSTILE = 'a"""\nimport os; os.system("x")\n"""\\" {{ 7 * 7 }} \u202e\x00 {% raw %} \\N{x} "'


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (Scalar("date"), "dt.date"),
        (Scalar("time"), "dt.time"),
        (Scalar("Decimal"), "Decimal"),
        (ListOf(Named("Thing")), "list[models.Thing]"),
        (DictOf(ANY), "dict[str, JSON]"),
        (Const('a"b'), "Literal['a\"b']"),
        (Union((ListOf(TEXT), NULL)), "list[str] | None"),
    ],
)
def test_a_type_is_written(type_: Type, text: str) -> None:
    assert python_text.type_text(type_, prefix="models.") == text


def test_a_field_that_hides_a_builtin_does_not_hide_it_from_types() -> None:
    type_ = Union((ListOf(TEXT), DictOf(Scalar("int")), Scalar("date")))
    text = python_text.type_text(type_, taken=frozenset({"list", "str", "dict", "date"}))
    assert text == "builtins.list[builtins.str] | builtins.dict[builtins.str, int] | dt.date"


@pytest.mark.parametrize(
    "value", ['"', "'", "\\", "\n\u2028\u202e\ud800", 1, True, None, Decimal("0.10"), {"a": ["b"]}]
)
def test_a_literal_is_read_back_as_it_was(value: Any) -> None:
    text = python_text.literal(value)
    assert text.isprintable()
    assert eval(text, {"Decimal": Decimal}) == value  # noqa: S307 - that it does no more is the point


def test_prose_keeps_paragraphs_and_drops_what_controls() -> None:
    text = python_text.prose("One\n two.\r\n\r\n\u202eThree \x1b[31m " + "word " * 30 + "\n\n\n\n", indent=4)
    first, second = text.split("\n\n")
    assert first == "One two."
    assert second.startswith("    Three [31m word")
    assert all(len(line) <= 100 for line in second.splitlines())


@pytest.mark.parametrize("text", [HOSTILE, 'ends with "', "ends with \\", '""""""', "\\" * 7 + '"""'])
def test_a_description_never_becomes_code(text: str) -> None:
    body = python_text.prose(text, indent=4)
    source = f"def f():\n    {python_text.docstring(body, indent=4)}\n"
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    (statement,) = function.body
    assert isinstance(statement, ast.Expr)
    read = "".join(ast.literal_eval(statement.value).split())
    assert read.startswith("".join(text.split())[:5])


@pytest.mark.parametrize(
    ("text", "whole"), [("", ""), ("Done", "Done."), ("Done.", "Done."), ("Why?", "Why?"), (" a: ", "a:")]
)
def test_a_sentence_ends(text: str, whole: str) -> None:
    assert python_text.sentence(text) == whole


def _files(api: Api, document: Doc) -> dict[str, str]:
    return render.render(api, document, sha256="0" * 64)


def test_a_hostile_description_generates_code_that_does_nothing(
    describe: Describe, understand: Understand
) -> None:
    answer = {"description": HOSTILE, "content": {JSON: {"schema": REF}}}
    document = describe(
        schemas={
            "Thing": {
                "type": "object",
                "description": HOSTILE,
                "x-evidence": HOSTILE,
                "x-business-term": HOSTILE,
                "properties": {
                    HOSTILE: {
                        "type": "string",
                        "description": HOSTILE,
                        "x-business-term": HOSTILE,
                        "pattern": HOSTILE,
                    },
                    "b": {"type": "string", "default": HOSTILE, "x-business-terms": {HOSTILE: HOSTILE}},
                    "c": {"const": HOSTILE},
                },
            },
            "Kind": {"enum": [HOSTILE], "description": HOSTILE},
        },
        paths={
            f"/{HOSTILE}".replace("{", "("): {
                "post": {
                    "operationId": HOSTILE,
                    "summary": HOSTILE,
                    "description": HOSTILE,
                    "tags": [HOSTILE],
                    "x-evidence": HOSTILE,
                    "parameters": [{"name": HOSTILE, "in": "query", "schema": {"default": HOSTILE}}],
                    "requestBody": {"description": HOSTILE, "content": {JSON: {"schema": REF}}},
                    "responses": {"200": answer, "404": answer},
                }
            }
        },
        webhooks={
            HOSTILE: {"post": {"operationId": "x", "requestBody": {"content": {JSON: {"schema": REF}}}}}
        },
        **{"x-webhook-signature": {HOSTILE: HOSTILE}},
    )
    calls: set[str] = set()
    for name, text in _files(understand(document), document).items():
        if name.endswith(".py"):
            tree = ast.parse(text)
            calls |= {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            assert not [
                node for node in ast.walk(tree) if isinstance(node, ast.Import) and node.names[0].name == "os"
            ]
    assert calls == {
        *("attrs.define", "client.call", "Operation", "Parameter", "Body", "Constraint"),
        *("importlib.import_module", "AttributeError", "list"),
    }


def _field(type_: Type, **more: Any) -> Field:
    given: dict[str, Any] = {"name": "x", "wire": "x", "type": type_, "required": False, **more}
    return Field(**given)


@pytest.mark.parametrize(
    ("field", "in_request", "annotation", "default"),
    [
        (_field(TEXT, required=True), False, "str", ""),
        (_field(TEXT, required=True), True, "str", ""),
        (_field(TEXT), False, "str | None", "None"),
        (_field(TEXT), True, "str | UnsetType", "UNSET"),
        (_field(Union((TEXT, NULL))), False, "str | None", "None"),
        (_field(Union((TEXT, NULL))), True, "str | None | UnsetType", "UNSET"),
        (_field(ANY), False, "JSON", "None"),
        (_field(NULL), False, "None", "None"),
        (_field(TEXT, default="a"), False, "str", "'a'"),
        (_field(TEXT, default="a"), True, "str | UnsetType", "UNSET"),
        (_field(TEXT, default=None), False, "str | None", "None"),
        (_field(Scalar("bool"), default=False), False, "bool", "False"),
        (_field(Scalar("float"), default=1), False, "float", "1.0"),
        (_field(Scalar("Decimal"), default="0.00"), False, "Decimal", "Decimal('0.00')"),
        (_field(Union((Scalar("int"), NULL)), default=3), False, "int | None", "3"),
        (_field(ListOf(TEXT), default=[]), False, "list[str]", "attrs.field(factory=list[str])"),
        (_field(ListOf(TEXT), default=["a"]), False, "list[str] | None", "None"),
        (_field(DictOf(ANY), default={}), False, "dict[str, JSON]", "attrs.field(factory=dict[str, JSON])"),
        (_field(Named("Kind"), default="a"), False, "Kind", "Kind('a')"),
        (_field(Named("Thing"), default={}), False, "Thing | None", "None"),
        (_field(Scalar("date"), default="2024-01-01"), False, "dt.date | None", "None"),
        (_field(Const("a"), required=True), True, "Literal['a']", "'a'"),
        (_field(Const("a"), required=True), False, "Literal['a']", "'a'"),
        (_field(Union((Const("a"), NULL)), required=True), True, "Literal['a'] | None", ""),
        (_field(Const("a"), default="a"), False, "Literal['a']", "'a'"),
        (_field(TEXT, required=True, is_secret=True), False, "str", "attrs.field(repr=False)"),
        (_field(TEXT, is_secret=True), True, "str | UnsetType", "attrs.field(default=UNSET, repr=False)"),
    ],
)
def test_a_field_is_declared(field: Field, *, in_request: bool, annotation: str, default: str) -> None:
    model = Model(name="M", sources=("M",), fields=(field,), in_request=in_request)
    enums = frozenset({"Kind"})
    assert render.field_annotation(field, model, enums=enums) == annotation
    assert render.field_default(field, model, enums=enums) == default


@pytest.mark.parametrize(
    ("type_", "parameter", "body"),
    [
        (Named("Kind"), "models.Kind | str", "models.Kind | Mapping[str, JSON]"),
        (ListOf(Named("Kind")), "Sequence[models.Kind | str]", "Sequence[models.Kind | Mapping[str, JSON]]"),
        (Union((Named("Kind"), TEXT)), "models.Kind | str", "models.Kind | Mapping[str, JSON] | str"),
        (DictOf(ANY), "dict[str, JSON]", "Mapping[str, JSON]"),
        (Scalar("date"), "dt.date", "dt.date"),
    ],
)
def test_an_argument_takes_what_is_convenient(type_: Type, parameter: str, body: str) -> None:
    assert render.parameter_annotation(type_) == parameter
    assert render.body_annotation(type_, multipart=False) == body


def test_a_form_takes_a_mapping_with_files() -> None:
    assert render.body_annotation(Named("Form"), multipart=True) == "models.Form | Mapping[str, JSON | File]"


def _operation(describe: Describe, understand: Understand, raw: dict[str, Any]) -> Any:
    thing = {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}
    return understand(describe(schemas=thing, paths={"/a/{id}": {"post": raw}})).operations[0]


def test_arguments_that_must_be_given_stand_first(describe: Describe, understand: Understand) -> None:
    raw: dict[str, Any] = {
        "parameters": [
            {"name": "q", "in": "query", "schema": {"type": "string"}},
            {"name": "must", "in": "query", "required": True, "schema": {"type": "string"}},
            {
                "name": "scope",
                "in": "header",
                "required": True,
                "x-scope": True,
                "schema": {"type": "string"},
            },
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        ],
        "requestBody": {"content": {JSON: {"schema": REF}}},
    }
    made = render.arguments(_operation(describe, understand, raw))
    assert [(a.name, a.default) for a in made["positional"]] == [("id", ""), ("body", "UNSET")]
    assert [(a.name, a.default) for a in made["named"]] == [("must", ""), ("q", "None"), ("scope", "None")]


def test_answers_of_a_range_stand_before_those_of_a_status(
    describe: Describe, understand: Understand
) -> None:
    json_ = {"description": "d", "content": {JSON: {"schema": REF}}}
    responses = {
        "201": json_,
        "404": {"description": "None"},
        "4XX": json_,
        "default": json_,
        "200": json_,
        "204": {"description": "Gone"},
        "100": json_,
        "302": {"description": "Moved"},
    }
    path = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = _operation(describe, understand, {"responses": responses, "parameters": [path]})
    assert render.returned(operation) == "models.Thing | None"
    assert render.answer_entries(operation, success=True) == [
        "200: models.Thing",
        "201: models.Thing",
        "204: None",
    ]
    assert render.answer_entries(operation, success=False) == [
        "**dict.fromkeys(range(400, 500), models.Thing)",
        "**dict.fromkeys(range(400, 600), models.Thing)",
        "302: None",
        "404: None",
    ]


def test_models_stand_after_those_that_they_use_even_in_a_circle(
    describe: Describe, understand: Understand
) -> None:
    def to(name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}"}

    schemas = {
        "First": {"type": "object", "properties": {"a": to("Second"), "l": to("All")}},
        "Second": {"type": "object", "properties": {"b": to("Third"), "c": to("Kind")}},
        "Third": {"type": "object", "properties": {"a": to("First")}},
        "Kind": {"enum": ["a"]},
        "All": {"type": "array", "items": to("Others")},
        "Others": {"type": "array", "items": to("First")},
    }
    document = describe(schemas=schemas)
    text = _files(understand(document), document)["_generated/models.py"]
    words = ("class Kind", "class Third", "class Second", "class First", "\nOthers:", "\nAll:")
    order = [text.index(word) for word in words]
    assert order == sorted(order)


def test_names_that_python_cannot_have_stand_in_a_table(describe: Describe, understand: Understand) -> None:
    document = describe(schemas={"Thing": {"type": "object", "properties": {"from": {}, "x-y": {}, "z": {}}}})
    text = _files(understand(document), document)["_generated/tables.py"]
    scope: dict[str, Any] = {"models": type("models", (), {"Thing": "Thing"})}
    exec(text.replace("from . import models", ""), scope)  # noqa: S102 - our own words
    assert scope["WIRE_NAMES"] == {"Thing": {"from_": "from", "x_y": "x-y"}}


def test_only_what_is_used_is_imported() -> None:
    code = (
        "x: Decimal\ny: Caller\nz: dt.date = attrs.field()\nw: Base\n"
        "v: builtins.int\n'''Literal'''\nmodels.X\n"
    )
    assert imports.needed(code, bases=["seqino.own.Base"]).splitlines() == [
        "import builtins",
        "import datetime as dt",
        "from decimal import Decimal",
        "from typing import TYPE_CHECKING",
        "",
        "import attrs",
        "",
        "from seqino.own import Base",
        "",
        "from . import models",
        "",
        "if TYPE_CHECKING:",
        "    from seqino._core.wire import Caller",
    ]


def test_the_sandbox_gets_the_description_with_the_overlay(
    describe: Describe, understand: Understand
) -> None:
    document = describe(paths={"/a": {"get": {"summary": "é"}}})
    text = _files(understand(document), document)["_generated/description.json"]
    assert "é" in text
    read = json.loads(text)
    assert read.pop("x-generated").startswith("Generated by codegen")
    assert read == document


def test_docstrings_say_what_is_known(describe: Describe, understand: Understand) -> None:
    raw: dict[str, Any] = {
        "deprecated": True,
        "x-effect": "create",
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "Which",
                "schema": {"type": "string"},
            },
            {"name": "n", "in": "query", "schema": {"type": "integer", "default": 5}},
            {
                "name": "c",
                "in": "header",
                "x-scope": True,
                "description": "Who.",
                "schema": {"type": "string"},
            },
        ],
        "requestBody": {"content": {JSON: {"schema": REF}}},
        "responses": {
            "200": {"description": "Made"},
            "409": {"description": "Clash"},
            "500": {"description": "Oops"},
        },
    }
    text = docs.of_operation(_operation(describe, understand, raw))
    assert ast.literal_eval(text).splitlines() == [
        "Post a id.",
        "",
        "    Deprecated.",
        "",
        "    Args:",
        "        client: What performs the call, such as a ``SeqinoClient``.",
        "        id: Which.",
        "        body: What to send: a model, or a mapping with the names of the API.",
        "        n: ``n``, not described further. The API assumes 5.",
        "        c: Who. The client's own where it is left out.",
        "        options: What this call does otherwise than its client.",
        "",
        "    Returns:",
        "        Made.",
        "",
        "    Raises:",
        "        InvalidInput: The body does not fit the description; nothing was sent.",
        "        OutcomeUnknown: It may have been done, and nothing shows whether.",
        "        CallError: The call failed in another way; see ``seqino.errors``.",
        "",
        "    ``POST /a/{id}``, effect create, evidence: inferred.",
        "    ",
    ]


@pytest.mark.parametrize(
    ("effect", "errors"),
    [
        ("safe", ["Conflict"]),
        ("idempotent", ["Conflict"]),
        ("disposable", ["Conflict"]),
        ("once", ["OutcomeUnknown"]),
        ("readable", ["OutcomeUnknown", "ReconcileMismatch", "DuplicateDetected", "AnswerLost"]),
        ("create", ["OutcomeUnknown"]),
    ],
)
def test_a_conflict_is_announced_only_where_it_proves_that_nothing_was_done(
    describe: Describe, understand: Understand, effect: str, errors: list[str]
) -> None:
    raw: dict[str, Any] = {
        "x-effect": "safe",
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": {"description": "Made"}, "409": {"description": "Clash"}},
    }
    found = attrs.evolve(_operation(describe, understand, raw), effect=effect)
    raises = docs.of_operation(found).partition("Raises:")[2].partition("``POST")[0]
    assert re.findall(r"^ {8}(\w+):", raises, re.MULTILINE) == [*errors, "CallError"]


def test_the_docstring_of_a_field_says_what_is_known() -> None:
    field = _field(
        TEXT,
        default="a",
        deprecated=True,
        description="What",
        business_term="BT-1",
        shared_terms={"BG-4": "BT-2"},
        evidence="published",
    )
    model = Model(name="M", sources=("M",), fields=(field,))
    assert 'x: Deprecated. What. The API assumes "a". (BT-1, BT-2 in BG-4, evidence:' in docs.of_class(model)


def test_an_answer_knows_success() -> None:
    assert Answer(status="2XX", type=None).is_success
    assert not Answer(status="default", type=None).is_success

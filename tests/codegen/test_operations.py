# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codegen.documents import Doc
from codegen.ir import ANY, MISSING, Answer, Api, ListOf, LookUp, Named, Operation, Scalar, Union
from codegen.problems import CodegenError, Notes

Describe = Callable[..., Doc]
Understand = Callable[..., Api]

THING = {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}
REF = {"$ref": "#/components/schemas/Thing"}
JSON = "application/json"
TEXT = Scalar("str")
PLACE = "#/paths/~1things/post"


def _json(schema: Any) -> dict[str, Any]:
    return {"description": "d", "content": {JSON: {"schema": schema}}}


@pytest.fixture
def operation(describe: Describe, understand: Understand) -> Callable[..., Operation]:
    """What an operation ``POST /things`` becomes."""

    def make(raw: dict[str, Any], *, notes: Notes | None = None, **more: Any) -> Operation:
        schemas = {**THING, **more.pop("schemas", {})}
        document = describe(schemas=schemas, paths={"/things": {"post": raw, **more.pop("item", {})}}, **more)
        return understand(document, notes=notes).operations[0]

    return make


def test_an_operation_is_understood_whole(operation: Callable[..., Operation]) -> None:
    found = operation(
        {
            "operationId": "make_thing_things_post",
            "tags": ["Some Things", "More"],
            "summary": "Make a thing",
            "description": "Makes it.",
            "deprecated": True,
            "security": [{"Key": []}],
            "x-effect": "once",
            "x-outside-api": True,
            "x-evidence": "published",
            "x-look-up": {
                "operation": "make_thing",
                "arguments": {},
                "each": "/things",
                "match": {"/id": "/id"},
                "compare": {"/name": "/label"},
                "without": {"/status": ["over", "gone"]},
                "advice": "Ask.",
            },
            "parameters": [
                {
                    "name": "X-Client",
                    "in": "header",
                    "schema": {"type": "string"},
                    "x-scope": True,
                    "required": True,
                },
                {
                    "name": "in",
                    "in": "query",
                    "schema": {"type": "integer", "default": 3},
                    "description": "How many.",
                },
            ],
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": REF}},
                "description": "The thing.",
            },
            "responses": {
                "201": _json(REF),
                "204": {"description": "Gone"},
                "404": _json(REF),
                "5XX": _json({}),
            },
        },
        components={
            "schemas": THING,
            "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    )
    assert (found.name, found.operation_id, found.tag) == (
        "make_thing",
        "make_thing_things_post",
        "some_things",
    )
    assert (found.method, found.path, found.effect) == ("POST", "/things", "once")
    assert (found.deprecated, found.authenticated, found.outside_api) == (True, True, True)
    assert (found.summary, found.description, found.evidence) == ("Make a thing", "Makes it.", "published")
    assert found.look_up == LookUp(
        operation="make_thing",
        arguments={},
        each="/things",
        match={"/id": "/id"},
        compare={"/name": "/label"},
        without={"/status": ("over", "gone")},
        advice="Ask.",
    )
    client, count = found.parameters
    assert (client.name, client.wire, client.location, client.scope) == (
        "x_client",
        "X-Client",
        "header",
        True,
    )
    assert (count.name, count.required, count.default, count.description) == ("in_", False, 3, "How many.")
    assert found.body is not None
    assert (found.body.kind, found.body.type, found.body.required) == ("json", Named("Thing"), True)
    assert found.answers == (
        Answer(status="201", type=Named("Thing"), description="d"),
        Answer(status="204", type=None, description="Gone"),
        Answer(status="404", type=Named("Thing"), description="d"),
        Answer(status="5XX", type=ANY, description="d"),
    )


def test_components_and_those_of_the_path_are_put_into_each_operation(
    operation: Callable[..., Operation],
) -> None:
    found = operation(
        {
            "parameters": [
                {"$ref": "#/components/parameters/Own"},
                {"name": "both", "in": "query", "schema": {"type": "integer"}},
            ],
            "requestBody": {"$ref": "#/components/requestBodies/Make"},
            "responses": {"200": {"$ref": "#/components/responses/Twice"}},
        },
        item={
            "summary": "Things",
            "servers": [{"url": "https://elsewhere.example"}],
            "parameters": [
                {"name": "both", "in": "query", "schema": {"type": "string"}},
                {"name": "common", "in": "query", "schema": {"type": "string"}},
            ],
        },
        components={
            "schemas": THING,
            "parameters": {"Own": {"name": "own", "in": "query", "schema": {"type": "string"}}},
            "requestBodies": {"Make": {"content": {JSON: {"schema": REF}}}},
            "responses": {"Twice": {"$ref": "#/components/responses/Once"}, "Once": _json(REF)},
        },
        notes=(notes := Notes()),
    )
    assert [(parameter.name, parameter.type) for parameter in found.parameters] == [
        ("own", TEXT),
        ("both", Scalar("int")),
        ("common", TEXT),
    ]
    assert found.body is not None
    assert not found.body.required
    assert found.answers[0].type == Named("Thing")
    assert notes.warnings == [f"{PLACE}: has servers of its own, which are not used; see x-outside-api"]


@pytest.mark.parametrize(
    ("raw", "more"),
    [
        ({"responses": {"200": {"$ref": "#/components/responses/None"}}}, {}),
        ({"responses": {"200": {"$ref": "other.yaml"}}}, {}),
        (
            {"responses": {"200": {"$ref": "#/components/responses/A"}}},
            {"A": {"$ref": "#/components/responses/A"}},
        ),
        ({"responses": {"200": {"$ref": "#/components/responses/A/b/c"}}}, {"A": {"b": 1}}),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(
    raw: Any, more: Any, operation: Callable[..., Operation]
) -> None:
    with pytest.raises(CodegenError, match="leads nowhere") as caught:
        operation(raw, components={"schemas": THING, "responses": more})
    assert caught.value.place == f"{PLACE}/responses/200"


def test_a_path_that_is_a_reference_is_refused(describe: Describe, understand: Understand) -> None:
    with pytest.raises(CodegenError, match="a path that is a reference is not supported"):
        understand(describe(paths={"/a": {"$ref": "#/paths/~1b"}}))


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"name": "a", "in": "cookie", "schema": {}}, "travels in a cookie"),
        (
            {"name": "a", "in": "query", "content": {JSON: {"schema": REF}}},
            "has content in place of a schema",
        ),
        (
            {"name": "a", "in": "query", "schema": {}, "style": "deepObject"},
            "is written in the style deepObject",
        ),
        ({"name": "a", "in": "query", "schema": {"type": "array"}, "explode": False}, "explode False"),
        ({"name": "a", "in": "query", "schema": {"type": "object"}}, "is an object, which is not supported"),
        ({"name": "a", "in": "query", "schema": REF}, "is an object, which is not supported"),
        ({"name": "a", "in": "header", "schema": {"type": "array"}}, "would drop something"),
        (
            {"name": "a", "in": "query", "schema": {}, "allowReserved": True},
            "allowReserved of a parameter is not",
        ),
        (
            {"name": "a", "in": "query", "schema": {}, "x-python-name": "a b"},
            "'a b' is no name for a parameter",
        ),
    ],
)
def test_a_parameter_that_cannot_be_sent_is_refused(
    parameter: Any, said: str, operation: Callable[..., Operation]
) -> None:
    with pytest.raises(CodegenError, match=said):
        operation({"parameters": [parameter]})


def test_two_parameters_of_one_name_are_refused(operation: Callable[..., Operation]) -> None:
    parameters = [{"name": "a-b", "in": "query", "schema": {}}, {"name": "a_b", "in": "query", "schema": {}}]
    with pytest.raises(CodegenError, match="'a-b' and 'a_b' would both be called a_b"):
        operation({"parameters": parameters})
    parameters[1]["x-python-name"] = "other"
    assert [parameter.name for parameter in operation({"parameters": parameters}).parameters] == [
        "a_b",
        "other",
    ]


@pytest.mark.parametrize(
    ("where", "schema", "type_"),
    [
        ("header", {"type": "string", "format": "date"}, Scalar("date")),
        ("header", {"type": "string", "format": "date-time"}, Scalar("datetime")),
        ("header", {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}, Scalar("date")),
        ("query", {"type": "string", "format": "date"}, Scalar("date")),
        ("query", {"type": "array", "items": {"type": "string"}}, ListOf(TEXT)),
        ("query", {"anyOf": [{"$ref": "#/components/schemas/Kind"}, {"type": "null"}]}, Named("Kind")),
        ("query", {"allOf": [{"$ref": "#/components/schemas/Kind"}], "default": "a"}, Named("Kind")),
        ("query", {"type": ["string", "integer", "null"]}, Union((TEXT, Scalar("int")))),
        ("query", {"type": "null"}, Scalar("None")),
    ],
)
def test_a_parameter_has_its_type_and_is_never_null(
    where: str, schema: Any, type_: Any, operation: Callable[..., Operation]
) -> None:
    kinds = {"Kind": {"type": "string", "enum": ["a"]}}
    found = operation({"parameters": [{"name": "a", "in": where, "schema": schema}]}, schemas=kinds)
    assert found.parameters[0].type == type_
    assert found.parameters[0].default == ("a" if "default" in schema else MISSING)


def test_headers_that_http_itself_sets_are_no_parameters(operation: Callable[..., Operation]) -> None:
    header = {"name": "Authorization", "in": "header", "schema": {"type": "string"}}
    assert not operation({"parameters": [header]}).parameters


def test_a_parameter_never_hides_what_each_function_has(operation: Callable[..., Operation]) -> None:
    parameters: list[Any] = [
        {"name": name, "in": "query", "schema": {}} for name in ("body", "client", "options")
    ]
    assert [p.name for p in operation({"parameters": parameters}).parameters] == [
        "body_",
        "client_",
        "options_",
    ]


def test_the_best_typed_media_type_is_taken(operation: Callable[..., Operation]) -> None:
    notes = Notes()
    found = operation(
        {
            "requestBody": {
                "content": {"text/xml": {"schema": {}}, "application/vnd.x+json": {"schema": REF}}
            },
            "responses": {
                "200": {"description": "d", "content": {JSON: {}, "application/pdf": {}}},
                "201": {"description": "d", "content": {JSON: {"schema": REF}, "text/csv": {"schema": {}}}},
                "202": {
                    "description": "d",
                    "content": {"text/plain; charset=utf-8": {"schema": {"type": "string"}}},
                },
            },
        },
        notes=notes,
    )
    assert found.body is not None
    assert found.body.type == Named("Thing")
    assert [answer.type for answer in found.answers] == [Scalar("bytes"), Named("Thing"), Scalar("bytes")]
    assert notes.warnings == [
        f"{PLACE}/requestBody/content: is sent as application/vnd.x+json, never as text/xml",
        f"{PLACE}/responses/201: is read as application/json, never as text/csv",
    ]


def test_a_form_is_a_body_with_files(operation: Callable[..., Operation]) -> None:
    schemas = {"Form": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}}
    form = {"content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/Form"}}}}
    found = operation({"requestBody": form}, schemas=schemas)
    assert found.body is not None
    assert (found.body.kind, found.body.type) == ("multipart", Named("Form"))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"requestBody": {"content": {"text/xml": {}}}}, "a body of text/xml is not supported"),
        ({"requestBody": {"content": {}}}, "a body of no media type is not supported"),
        ({"responses": {"404": {"description": "d"}}}, "describes no successful answer"),
        ({"responses": {"20": {"description": "d"}, "200": {"description": "d"}}}, "'20' is no status"),
        ({"x-effect": "maybe"}, "x-effect is 'maybe', not one of create, disposable"),
        ({"x-look-up": {"arguments": {}}}, "x-look-up needs an operation"),
        ({"x-look-up": {"operation": "gone"}}, "is read back by gone, which does not exist"),
        ({"x-look-up": {"operation": "make", "mach": {}}}, "x-look-up has mach, of which nothing is known"),
        (
            {"operationId": "make", "x-effect": "readable", "x-look-up": {"operation": "make"}},
            "is readable, but x-look-up compares nothing",
        ),
        (
            {"operationId": "make", "x-look-up": {"operation": "make", "arguments": {"a": "$x"}}},
            "is read back by make, which has no parameter a",
        ),
        ({"x-python-name": "import os"}, "'import os' is no name for a function"),
        (
            {"requestBody": {"content": {"multipart/form-data": {"schema": REF, "encoding": {"id": {}}}}}},
            "encoding of a media type is not understood",
        ),
    ],
)
def test_what_an_operation_cannot_have_is_refused(
    raw: Any, said: str, operation: Callable[..., Operation]
) -> None:
    with pytest.raises(CodegenError) as caught:
        operation(raw)
    assert said in caught.value.message
    assert caught.value.place.startswith(PLACE)


def test_two_operations_of_one_name_are_refused(describe: Describe, understand: Understand) -> None:
    paths: dict[str, Any] = {
        "/a": {"get": {"operationId": "read_a_get"}},
        "/b": {"get": {"operationId": "read_b_get"}},
    }
    with pytest.raises(CodegenError, match="would be called read, as #/paths/~1a/get is") as caught:
        understand(describe(paths=paths))
    assert caught.value.place == "#/paths/~1b/get"
    paths["/b"]["get"]["x-python-name"] = "read_other"
    assert [operation.name for operation in understand(describe(paths=paths)).operations] == [
        "read",
        "read_other",
    ]


def test_what_the_overlay_does_not_know_only_warns(describe: Describe, understand: Understand) -> None:
    document = describe(paths={"/a": {"get": {}}})
    operation = document["paths"]["/a"]["get"]
    for key in ("x-effect", "operationId", "tags"):
        del operation[key]
    notes = Notes()
    (found,) = understand(document, notes=notes).operations
    assert (found.name, found.tag, found.effect) == ("get_a", "other", "create")
    assert notes.warnings == [
        "#/paths/~1a/get: has no operationId, so it is called get_a",
        "#/paths/~1a/get: has no tag, so it is found under seqino.api.other",
        "#/paths/~1a/get: has no x-effect in the overlay, so it is sent once and never again",
    ]


@pytest.mark.parametrize(
    ("common", "own", "expected"),
    [
        ([{"K": []}], None, True),
        ([{"K": []}], [], False),
        ([{"K": []}, {}], None, False),
        (None, [{"K": []}], True),
        (None, None, False),
    ],
)
def test_a_key_is_sent_where_the_description_asks_for_one(
    common: Any, own: Any, *, expected: bool, operation: Callable[..., Operation]
) -> None:
    raw = {} if own is None else {"security": own}
    assert operation(raw, **({} if common is None else {"security": common})).authenticated is expected


def test_the_payload_of_a_webhook_becomes_a_class(describe: Describe, understand: Understand) -> None:
    def hook(schema: Any) -> dict[str, Any]:
        return {
            "post": {
                "operationId": f"on{len(str(schema))}",
                "requestBody": {"content": {JSON: {"schema": schema}}},
            }
        }

    api = understand(
        describe(
            schemas=THING,
            webhooks={
                "named": hook(REF),
                "described": hook({"allOf": [REF], "description": "The thing."}),
                "inline": hook({"type": "object", "properties": {"a": {"enum": ["b"]}}}),
                "listed": hook({"type": "array", "items": REF}),
                "empty": {"post": {"operationId": "on_empty", "responses": {"200": {"description": "d"}}}},
            },
            **{"x-webhook-signature": {"header": "X-Sign"}},
        )
    )
    assert {webhook.name: webhook.payload for webhook in api.webhooks} == {
        "named": Named("Thing"),
        "described": Named("Thing"),
        "inline": Named("InlinePayload"),
        "listed": Named("ListedPayload"),
        "empty": None,
    }
    assert api.signature == {"header": "X-Sign"}
    assert {"InlinePayload", "InlinePayloadA", "ListedPayload"} < set(api.classes())


def test_models_are_requests_when_a_body_reaches_them(describe: Describe, understand: Understand) -> None:
    def to(name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}"}

    schemas = {
        "Sent": {
            "type": "object",
            "properties": {"parts": to("Parts"), "kind": to("Kind"), "self": to("Sent")},
        },
        "Parts": {"type": "array", "items": {"anyOf": [to("Deep"), {"type": "null"}]}},
        "Deep": {"type": "object", "properties": {"x": {"type": "string"}}},
        "Kind": {"type": "string", "enum": ["a"]},
        "Received": {"type": "object", "properties": {"deep": to("Deep")}},
    }
    body = {"content": {JSON: {"schema": to("Sent")}}}
    paths = {"/a": {"post": {"requestBody": body, "responses": {"200": _json(to("Received"))}}}}
    api = understand(describe(schemas=schemas, paths=paths))
    assert {model.name for model in api.models if model.in_request} == {"Sent", "Deep"}

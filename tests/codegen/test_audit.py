"""The audit finds whatever is lost between the description and the generated code."""

# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownLambdaType=false
# Documents of JSON, written out, have no narrower type.

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from codegen import audit, pipeline
from codegen.documents import Doc
from codegen.ir import ANY, Api, DictOf, Named, Scalar
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from pathlib import Path

Describe = Callable[..., Doc]
Understand = Callable[..., Api]

PACKAGE = pipeline.ROOT / "src" / "seqino"
REF = {"$ref": "#/components/schemas/Thing"}
JSON = "application/json"


@pytest.fixture
def document(describe: Describe) -> Doc:
    answer = {"description": "d", "content": {JSON: {"schema": REF}}}
    parameter = {"name": "kind", "in": "query", "schema": {"$ref": "#/components/schemas/Kind"}}
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    return describe(
        schemas={
            "Kind": {"type": "string", "enum": ["a", "b"], "x-published-additional-values": ["c"]},
            "Thing": {
                "type": "object",
                "properties": {
                    "kind": {"$ref": "#/components/schemas/Kind"},
                    "way": {"enum": ["in"]},
                    "parts": {"type": "array", "items": {"type": "object", "properties": {"deep": {}}}},
                    "by_name": {
                        "type": "object",
                        "additionalProperties": {"type": "object", "properties": {"v": {}}},
                    },
                    "names": {"$ref": "#/components/schemas/Names"},
                },
            },
            "Names": {"type": "array", "items": {"$ref": "#/components/schemas/Kind"}},
            "Whole": {"allOf": [REF], "properties": {"own": {}}},
        },
        paths={
            "/things": {
                "parameters": [parameter],
                "get": {"responses": {"200": answer, "404": answer, "204": {"description": "None"}}},
                "post": {"requestBody": {"content": {JSON: {"schema": REF}}}},
                "put": {"requestBody": {"content": {"multipart/form-data": {"schema": form}}}},
            }
        },
        webhooks={
            "event": {"post": {"operationId": "event", "requestBody": {"content": {JSON: {"schema": REF}}}}}
        },
    )


def _audit(
    document: Doc, api: Api, notes: Notes | None = None, packages: tuple[Path, ...] = (PACKAGE,)
) -> None:
    audit.audit(document, api, packages=packages, notes=notes or Notes())


def _without(api: Api, kind: str, **changes: Any) -> Api:
    """The API with things of a kind changed by name: a value of None removes one."""
    things = []
    for thing in getattr(api, kind):
        change = changes.get(thing.name, thing)
        if change is not None:
            things.append(change)
    change_all: dict[str, Any] = {kind: tuple(things)}
    return attrs.evolve(api, **change_all)


def _lose(api: Api, what: str) -> Api:
    classes: dict[str, Any] = {**api.classes()}
    thing = classes["Thing"]
    operations = {operation.name: operation for operation in api.operations}
    get, post = operations["get_things"], operations["post_things"]
    body: Any = post.body

    def with_field(name: str, **change: Any) -> Api:
        fields = tuple(attrs.evolve(f, **change) if f.name == name else f for f in thing.fields)
        return _without(api, "models", Thing=attrs.evolve(thing, fields=fields))

    changed: dict[str, Callable[[], Api]] = {
        "enum": lambda: _without(api, "enums", Kind=None),
        "alias": lambda: _without(api, "aliases", Names=None),
        "value": lambda: _without(
            api, "enums", Kind=attrs.evolve(classes["Kind"], members={"A": "a", "B": "b"})
        ),
        "inline value": lambda: _without(
            api, "enums", ThingWay=attrs.evolve(classes["ThingWay"], members={})
        ),
        "property": lambda: _without(api, "models", Thing=attrs.evolve(thing, fields=thing.fields[1:])),
        "inherited property": lambda: _without(
            api, "models", Whole=attrs.evolve(classes["Whole"], fields=classes["Whole"].fields[1:])
        ),
        "deep property": lambda: _without(
            api, "models", ThingPartsItem=attrs.evolve(classes["ThingPartsItem"], fields=())
        ),
        "property of a value": lambda: _without(
            api, "models", ThingByNameValue=attrs.evolve(classes["ThingByNameValue"], fields=())
        ),
        "type": lambda: with_field("kind", type=ANY),
        "list": lambda: with_field("parts", type=ANY),
        "listed type": lambda: with_field("names", type=DictOf(ANY)),
        "operation": lambda: _without(api, "operations", get_things=None),
        "parameter": lambda: _without(api, "operations", get_things=attrs.evolve(get, parameters=())),
        "body": lambda: _without(api, "operations", post_things=attrs.evolve(post, body=None)),
        "type of the body": lambda: _without(
            api, "operations", post_things=attrs.evolve(post, body=attrs.evolve(body, type=ANY))
        ),
        "answer": lambda: _without(api, "operations", get_things=attrs.evolve(get, answers=get.answers[1:])),
        "body of an answer": lambda: _without(
            api,
            "operations",
            get_things=attrs.evolve(get, answers=(attrs.evolve(get.answers[0], type=None), *get.answers[1:])),
        ),
        "webhook": lambda: attrs.evolve(api, webhooks=()),
        "payload": lambda: attrs.evolve(api, webhooks=(attrs.evolve(api.webhooks[0], payload=None),)),
    }
    return changed[what]()


def test_a_description_that_came_through_whole_passes(document: Doc, understand: Understand) -> None:
    understand(document)


@pytest.mark.parametrize(
    ("what", "place", "said"),
    [
        ("enum", "#/components/schemas/Kind", "this schema was lost"),
        ("alias", "#/components/schemas/Names", "this schema was lost"),
        ("value", "#/components/schemas/Kind", "the value 'c' was lost"),
        ("inline value", "#/components/schemas/Thing/properties/way", "the value 'in' was lost"),
        ("property", "#/components/schemas/Thing/properties/kind", "this property was lost"),
        (
            "inherited property",
            "#/components/schemas/Whole/allOf/0/properties/kind",
            "this property was lost",
        ),
        (
            "deep property",
            "#/components/schemas/Thing/properties/parts/items/properties/deep",
            "this property was lost",
        ),
        (
            "property of a value",
            "#/components/schemas/Thing/properties/by_name/additionalProperties/properties/v",
            "this property was lost",
        ),
        ("type", "#/components/schemas/Thing/properties/kind", "the type Kind was lost here"),
        ("list", "#/components/schemas/Thing/properties/parts", "this list was lost"),
        ("listed type", "#/components/schemas/Thing/properties/names", "this list was lost"),
        ("operation", "#/paths/~1things/get", "this operation was lost"),
        ("parameter", "#/paths/~1things/get/parameters/0", "the parameter 'kind' was lost"),
        ("body", "#/paths/~1things/post/requestBody", "this body was lost"),
        (
            "type of the body",
            "#/paths/~1things/post/requestBody/content/application~1json/schema",
            "the type Thing was lost here",
        ),
        ("answer", "#/paths/~1things/get/responses/200", "this answer was lost"),
        ("body of an answer", "#/paths/~1things/get/responses/200", "the body of this answer was lost"),
        ("webhook", "#/webhooks/event", "this webhook was lost"),
        ("payload", "#/webhooks/event/post", "the payload of this webhook was lost"),
    ],
)
def test_whatever_is_lost_is_found_with_its_place(
    what: str, place: str, said: str, document: Doc, understand: Understand
) -> None:
    api = _lose(understand(document), what)
    found: list[tuple[str, str]] = []
    with pytest.raises(CodegenError) as caught:
        _audit(document, api)
    found.append((caught.value.place, caught.value.message.partition(" (and ")[0]))
    if found != [(place, said)]:  # something above it was lost with it, and is named first
        assert (place, said) in list(audit.Audit(document, api).problems())


def test_the_number_of_losses_is_told(document: Doc, understand: Understand) -> None:
    api = attrs.evolve(understand(document), operations=())
    with pytest.raises(CodegenError, match=r"this operation was lost \(and 2 more like it\)"):
        _audit(document, api)


@pytest.mark.parametrize(
    ("place", "key", "said"),
    [
        (("paths", "/things"), "query", "query of a path is not understood"),
        (("paths", "/things", "get"), "parametres", "parametres of a operation is not understood"),
        (("paths", "/things", "get", "responses", "200"), "body", "body of a response is not understood"),
    ],
)
def test_a_word_that_nobody_reads_is_found(
    place: tuple[str, ...], key: str, said: str, document: Doc, understand: Understand
) -> None:
    api = understand(document)
    thing = document
    for part in place:
        thing = thing[part]
    thing[key] = {}
    with pytest.raises(CodegenError, match=said):
        _audit(document, api)


def test_what_is_left_out_on_purpose_has_a_reason(document: Doc, understand: Understand) -> None:
    document["paths"]["/things"]["get"]["callbacks"] = {}
    document["paths"]["/things"]["get"]["responses"]["200"]["headers"] = {}
    understand(document)
    assert all(len(reason) > 10 for kind in audit.IGNORED.values() for reason in kind.values())


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "x-business-term": "BT-131"},
        {"type": "number", "x-business-term": "BT-152"},
        {"type": "string", "x-business-terms": {"BG-27": "BT-136", "BG-28": "BT-141"}},
    ],
)
def test_an_amount_that_is_no_decimal_is_found(schema: Doc, field_of: Callable[..., Any]) -> None:
    with pytest.raises(CodegenError, match=r"BT-[0-9]+ is an amount, but not a decimal") as caught:
        field_of(schema)
    assert caught.value.place == "#/components/schemas/Thing/properties/x"
    assert field_of({**schema, "x-decimal": True}).type == Scalar("Decimal")


def test_another_term_may_be_text(field_of: Callable[..., Any]) -> None:
    assert field_of({"type": "string", "x-business-term": "BT-1"}).business_term == "BT-1"


def _enum(describe: Describe, base: str, *values: str) -> Doc:
    return describe(schemas={"Kind": {"type": "string", "enum": list(values), "x-python-base": base}})


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("seqino.statuses.Missing", "is no open enum without members"),
        ("seqino.statuses.Family", "is no open enum without members"),
        ("seqino.statuses.StatusEvent", "is no open enum without members"),
        ("seqino.nowhere.StatusMeaning", "does not exist"),
        ("os.system", "is no class of seqino"),
        ("seqino./etc/passwd.X", "is no class of seqino"),
        ("seqino.statuses.StatusMeaning\nimport os", "is no class of seqino"),
    ],
)
def test_a_base_class_that_is_none_is_refused(
    base: str, said: str, describe: Describe, understand: Understand
) -> None:
    with pytest.raises(CodegenError, match=said):
        understand(_enum(describe, base, "a"))


def test_a_value_without_meaning_is_only_reported(describe: Describe, understand: Understand) -> None:
    notes = Notes()
    document = _enum(
        describe, "seqino.statuses.StatusMeaning", "InvoiceLifecycleStatus.DEPOSITED", "Invented.NEW"
    )
    (enum,) = understand(document, notes=notes).enums
    assert enum.base == "seqino.statuses.StatusMeaning"
    assert notes.warnings == [
        "#/components/schemas/Kind: Invented.NEW has no meaning in seqino.statuses.StatusMeaning yet"
    ]


def test_a_base_class_is_looked_for_beside_the_output_first(
    tmp_path: Path, describe: Describe, understand: Understand
) -> None:
    (tmp_path / "own.py").write_text(
        "from seqino._core.wire import OpenEnum\nclass Own(OpenEnum):\n    pass\n"
    )
    document = _enum(describe, "seqino.statuses.StatusMeaning", "a")
    api = understand(document)
    own = attrs.evolve(api, enums=(attrs.evolve(api.enums[0], base="seqino.own.Own"),))
    _audit(document, own, packages=(tmp_path, PACKAGE))
    with pytest.raises(CodegenError, match=r"does not exist"):
        _audit(document, own)


def test_an_alias_written_out_in_a_union_is_no_loss(describe: Describe, understand: Understand) -> None:
    schemas = {
        "Either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "Kind": {"type": "string", "enum": ["a"]},
        "Thing": {
            "type": "object",
            "properties": {
                "x": {"anyOf": [{"$ref": "#/components/schemas/Either"}, {"type": "integer"}]},
                "y": {"anyOf": [{"$ref": "#/components/schemas/Kind"}, {"type": "string", "format": "date"}]},
            },
        },
    }
    api = understand(describe(schemas=schemas))
    assert api.models[0].fields[1].type == Scalar("str")
    assert Named("Either") != api.models[0].fields[0].type

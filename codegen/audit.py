"""Proof that nothing of the description was lost on the way: it is walked once more, beside the result.

It starts from the description with the overlay applied, not from the normalised document, so that a step
which loses something cannot hide it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codegen import meanings, paging, wrapping
from codegen.documents import (
    METHODS,
    Doc,
    child,
    is_object,
    listed,
    ref_name,
    schema_place,
    schemas_of,
    under,
)
from codegen.ir import (
    Alias,
    Api,
    DictOf,
    Enum,
    Field,
    ListOf,
    Model,
    Named,
    Operation,
    Scalar,
    Type,
    Union,
    names_in,
    parts,
)
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

IGNORED: Mapping[str, Mapping[str, str]] = {
    "path": {
        "summary": "each operation has its own",
        "description": "each operation has its own",
    },
    "operation": {
        "externalDocs": "a link for readers of the description",
        "callbacks": "nothing of the SDK listens; webhooks are described under webhooks",
    },
    "response": {
        "headers": "the call path reads those of HTTP itself (Retry-After, Link), whatever is described",
        "links": "the overlay says how an effect is read back (x-look-up)",
    },
    "media type": {
        "example": "for readers of the description",
        "examples": "for readers of the description",
    },
    "parameter": {
        "example": "for readers of the description",
        "examples": "for readers of the description",
        "deprecated": "it still works; its description says what to use",
        "allowEmptyValue": "deprecated in OpenAPI 3.1, and nothing is sent empty",
    },
}
"""What of the description is left out of the generated code on purpose, by kind of object, and why."""

_TAKEN = {
    "path": {*METHODS, "parameters", "servers"},
    "operation": {
        *("tags", "summary", "description", "operationId", "parameters", "requestBody", "responses"),
        *("deprecated", "security", "servers"),
    },
    "response": {"description", "content"},
    "media type": {"schema"},
    "parameter": {"name", "in", "description", "required", "schema", "style", "explode"},
}

_IGNORED_HEADERS = {"accept", "content-type", "authorization"}  # OpenAPI 3.1 §4.8.12.2: "SHALL be ignored"

AMOUNT_TERMS = frozenset(
    f"BT-{number}"
    for number in (
        *(92, 93, 94, 99, 100, 101),  # allowances and charges of the document
        *range(106, 118),  # totals, VAT breakdown
        *(119, 129, 131, 136, 137, 138, 141, 142, 143, 146, 147, 148, 149, 152),  # rates, quantities, prices
    )
)
"""Terms whose data type is an amount, a unit price, a quantity or a percentage (EN 16931-1 §6.5)."""


def audit(document: Doc, api: Api, *, packages: Sequence[Path], notes: Notes) -> None:
    """Check that the API has all that the description has, and that the overlay's facts hold.

    Args:
        document: The description with the overlay applied, not normalised.
        api: What will be generated.
        packages: Folders in which hand-written base classes are looked for, in order.
        notes: Gets enum values that have no meaning yet.

    Raises:
        CodegenError: With the first loss, and how many there are.
    """
    problems = [*Audit(document, api).problems(), *_facts(api)]
    if problems:
        place, text = problems[0]
        more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
        raise CodegenError(text + more, place=place)
    meanings.check(api, packages=packages, notes=notes)


_Problem = tuple[str, str]


def _facts(api: Api) -> Iterator[_Problem]:
    """Yield what the overlay says and the API does not bear out."""
    for model in api.models:
        for field in model.fields:
            terms = {field.business_term, *field.shared_terms.values()} & AMOUNT_TERMS
            if terms and Scalar("Decimal") not in parts(field.type):
                yield (
                    f"{schema_place(model.sources[0])}/properties/{field.wire}",
                    f"{min(terms)} is an amount, but not a decimal; mark it x-decimal in the overlay",
                )
    known = {operation.name: operation for operation in api.operations}
    for operation in api.operations:
        yield from _look_up_problems(operation, known)
        yield from paging.problems(operation, api)
        yield from wrapping.problems(operation, api)


def _look_up_problems(operation: Operation, known: Mapping[str, Operation]) -> Iterator[_Problem]:
    look_up = operation.look_up
    if look_up is None:
        return
    target = known.get(look_up.operation)
    if target is None:
        yield operation.place, f"is read back by {look_up.operation}, which does not exist"
        return
    unknown = sorted(set(look_up.arguments) - {parameter.name for parameter in target.parameters})
    if unknown:
        yield operation.place, f"is read back by {target.name}, which has no parameter {', '.join(unknown)}"
    if operation.effect == "readable" and not look_up.compare:
        yield (
            operation.place,
            "is readable, but x-look-up compares nothing: nothing found would prove it",
        )


class Audit:
    """One walk over a description.

    Args:
        document: The description with the overlay applied, not normalised.
        api: What will be generated.
    """

    def __init__(self, document: Doc, api: Api) -> None:
        self._document = document
        self._classes = api.classes()
        self._by_source = {source: thing for thing in self._classes.values() for source in thing.sources}
        self._operations = {
            (operation.path, operation.method.lower()): operation for operation in api.operations
        }
        self._webhooks = {webhook.name: webhook.payload for webhook in api.webhooks}

    def problems(self) -> Iterator[_Problem]:
        """Yield what was lost: place and text."""
        for name, schema in schemas_of(self._document).items():
            thing = self._by_source.get(name)
            if thing is None:
                yield schema_place(name), "this schema was lost"
            else:
                yield from self._schema(schema, Named(thing.name), schema_place(name))
        for path, item in under(self._document, "paths").items():
            yield from self._item(path, item)
        for name, item in under(self._document, "webhooks").items():
            yield from self._webhook(name, item)

    # --- operations

    def _keys(self, kind: str, thing: Doc, place: str) -> Iterator[_Problem]:
        for key in thing:
            if key not in _TAKEN[kind] and key not in IGNORED[kind] and not key.startswith("x-"):
                yield child(place, key), f"{key} of a {kind} is not understood"

    def _at(self, thing: Doc) -> Doc:
        while "$ref" in thing:
            found: Any = self._document
            for key in str(thing["$ref"]).removeprefix("#/").split("/"):
                found = found[key.replace("~1", "/").replace("~0", "~")]
            thing = found
        return thing

    def _item(self, path: str, item: Doc) -> Iterator[_Problem]:
        place = child("#", "paths", path)
        yield from self._keys("path", item, place)
        for method in METHODS:
            if method not in item:
                continue
            operation = self._operations.get((path, method))
            if operation is None:
                yield child(place, method), "this operation was lost"
                continue
            raw = item[method]
            yield from self._keys("operation", raw, child(place, method))
            yield from self._parameters(raw, item, operation, child(place, method))
            yield from self._body(raw, operation, child(place, method, "requestBody"))
            yield from self._answers(raw, operation, child(place, method, "responses"))

    def _parameters(self, raw: Doc, item: Doc, operation: Operation, place: str) -> Iterator[_Problem]:
        have = {(parameter.location, parameter.wire): parameter for parameter in operation.parameters}
        for index, entry in enumerate([*listed(raw, "parameters"), *listed(item, "parameters")]):
            parameter = self._at(entry)
            at = child(place, "parameters", index)
            yield from self._keys("parameter", parameter, at)
            if parameter["in"] == "header" and parameter["name"].lower() in _IGNORED_HEADERS:
                continue
            found = have.get((parameter["in"], parameter["name"]))
            if found is None:
                yield at, f"the parameter {parameter['name']!r} was lost"
            else:
                yield from self._schema(under(parameter, "schema"), found.type, at)

    def _body(self, raw: Doc, operation: Operation, place: str) -> Iterator[_Problem]:
        if "requestBody" not in raw:
            return
        if operation.body is None:
            yield place, "this body was lost"
            return
        content = under(self._at(raw["requestBody"]), "content")
        wanted = "json" if operation.body.kind == "json" else "multipart"
        yield from self._content(
            {m: v for m, v in content.items() if wanted in m}, operation.body.type, place
        )

    def _answers(self, raw: Doc, operation: Operation, place: str) -> Iterator[_Problem]:
        have = {answer.status: answer for answer in operation.answers}
        for status, entry in under(raw, "responses").items():
            response = self._at(entry)
            at = child(place, status)
            yield from self._keys("response", response, at)
            answer = have.get(str(status))
            if answer is None:
                yield at, "this answer was lost"
                continue
            content = under(response, "content")
            if content and answer.type is None:
                yield at, "the body of this answer was lost"
            elif answer.type is not None and answer.type != Scalar("bytes"):
                yield from self._content({m: v for m, v in content.items() if "json" in m}, answer.type, at)

    def _content(self, content: Doc, type_: Type, place: str) -> Iterator[_Problem]:
        for media, value in content.items():
            at = child(place, "content", media)
            yield from self._keys("media type", value, at)
            yield from self._schema(under(value, "schema"), type_, child(at, "schema"))

    def _webhook(self, name: str, item: Doc) -> Iterator[_Problem]:
        place = child("#", "webhooks", name)
        if name not in self._webhooks:
            yield place, "this webhook was lost"
            return
        payload = self._webhooks[name]
        for method in METHODS:
            content = under(self._at(under(under(item, method), "requestBody")), "content")
            at = child(place, method)
            if payload is not None:
                yield from self._content(content, payload, child(at, "requestBody"))
            elif content:
                yield at, "the payload of this webhook was lost"

    # --- schemas

    def _tops(self, type_: Type) -> Iterator[Type]:
        """Yield what a value may be: members of unions, aliases followed."""
        match type_:
            case Union(members):
                for member in members:
                    yield from self._tops(member)
            case Named(name) if isinstance(alias := self._classes.get(name), Alias):
                yield from self._tops(alias.type)
            case _:
                yield type_

    def _classes_of(self, type_: Type) -> list[Model | Enum | Alias]:
        names = [top.name for top in self._tops(type_) if isinstance(top, Named)]
        return [self._classes[name] for name in names if name in self._classes]

    def _schema(self, raw: Any, type_: Type, place: str) -> Iterator[_Problem]:
        if not is_object(raw):
            return
        name = ref_name(raw)
        if name is not None:
            yield from self._reference(name, type_, place)
        yield from self._enum(raw, type_, place)
        yield from self._properties(raw, type_, place)
        for key in ("anyOf", "oneOf"):
            for index, part in enumerate(listed(raw, key)):
                yield from self._schema(part, type_, child(place, key, index))
        for index, part in enumerate(listed(raw, "allOf")):
            yield from self._composed(part, type_, child(place, "allOf", index))
        for top in self._tops(type_):
            if isinstance(top, ListOf):
                yield from self._schema(raw.get("items"), top.item, child(place, "items"))
            if isinstance(top, DictOf):
                yield from self._schema(
                    raw.get("additionalProperties"), top.value, child(place, "additionalProperties")
                )
        if "items" in raw and not any(isinstance(top, ListOf) for top in self._tops(type_)):
            yield place, "this list was lost"

    def _reference(self, name: str, type_: Type, place: str) -> Iterator[_Problem]:
        thing = self._by_source.get(name)
        if thing is None or thing.name in names_in(type_):
            return  # a lost schema is reported where it stands
        if isinstance(thing, Alias):
            yield from self._schema(schemas_of(self._document)[name], type_, place)
        elif thing not in self._classes_of(type_) and Scalar("str") not in self._tops(type_):
            yield place, f"the type {name} was lost here"

    def _composed(self, part: Doc, type_: Type, place: str) -> Iterator[_Problem]:
        name = ref_name(part)
        thing = self._by_source.get(name or "")
        if name is None or (thing is not None and thing.name in names_in(type_)):
            yield from self._schema(part, type_, place)
        else:  # written out: all that the part has must be in the whole
            yield from self._schema(schemas_of(self._document).get(name, {}), type_, place)

    def _enum(self, raw: Doc, type_: Type, place: str) -> Iterator[_Problem]:
        values = [*listed(raw, "enum"), *listed(raw, "x-published-additional-values")]
        texts = [
            value for value in values if isinstance(value, str)
        ]  # others are read as numbers, with a warning
        enums = [thing for thing in self._classes_of(type_) if isinstance(thing, Enum)]
        known = {value for enum in enums for value in enum.members.values()}
        if texts and Scalar("str") not in self._tops(type_):
            for value in texts:
                if value not in known:
                    yield place, f"the value {value!r} was lost"

    def _properties(self, raw: Doc, type_: Type, place: str) -> Iterator[_Problem]:
        models = [thing for thing in self._classes_of(type_) if isinstance(thing, Model)]
        fields: dict[str, Field] = {field.wire: field for model in models for field in model.fields}
        for wire, part in under(raw, "properties").items():
            at = child(place, "properties", wire)
            if wire not in fields:
                yield at, "this property was lost"
            else:
                yield from self._schema(part, fields[wire].type, at)

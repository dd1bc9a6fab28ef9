"""What the templates are given: models, enums and operations, free of the parser and of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs


class Missing:
    """Type of ``MISSING``."""


MISSING = Missing()
"""Stands where a field has no default; ``None`` is one."""


@attrs.frozen
class Scalar:
    """A type without parts: ``str int float bool Decimal date datetime time UUID File bytes JSON None``."""

    name: str


NULL = Scalar("None")
ANY = Scalar("JSON")


@attrs.frozen
class Named:
    """A model, an enum or an alias."""

    name: str


@attrs.frozen
class ListOf:
    """A list."""

    item: Type


@attrs.frozen
class DictOf:
    """An object whose keys are data."""

    value: Type


@attrs.frozen
class Const:
    """One value."""

    value: str | int | bool


@attrs.frozen
class Union:
    """One of several types; two at least, no union among them."""

    members: tuple[Type, ...]


Type: TypeAlias = "Scalar | Named | ListOf | DictOf | Const | Union"


@attrs.frozen(kw_only=True)
class Field:
    """A field of a model."""

    name: str
    wire: str
    type: Type
    required: bool
    default: Any = MISSING
    description: str = ""
    deprecated: bool = False
    business_term: str = ""
    """Term of EN 16931."""
    shared_terms: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Term by group of EN 16931, where several groups share the model."""
    is_secret: bool = False
    """Whether it must not be shown."""
    evidence: str = ""
    constraint: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """Arguments of ``Constraint``."""


@attrs.frozen(kw_only=True)
class Model:
    """A class with fields."""

    name: str
    sources: tuple[str, ...]
    """Component schemas that it stands for, or the place where it was described."""
    fields: tuple[Field, ...]
    description: str = ""
    evidence: str = ""
    deprecated: bool = False
    business_term: str = ""
    in_request: bool = False
    """Whether it is sent, so that absent and null must be kept apart."""


@attrs.frozen(kw_only=True)
class Enum:
    """An open enum of text."""

    name: str
    sources: tuple[str, ...]
    members: Mapping[str, str]
    """Values by member name."""
    description: str = ""
    evidence: str = ""
    base: str = ""
    """Dotted name of a hand-written base class that knows what the values mean."""


@attrs.frozen(kw_only=True)
class Alias:
    """A name for a type that is no class."""

    name: str
    sources: tuple[str, ...]
    type: Type
    description: str = ""
    evidence: str = ""


@attrs.frozen(kw_only=True)
class Parameter:
    """A parameter of an operation outside its body."""

    name: str
    wire: str
    location: Literal["path", "query", "header"]
    type: Type
    required: bool
    scope: bool = False
    identifier: str = ""
    """Kind of identifier that it must be."""
    default: Any = MISSING
    description: str = ""


@attrs.frozen(kw_only=True)
class Body:
    """The request body of an operation."""

    kind: Literal["json", "multipart"]
    type: Type
    required: bool
    description: str = ""


@attrs.frozen(kw_only=True)
class Answer:
    """A documented answer."""

    status: str
    """A status, a range such as ``4XX``, or ``default``."""
    type: Type | None
    description: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status.startswith("2")


@attrs.frozen(kw_only=True)
class LookUp:
    """How the effect of an operation can be read back."""

    operation: str
    arguments: Mapping[str, str]
    each: str | None = None
    match: Mapping[str, str] = attrs.field(factory=dict[str, str])
    compare: Mapping[str, str] = attrs.field(factory=dict[str, str])
    without: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    advice: str = ""


@attrs.frozen(kw_only=True)
class Pagination:
    """How a list goes on after an answer; places are names of attributes, from the answer inwards."""

    items: tuple[str, ...] = ()
    link: str | None = None
    cursor: tuple[str, ...] = ()
    parameter: str | None = None


@attrs.frozen(kw_only=True)
class Operation:
    """An operation of the API."""

    name: str
    operation_id: str
    tag: str
    method: str
    path: str
    place: str
    effect: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[Answer, ...]
    look_up: LookUp | None = None
    pagination: Pagination | None = None
    unwrap: str | None = None
    authenticated: bool = True
    outside_api: bool = False
    evidence: str = "inferred"
    deprecated: bool = False
    summary: str = ""
    description: str = ""


@attrs.frozen(kw_only=True)
class Webhook:
    """What the API sends by itself."""

    name: str
    payload: Type | None


@attrs.frozen(kw_only=True)
class Api:
    """The whole of it."""

    title: str
    version: str
    models: tuple[Model, ...]
    enums: tuple[Enum, ...]
    aliases: tuple[Alias, ...]
    operations: tuple[Operation, ...]
    webhooks: tuple[Webhook, ...] = ()
    signature: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """How deliveries are signed, as the overlay says (``x-webhook-signature``)."""

    def classes(self) -> dict[str, Model | Enum | Alias]:
        """Return everything that has a name, by name."""
        things: tuple[Model | Enum | Alias, ...] = (*self.enums, *self.models, *self.aliases)
        return {thing.name: thing for thing in things}


def parts(type_: Type) -> Iterator[Type]:
    """Yield a type and all types inside it, without following names."""
    yield type_
    inner: tuple[Type, ...] = ()
    match type_:
        case ListOf(item) | DictOf(item):
            inner = (item,)
        case Union(members):
            inner = members
        case _:
            pass
    for part in inner:
        yield from parts(part)


def names_in(type_: Type) -> Iterator[str]:
    """Yield the names that a type refers to."""
    yield from (part.name for part in parts(type_) if isinstance(part, Named))


def without_null(type_: Type) -> Type:
    """Return a type without null."""
    if not isinstance(type_, Union):
        return type_
    members = tuple(member for member in type_.members if member != NULL)
    return members[0] if len(members) == 1 else Union(members)


def is_nullable(type_: Type) -> bool:
    """Whether null is a value of a type."""
    return NULL in (type_.members if isinstance(type_, Union) else (type_,))


def mark_requests(api: Api) -> Api:
    """Return the API with ``in_request`` set on every model that a request body reaches."""
    classes = api.classes()
    todo = [name for operation in api.operations if operation.body for name in names_in(operation.body.type)]
    reached: set[str] = set()
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        thing = classes[name]
        if isinstance(thing, Model):
            todo += [inner for field in thing.fields for inner in names_in(field.type)]
        elif isinstance(thing, Alias):
            todo += names_in(thing.type)
    models = tuple(attrs.evolve(model, in_request=model.name in reached) for model in api.models)
    return attrs.evolve(api, models=models)

"""How a list goes on (``x-pagination`` in the overlay): read, checked against what is described, and named.

Nothing is left to be found out by a call: places lead to what they should, and the parameter exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from codegen.documents import Doc, is_object
from codegen.ir import (
    ANY,
    NULL,
    Alias,
    DictOf,
    ListOf,
    Model,
    Named,
    Operation,
    Pagination,
    Scalar,
    Type,
    Union,
)
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codegen.ir import Api, Enum

_LINKED = ({"link"}, {"link", "items"})
_WITH_CURSOR = ({"cursor", "parameter"}, {"cursor", "parameter", "items"})


def declared(raw: Doc, place: str) -> Pagination | None:
    """Read what the overlay says of an operation's list; places are still JSON Pointers' names on the wire.

    Args:
        raw: The operation.
        place: Where it stands.

    Raises:
        CodegenError: It says too little, too much, or something else than text.
    """
    given = raw.get("x-pagination")
    if given is None:
        return None
    if not is_object(given) or set(given) not in (*_LINKED, *_WITH_CURSOR):
        raise CodegenError(
            "x-pagination needs link (the relation of a Link header), or cursor (a place in the answer) and "
            "parameter (its name in Python); besides only items (a place in the answer)",
            place=place,
        )
    if not all(isinstance(value, str) and value for value in given.values()):
        raise CodegenError("x-pagination: every value must be a text that is not empty", place=place)
    return Pagination(
        items=_steps(given.get("items", ""), place),
        link=given.get("link"),
        cursor=_steps(given.get("cursor", ""), place),
        parameter=given.get("parameter"),
    )


def _steps(pointer: str, place: str) -> tuple[str, ...]:
    if pointer and not pointer.startswith("/"):
        raise CodegenError(f"x-pagination: {pointer!r} is no JSON Pointer (RFC 6901)", place=place)
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def named(api: Api) -> Api:
    """Return the API with the places of all lists as names of attributes in Python."""
    return attrs.evolve(api, operations=tuple(_named(operation, api) for operation in api.operations))


def _named(operation: Operation, api: Api) -> Operation:
    paging = operation.pagination
    if paging is None:
        return operation
    types = answers(operation)
    classes = api.classes()
    return attrs.evolve(
        operation,
        pagination=attrs.evolve(
            paging,
            items=tuple(walk(types, paging.items, classes)[1]),
            cursor=tuple(walk(types, paging.cursor, classes)[1]),
        ),
    )


def answers(operation: Operation) -> list[Type]:
    """List the types of an operation's successes."""
    return [answer.type for answer in operation.answers if answer.is_success and answer.type is not None]


def walk(
    types: list[Type], steps: tuple[str, ...], classes: Mapping[str, Model | Enum | Alias]
) -> tuple[list[Type], list[str]]:
    """Follow a place in an answer: the types that may stand there, and the names in Python on the way."""
    names: list[str] = []
    for step in steps:
        found: list[Type] = []
        name = step
        for type_ in (top for each in types for top in _tops(each, classes)):
            thing = classes.get(type_.name) if isinstance(type_, Named) else None
            if isinstance(thing, Model):
                fields = [field for field in thing.fields if field.wire == step]
                found += [field.type for field in fields]
                name = fields[0].name if fields else name
            elif isinstance(type_, DictOf):
                found.append(type_.value)
            elif type_ == ANY:
                found.append(ANY)
        types = found
        names.append(name)
    return [top for each in types for top in _tops(each, classes)], names


def _tops(type_: Type, classes: Mapping[str, Model | Enum | Alias]) -> Iterator[Type]:
    """Yield what a value may be: members of unions, aliases followed, null left out."""
    match type_:
        case Union(members):
            for member in members:
                yield from _tops(member, classes)
        case Named(name) if isinstance(alias := classes.get(name), Alias):
            yield from _tops(alias.type, classes)
        case _ if type_ != NULL:
            yield type_
        case _:
            pass


def problems(operation: Operation, api: Api) -> Iterator[tuple[str, str]]:
    """Yield what the overlay says of a list that the description does not bear out: place and text."""
    paging = operation.pagination
    if paging is None:
        return
    place, classes = operation.place, api.classes()
    if operation.method != "GET" or operation.effect != "safe":
        yield place, "x-pagination: only a GET that is safe is read page by page"
    items, _ = walk(answers(operation), paging.items, classes)
    if not any(isinstance(type_, ListOf) or type_ == ANY for type_ in items):
        yield place, f"x-pagination: no list stands at {_shown(paging.items)} of its answer"
    if paging.parameter is None:
        return
    cursors, _ = walk(answers(operation), paging.cursor, classes)
    if not cursors or any(type_ not in (Scalar("str"), Scalar("int"), ANY) for type_ in cursors):
        yield (
            place,
            f"x-pagination: neither text nor a number stands at {_shown(paging.cursor)} of its answer",
        )
    fitting = [parameter for parameter in operation.parameters if parameter.name == paging.parameter]
    if not fitting:
        yield place, f"x-pagination: it has no parameter {paging.parameter}"
    elif fitting[0].location != "query" or fitting[0].required or fitting[0].scope:
        yield place, f"x-pagination: {paging.parameter} is no query parameter that may be left out"


def _shown(steps: tuple[str, ...]) -> str:
    return "".join(f"/{step}" for step in steps) or "the root"

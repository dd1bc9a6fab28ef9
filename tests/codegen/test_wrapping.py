"""``x-unwrap``: an answer that may stand in a member of an object; what is refused, and what is generated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from codegen.documents import Doc
from codegen.ir import Api
from codegen.problems import CodegenError

Describe = Callable[..., Doc]
Understand = Callable[..., Api]

THING = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
OPEN = {"type": "object", "additionalProperties": True}


def answering(schema: Any, **more: Any) -> dict[str, Any]:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"/things": {"post": {"responses": {"201": {"description": "d", **content}}, **more}}}


@pytest.fixture
def read(describe: Describe, understand: Understand) -> Callable[..., str | None]:
    """What becomes of the word of the overlay."""

    def make(word: Any, schema: Any) -> str | None:
        paths = answering(schema, **({} if word is None else {"x-unwrap": word}))
        return understand(describe(schemas={"Thing": THING, "Open": OPEN}, paths=paths)).operations[0].unwrap

    return make


REF = {"$ref": "#/components/schemas/Thing"}


@pytest.mark.parametrize("schema", [REF, {"type": "array", "items": REF}])
def test_an_answer_may_stand_in_a_member(read: Callable[..., str | None], schema: Any) -> None:
    assert read("thing", schema) == "thing"
    assert read(None, schema) is None


@pytest.mark.parametrize(
    ("word", "schema", "said"),
    [
        ("", REF, "must be the name of a member"),
        (True, REF, "must be the name of a member"),
        (["thing"], REF, "must be the name of a member"),
        ("thing", None, "no answer that could stand in thing"),
        ("id", REF, "may have a member id of its own"),
        ("thing", {"$ref": "#/components/schemas/Open"}, "may have a member thing of its own"),
        ("thing", {}, "may have a member thing of its own"),
    ],
)
def test_what_could_not_be_told_apart_is_refused(
    read: Callable[..., str | None], word: Any, schema: Any, said: str
) -> None:
    with pytest.raises(CodegenError, match="x-unwrap") as caught:
        read(word, schema)
    assert said in caught.value.message
    assert caught.value.place == "#/paths/~1things/post"

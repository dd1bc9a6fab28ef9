"""What an answer may stand in (``x-unwrap`` in the overlay): read, and checked against what is described."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.paging import answers, walk
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.documents import Doc
    from codegen.ir import Api, Operation


__all__ = ["declared", "problems"]


def declared(raw: Doc, place: str) -> str | None:
    """Read the name of the member that an operation's answer may stand in.

    Args:
        raw: The operation.
        place: Where it stands.

    Raises:
        CodegenError: It is no text, or an empty one.
    """
    given = raw.get("x-unwrap")
    if given is None:
        return None
    if not isinstance(given, str) or not given:
        raise CodegenError("x-unwrap must be the name of a member that may hold the answer", place=place)
    return given


def problems(operation: Operation, api: Api) -> Iterator[tuple[str, str]]:
    """Yield what the overlay says of an answer that the description does not bear out: place and text."""
    member = operation.unwrap
    if member is None:
        return
    found = answers(operation)
    if not found:
        yield operation.place, f"x-unwrap: it has no answer that could stand in {member}"
    elif walk(found, (member,), api.classes())[0]:
        # Which of the two is meant could not be told.
        yield operation.place, f"x-unwrap: its answer may have a member {member} of its own"

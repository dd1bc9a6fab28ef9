"""What ``help`` says of each method of a resource: its arguments, what it returns, what it raises."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import pytest

from seqino import resources
from seqino._core.wire import Effect, Operation
from seqino._generated import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOUBTFUL = frozenset({Effect.ONCE, Effect.READABLE, Effect.CREATE})
"""Of what a lost answer leaves a doubt."""


def methods() -> Iterator[object]:
    for resource in sorted(resources.__all__):
        for name, method in inspect.getmembers(getattr(resources, resource), inspect.isfunction):
            if not name.startswith("_"):
                yield pytest.param(method, id=f"{resource}.{name}")


def sections(method: Callable[..., object]) -> dict[str, str]:
    """The sections of a docstring by name; what stands before them is under an empty one."""
    parts = re.split(r"^(Args|Returns|Raises|Yields):\n", f"{inspect.getdoc(method)}\n", flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def entries(section: str) -> set[str]:
    """The names that a section explains."""
    return set(re.findall(r"^    (\w+): \S", section, re.MULTILINE))


def called(method: Callable[..., object]) -> list[Operation[object]]:
    """The operations that a method calls itself."""
    functions = re.findall(r"operations\.([a-z_]+)\(", inspect.getsource(method))
    return [getattr(operations, function.upper()) for function in functions]


@pytest.mark.parametrize("method", list(methods()))
def test_help_says_what_a_method_takes_returns_and_raises(method: Callable[..., object]) -> None:
    said, signature = sections(method), inspect.signature(method)
    assert re.match(r"[A-Z].*[.]$", said[""].splitlines()[0])
    assert entries(said.get("Args", "")) == set(signature.parameters) - {"self"}
    # What yields says so in its first line.
    if signature.return_annotation != "None" and "Generator" not in signature.return_annotation:
        assert said["Returns"].strip()
    assert "CallError" in said["Raises"] or "AuthenticationFailed" in said["Raises"]


@pytest.mark.parametrize("method", list(methods()))
def test_help_says_which_failures_ask_for_a_reaction(method: Callable[..., object]) -> None:
    raised, takes = entries(sections(method)["Raises"]), set(inspect.signature(method).parameters)
    for operation in called(method):
        if operation.effect in DOUBTFUL:
            assert "OutcomeUnknown" in raised
        if operation.body is not None:
            assert "InvalidInput" in raised
        in_path = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
        if in_path & takes:
            assert {"InvalidInput", "NotFound"} <= raised

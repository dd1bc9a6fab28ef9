"""What the marker ``seqino`` asks of the sandbox of a test."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino.sandbox import Sandbox, SandboxError
from seqino.testing import BEGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["keep_faults", "make_sandbox", "opening", "options"]

_OPTIONS = frozenset(inspect.signature(Sandbox).parameters)


def options(test: pytest.Item) -> dict[str, Any]:
    """Return what the marks of a test ask for, the closest first.

    Args:
        test: The test, which may have several marks: its own, its class's, its module's. It fails where they
            are not understood.
    """
    asked: dict[str, Any] = {}
    for mark in test.iter_markers("seqino"):
        if mark.args:
            values = ", ".join(repr(value) for value in mark.args)
            raise _failed(f"takes names only, such as scenario='refused'; it was given {values}")
        unknown = sorted(mark.kwargs.keys() - _OPTIONS)
        if unknown:
            known = ", ".join(sorted(_OPTIONS))
            raise _failed(f"does not know {', '.join(unknown)}; it knows {known}")
        asked = {**mark.kwargs, **asked}
    return asked


def make_sandbox(test: pytest.Item) -> Sandbox:
    """Make the sandbox that the marks of a test describe; its clock stands still unless they say otherwise.

    Args:
        test: The test; it fails where its marks cannot be followed.
    """
    asked: dict[str, Any] = {"speed": 0, **options(test)}
    if not isinstance(asked.get("faults"), dict):
        # Names are planned for the test itself; rates are the sandbox's own.
        asked.pop("faults", None)
    try:
        return Sandbox(**asked)
    except (TypeError, ValueError) as error:
        raise _failed(f"cannot be followed: {error}") from None


@contextmanager
def opening() -> Generator[None]:
    """Let a test fail in one line where its sandbox cannot start: its port, or its state file."""
    try:
        yield
    except SandboxError as error:
        raise _failed(f"cannot be followed: {error}") from None


def keep_faults(test: pytest.Item, plan: Callable[[str], object]) -> None:
    """Keep the faults that the marks of a test ask for until it begins: none is for what prepares it.

    Args:
        test: The test; it fails where its marks cannot be followed.
        plan: Plans one of them.
    """
    try:
        asked = options(test).get("faults", ())
        names = [] if isinstance(asked, dict) else _names(asked)
    except TypeError as error:
        raise _failed(f"cannot be followed: {error}") from None

    def begin() -> None:
        try:
            for name in names:
                plan(name)
        except ValueError as error:
            raise _failed(f"cannot be followed: {error}") from None

    test.stash[BEGIN] = begin


def _names(faults: object) -> list[str]:
    if isinstance(faults, str):
        return [faults]
    if isinstance(faults, list | tuple):
        names = cast("Sequence[object]", faults)
        texts = [name for name in names if isinstance(name, str)]
        if len(texts) == len(names):
            return texts
    raise TypeError(
        f"faults is a list of names, such as ['reset-after'], or rates by name, and not {faults!r}"
    )


def _failed(message: str) -> BaseException:
    return pytest.fail.Exception(f"@pytest.mark.seqino {message}", pytrace=False)

"""The public surface as text: what a program may rely on, and a change of which is seen in a review.

``python -m tests.public_surface`` writes it anew.
"""

from __future__ import annotations

import importlib
import inspect
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

SNAPSHOT = Path(__file__).with_name("public_surface.txt")
MODULES = (
    "seqino",
    "seqino.batch",
    "seqino.errors",
    "seqino.identifiers",
    "seqino.resources",
    "seqino.sandbox",
    "seqino.statuses",
    "seqino.testing",
)
GENERATED = ("seqino.api", "seqino.models")
"""Of these, names only: their signatures follow from the API description, which has a review of its own."""


def surface() -> str:
    """The public surface, a line for each name, in an order that does not depend on the source's."""
    lines = ["# What is public. Renew it with: python -m tests.public_surface"]
    for module in MODULES:
        lines += ["", f"[{module}]", *_names(module)]
    for module in GENERATED:
        lines += ["", f"[{module}]", *_generated(module)]
    return "\n".join(lines) + "\n"


def _names(module_name: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    named = [getattr(module, name) for name in _public(module)]
    for name in sorted(_public(module)):
        value = getattr(module, name)
        if name == "__version__" or inspect.ismodule(value):
            yield name
        elif inspect.isclass(value):
            yield from _class(name, value, named)
        elif inspect.isfunction(value):
            yield _function(name, value)
        else:
            yield f"{name}: {type(value).__name__}"


def _public(module: object) -> list[str]:
    listed: list[str] | None = getattr(module, "__all__", None)
    if listed is None:
        raise LookupError(f"{module!r} does not say what is public in it: give it an __all__")
    return listed


def _class(name: str, value: type[Any], named: list[Any]) -> Iterator[str]:
    if _is_generated(value):
        yield f"class {name}, generated"
        return
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if not issubclass(value, Enum) and _is_ours(value, "__init__", named):
        yield f"    {name}{_signature(value)}"
    for member in sorted(one for one in dir(value) if not one.startswith("_")):
        if _is_ours(value, member, named):
            yield f"    {_member(member, inspect.getattr_static(value, member))}"


def _is_generated(value: type[Any]) -> bool:
    return value.__module__.startswith("seqino._generated")


def _is_ours(value: type[Any], member: str, named: list[Any]) -> bool:
    """Whether it stands nowhere else: neither with a class that is named too nor in a library."""
    owner = next((one for one in value.__mro__ if member in vars(one)), value)
    if owner is not value and owner in named:
        return False
    return owner.__module__.partition(".")[0] == "seqino" and not _is_generated(owner)


def _member(name: str, value: Any) -> str:
    if (kind := type(value).__name__) in {"staticmethod", "classmethod"}:
        return f"@{kind} {_function(name, value.__func__)}"
    if isinstance(value, property):
        return f"{name}: {inspect.get_annotations(value.fget or _member)['return']}"
    if inspect.isfunction(value):
        return _function(name, value)
    if isinstance(value, Enum):
        return f"{name} = {value.value!r}"
    return name


def _function(name: str, value: Any) -> str:
    kind = "async def" if inspect.iscoroutinefunction(value) else "def"
    return f"{kind} {name}{_signature(value)}"


def _signature(value: Any) -> str:
    signature = inspect.signature(value)
    parameters = [
        one.replace(default=_default(one.default), annotation=_annotation(one.annotation))
        for one in signature.parameters.values()
    ]
    return str(
        signature.replace(parameters=parameters, return_annotation=_annotation(signature.return_annotation))
    )


@attrs.frozen(repr=False)
class _Shown:
    """Stands in a signature for what would be shown in another way."""

    text: str

    def __repr__(self) -> str:
        return self.text


def _annotation(value: Any) -> Any:
    return _Shown(value) if isinstance(value, str) else value


def _default(value: Any) -> Any:
    if value is inspect.Parameter.empty or not callable(value):
        return value
    # Addresses change from run to run.
    return _Shown("…")


def _generated(module_name: str) -> Iterator[str]:
    module = importlib.import_module(module_name)
    for name in sorted(_public(module)):
        value = getattr(module, name)
        if inspect.ismodule(value):
            yield from (f"{name}.{one}" for one in sorted(_public(value)))
        else:
            yield name


if __name__ == "__main__":
    SNAPSHOT.write_text(surface(), encoding="utf-8")

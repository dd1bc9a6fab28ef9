"""Hand-written base classes of enums: values are generated, what they mean is written."""

from __future__ import annotations

import enum
import importlib.util
import re
from typing import TYPE_CHECKING, Any

from codegen.documents import schema_place
from codegen.problems import CodegenError, Notes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from codegen.ir import Api


def check(api: Api, *, packages: Sequence[Path], notes: Notes) -> None:
    """Check that every base class exists, and report the values that it does not know.

    A base class may have a property ``has_meaning``; a value for which it is false is reported, no more.

    Args:
        api: What will be generated.
        packages: Folders of the package in which to look, in order.
        notes: Gets the values without meaning.

    Raises:
        CodegenError: If a base class does not exist or is no enum.
    """
    for thing in api.enums:
        if not thing.base:
            continue
        place = schema_place(thing.sources[0])
        base = _find(thing.base, packages, place)
        probe: Any = base(thing.name, list(thing.members.items()))
        for member in probe:
            if not getattr(member, "has_meaning", True):
                notes.warn(f"{member.value} has no meaning in {thing.base} yet", place=place)


def _find(dotted: str, packages: Sequence[Path], place: str) -> Any:
    if not re.fullmatch(r"seqino(\.[a-z_][a-z0-9_]*)+\.[A-Z][A-Za-z0-9]*", dotted):
        raise CodegenError(f"x-python-base {dotted!r} is no class of seqino", place=place)
    module_name, _, name = dotted.rpartition(".")
    below = module_name.split(".")[1:]
    for package in packages:
        room = package.joinpath(*below)
        path = room / "__init__.py" if room.is_dir() else room.with_suffix(".py")
        if path.is_file():
            base = getattr(_load(path, module_name), name, None)
            if isinstance(base, type) and issubclass(base, enum.StrEnum) and not len(base):
                return base
            raise CodegenError(
                f"x-python-base {dotted} is no open enum without members in {path}", place=place
            )
    raise CodegenError(f"x-python-base {dotted} does not exist", place=place)


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"codegen_probe_{name.replace('.', '_')}", path)
    if spec is None or spec.loader is None:  # pragma: no cover - only for a suffix that Python does not load
        raise CodegenError("cannot be loaded", place=str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

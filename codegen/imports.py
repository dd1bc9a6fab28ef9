"""Imports of a generated module: those that its code uses, at run time or in annotations only."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN = ("builtins",)
_FROM = {
    "collections.abc": ("Mapping", "Sequence"),
    "decimal": ("Decimal",),
    "typing": ("TYPE_CHECKING", "Any", "Literal", "TypeAlias"),
    "uuid": ("UUID",),
    "seqino._core.constraints": ("Constraint",),
    "seqino._core.wire": (
        *("Body", "Caller", "Effect", "File", "JSON", "LookUp", "OpenEnum", "Operation", "Pagination"),
        *("Parameter", "UNSET", "UnsetType"),
    ),
    "seqino.options": ("CallOptions",),
}
_CHECKERS_ONLY = {"Caller", "CallOptions"}


def needed(code: str, *, bases: Sequence[str]) -> str:
    """Return the import statements of a module.

    Args:
        code: The module without them.
        bases: Dotted names of hand-written base classes.

    Returns:
        Statements, a line each.
    """
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if used & _CHECKERS_ONLY:
        used.add("TYPE_CHECKING")
    standard = [f"import {name}" for name in _PLAIN if name in used]
    standard += ["import datetime as dt"] if "dt" in used else []
    outside = ["import attrs"] if "attrs" in used else []
    own: list[str] = []
    checkers: list[str] = []
    modules = {**_FROM, **{base.rpartition(".")[0]: (base.rpartition(".")[2],) for base in bases}}
    for module, names in modules.items():
        here = sorted(name for name in names if name in used)
        if plain := [name for name in here if name not in _CHECKERS_ONLY]:
            group = own if module.startswith("seqino") else standard
            group.append(f"from {module} import {', '.join(plain)}")
        if checked := [name for name in here if name in _CHECKERS_ONLY]:
            checkers.append(f"    from {module} import {', '.join(checked)}")
    relative = ["from . import models"] if "models" in used else []
    guarded = ["if TYPE_CHECKING:", *checkers] if checkers else []
    groups = [standard, outside, own, relative, guarded]
    return "\n\n".join("\n".join(group) for group in groups if group)

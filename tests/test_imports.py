"""Imports flow one way: every import of the sources is on the map below, and an arrow that goes up fails."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[1] / "src"

BELOW_ALL = {"errors", "options", "_core.wire"}
"""What everything may import; these import each other only."""

PURE_CORE = {
    "_core.constraints",
    "_core.faults",
    "_core.typegraph",
    "_core.decimals",
    "_core.outcome",
    "_core.limits",
    "_core.retry",
}

MAP: dict[str, set[str]] = {
    "errors": set(),
    "options": set(),
    "_core.wire": set(),
    "_core": {"_core", "identifiers"},
    "_core.constraints": PURE_CORE | {"identifiers"},
    "_core.decimals": PURE_CORE,
    "_core.faults": PURE_CORE,
    "_core.typegraph": set(),
    "_core.outcome": set(),
    "_core.limits": PURE_CORE,
    "_core.retry": PURE_CORE,
    "_core.reconcile": set(),
    "_core.failed_looks": {"_core.outcome"},
    "_core.sending": set(),
    "_core.unsettled": {"_core.failures", "_core.outcome", "_core.reconcile"},
    "statuses": {"statuses"},
    "submission": {"statuses", "submission"},
    "documents": set(),
    "identifiers": set(),
    "pagination": set(),
    "_generated": set(),
    "_generated.models": {"statuses"},
    "_generated.tables": {"_generated.models", "_core.constraints"},
    "_generated.operations": {"_generated.models"},
    "models": {"_generated.models"},
    "api": {"_generated.operations", "api"},
    "resources": {"_core", "_generated", "identifiers", "models", "pagination", "statuses", "resources"},
    "client": {"_core", "_generated", "models", "resources", "submission", "documents", "client"},
    "integrations": {"_core"},
    "batch": {
        "_core.events",
        "_core.failures",
        "_core.outcome",
        "_core.raw",
        "_core.retry",
        "_core.sending",
        "_generated.operations",
        "batch",
        "client",
        "documents",
        "models",
        "statuses",
        "submission",
    },
    "batch.allowance": {"models"},
    "batch.errors": set(),
    "batch.progress": {"batch.allowance", "batch.states"},
    "batch.states": {"submission"},
    "batch.items": {"batch.names", "batch.states", "submission"},
    "batch.keys": {"documents"},
    "batch.names": set(),
    "batch.tries": set(),
    "batch.window": set(),
    "sandbox": {"sandbox"},
    "testing": {"_core.runtime", "client", "sandbox", "testing"},
    "cli": {
        *("", "batch", "cli", "client", "sandbox", "statuses"),
        *("documents", "identifiers", "models", "pagination", "submission"),
        *("resources.directory", "resources.mandates", "resources.patience"),
    },
    "": {
        *("_core.events", "_core.raw", "api", "client", "documents", "identifiers", "models", "pagination"),
        *("resources", "statuses", "submission"),
    },
}
"""Which room may import which others, longest name first; the empty name is the package root."""

NO_IO = {
    "batch.allowance",
    "batch.progress",
    "_core.failed_looks",
    "_core.limits",
    "_core.outcome",
    "_core.paging",
    "_core.reconcile",
    "_core.retry",
    "_core.unsettled",
    "_core.wire",
    "batch.errors",
    "batch.items",
    "batch.keys",
    "batch.names",
    "batch.states",
    "batch.tries",
    "documents",
    "errors",
    "identifiers",
    "options",
    "pagination",
    "statuses",
    "submission",
}
"""Pure rooms: they decide, and neither wait nor speak to anything."""

HTTP = {"_core.transport", "sandbox"}
"""The only rooms that open connections."""


def inside(module: str, room: str) -> bool:
    return module == room or (room != "" and module.startswith(room + "."))


def room_of(module: str) -> str:
    found = [room for room in MAP if inside(module, room)]
    assert found, f"{module} has no room on the map: give it one"
    return max(found, key=len)


def imports(path: Path) -> set[str]:
    """Names of all modules a file imports, wherever in the file it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = source_of(node, path)
            inner = {alias.name: f"{base}.{alias.name}" for alias in node.names}
            names |= {full if is_module(full) else base for full in inner.values()}
    return names


def source_of(node: ast.ImportFrom, path: Path) -> str:
    """The module a ``from`` names; generated code writes it relatively, so that it works in any package."""
    if node.level == 0:
        return node.module or ""
    package = path.relative_to(SOURCES).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def is_module(name: str) -> bool:
    path = SOURCES / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def modules() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted((SOURCES / "seqino").rglob("*.py")):
        parts = path.relative_to(SOURCES / "seqino").with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def own(name: str) -> str | None:
    """The module below the package, or None for what others wrote."""
    return name[len("seqino.") :] if f"{name}.".startswith("seqino.") else None


@pytest.mark.parametrize(("module", "path"), list(modules().items()))
def test_a_room_imports_only_what_the_map_allows(module: str, path: Path) -> None:
    room = room_of(module)
    allowed = MAP[room] | BELOW_ALL
    used = {name for name in map(own, imports(path)) if name is not None}
    wrong = {name for name in used if not any(inside(name, other) for other in allowed | {module})}
    assert wrong == set(), f"{module} may import {sorted(allowed)}"


@pytest.mark.parametrize(("module", "path"), list(modules().items()))
def test_only_the_rooms_of_the_network_know_aiohttp(module: str, path: Path) -> None:
    used = {name.split(".")[0] for name in imports(path)}
    if not any(inside(module, room) for room in HTTP):
        assert "aiohttp" not in used
    if any(inside(module, room) for room in NO_IO):
        assert used.isdisjoint({"asyncio", "socket", "time", "random"})


def test_an_arrow_that_goes_up_is_found(tmp_path: Path) -> None:
    path = tmp_path / "statuses.py"
    path.write_text("def f():\n    from seqino.client import SeqinoClient\n")
    with pytest.raises(AssertionError, match="statuses may import"):
        test_a_room_imports_only_what_the_map_allows("statuses", path)


def test_an_import_of_aiohttp_in_a_pure_room_is_found(tmp_path: Path) -> None:
    path = tmp_path / "statuses.py"
    path.write_text("import aiohttp\n")
    with pytest.raises(AssertionError):
        test_only_the_rooms_of_the_network_know_aiohttp("statuses", path)

"""Find invoice files: those named, and those inside folders that are named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SUFFIXES", "Found", "find"]

SUFFIXES = frozenset({".xml", ".pdf", ".json"})
"""Endings of the files that are taken from a folder; a file that is named itself may end otherwise."""


@attrs.frozen
class Found:
    """A file to read.

    Args:
        path: Where it is.
        name: What to call it: the path as given, or the path below a folder that was given, with its name.
    """

    path: Path
    name: str


def find(paths: Iterable[Path]) -> tuple[Found, ...]:
    """List the files under some paths, each once, in the order of the paths and then of the names.

    Args:
        paths: Files and folders; folders are searched whole, without hidden entries and without following
            links to other folders.

    Raises:
        InvalidInput: A path does not exist, or a folder holds no file with an invoice's ending.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        inside = list(_walk(path)) if path.is_dir() else [path]
        if not inside:
            endings = " ".join(sorted(SUFFIXES))
            raise InvalidInput(f"{path}: a folder without invoice files ({endings})")
        for file in inside:
            if not file.exists():
                raise InvalidInput(f"{file}: no such file or folder")
            name = str(Path(path.resolve().name, file.relative_to(path))) if file != path else str(file)
            found.setdefault(file.resolve(), Found(file, name))
    return tuple(found.values())


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)

"""Texts that the ledger can keep: names of files need not be text, and only text can be written. Pure.

A system may hold a file name in bytes that are no UTF-8 (an old folder with Latin-1 names). Python stands
them in for lone surrogates, which neither a database nor the wire takes.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

__all__ = ["IN_FILE", "path_from", "path_in", "path_text", "reference_to", "storable"]

IN_FILE = "file:"
"""What the ``payload_ref`` of an item begins with whose content is in a file: its absolute path follows."""

_QUOTED = "%"
"""What a path is written after that is no text; no absolute path begins so."""

_LONE = re.compile("[\ud800-\udfff]")

_BYTES = 0xDC00
"""What Python adds to a byte that it cannot decode (PEP 383)."""


def storable(text: str) -> str:
    """Return a text with what stands for no character written out: ``f%E9vrier.xml``.

    Args:
        text: Any text; one that can be written stays as it is.
    """
    return _LONE.sub(_written_out, text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    byte = code - _BYTES
    return f"%{byte:02X}" if 0 <= byte < 1 << 8 else f"%u{code:04X}"


def path_text(path: str | os.PathLike[str]) -> str:
    """Write an absolute path so that ``path_from`` returns it, whatever its name is made of.

    Args:
        path: The path.
    """
    text = os.fspath(path)
    return text if _LONE.search(text) is None else _QUOTED + quote(os.fsencode(text))


def path_from(text: str) -> Path:
    """Read what ``path_text`` wrote."""
    return Path(os.fsdecode(unquote_to_bytes(text[1:])) if text.startswith(_QUOTED) else text)


def reference_to(path: Path) -> str:
    """Return the ``payload_ref`` of what is in a file.

    Args:
        path: Its absolute path.
    """
    return IN_FILE + path_text(path)


def path_in(reference: str) -> Path | None:
    """Return the path that a ``payload_ref`` names; ``None`` where the ledger keeps the content itself."""
    return path_from(reference.removeprefix(IN_FILE)) if reference.startswith(IN_FILE) else None

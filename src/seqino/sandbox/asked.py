"""What the control API may be asked: names that it knows, and no others. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["only"]


def only(asked: Mapping[str, Any], *names: str) -> None:
    """Refuse names that mean nothing here.

    Raises:
        ValueError: There are such names.
    """
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known here: {', '.join(names) or 'nothing'}")

"""What is asked of the control API, beside the values themselves. Pure."""

from __future__ import annotations

from typing import Any

__all__ = ["only"]


def only(asked: dict[str, Any], *names: str) -> None:
    """Refuse names that the control API does not know.

    Raises:
        ValueError: There is a name beside these.
    """
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known here: {', '.join(names) or 'nothing'}")

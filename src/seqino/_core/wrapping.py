"""An answer that may stand for itself, or in a member of an object beside other things. Pure."""

from __future__ import annotations

import msgspec

__all__ = ["unwrapped"]


def unwrapped(body: bytes, member: str | None) -> tuple[bytes, str]:
    """Return the answer that a body holds, and its place there.

    Args:
        body: The body as it came.
        member: Name of the member that may hold the answer; ``None`` where none does.
    """
    if member is not None:
        try:
            held = msgspec.json.decode(body, type=dict[str, msgspec.Raw]).get(member)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # No object: whoever reads it says what it is instead.
            held = None
        if held is not None and bytes(held).startswith(b"{"):
            return bytes(held), f"$.{member}"
    return body, "$"

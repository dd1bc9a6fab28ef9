"""Events that came, and cannot be read. Pure."""

from __future__ import annotations

import hashlib

import attrs

from seqino.errors import Fault

__all__ = ["UnreadableEvent"]


@attrs.frozen(kw_only=True)
class UnreadableEvent:
    """A lifecycle event that cannot be read; it keeps no other event from being read.

    Store it where you store events: what it says is known to the platform alone. What the platform sends
    mended is another event.

    Args:
        raw: The event as it came, which is any JSON.
        faults: What is wrong with it, each with its place.
    """

    raw: bytes = attrs.field(repr=lambda raw: f"<{len(raw)} bytes>")
    faults: tuple[Fault, ...]

    @property
    def problem(self) -> str:
        """What is wrong with it, in one line."""
        return "; ".join(f"{path} {message}" for path, message in self.faults)

    @property
    def digest(self) -> str:
        """What tells it from others: plain text, short, and nothing of what it says."""
        return hashlib.sha256(self.raw).hexdigest()[:24]

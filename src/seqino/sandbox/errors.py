"""What can go wrong with the sandbox itself, as against what it answers."""

from __future__ import annotations

__all__ = ["SandboxError"]


class SandboxError(OSError):
    """The sandbox cannot listen where it was asked to, or cannot use its state file; the message says why."""

"""Where the sandbox keeps what it acknowledged: nowhere, unless it is told a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from seqino.sandbox.world.records import Record

__all__ = ["Memory", "State"]


class State(Protocol):
    """Keeps records; what was put or dropped holds once it is committed, all of it or nothing."""

    def put(self, owner: str, record: Record) -> None:
        """Keep a record of an owner, in place of an earlier one with its kind and key."""
        ...

    def drop(self, owner: str, record: Record) -> None:
        """Forget a record of an owner."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def commit(self, now: datetime) -> None:
        """Make durable what was put and dropped; ``now`` is the sandbox's time."""
        ...


class Memory:
    """Keeps nothing beyond the process."""

    def put(self, owner: str, record: Record) -> None:
        """Keep it where it is."""

    def drop(self, owner: str, record: Record) -> None:
        """Let it go."""

    def clear(self) -> None:
        """Have nothing to forget."""

    def commit(self, now: datetime) -> None:
        """Have nothing to write."""

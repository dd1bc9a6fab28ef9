"""Where the sandbox keeps what it acknowledged: nowhere, unless it is told a file."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino.sandbox.world.records import Record

__all__ = ["Kept", "Memory", "Standing", "State"]


@attrs.frozen(kw_only=True)
class Standing:
    """What a world counts, beside its records."""

    now: datetime
    """The sandbox's time; none that was shown before is later."""
    ids: int
    """How many ids were given."""
    starts: int
    """How often a sandbox went on from it."""
    counters: dict[str, Any]


@attrs.frozen
class Kept:
    """A record as it is kept."""

    owner: str
    kind: str
    data: str
    """Its fields in JSON."""


class State(Protocol):
    """Keeps records; what was put or dropped holds once it is committed, all of it or nothing."""

    @property
    def failure(self) -> str | None:
        """Why nothing can be kept any more, once a commit failed: memory is then ahead of what is kept."""
        ...

    def standing(self) -> Standing | None:
        """Return what was counted at the last commit."""
        ...

    def records(self) -> Iterator[Kept]:
        """Yield every record, in the order in which they were first put."""
        ...

    def put(self, owner: str, record: Record) -> None:
        """Keep a record of an owner, in place of an earlier one with its kind and key."""
        ...

    def note(self, owner: str, record: Record) -> None:
        """Keep a record with whatever is kept next: a count, which alone is not worth a write until shown."""
        ...

    def insist(self) -> None:
        """Have the next commit write what was noted and counted, even where nothing else changed."""
        ...

    def drop(self, owner: str, record: Record) -> None:
        """Forget a record of an owner."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def is_due(self, now: datetime) -> bool:
        """Tell whether a commit would have something to write at this moment of the sandbox's time."""
        ...

    def commit(self, standing: Standing) -> None:
        """Make durable what was put and dropped.

        Raises:
            SandboxError: It cannot be kept; nothing of it is, and nothing can be from now on.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds; what was not committed is lost."""
        ...


class Memory:
    """Keeps nothing beyond the process."""

    failure: str | None = None

    def standing(self) -> Standing | None:
        """Remember nothing."""
        return None

    def records(self) -> Iterator[Kept]:
        """Remember nothing."""
        return iter(())

    def put(self, owner: str, record: Record) -> None:
        """Keep it where it is."""

    def note(self, owner: str, record: Record) -> None:
        """Keep it where it is."""

    def insist(self) -> None:
        """Have nothing to write."""

    def drop(self, owner: str, record: Record) -> None:
        """Let it go."""

    def clear(self) -> None:
        """Have nothing to forget."""

    def is_due(self, now: datetime) -> bool:  # noqa: ARG002 - the protocol's
        """Have nothing to write, ever."""
        return False

    def commit(self, standing: Standing) -> None:
        """Have nothing to write."""

    def close(self) -> None:
        """Hold nothing."""

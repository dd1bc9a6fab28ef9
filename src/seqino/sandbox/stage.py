"""What a play of a fault needs of the server that plays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from seqino.sandbox.fault_plays import Play
    from seqino.sandbox.replies import Reply

__all__ = ["Stage"]


class Stage(Protocol):
    """One request on one connection, as a play needs it."""

    async def perform(self, *, effect: bool, hold: float) -> Reply:
        """Read the request to its end, and return what it is answered.

        Args:
            effect: Whether it does what it is for.
            hold: Seconds between reading it and its effect.
        """
        ...

    def error(self, status: int) -> Reply:
        """Return the answer to the request that has a status, whatever it did."""
        ...

    def note(self, play: Play) -> None:
        """Count what is played."""
        ...

    async def pause(self, seconds: float) -> None:
        """Wait before the answer, as long as somebody waits for it."""
        ...

    async def write(self, data: bytes, *, drip: float = 0) -> None:
        """Send bytes: at once, or one by one with a pause of ``drip`` seconds after each."""
        ...

    def close(self) -> None:
        """End the connection in an orderly way (FIN)."""
        ...

    def reset(self) -> None:
        """End the connection with a reset (RST)."""
        ...

    def cut(self) -> None:
        """End the connection without the farewell of TLS (close_notify), where there is TLS."""
        ...

    async def leave_stale(self) -> None:
        """Keep the connection, and close it at the first byte of the next request."""
        ...

    async def hang(self) -> None:
        """Say nothing more until the other side gives up."""
        ...

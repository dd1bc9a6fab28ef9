"""What a webhook received in a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.sandbox import Received, Receiver, Sandbox

__all__ = ["Webhooks"]


class Webhooks:
    """Events that arrived at a webhook, each with a good signature.

    Args:
        sandbox: What sends them.
        receiver: Where they arrive.
    """

    def __init__(self, sandbox: Sandbox, receiver: Receiver) -> None:
        self._sandbox = sandbox
        self._receiver = receiver

    def __repr__(self) -> str:
        return f"Webhooks({self._receiver!r})"

    @property
    def url(self) -> str:
        """Where they arrive."""
        return self._receiver.url

    @property
    def events(self) -> Sequence[Received]:
        """Everything that was taken, in the order of arrival."""
        return tuple(self._receiver.events)

    @property
    def refused(self) -> Sequence[str]:
        """Why deliveries were refused: signed badly, or no event."""
        return tuple(self._receiver.refused)

    def fail(self, times: int, *, status: int = 500) -> None:
        """Answer the next deliveries with an error; the sandbox tries again, on its clock.

        Args:
            times: How many.
            status: Status of the answers.
        """
        self._receiver.fail(times, status=status)

    async def next(self, event_type: str | None = None, *, timeout: float = 5.0) -> Received:  # noqa: ASYNC109 - what a test waits at most, and says with what it got instead
        """Return the next event, in the order of arrival; each is returned once.

        Whatever is due at the sandbox's present time has arrived, or was tried, before this looks.

        Args:
            event_type: Type to wait for, such as ``invoice.status_updated``; others stay for later calls.
            timeout: Real seconds to wait at most where the clock runs. Where it stands still, nothing more
                comes, and nothing is waited for.

        Raises:
            TimeoutError: There is none; the message says what there is.
        """
        await self._sandbox.deliveries.settled()
        if self._sandbox.clock.speed:
            return await self._receiver.next(event_type=event_type, timeout=timeout)
        try:
            return await self._receiver.next(event_type=event_type, timeout=0)
        except TimeoutError as error:
            raise TimeoutError(
                f"{error}; the clock stands still: step it first, as by seqino_clock.advance(60)"
            ) from None

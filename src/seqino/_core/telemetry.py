"""What may observe calls from outside; OpenTelemetry's is ``seqino.integrations.otel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from seqino._core.outcome import Attempt
    from seqino._core.request import Request

__all__ = ["ObservedAttempt", "Telemetry"]


class ObservedAttempt(Protocol):
    """One attempt under observation."""

    @property
    def request(self) -> Request:
        """What to send: the request, with headers that tell the other side of the observation."""
        ...

    def ended(self, attempt: Attempt) -> None:
        """Note how it ended; not called where an exception passes through.

        Args:
            attempt: What it proves.
        """
        ...


class Telemetry(Protocol):
    """Observes calls. Whatever goes wrong in it stays in it: an exception would hide what a call did."""

    def operation(self, name: str, *, client_id: str | None) -> AbstractContextManager[object]:
        """Observe a logical call, or a submission, which consists of calls.

        Args:
            name: Such as ``"create_draft"`` or ``"submit"``.
            client_id: On whose behalf, if any.
        """
        ...

    def attempt(self, request: Request, *, number: int) -> AbstractContextManager[ObservedAttempt]:
        """Observe one attempt of the call that is being observed.

        Args:
            request: What is to be sent.
            number: The attempt's number, from 1.
        """
        ...

"""What the resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.errors import DeadlineExceeded, NotSent, RateLimited, ServerError, UnexpectedAnswer

if TYPE_CHECKING:
    from seqino._core.wire import PagingCaller

__all__ = ["PASSING", "Resource"]

PASSING = (NotSent, DeadlineExceeded, RateLimited, ServerError, UnexpectedAnswer)
"""What may be over by the next look."""


class Resource:
    """One tag of the API.

    Args:
        client: Performs the calls.
    """

    __slots__ = ("_client",)

    def __init__(self, client: PagingCaller) -> None:
        self._client = client

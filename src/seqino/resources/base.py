"""What the resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino._core.runtime import Runtime

if TYPE_CHECKING:
    from seqino._core.wire import PagingCaller

__all__ = ["Resource", "TimedResource"]


class Resource:
    """One tag of the API.

    Args:
        client: Performs the calls.
    """

    __slots__ = ("_client",)

    def __init__(self, client: PagingCaller) -> None:
        self._client = client


class TimedResource(Resource):
    """One tag of the API, of which some methods wait, or depend on the time.

    Args:
        client: Performs the calls.
        runtime: Clock and pauses.
    """

    __slots__ = ("_runtime",)

    def __init__(self, client: PagingCaller, runtime: Runtime | None = None) -> None:
        super().__init__(client)
        self._runtime = runtime or Runtime()

"""What the resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqino._core.wire import PagingCaller

__all__ = ["Resource"]


class Resource:
    """One tag of the API.

    Args:
        client: Performs the calls.
    """

    __slots__ = ("_client",)

    def __init__(self, client: PagingCaller) -> None:
        self._client = client

"""Lists that are fetched while they are read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import attrs

__all__ = ["Page", "Pager"]

T = TypeVar("T")


@attrs.frozen
class Page(Generic[T]):
    """What one answer of the platform holds of a list."""

    items: Sequence[T]


class Pager(Generic[T]):
    """A list of the platform, fetched when it is read, and anew each time.

    Read it item by item (``async for item in pager``), page by page, or whole. The platform sends every list
    as one array today, which is one page.

    Args:
        fetch: Fetches the items.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[T]]]) -> None:
        self._fetch = fetch

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.by_page():
            for item in page.items:
                yield item

    async def by_page(self) -> AsyncIterator[Page[T]]:
        """Read page by page, each as the platform sent it, an empty one included."""
        yield Page(await self._fetch())

    async def to_list(self) -> list[T]:
        """Read all of it into memory."""
        return [item async for item in self]

    async def first(self) -> T | None:
        """Read the first item, ``None`` where there is none."""
        async for page in self.by_page():
            if page.items:
                return page.items[0]
        return None

from __future__ import annotations

from seqino.pagination import Page, Pager


class Source:
    def __init__(self, *items: int) -> None:
        self.items = list(items)
        self.calls = 0

    async def fetch(self) -> list[int]:
        self.calls += 1
        return self.items


async def test_a_plain_array_is_one_page() -> None:
    pager = Pager(Source(1, 2, 3).fetch)
    assert [item async for item in pager] == [1, 2, 3]
    assert [page async for page in pager.by_page()] == [Page([1, 2, 3])]
    assert await pager.to_list() == [1, 2, 3]
    assert await pager.first() == 1


async def test_an_empty_list_is_an_empty_page_without_a_first() -> None:
    pager = Pager(Source().fetch)
    assert await pager.to_list() == []
    assert [page.items async for page in pager.by_page()] == [[]]
    assert await pager.first() is None


async def test_nothing_is_fetched_before_it_is_read_and_each_reading_fetches_anew() -> None:
    source = Source(1)
    pager = Pager(source.fetch)
    assert source.calls == 0
    await pager.to_list()
    source.items = [2]
    assert await pager.to_list() == [2]
    assert source.calls == 2


async def test_leaving_early_is_allowed() -> None:
    async for item in Pager(Source(1, 2).fetch):
        assert item == 1
        break

"""Lists read in pages: tokens, guards and memory, without a network."""

from __future__ import annotations

import gc
import itertools
import json
import tracemalloc
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqino._core.transport import Answer, Transport
from seqino._core.wire import UNSET, Effect, Operation, PageAnswer, Pagination, Parameter
from seqino._generated import operations
from seqino.client import SeqinoClient
from seqino.errors import BrokenPages, InvalidInput, PageToken, ServerError
from seqino.models import LifecycleEvent, ObjectType
from seqino.pagination import MOST_EMPTY_PAGES, LoopGuard, Page, Pager

if TYPE_CHECKING:
    from seqino.options import CallOptions

WHOLE: Operation[list[int]] = Operation(
    name="list_things",
    operation_id="list",
    tag="things",
    method="GET",
    path="/things",
    effect=Effect.SAFE,
    responses={200: list[int]},
)
PAGED: Operation[list[int]] = attrs.evolve(
    WHOLE,
    parameters=(
        Parameter(name="client_id", wire="X-PDP-Client-Id", location="header", scope=True),
        Parameter(name="kind", wire="kind", location="query"),
        Parameter(name="cursor", wire="cursor", location="query"),
    ),
    pagination=Pagination(items=("data",), cursor=("next",), parameter="cursor"),
)


@attrs.define
class Book:
    """A caller that answers with pages by their position, and notes what it was asked."""

    pages: Mapping[str | None, tuple[Any, str | None]]
    base_url: str = "https://pdp.example/api"
    client_id: str | None = "acme"
    check_digits: bool = True
    timeout: float = 60.0
    asked: list[str | None] = attrs.field(factory=list[Any])
    broken: set[str | None] = attrs.field(factory=set[Any])
    parameters: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> Any:
        assert (operation.name, parameters, body, options) == ("list_things", {}, UNSET, None)
        self.asked.append(None)
        return self.pages[None][0]

    async def call_page(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        options: CallOptions | None = None,
        position: str | None = None,
    ) -> PageAnswer:
        assert options is None
        self.asked.append(position)
        self.parameters = parameters or {}
        if position in self.broken:
            raise ServerError("it is down", operation=operation.name)
        items, following = self.pages[position]
        return PageAnswer(items=items, position=position, next=following)


THREE: Mapping[str | None, tuple[Any, str | None]] = {
    None: ([1, 2], "b"),
    "b": ([], "c"),
    "c": ([3], None),
}


async def read(things: Pager[int], into: list[int]) -> None:
    async for item in things:
        into.append(item)  # noqa: PERF401 - what was read before a failure stays


def pager(book: Book, operation: Operation[list[int]] = PAGED, **given: Any) -> Pager[int]:
    return Pager(book, lambda caller: caller.call(operation, parameters=given))


# --- Whole


async def test_a_plain_array_is_one_page() -> None:
    book = Book({None: ([1, 2, 3], None)})
    things = pager(book, WHOLE)
    assert [item async for item in things] == [1, 2, 3]
    assert [page async for page in things.by_page()] == [Page([1, 2, 3])]
    assert await things.to_list() == [1, 2, 3]
    assert await things.first() == 1


async def test_an_empty_list_is_an_empty_page_without_a_first() -> None:
    things = pager(Book({None: ([], None)}), WHOLE)
    assert await things.to_list() == []
    assert [page.items async for page in things.by_page()] == [[]]
    assert await things.first() is None


async def test_nothing_is_fetched_before_it_is_read_and_each_reading_fetches_anew() -> None:
    book = Book({None: ([1], None)})
    things = pager(book, WHOLE)
    assert book.asked == []
    await things.to_list()
    book.pages = {None: ([2], None)}
    assert await things.to_list() == [2]
    assert len(book.asked) == 2


async def test_leaving_early_is_allowed() -> None:
    book = Book(THREE)
    async for item in pager(book):
        assert item == 1
        break
    assert book.asked == [None]


async def test_what_stands_there_may_be_made_into_items() -> None:
    book = Book({None: ("abc", None)})
    things = Pager[str](book, lambda caller: caller.call(WHOLE), prepare=list)
    assert await things.to_list() == ["a", "b", "c"]


# --- Pages


async def test_pages_are_read_one_after_the_other() -> None:
    book = Book(THREE)
    things = pager(book)
    assert [item async for item in things] == [1, 2, 3]
    assert [list(page.items) async for page in things.by_page()] == [[1, 2], [], [3]]
    assert await things.to_list() == [1, 2, 3]
    assert book.asked == [None, "b", "c"] * 3


async def test_the_first_item_may_stand_on_a_later_page_and_no_more_is_fetched() -> None:
    book = Book({None: ([], "b"), "b": ([7], "c")})
    assert await pager(book).first() == 7
    assert book.asked == [None, "b"]


async def test_a_token_goes_on_where_a_reading_stopped_in_another_process() -> None:
    stored = ""
    things = pager(Book(THREE), kind=ObjectType.INVOICE, client_id=None)
    async for page in things.by_page():
        assert page.continuation is not None
        stored = json.dumps(attrs.asdict(page.continuation))
        break
    assert json.loads(stored) == {
        "operation": "list_things",
        "client_id": "acme",
        "parameters": {"kind": "invoice"},
        "base_url": "https://pdp.example/api",
        "position": "b",
    }

    book = Book(THREE)
    again = pager(book, kind="invoice").after(PageToken(**json.loads(stored)))
    assert await again.to_list() == [3]
    assert book.asked == ["b", "c"]
    assert book.parameters == {"kind": "invoice"}


async def test_the_last_page_has_no_token() -> None:
    tokens = [page.continuation async for page in pager(Book(THREE)).by_page()]
    assert [token and token.position for token in tokens] == ["b", "c", None]


async def test_a_page_that_fails_has_its_token_on_the_error() -> None:
    book = Book(THREE, broken={"c"})
    things = pager(book)
    seen: list[int] = []
    with pytest.raises(ServerError) as caught:
        await read(things, seen)
    token = caught.value.continuation
    assert token is not None
    assert (seen, token.position) == ([1, 2], "c")
    book.broken.clear()
    assert await things.after(token).to_list() == [3]


async def test_the_first_page_that_fails_has_no_token() -> None:
    with pytest.raises(ServerError) as caught:
        await pager(Book(THREE, broken={None})).to_list()
    assert caught.value.continuation is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"base_url": "https://other.example/api"}, "base_url"),
        ({"operation": "list_others"}, "operation"),
        ({"client_id": "other"}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"parameters": {}}, "parameters"),
        ({"parameters": {"kind": "b"}}, "parameters"),
    ],
)
async def test_a_token_of_another_list_is_refused_before_sending(change: dict[str, Any], named: str) -> None:
    token = PageToken(
        operation="list_things",
        client_id="acme",
        parameters={"kind": "a"},
        base_url="https://pdp.example/api",
        position="b",
    )
    book = Book(THREE)
    things = pager(book, kind="a")
    with pytest.raises(InvalidInput, match=f"its {named} is"):
        await things.after(attrs.evolve(token, **change)).to_list()
    assert book.asked == []
    assert await things.after(token).to_list() == [3]


async def test_a_token_is_of_the_client_that_the_call_names() -> None:
    async for page in pager(Book(THREE), client_id="other").by_page():
        assert page.continuation is not None
        assert page.continuation.client_id == "other"
        break
    unscoped = attrs.evolve(PAGED, parameters=PAGED.parameters[1:])
    async for page in pager(Book(THREE), unscoped, cursor="c0").by_page():
        assert page.continuation is not None
        assert (page.continuation.client_id, page.continuation.parameters) == (None, {})
        break


@pytest.mark.parametrize("token", ["x", None, {"operation": "list_things"}, 5])
def test_what_is_no_token_is_refused_with_what_to_do(client: SeqinoClient, token: Any) -> None:
    with pytest.raises(InvalidInput, match=r"token must be the continuation .* PageToken\(\*\*data\)"):
        client.clients.list().after(token)


async def test_a_token_for_a_list_that_comes_whole_is_refused() -> None:
    token = PageToken(operation="list_things", base_url="https://pdp.example/api", position="b")
    with pytest.raises(InvalidInput, match="all at once"):
        await pager(Book(THREE), WHOLE).after(token).to_list()


@pytest.mark.parametrize("items", [None, {"a": 1}, "ab"])
async def test_an_answer_without_a_list_is_no_empty_list(items: Any) -> None:
    book = Book({None: ([1], "b"), "b": (items, None)})
    with pytest.raises(BrokenPages, match="list_things: its answer has no list") as caught:
        await pager(book).to_list()
    assert caught.value.continuation is not None
    assert caught.value.continuation.position == "b"
    assert caught.value.outcome == "done"


# --- Guards


@pytest.mark.parametrize("back", ["b", "c", "d"])
async def test_pages_that_lead_back_are_noticed_before_one_is_handed_out_twice(back: str) -> None:
    book = Book({None: ([1], "b"), "b": ([2], "c"), "c": ([3], "d"), "d": ([4], back)})
    seen: list[int] = []
    with pytest.raises(BrokenPages, match="repeat themselves") as caught:
        await read(pager(book), seen)
    assert seen == [1, 2, 3]
    assert caught.value.continuation is not None
    assert caught.value.continuation.position == "d"


async def test_a_page_that_leads_back_to_the_first_is_noticed_where_that_has_a_name() -> None:
    class Named(Book):
        async def call_page(self, *given: Any, **more: Any) -> PageAnswer:
            page = await super().call_page(*given, **more)
            return attrs.evolve(page, position=page.position or "/things")

    book = Named({None: ([1], "b"), "b": ([2], "/things")})
    with pytest.raises(BrokenPages, match="repeat themselves"):
        await pager(book).to_list()
    assert book.asked == [None, "b"]


async def test_a_resumed_reading_notices_a_way_back_to_its_beginning() -> None:
    book = Book({"b": ([2], "c"), "c": ([3], "b")})
    token = PageToken(
        operation="list_things", client_id="acme", base_url="https://pdp.example/api", position="b"
    )
    with pytest.raises(BrokenPages, match="repeat themselves"):
        await pager(book).after(token).to_list()
    assert book.asked == ["b", "c"]


async def test_empty_pages_without_end_end() -> None:
    class Desert(dict[Any, Any]):
        def __missing__(self, position: str | None) -> tuple[list[int], str]:
            return [], str(int(position or 0) + 1)

    book = Book(Desert())
    with pytest.raises(BrokenPages, match=f"{MOST_EMPTY_PAGES} pages in a row are empty") as caught:
        await pager(book).to_list()
    assert len(book.asked) == MOST_EMPTY_PAGES
    assert caught.value.continuation is not None
    assert caught.value.continuation.position == str(MOST_EMPTY_PAGES - 1)


async def test_empty_pages_between_full_ones_are_no_fault() -> None:
    count = MOST_EMPTY_PAGES - 1
    pages: dict[str | None, Any] = {str(number): ([], str(number + 1)) for number in range(1, 3 * count)}
    pages |= {None: ([], "1"), str(count): ([1], str(count + 1)), str(2 * count): ([2], str(2 * count + 1))}
    pages[str(3 * count)] = ([], None)
    assert await pager(Book(pages)).to_list() == [1, 2]


def walk(guard: LoopGuard, places: Iterator[str], most: int) -> int:
    """How many pages are handed out before the guard complains; ``most`` where it does not."""
    position: str | None = None
    for count, following in enumerate(itertools.islice(places, most)):
        if guard.judge(PageAnswer(items=[1], position=position, next=following), is_empty=False):
            return count
        position = following
    return most


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 3000), st.integers(1, 3000))
def test_every_way_round_is_noticed(lead: int, length: int) -> None:
    def places() -> Iterator[str]:
        yield from (f"lead {number}" for number in range(lead))
        yield from itertools.cycle([f"loop {number}" for number in range(length)])

    handed_out = walk(LoopGuard(), places(), 50_000)
    if length <= LoopGuard.LAST:
        assert handed_out == lead + length
    else:
        assert handed_out <= 3 * (lead + length) + 2


def test_a_list_without_end_is_none_of_the_guards_business_and_costs_no_memory() -> None:
    guard = LoopGuard()
    assert walk(guard, map(str, itertools.count()), 20_000) == 20_000
    assert guard.remembered == LoopGuard.LAST


# --- Memory


class Thing:
    """Something whose end can be seen."""


async def test_one_page_is_held_at_a_time() -> None:
    alive: list[int] = []
    known: weakref.WeakSet[Thing] = weakref.WeakSet()

    class Shelf(Book):
        async def call_page(self, *given: Any, **more: Any) -> PageAnswer:
            gc.collect()
            alive.append(len(known))
            page = await super().call_page(*given, **more)
            things = [Thing() for _ in range(10)]
            known.update(things)
            return attrs.evolve(page, items=things)

    pages: dict[str | None, Any] = {None: ([], "b"), "b": ([], "c"), "c": ([], None)}
    things = Pager[Thing](Shelf(pages), lambda caller: caller.call(PAGED))
    async for _ in things.by_page():
        del _
    assert alive == [0, 0, 0]
    alive.clear()
    async for item in things:
        del item
    # The loop that hands out holds the last item of the page before.
    assert alive[0] == 0
    assert max(alive) <= 1


async def test_one_large_array_is_not_held_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    event = {
        "status_code": "InvoiceLifecycleStatus.DEPOSITED",
        "timestamp": "2026-09-01T08:00:00Z",
        "emitter": "PDPE",
        "reason": "as long a comment as a platform might write beside a status, to be read by a person",
        "is_mandatory": True,
    }
    body = json.dumps([event] * 20_000).encode()

    async def send(*_: Any, **__: Any) -> Answer:
        return Answer(status=200, headers={}, body=body)

    monkeypatch.setattr(Transport, "send", send)
    async with SeqinoClient("key-1", client_id="c", base_url="http://127.0.0.1:1/api") as client:
        await client.lifecycle.events().to_list()  # makes the decoder

        async def measured() -> tuple[int, int, list[LifecycleEvent]]:
            gc.collect()
            tracemalloc.start()
            try:
                found = await client.lifecycle.events(object_type="invoice").to_list()
                held, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            return held, peak, found

        held, peak, found = await measured()
    assert len(found) == 20_000
    # The items themselves, and lists of pointers to them: no second form of them in between.
    assert peak < 1.2 * held


# --- The facade


async def test_an_operation_without_pages_has_none(client: SeqinoClient) -> None:
    with pytest.raises(InvalidInput, match="get_lifecycle_events answers with all at once"):
        await client.call_page(operations.GET_LIFECYCLE_EVENTS)

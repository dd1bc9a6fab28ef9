"""Lists that are fetched while they are read, whether they come whole or in pages.

How a list goes on is declared in the overlay of the API description and read from the operation; nothing here
knows an operation by its name. The platform sends every list as one array today, which is one page.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import attrs

from seqino._core.wire import UNSET, Caller, Operation, PageAnswer, PagingCaller
from seqino.errors import BrokenPages, CallError, InvalidInput, PageToken

if TYPE_CHECKING:
    from seqino.options import CallOptions

__all__ = ["MOST_EMPTY_PAGES", "Page", "PageToken", "Pager"]

T = TypeVar("T")

MOST_EMPTY_PAGES = 100
"""So many empty pages in a row end the reading of a list."""


@attrs.frozen
class Page(Generic[T]):
    """What one answer of the platform holds of a list."""

    items: Sequence[T]
    continuation: PageToken | None = None
    """Where the list goes on, to be stored and given to ``Pager.after``; ``None`` after the last page."""


class Pager(Generic[T]):
    """A list of the platform, fetched when it is read, and anew each time.

    Read it item by item (``async for item in pager``), page by page, or whole. One page is held at a time.

    Args:
        caller: Performs the calls.
        ask: Asks for the list, with the caller that it is given: ``lambda caller: api.mandates.…(caller)``.
        prepare: Makes the items of what stands in their place in an answer.
        start: Where to begin; at the first page where it is left out.
    """

    def __init__(
        self,
        caller: PagingCaller,
        ask: Callable[[Caller], Awaitable[Any]],
        *,
        prepare: Callable[[Any], Sequence[T]] | None = None,
        start: PageToken | None = None,
    ) -> None:
        self._caller = caller
        self._ask = ask
        self._prepare = prepare
        self._start = start

    def after(self, token: PageToken) -> Pager[T]:
        """Return the same list from where an earlier reading stopped, in this process or another.

        Args:
            token: ``continuation`` of the last page that was dealt with, or of the error that ended it.

        Returns:
            The list from there on. Reading it raises ``InvalidInput`` where the token is of another list,
            another client or another server.

        Raises:
            InvalidInput: It is no token.
        """
        if not isinstance(cast("object", token), PageToken):
            raise InvalidInput(
                f"token must be the continuation of a page or of an error, a PageToken, not {token!r}; from "
                "what was stored it is made again by PageToken(**data)"
            )
        return Pager(self._caller, self._ask, prepare=self._prepare, start=token)

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.by_page():
            for item in page.items:
                yield item
            # Let go before the next one is fetched.
            del page

    async def by_page(self) -> AsyncIterator[Page[T]]:
        """Read page by page, each as the platform sent it, an empty one included.

        Raises:
            InvalidInput: The list was to begin with a token that is not its own; nothing was sent.
            BrokenPages: The pages repeat themselves, stay empty without end, or lead to another server.
            CallError: A page could not be had. ``continuation`` of this error and of ``BrokenPages`` is where
                to go on.
        """
        guard = LoopGuard()
        token = self._start
        while True:
            page = await self._fetch(token, guard)
            token = page.continuation
            yield page
            del page
            if token is None:
                return

    async def _fetch(self, token: PageToken | None, guard: LoopGuard) -> Page[T]:
        turn = _Turn(self._caller, token)
        try:
            value = await self._ask(turn)
            items = cast("object", value if self._prepare is None else self._prepare(value))
            if not isinstance(items, list):
                raise turn.broken("its answer has no list where the items should be")
            fault = guard.judge(turn.answer, is_empty=not items)
            if fault:
                raise turn.broken(fault)
        except CallError as error:
            error.continuation = token
            raise
        return Page(cast("list[T]", items), turn.continuation)

    async def to_list(self) -> list[T]:
        """Read all of it into memory."""
        found: list[T] = []
        async for page in self.by_page():
            found.extend(page.items)
        return found

    async def first(self) -> T | None:
        """Read the first item, ``None`` where there is none."""
        async for page in self.by_page():
            if page.items:
                return page.items[0]
        return None


class _Turn:
    """A caller that performs the one call of one page, and notes where the list goes on.

    Args:
        caller: Performs the call.
        token: Which page; the first where it is ``None``.
    """

    def __init__(self, caller: PagingCaller, token: PageToken | None) -> None:
        self._caller = caller
        self._token = token
        self._operation = ""
        self.answer = PageAnswer(items=None, position=None, next=None)
        self.continuation: PageToken | None = None

    async def call(
        self,
        operation: Operation[Any],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> Any:
        """Perform the call, and return what stands in the place of the items."""
        self._operation = operation.name
        token, given = self._token, dict(parameters or {})
        if operation.pagination is None:
            if token is not None:
                raise InvalidInput(
                    f"the token is of a list in pages, and {operation.name} answers with all at once: read "
                    "it from the beginning"
                )
            return await self._caller.call(operation, parameters=given, body=body, options=options)
        here = self._described(operation, given)
        if token is not None:
            _check(token, here)
        self.answer = await self._caller.call_page(
            operation,
            parameters=given,
            options=options,
            position=None if token is None else token.position,
        )
        if self.answer.next is not None:
            self.continuation = attrs.evolve(here, position=self.answer.next)
        return self.answer.items

    def _described(self, operation: Operation[Any], given: Mapping[str, Any]) -> PageToken:
        """Say which list this is: a token without a position."""
        known = {name: value for name, value in given.items() if value is not None and value is not UNSET}
        scopes = [parameter.name for parameter in operation.parameters if parameter.scope]
        client_ids = [known.pop(name, self._caller.client_id) for name in scopes]
        paging = operation.pagination
        known.pop("" if paging is None or paging.parameter is None else paging.parameter, None)
        return PageToken(
            operation=operation.name,
            client_id=client_ids[0] if client_ids else None,
            parameters={name: str(value) for name, value in known.items()},
            base_url=self._caller.base_url,
            position="",
        )

    def broken(self, what: str) -> BrokenPages:
        """Return the error for pages that cannot be followed."""
        return BrokenPages(
            f"{self._operation}: {what}. The platform's list is broken: report it. What was read before this "
            "page is good; its token is the error's continuation.",
            operation=self._operation,
            outcome="done",
        )


def _check(token: PageToken, here: PageToken) -> None:
    """Refuse a token of another list."""
    for name in ("base_url", "operation", "client_id", "parameters"):
        of_token, of_list = getattr(token, name), getattr(here, name)
        if of_token != of_list:
            raise InvalidInput(
                f"the token is of another list: its {name} is {of_token!r}, and that of this list is "
                f"{of_list!r}; give the same filters and the same client as before"
            )


class LoopGuard:
    """Notices pages that lead back to one read before, or that stay empty without end.

    Of the last thousand places each is remembered, so that no page is handed out twice. A longer way round is
    noticed by Brent's algorithm, in bounded memory, after a few rounds at most.
    """

    LAST = 1000

    def __init__(self) -> None:
        self._recent: deque[str] = deque()
        self._known: set[str] = set()
        self._landmark: str | None = None
        self._steps: int = 0
        self._lap: int = 1
        self._empty = 0

    def judge(self, answer: PageAnswer, *, is_empty: bool) -> str:
        """Say what is wrong with the way that a page leads, or nothing."""
        self._empty = self._empty + 1 if is_empty else 0
        if answer.next is None:
            return ""
        if self._empty >= MOST_EMPTY_PAGES:
            return f"{MOST_EMPTY_PAGES} pages in a row are empty, and lead on"
        if answer.position is not None and not self._known:
            self._remember(answer.position)
        if answer.next in self._known or answer.next == self._landmark:
            return "its pages repeat themselves: the next one is one that was read before"
        self._remember(answer.next)
        self._steps += 1
        if self._steps == self._lap:
            self._landmark, self._steps, self._lap = answer.next, 0, 2 * self._lap
        return ""

    @property
    def remembered(self) -> int:
        """How many places are remembered one by one."""
        return len(self._known)

    def _remember(self, place: str) -> None:
        self._recent.append(place)
        self._known.add(place)
        if len(self._recent) > self.LAST:
            self._known.discard(self._recent.popleft())

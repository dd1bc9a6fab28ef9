"""What becomes of invoices after the platform took them: looked at when due, until they are at an end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from seqino.batch.errors import LedgerError
from seqino.batch.states import State
from seqino.batch.watches import Look, Watches
from seqino.errors import (
    AuthenticationFailed,
    CallError,
    InvalidInput,
    NotFound,
    NotSent,
    RateLimited,
    SeqinoError,
    ServerError,
)
from seqino.models import ObjectType
from seqino.statuses import UnreadableEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from seqino.batch.items import Item
    from seqino.batch.store import Store
    from seqino.batch.watches import Goal
    from seqino.client import SeqinoClient
    from seqino.options import CallOptions

__all__ = ["Followed", "Follower"]

_WORKERS = 8
_PAGE = 32
_LEASE = 600.0
"""Seconds after which an invoice is due again that a process took and never came back from."""

_MOST_FAILURES = 20
"""So many in a row are the platform's trouble, and no invoice's: it is left alone for a while."""


@attrs.frozen(kw_only=True)
class Followed:
    """What came of one round of following.

    Args:
        looked: Invoices that were looked at.
        news: Events that were not known before.
        failed: Looks that failed, in whole or in part; they are tried again later.
        requests: Requests that the round cost.
        ends: How many invoices came to each end.
        waiting: Invoices that are followed further.
        next_in: Seconds until the first of them is due; ``None`` where none is.
    """

    looked: int = 0
    news: int = 0
    failed: int = 0
    requests: int = 0
    ends: Mapping[State, int] = attrs.field(factory=dict[State, int])
    waiting: int = 0
    next_in: float | None = None


@attrs.define
class _Round:
    """One round, while it goes on."""

    looked: int = 0
    news: int = 0
    failed: int = 0
    requests: int = 0
    ends: Counter[State] = attrs.field(factory=Counter[State])
    failures: int = 0
    """Failures in a row."""
    error: SeqinoError | None = None
    """What concerns all invoices, and ends following."""
    pause: float | None = None
    """What concerns all of them, and passes: seconds to leave the platform alone."""

    @property
    def is_over(self) -> bool:
        return self.error is not None or self.pause is not None


class Follower:
    """Looks at accepted invoices when they are due, one request each.

    Args:
        store: The ledger.
        watches: What it remembers of following.
    """

    def __init__(self, store: Store, watches: Watches) -> None:
        self._store = store
        self._watches = watches

    async def follow(self, client: SeqinoClient, *, goal: Goal, options: CallOptions) -> Followed:
        """Look at each invoice that is due.

        Args:
            client: Over which calls are made.
            goal: How far they are followed, and how often they are looked at.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.

        Raises:
            AuthenticationFailed: The key is wrong: no invoice can be looked at.
            LedgerError: The ledger failed.
        """
        await self._watches.begin(goal)
        turn, by = _Round(), await self._store.now()
        once = attrs.evolve(options, max_retries=0, extra_body=None)
        while not turn.is_over:
            page = await self._watches.claim(_PAGE, by=by, lease=_LEASE)
            if not page:
                break
            async with asyncio.TaskGroup() as group:
                for _ in range(_WORKERS):
                    group.create_task(self._work(client, page, turn, goal=goal, options=once))
            if page:
                await self._watches.give_back(page, pause=turn.pause or 0.0)
        if turn.error is not None:
            raise turn.error
        waiting, next_in = await self._watches.waiting()
        if next_in is not None and turn.pause is not None:
            next_in = max(next_in, turn.pause)
        return Followed(
            looked=turn.looked,
            news=turn.news,
            failed=turn.failed,
            requests=turn.requests,
            ends=dict(turn.ends),
            waiting=waiting,
            next_in=next_in,
        )

    async def follow_until(
        self,
        client: SeqinoClient,
        *,
        goal: Goal,
        options: CallOptions,
        timeout: float,  # noqa: ASYNC109 - no cancellation: what was begun is ended
        at_most: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> AsyncIterator[Followed]:
        """Look at what is due, wait, and look again, until nothing is followed any more.

        Args:
            client: Over which calls are made.
            goal: How far they are followed, and how often they are looked at.
            options: What its calls do otherwise than the client.
            timeout: Seconds after which no further round is begun.
            at_most: Longest wait; another process may have heard of news meanwhile, or have sent more.
            clock: Monotonic seconds.
            sleep: Waits for some seconds.

        Yields:
            What came of each round.
        """
        deadline = clock() + timeout
        while True:
            followed = await self.follow(client, goal=goal, options=options)
            yield followed
            left = deadline - clock()
            if followed.next_in is None or left <= 0:
                return
            await sleep(min(followed.next_in, at_most, left))

    async def _work(
        self, client: SeqinoClient, page: list[Item], turn: _Round, *, goal: Goal, options: CallOptions
    ) -> None:
        while page and not turn.is_over:
            item = page.pop(0)
            try:
                look = await self._look(client, item, turn, goal=goal, options=options)
                noted = await self._watches.note(look, goal)
            except (AuthenticationFailed, LedgerError) as error:
                turn.error = error
                page.append(item)
                return
            turn.looked += 1
            turn.news += noted.news
            turn.requests += look.requests
            if noted.item.state is not item.state:
                turn.ends[noted.item.state] += 1

    async def _look(
        self, client: SeqinoClient, item: Item, turn: _Round, *, goal: Goal, options: CallOptions
    ) -> Look:
        look = Look(item=item, began=await self._store.now())
        try:
            found = await client.lifecycle.events(
                object_type=ObjectType.INVOICE,
                object_id=item.invoice_id,
                keep_unreadable=True,
                client_id=item.client_id,
                options=options,
            ).to_list()
        except AuthenticationFailed:
            raise
        except NotFound as error:
            # Not there yet, as far as the platform's lists go.
            turn.failures = 0
            return attrs.evolve(look, requests=error.attempts)
        except (CallError, InvalidInput) as error:
            turn.failed += 1
            return self._failed(look, error, turn, first=goal.backoff.first.total_seconds())
        turn.failures = 0
        events = [event for event in found if not isinstance(event, UnreadableEvent)]
        turn.failed += len(events) < len(found)
        return attrs.evolve(look, events=events)

    @staticmethod
    def _failed(look: Look, error: CallError | InvalidInput, turn: _Round, *, first: float) -> Look:
        if not isinstance(error, CallError):
            return attrs.evolve(look, requests=0)
        pause = error.retry_after or 0.0
        turn.failures += isinstance(error, NotSent | ServerError)
        if isinstance(error, RateLimited):
            turn.pause = max(pause, 1.0)
        elif turn.failures >= _MOST_FAILURES:
            turn.pause = max(pause, first)
        return attrs.evolve(look, requests=error.attempts, pause=pause)

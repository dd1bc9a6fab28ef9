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
    from seqino.batch.runs import Runs
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
    """What came of one round of following, or of a part of it.

    Args:
        looked: Invoices that were looked at.
        news: Events that were not known before.
        failed: Looks that failed, in whole or in part; they are tried again later.
        requests: Requests that it cost.
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
    """One round, while it goes on, and what came of it since that was last told."""

    by: float
    """What was due at this moment, by the clock of the database, is looked at."""
    run_id: int | None
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
        runs: Its runs.
    """

    def __init__(self, store: Store, watches: Watches, runs: Runs) -> None:
        self._store = store
        self._runs = runs
        self._watches = watches

    async def follow(
        self, client: SeqinoClient, *, goal: Goal, options: CallOptions, run_id: int | None = None
    ) -> Followed:
        """Look at each invoice that is due.

        Args:
            client: Over which calls are made.
            goal: How far they are followed, and how often they are looked at.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.
            run_id: Only those of this run.

        Raises:
            AuthenticationFailed: The key is wrong: no invoice can be looked at.
            InvalidInput: There is no such run.
            LedgerError: The ledger failed.
        """
        turn = await self._begin(goal, run_id)
        while await self._look_at_some(client, turn, goal=goal, options=options):
            pass
        return await self._told(turn)

    async def follow_until(
        self,
        client: SeqinoClient,
        *,
        goal: Goal,
        options: CallOptions,
        run_id: int | None = None,
        timeout: float,  # noqa: ASYNC109 - no cancellation: what was begun is ended
        at_most: float,
        interval: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> AsyncIterator[Followed]:
        """Look at what is due, wait, and look again, until nothing is followed any more.

        Args:
            client: Over which calls are made.
            goal: How far they are followed, and how often they are looked at.
            options: What its calls do otherwise than the client.
            run_id: Only those of this run.
            timeout: Seconds after which no further round is begun.
            at_most: Longest wait; another process may have heard of news meanwhile, or have sent more.
            interval: Seconds after which a round that goes on is told of.
            clock: Monotonic seconds.
            sleep: Waits for some seconds.

        Yields:
            What came of each round; of a long one, in parts.
        """
        deadline = clock() + timeout
        while True:
            turn, told_at = await self._begin(goal, run_id), clock()
            while await self._look_at_some(client, turn, goal=goal, options=options):
                if clock() - told_at >= interval:
                    told_at = clock()
                    yield await self._told(turn)
            followed = await self._told(turn)
            yield followed
            left = deadline - clock()
            if followed.next_in is None or left <= 0:
                return
            await sleep(min(followed.next_in, at_most, left))

    async def _begin(self, goal: Goal, run_id: int | None) -> _Round:
        await self._runs.check(run_id)
        await self._watches.begin(goal, run_id=run_id)
        return _Round(by=await self._store.now(), run_id=run_id)

    async def _told(self, turn: _Round) -> Followed:
        """Return what came of a round since this was last asked."""
        waiting, next_in = await self._watches.waiting(run_id=turn.run_id)
        if next_in is not None and turn.pause is not None:
            next_in = max(next_in, turn.pause)
        told = Followed(
            looked=turn.looked,
            news=turn.news,
            failed=turn.failed,
            requests=turn.requests,
            ends=dict(turn.ends),
            waiting=waiting,
            next_in=next_in,
        )
        turn.looked = turn.news = turn.failed = turn.requests = 0
        turn.ends.clear()
        return told

    async def _look_at_some(
        self, client: SeqinoClient, turn: _Round, *, goal: Goal, options: CallOptions
    ) -> bool:
        """Look at some of what is due; tell whether there may be more of it.

        Raises:
            SeqinoError: What concerns all invoices.
        """
        page = await self._watches.claim(_PAGE, by=turn.by, lease=_LEASE, run_id=turn.run_id)
        if not page:
            return False
        once = attrs.evolve(options, max_retries=0, extra_body=None)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_WORKERS):
                    group.create_task(self._work(client, page, turn, goal=goal, options=once))
        finally:
            # Also where it is stopped: whoever goes on need not wait for the lease to end.
            if page:
                await self._watches.give_back(page, pause=turn.pause or 0.0)
        if turn.error is not None:
            raise turn.error
        return turn.pause is None

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
            except asyncio.CancelledError:
                page.append(item)
                raise
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
        unreadable = [event for event in found if isinstance(event, UnreadableEvent)]
        turn.failed += bool(unreadable)
        return attrs.evolve(look, events=events, unreadable=unreadable)

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

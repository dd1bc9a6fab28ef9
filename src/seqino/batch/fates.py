"""What a ledger learns of invoices after they were sent: doubts are settled, news are kept, ends are seen."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seqino.batch.base import LedgerBase
from seqino.batch.events import record
from seqino.batch.watches import Goal
from seqino.options import CallOptions
from seqino.statuses import Backoff, Until, goal_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from seqino.batch.following import Followed
    from seqino.batch.gap import Gap
    from seqino.batch.items import Item
    from seqino.batch.reconciling import Reconciled
    from seqino.client import SeqinoClient
    from seqino.models import LifecycleEvent, WebhookEventPayload

__all__ = ["MAX_AGE", "Fates"]

MAX_AGE = timedelta(days=180)
"""How long an invoice is followed: longer than any lawful term of payment."""


class Fates(LedgerBase):
    """What a ledger learns of invoices after they were sent."""

    # --- What was left in doubt

    async def reconcile(
        self,
        client: SeqinoClient,
        *,
        patience: float = 0.0,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Reconciled:
        """Find out what became of invoices that are in doubt: when a program starts, or from time to time.

        Takes over what processes left that are dead by now, and looks at each draft that is due. What is
        proven to be unused is validated.

        Args:
            client: A client of this ledger's server.
            patience: Seconds to wait for further looks at one; 0 looks once, and leaves the rest for later.
            revalidate: As for ``SeqinoClient.submit``; also looks again where no look could tell.
            options: What this does otherwise than the client; ``timeout`` is for one invoice.

        Raises:
            ConfigurationError: The client calls another server.
            LedgerError: The ledger failed.
        """
        self._check_server(client)
        return await self._reconciler.reconcile(
            client, options=options or CallOptions(), patience=patience, revalidate=revalidate
        )

    async def gap(self) -> Gap | None:
        """Return the time of which it knows nothing, since it was put back from a backup; else ``None``."""
        return await self.store.gap()

    async def admit_new_keys(self) -> Gap | None:
        """Take keys again that it does not know, after it was put back from a backup.

        Call it once a person has made sure that no invoice that was sent in the gap is handed in again.

        Returns:
            The time of which it knows nothing; ``None`` where it was not put back.

        Raises:
            LedgerError: The ledger failed.
        """
        return await self.store.admit_new_keys()

    async def record_event(self, event: WebhookEventPayload | Mapping[str, Any]) -> Item | None:
        """Keep a webhook's event as evidence: what it shows of an invoice is never guessed afterwards.

        The same event twice is kept once. Verify its delivery before: what is given here is believed.

        Args:
            event: The event, as a model or as it came.

        Returns:
            The invoice that it is about, as far as this ledger knows it.

        Raises:
            InvalidInput: It is no event.
            LedgerError: The ledger failed; deliver it again.
        """
        return await record(self.store, self.watches, event)

    async def note_probe(self) -> None:
        """Note that the server was seen to refuse a second validation, as ``seqino doctor`` tries.

        Where a platform does not show what became of a draft, one in doubt is validated again from the next
        time on that the ledger is opened.

        Raises:
            LedgerError: The ledger failed.
        """
        await self.store.note_probe()

    # --- What becomes of them

    async def follow(
        self,
        client: SeqinoClient,
        *,
        until: Until | str = Until.END,
        max_age: timedelta | None = MAX_AGE,
        backoff: Backoff | None = None,
        run_id: int | None = None,
        options: CallOptions | None = None,
    ) -> Followed:
        """Look once at each accepted invoice that is due, and write down what happened to it.

        Call it from time to time, as often as you like: an invoice is looked at after a minute, then ever
        more seldom, up to every six hours, and at once where ``record_event`` was told of news.

        Args:
            client: A client of this ledger's server.
            until: What invoices are followed to: ``"end"`` (settled, dead or not delivered), or
                ``"approved"`` too, for sellers whose VAT is due on debits.
            max_age: How long one is followed at most, before it is ``EXPIRED``; ``None`` sets no end.
            backoff: How the pauses grow.
            run_id: Only what is of this run; all that the ledger follows where it is left out.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.

        Returns:
            What came of it. An invoice that could not be looked at is counted, and looked at later.

        Raises:
            AuthenticationFailed: The key is wrong: no invoice can be looked at.
            InvalidInput: ``until`` is none of the goals, or there is no such run.
            ConfigurationError: The client calls another server.
            LedgerError: The ledger failed.
        """
        self._check_server(client)
        goal = Goal(until=goal_of(until), max_age=max_age, backoff=backoff or Backoff())
        return await self._follower.follow(client, goal=goal, options=options or CallOptions(), run_id=run_id)

    def follow_until(
        self,
        client: SeqinoClient,
        *,
        until: Until | str = Until.END,
        max_age: timedelta | None = MAX_AGE,
        backoff: Backoff | None = None,
        run_id: int | None = None,
        options: CallOptions | None = None,
        timeout: float = math.inf,
        at_most: float = 60.0,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[Followed]:
        """Follow accepted invoices until none of them is followed any more: ``async for followed in ...``.

        Args:
            client: A client of this ledger's server.
            until: As for ``follow``.
            max_age: As for ``follow``.
            backoff: As for ``follow``.
            run_id: As for ``follow``.
            options: As for ``follow``.
            timeout: Seconds after which no further round is begun.
            at_most: Seconds between two rounds at most; other processes may have heard of news meanwhile.
            interval: Seconds after which a round that goes on is told of, in parts.
            clock: Monotonic seconds; only tests need another.
            sleep: Waits for some seconds; only tests need another.

        Yields:
            What came of each round; of a long one, what came since it was last told of.

        Raises:
            SeqinoError: As for ``follow``.
        """
        self._check_server(client)
        return self._follower.follow_until(
            client,
            goal=Goal(until=goal_of(until), max_age=max_age, backoff=backoff or Backoff()),
            options=options or CallOptions(),
            run_id=run_id,
            timeout=timeout,
            at_most=at_most,
            interval=interval,
            clock=clock,
            sleep=sleep,
        )

    async def status_events(self, item: Item) -> list[LifecycleEvent]:
        """Return what is known to have happened to an invoice, in order, each event once."""
        return await self.watches.events(item)

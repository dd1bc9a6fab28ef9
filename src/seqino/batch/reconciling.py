"""What was left in doubt: taken from the dead, looked at, and settled by evidence or parked."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import attrs

from seqino.batch.errors import Fenced, ItemChanged
from seqino.batch.items import Change
from seqino.batch.states import ItemEvent, State

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from seqino.batch.driving import Driver
    from seqino.batch.items import Fence, Item
    from seqino.batch.service import Service
    from seqino.batch.store import Store
    from seqino.client import SeqinoClient
    from seqino.options import CallOptions

__all__ = ["Reconciled", "Reconciler"]

_WORKERS = 8


@attrs.frozen(kw_only=True)
class Reconciled:
    """What came of reconciling a ledger.

    Args:
        settled: Invoices of which is known now what became of them.
        in_doubt: Invoices that will be looked at again.
        parked: Invoices of which no look can tell: a person, or a webhook, has to.
        under_way: Invoices that another process is working on.
    """

    settled: int = 0
    in_doubt: int = 0
    parked: int = 0
    under_way: int = 0


class Reconciler:
    """Settles what is in doubt.

    Args:
        store: The ledger.
        driver: Drives items.
        service: Has the proof that this process is alive.
    """

    def __init__(self, store: Store, driver: Driver, *, service: Service) -> None:
        self._store = store
        self._driver = driver
        self._service = service

    async def reconcile(
        self, client: SeqinoClient, *, options: CallOptions, patience: float, revalidate: bool
    ) -> Reconciled:
        """Take over what the dead left, and look once, or longer, at all that is in doubt and due.

        Args:
            client: Over which calls are made.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.
            patience: Seconds that may be waited before a look at one.
            revalidate: As for ``SeqinoClient.submit``; looks at parked ones too.
        """
        await self._store.take_over_stale()
        ends: Counter[str] = Counter()
        items = self._doubtful(revalidate=revalidate)
        turn = asyncio.Lock()

        async def work() -> None:
            while True:
                async with turn:
                    item = await anext(items, None)
                if item is None:
                    return
                ends[await self._one(client, item, options, patience, revalidate=revalidate)] += 1

        workers = [asyncio.create_task(work()) for _ in range(_WORKERS)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await items.aclose()
        return Reconciled(**ends)

    async def _doubtful(self, *, revalidate: bool) -> AsyncGenerator[Item]:
        states = [State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED]
        async for item in self._store.items(states=states, due=True):
            if item.draft_id is not None:
                yield item
        if revalidate:
            async for item in self._store.items(states=[State.PARKED]):
                if item.draft_id is not None:
                    yield item

    async def _one(
        self, client: SeqinoClient, item: Item, options: CallOptions, patience: float, *, revalidate: bool
    ) -> str:
        key = item.client_id, item.business_key
        if self._service.holds.whose(key) is not None:
            return "under_way"
        try:
            with self._service.holds.hold(key) as hold:
                fence = await self._own(item)
                if fence is None:
                    hold.item = item
                    return "under_way"
                try:
                    mine = await self._begin(item, fence)
                    drive = await self._driver.drive(
                        client, mine, fence=fence, options=options, patience=patience, revalidate=revalidate
                    )
                finally:
                    if item.run_id is not None:
                        await self._store.release(fence)
                hold.item = drive.item
        except (Fenced, ItemChanged) as error:
            if isinstance(error, Fenced) and item.run_id is None:
                self._service.forget()
            return "under_way"
        state = drive.item.state
        if state is State.PARKED:
            return "parked"
        return "in_doubt" if state.is_in_doubt or state is State.ACCEPTED_UNIDENTIFIED else "settled"

    async def _own(self, item: Item) -> Fence | None:
        """Return the right to drive an item; ``None`` where somebody else has it."""
        if item.run_id is None:
            return await self._service.fence() if item.chunk_id is None else None
        return (
            None if item.chunk_id is None else await self._store.take(await self._store.chunk(item.chunk_id))
        )

    async def _begin(self, item: Item, fence: Fence) -> Item:
        event = ItemEvent.REOPENED if item.state is State.PARKED else ItemEvent.ADOPTED
        return await self._store.change(Change(item=item, event=event, fence=fence))

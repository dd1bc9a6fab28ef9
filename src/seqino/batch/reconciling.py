"""What was left in doubt: taken from the dead, looked at, and settled by evidence or parked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from seqino.batch.errors import Fenced, ItemChanged
from seqino.batch.items import Change
from seqino.batch.parts import Parts
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
        settled: Invoices of which is known since this time what became of them.
        in_doubt: Invoices of the whole ledger that will be looked at again, when they are due.
        parked: Invoices of the whole ledger of which no look can tell: a person, or a webhook, has to.
        under_way: Invoices that somebody else is working on.
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
        beat: Seconds after which others learn again that this process is alive.
    """

    def __init__(self, store: Store, driver: Driver, *, service: Service, beat: float) -> None:
        self._store = store
        self._driver = driver
        self._service = service
        self._beat = beat
        self._parts = Parts(store)

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
        settled = 0
        others: set[int] = set()
        items = self._doubtful(revalidate=revalidate)
        turn = asyncio.Lock()

        async def work() -> None:
            while True:
                async with turn:
                    item = await anext(items, None)
                if item is None:
                    return
                done = await self._one(client, item, options, patience, revalidate=revalidate)
                nonlocal settled
                if done is None:
                    others.add(item.id)
                else:
                    settled += not (done.is_in_doubt or done is State.ACCEPTED_UNIDENTIFIED)

        beating = asyncio.create_task(self._parts.beat(every=self._beat))
        workers = [asyncio.create_task(work()) for _ in range(_WORKERS)]
        try:
            await asyncio.gather(*workers)
        finally:
            for task in (beating, *workers):
                task.cancel()
            await asyncio.gather(beating, *workers, return_exceptions=True)
            await items.aclose()
        return await self._found(settled, others)

    async def _found(self, settled: int, others: set[int]) -> Reconciled:
        counts = await self._store.counts()
        in_doubt = counts.get(State.IN_DOUBT, 0)
        async for item in self._store.items(states=[State.ACCEPTED_UNIDENTIFIED, State.SENDING]):
            if item.state is State.SENDING:
                others.add(item.id)
            elif item.draft_id is not None:
                in_doubt += 1
        parked = counts.get(State.PARKED, 0)
        return Reconciled(settled=settled, in_doubt=in_doubt, parked=parked, under_way=len(others))

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
    ) -> State | None:
        """Look at an invoice, and return what it is then; ``None`` where somebody else works on it."""
        key = item.client_id, item.business_key
        if self._service.holds.whose(key) is not None:
            return None
        held: Fence | None = None
        try:
            with self._service.holds.hold(key) as hold:
                async with self._owned(item) as fence:
                    if fence is None:
                        hold.item = item
                        return None
                    held = fence
                    mine = await self._begin(item, fence)
                    drive = await self._driver.drive(
                        client, mine, fence=fence, options=options, patience=patience, revalidate=revalidate
                    )
                hold.item = drive.item
        except (Fenced, ItemChanged) as error:
            if isinstance(error, Fenced) and item.run_id is None:
                self._service.forget(held)
            return None
        return drive.item.state

    @asynccontextmanager
    async def _owned(self, item: Item) -> AsyncGenerator[Fence | None]:
        """Have the right to drive an item; ``None`` where somebody else has it."""
        if item.run_id is None:
            yield await self._service.fence() if item.chunk_id is None else None
        elif item.chunk_id is None:
            yield None
        else:
            async with self._parts.part(item.chunk_id) as fence:
                yield fence

    async def _begin(self, item: Item, fence: Fence) -> Item:
        event = ItemEvent.REOPENED if item.state is State.PARKED else ItemEvent.ADOPTED
        return await self._store.change(Change(item=item, event=event, fence=fence))

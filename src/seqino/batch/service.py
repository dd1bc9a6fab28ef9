"""Invoices one at a time, as a web service sends them: claimed by one, driven to an end, told to all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from seqino._core.events import log
from seqino._core.outcome import Outcome
from seqino.batch.driving import Drive
from seqino.batch.endings import ending_of
from seqino.batch.errors import Fenced, ItemChanged, KeyConflict, KeyInUse, LedgerBusy, LedgerError
from seqino.batch.holding import Holds
from seqino.batch.items import Change, Facts, Fence, Item
from seqino.batch.states import ItemEvent, State
from seqino.client import time_limit
from seqino.errors import InsecureConnection, InvalidInput, OutcomeUnknown, SeqinoError
from seqino.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from seqino.batch.driving import Driver
    from seqino.batch.items import NewItem
    from seqino.batch.owners import Timing
    from seqino.batch.store import Store
    from seqino.client import SeqinoClient
    from seqino.submission import Route, Submission

__all__ = ["Service"]

T = TypeVar("T")


@attrs.frozen
class _How:
    """How one call goes about it."""

    options: CallOptions
    deadline: float
    revalidate: bool


_GOES = 4
"""How often an invoice that did not reach the platform is tried within one call."""

_GRACE = 30.0
"""Seconds that what is under way has to end when the ledger is closed: longer than a request has."""

_TO_WRITE = 1.0
"""Seconds that the ledger has to write at the least, however little time a call is given."""


class Service:
    """What of the ledger is sent outside of any run.

    Args:
        store: The ledger.
        driver: Drives items.
        timing: How long things take.
        server: The server.
        clock: Monotonic seconds.
        sleep: Waits for some seconds.
    """

    def __init__(
        self,
        store: Store,
        driver: Driver,
        *,
        timing: Timing,
        server: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._driver = driver
        self._timing = timing
        self._server = server
        self._clock = clock
        self._sleep = sleep
        self._fence: Fence | None = None
        self._registering = asyncio.Lock()
        self._beating: asyncio.Task[None] | None = None
        self.holds = Holds(store, fence=lambda: self._fence)
        self._routes: dict[tuple[str, Route], bool] = {}
        self._was_warned = False

    # --- Owning

    async def fence(self) -> Fence:
        """Return the proof that this process is alive, and see that others learn of it."""
        async with self._registering:
            if self._fence is None:
                self._fence = await self._store.register()
            if self._beating is None:
                self._beating = asyncio.create_task(self._beat())
            return self._fence

    def forget(self, fence: Fence | None) -> None:
        """Take into account that this process was taken for dead: it begins anew, once for all who learn it.

        Args:
            fence: The proof that is none any more.
        """
        if self._fence == fence:
            self._fence = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._timing.beat)
            fence: Fence | None = None
            try:
                fence = await self.fence()
                await self._store.beat(fence)
                self.holds.let_go_again()
            except Fenced:
                self.forget(fence)
            except LedgerError as error:
                # Whoever sends learns it too, and nothing is sent; here it is tried again.
                log(logging.WARNING, "ledger: %s", error)

    async def aclose(self) -> None:
        """Let what is under way end, and let others know that nothing of this process is any more."""
        await self.holds.close(grace=_GRACE)
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        await self._store.flush()
        if self._fence is not None:
            await self._store.release(self._fence)

    # --- Submitting

    async def submit(
        self, client: SeqinoClient, new: NewItem, *, options: CallOptions, revalidate: bool = False
    ) -> Submission:
        """Send an invoice once, or tell what became of it when it was.

        Args:
            client: Over which calls are made.
            new: The invoice.
            options: What its calls do otherwise than the client; ``timeout`` covers all of it.
            revalidate: As for ``SeqinoClient.submit``.
        """
        deadline = self._clock() + time_limit(client, options)
        while True:
            drive = await self._shared(client, new, _How(options, deadline, revalidate))
            if drive is None:
                continue
            if drive.submission is not None:
                return drive.submission
            if drive.unread is not None:
                raise drive.unread
            is_clear = isinstance(drive.error, OutcomeUnknown) or not drive.item.state.is_in_doubt
            if drive.error is not None and is_clear:
                raise drive.error
            ending = ending_of(drive.item, server=self._server)
            if drive.error is not None and isinstance(ending, SeqinoError):
                # Such as a success that cannot be read: whoever catches it must not take it for a refusal.
                raise ending from drive.error
            if isinstance(ending, SeqinoError):
                raise ending
            return ending

    async def correct(
        self, client: SeqinoClient, new: NewItem, *, options: CallOptions, revalidate: bool = False
    ) -> Submission:
        """Send an invoice that was rejected, with another content.

        Args:
            client: Over which calls are made.
            new: The invoice as it is now, under its key.
            options: What its calls do otherwise than the client; ``timeout`` covers all of it.
            revalidate: As for ``SeqinoClient.submit``.
        """
        item = await self._store.find(new.client_id, new.business_key)
        if item is None:
            raise InvalidInput(f"there is no {new.business_key!r} in this ledger: submit it")
        if item.sha256 != new.sha256 or item.state is State.INVALID:
            await self._replace(item, new)
        return await self.submit(client, new, options=options, revalidate=revalidate)

    async def _replace(self, item: Item, new: NewItem) -> None:
        if item.route is not new.route or item.run_id is not None:
            raise KeyConflict(
                f"{item.business_key!r} is a {item.route}"
                + ("" if item.run_id is None else f" of the run {item.run_id}")
                + ": it is corrected the way that it was sent"
            )
        if item.state not in (State.REJECTED, State.INVALID):
            raise KeyConflict(f"{item.business_key!r} is {item.state}: it was not rejected")
        if item.ever_unknown:
            raise KeyConflict(
                f"{item.business_key!r} is never sent with another content, as it was once unclear whether "
                "it had been taken: send what is right under another key, once the platform has confirmed "
                "that there is no invoice"
            )
        if new.payload is not None:
            await self._store.keep_payload(new.sha256, new.payload)
        facts = Facts(
            sha256=new.sha256, payload_ref=new.payload_ref, name=new.name, invoice_number=new.invoice_number
        )
        fence = await self.fence()
        change = Change(item=item, event=ItemEvent.CORRECTED, facts=facts, fence=fence, release=True)
        await self._store.change(change)

    async def _shared(self, client: SeqinoClient, new: NewItem, how: _How) -> Drive | None:
        """Send an invoice, or wait for who does in this process; ``None`` where that was given up."""
        key = new.client_id, new.business_key
        under_way = self.holds.whose(key)
        if under_way is not None:
            return await self._wait_for(under_way, new, deadline=how.deadline)
        with self.holds.hold(key) as hold:
            hold.drive = await self._alone(client, new, how)
            hold.item = hold.drive.item
        return hold.drive

    async def _wait_for(
        self, under_way: asyncio.Future[Drive | None], new: NewItem, *, deadline: float
    ) -> Drive | None:
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                drive = await asyncio.shield(under_way)
        except TimeoutError:
            raise _in_use(new) from None
        if drive is not None:
            await self._as_known(drive.item, new)
        return drive

    async def _as_known(self, item: Item, new: NewItem) -> Item:
        """Return the item of a key that is handed in again, which it must be the same as."""
        _check_is_same(item, new)
        if new.document_ref in (None, item.document_ref):
            return item
        return await self._store.name_document(item, new)

    async def _alone(self, client: SeqinoClient, new: NewItem, how: _How) -> Drive:
        goes = 0
        while True:
            item, fence = await self._in_time(self._claim(new, deadline=how.deadline), new, how.deadline)
            if fence is None:
                return Drive(item=item)
            left = max(how.deadline - self._clock(), _LEAST)
            try:
                driving = self._driver.drive(
                    client,
                    item,
                    fence=fence,
                    options=attrs.evolve(how.options, timeout=left),
                    patience=left,
                    revalidate=how.revalidate,
                    content=new.payload,
                    place=new.payload_ref,
                )
                # It keeps to its time by itself, but for what it writes in the end.
                drive = await self._in_time(driving, new, how.deadline + _TO_WRITE)
            except (Fenced, ItemChanged) as error:
                # Whoever took over goes on with it, or has; that is found out by claiming it again.
                if isinstance(error, Fenced):
                    self.forget(fence)
                if self._clock() >= how.deadline:
                    raise
                continue
            goes += 1
            pause = 0.0 if drive.item.not_before is None else drive.item.not_before - drive.item.updated
            if (
                goes == _GOES
                or self.holds.is_closed
                or not _may_help(drive)
                or self._clock() + pause >= how.deadline
            ):
                return drive
            await self._sleep(pause)

    async def _in_time(self, doing: Coroutine[Any, Any, T], new: NewItem, deadline: float) -> T:
        """Do something that may have to wait for the ledger; what is asked of that is written anyhow."""
        limit = asyncio.timeout(max(deadline - self._clock(), _TO_WRITE))
        try:
            async with limit:
                return await doing
        except TimeoutError:
            if not limit.expired():
                raise
            raise LedgerBusy(
                f"the ledger could not be written in time for {new.business_key!r}, as another process keeps "
                "it locked, or its disk is slow: call again to learn what became of it"
            ) from None

    async def _claim(self, new: NewItem, *, deadline: float) -> tuple[Item, Fence | None]:
        """Return the item of a key, and the right to drive it; ``None`` where there is nothing to drive."""
        while True:
            fence = await self.fence()
            try:
                added = await self._store.add(new, fence)
            except Fenced:
                self.forget(fence)
                continue
            item = added.item
            if added.is_new:
                await self._warn_of_other_route(item)
                return item, fence
            item = await self._as_known(item, new)
            if not _can_be_driven(item):
                return item, None
            if item.run_id is not None:
                raise KeyInUse(
                    f"{item.business_key!r} is of the run {item.run_id}, which sends it: resume that"
                )
            mine = await self._take(item, fence)
            if mine is not None:
                return mine, fence
            if self._clock() + self._timing.poll >= deadline:
                raise _in_use(new)

    async def _take(self, item: Item, fence: Fence) -> Item | None:
        """Begin to work on an item, unless somebody else does; then wait a little."""
        if item.chunk_id is None:
            return await self._store.adopt(item, fence)
        if item.chunk_id == fence.chunk_id:
            return await self._pick_up(item, fence)
        chunk = await self._store.chunk(item.chunk_id)
        if chunk.owner is not None and self._store.is_dead(chunk, now=await self._store.now()):
            await self._store.take_over_stale()
        else:
            await self._sleep(self._timing.poll)
        return None

    async def _pick_up(self, item: Item, fence: Fence) -> Item | None:
        """Go on with an item of this process that nobody of it drives: its last write had failed."""
        event = ItemEvent.LOST if item.state is State.SENDING else ItemEvent.ADOPTED
        try:
            return await self._store.change(Change(item=item, event=event, fence=fence))
        except ItemChanged:
            # That write was only late.
            return None

    async def _warn_of_other_route(self, item: Item) -> None:
        if item.document_ref is not None or self._was_warned:
            return
        routes = self._routes
        if (item.client_id, item.route) not in routes:
            # Once; what this process sends itself is known without asking.
            routes[item.client_id, item.route] = await self._store.has_other_route(item)
        others = (known for client_id, known in routes if client_id == item.client_id)
        if routes[item.client_id, item.route] or any(route is not item.route for route in others):
            self._was_warned = True
            log(
                logging.WARNING,
                "ledger: %s sends both drafts and files, and not all of them name their document: without a "
                "document_ref nothing keeps one document from going out both ways",
                item.client_id,
            )


_LEAST = 0.001
"""Seconds, where none are left: enough to say that the time is over."""


def _can_be_driven(item: Item) -> bool:
    """Whether driving an item could lead anywhere."""
    if item.state in (State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED):
        return item.draft_id is not None
    return item.state.is_to_be_sent or item.state is State.SENDING


def _may_help(drive: Drive) -> bool:
    """Whether going on at once could help: nothing reached the platform, or nothing that counts."""
    error = drive.error
    if error is None or isinstance(error, InsecureConnection) or not drive.item.state.is_to_be_sent:
        return False
    return error.outcome in _PASSING and error.attempts > 0


_PASSING = frozenset({Outcome.NOT_SENT, Outcome.THROTTLED, Outcome.UNKNOWN})


def _check_is_same(item: Item, new: NewItem) -> None:
    if (item.sha256, item.route) != (new.sha256, new.route):
        raise KeyConflict(
            f"the key {new.business_key!r} stands for another content in this ledger (a {item.route}, "
            f"SHA-256 {item.sha256}): nothing was sent. Another invoice needs another key; a rejected one is "
            "corrected with ledger.correct()"
        )


def _in_use(new: NewItem) -> KeyInUse:
    return KeyInUse(
        f"{new.business_key!r} is being sent by somebody else, who did not end in time: call again to learn "
        "what became of it"
    )

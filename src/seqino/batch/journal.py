"""The durable marks of one invoice while it is submitted: intent before the bytes leave, the result after."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from seqino._core.outcome import Outcome
from seqino._core.sending import Unsent
from seqino.batch.errors import ItemChanged
from seqino.batch.items import Change, Facts, Item, changed
from seqino.batch.keys import digest
from seqino.batch.names import storable
from seqino.batch.states import NO_VERDICT, ItemEvent, State, conclusion
from seqino.errors import CallError, Conflict
from seqino.submission import Answered, Created, Looked, Lost, NotDone, Refused, Replaced, Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino._core.raw import Listener
    from seqino.batch.items import Fence
    from seqino.batch.store import Store
    from seqino.batch.window import Clocks
    from seqino.submission import Done, Event

__all__ = ["ItemJournal"]

_FEW = 20
"""Faults that are kept of a refusal."""


class ItemJournal:
    """Writes down what happens to one item. It is its own guard: asked before each request may leave.

    Args:
        item: The item, as it is in the ledger.
        store: The ledger.
        fence: Of the process that drives it.
        clocks: Say how old a mark is.
        window: Seconds after which a mark is too old.
        pause: Seconds until an item that could not be sent, or told nothing, is due again.
        listener: Hears the answers.
    """

    def __init__(
        self,
        item: Item,
        *,
        store: Store,
        fence: Fence,
        clocks: Clocks,
        window: float,
        pause: Callable[[Item, ItemEvent, CallError | None], float],
        listener: Listener,
    ) -> None:
        self.item = item
        self._store = store
        self._fence = fence
        self._clocks = clocks
        self._window = window
        self._pause = pause
        self._listener = listener
        self._draft_id: str | None = item.draft_id
        # What the item is once everything is written that was asked for.
        self._expected = item
        self._marking: asyncio.Future[Item] | None = None
        self._may_have_left = False
        self._was_late = False
        self._requests = 0

    @property
    def guard(self) -> ItemJournal:
        """Asked before each request may leave of which an invoice could come."""
        return self

    async def prepare(self) -> None:
        """Write that it is about to be sent, durably, and see that the mark is young enough.

        Raises:
            Unsent: Too much time passed meanwhile.
            LedgerError: It could not be written, or somebody else drives the item.
        """
        stamp = self._clocks.stamp()
        facts = Facts(draft_id=self._draft_id)
        self._marking = self._put(ItemEvent.MARKED, facts=facts, fence=self._fence, sent=self.item.sha256)
        self.item = await asyncio.shield(self._marking)
        self._marking = None
        age = stamp.age(self._clocks)
        if age >= self._window:
            self._was_late = True
            raise Unsent(f"{age:.1f} s after it was marked as sent")
        self._may_have_left = True

    async def keep(self, draft_id: str) -> None:
        """Remember the draft; it is written together with the mark."""
        self._draft_id = draft_id

    async def happened(self, event: Event) -> None:
        """Write what must not wait for the end: a doubt, or that a mark was no send."""
        await self._settle()
        self._requests += isinstance(event, _REQUESTS)
        if isinstance(event, NotDone):
            self._may_have_left = False
        if isinstance(event, Replaced):
            await self._write(ItemEvent.REPLACED, sent=self.item.sha256, received=self._heard())
        if self.item.state is not State.SENDING:
            return
        if isinstance(event, Lost):
            await self._write(ItemEvent.LOST, received=self._heard())
        elif isinstance(event, NotDone) and self.item.ever_unknown:
            # It is looked at again, and perhaps marked again.
            await self._write(self._withdrawal())

    async def concluded(self, done: Done, ending: Submission | CallError, *, out_of_time: bool) -> None:
        """Write how it ended."""
        await self._settle()
        error = ending if isinstance(ending, CallError) else None
        event = conclusion(
            done.verdict,
            state=self.item.state,
            has_draft=self._draft_id is not None,
            status=None if error is None else error.status,
            refused=error is not None and error.outcome == Outcome.REJECTED,
            out_of_time=out_of_time,
        )
        if event is ItemEvent.WITHDRAWN:
            event = self._withdrawal()
        if event is ItemEvent.PARKED and self.item.state is State.PARKED:
            # As a file is whose answer was lost.
            event = ItemEvent.LEFT
        await self._write(
            event,
            facts=self._facts(done, ending),
            pause=self._pause(self.item, event, error) if event in _PAUSED else None,
            release=True,
            received=self._heard(),
        )

    def interrupted(self, error: BaseException | None) -> None:
        """Write what is known of an item that nobody drives any more; nothing is awaited."""
        del error
        item = self._expected
        if item.state is State.SENDING:
            event = ItemEvent.LOST if self._may_have_left else ItemEvent.LATE
        elif item.chunk_id is None or item.run_id is not None:
            return
        else:
            has_new_draft = item.state is State.QUEUED and self._draft_id is not None
            event = ItemEvent.KEPT if has_new_draft else ItemEvent.LEFT
        # Nobody waits for it; it is written all the same.
        _ = self._put(event, facts=Facts(draft_id=self._draft_id), release=True)

    # What is not a submission

    async def spoil(self, why: str) -> None:
        """Write that its content is not there any more as it was."""
        reasons = msgspec.json.encode({"message": why}).decode()
        await self._write(ItemEvent.SPOILT, facts=Facts(reasons=reasons), release=True)

    async def unread(self, why: str) -> None:
        """Write that its file cannot be read for now."""
        event = ItemEvent.POSTPONED
        reasons = msgspec.json.encode({"message": why}).decode()
        pause = self._pause(self.item, event, None)
        await self._write(event, facts=Facts(reasons=reasons), pause=pause, release=True)

    async def replaced(self) -> None:
        """Write that its draft has the content that it was corrected to."""
        self._requests += 1
        await self._write(ItemEvent.REPLACED, sent=self.item.sha256, received=self._heard())

    async def not_replaced(self, error: CallError) -> None:
        """Write that its draft could not be replaced."""
        self._requests += 1
        facts = Facts(http_status=error.status, reasons=reasons_of(error))
        if isinstance(error, Conflict):
            event = ItemEvent.LOST
        elif error.outcome == Outcome.REJECTED and error.status not in NO_VERDICT:
            event = ItemEvent.REFUSED
        else:
            event = ItemEvent.POSTPONED
        pause = self._pause(self.item, event, error) if event in _PAUSED else None
        await self._write(event, facts=facts, pause=pause, release=True, received=self._heard())

    def _withdrawal(self) -> ItemEvent:
        was_late, self._was_late = self._was_late, False
        return ItemEvent.LATE if was_late else ItemEvent.WITHDRAWN

    async def _settle(self) -> None:
        """Wait for a mark whose request was given up while it was written."""
        if self._marking is not None:
            marking, self._marking = self._marking, None
            self.item = await asyncio.shield(marking)
            self._was_late = True

    async def _write(self, event: ItemEvent, **details: Any) -> None:
        writing = self._put(event, **details)
        expected = self._expected.state
        self.item = self._expected = await writing
        if self.item.state is not expected:
            # Taken over, or a webhook was faster: whoever asked begins anew with what it is now.
            raise ItemChanged(f"somebody else has changed the invoice {self.item.business_key!r} meanwhile")

    def _put(self, event: ItemEvent, **details: Any) -> asyncio.Future[Item]:
        change = Change(item=self._expected, event=event, requests=self._requests, **details)
        self._requests = 0
        self._expected = changed(change, now=0.0)
        return self._store.put(change)

    def _heard(self) -> str | None:
        """SHA-256 of the last answer."""
        last = self._listener.last
        return None if last is None else digest(last[0].body)

    def _facts(self, done: Done, ending: Submission | CallError) -> Facts:
        facts = Facts(draft_id=self._draft_id, invoice_id=done.invoice_id, invoice_number=done.invoice_number)
        if isinstance(ending, Submission):
            return attrs.evolve(facts, platform_status=ending.status)
        return attrs.evolve(facts, http_status=ending.status, reasons=reasons_of(ending))


_PAUSED = frozenset(
    {ItemEvent.WITHDRAWN, ItemEvent.POSTPONED, ItemEvent.KEPT, ItemEvent.LOOKED, ItemEvent.LOST}
    | {ItemEvent.UNIDENTIFIED, ItemEvent.CONTRADICTED}
)
"""After these, an item is due again later."""


_REQUESTS = (Created, Replaced, Answered, Refused, Lost, Looked)
"""Events that cost a request."""


def reasons_of(error: CallError) -> str:
    """Return what an error says, as plain data that is read again by ``endings``."""
    faults = [list(fault) for fault in error.faults[:_FEW]]
    words = None if error.body is None else error.body.message
    message = storable(str(error.args[0]))
    return msgspec.json.encode(
        {"message": message, "words": words, "trace_id": error.trace_id, "faults": faults}
    ).decode()

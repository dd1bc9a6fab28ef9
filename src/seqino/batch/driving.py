"""One invoice of the ledger, driven as far as it goes now."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import attrs

from seqino._core.raw import hearing
from seqino._core.wire import Encoded, File
from seqino._generated.operations import UPDATE_DRAFT, VALIDATE_DRAFT
from seqino.batch.errors import LedgerCorrupted
from seqino.batch.items import STORED, Fence, Item
from seqino.batch.journal import ItemJournal
from seqino.batch.keys import digest
from seqino.batch.names import path_in, storable
from seqino.batch.states import ItemEvent, State
from seqino.client import journaled
from seqino.documents import read_document
from seqino.errors import CallError
from seqino.submission import Policy, Route, Submission, resume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seqino.batch.owners import Timing
    from seqino.batch.store import Store
    from seqino.batch.window import Clocks
    from seqino.client import SeqinoClient
    from seqino.client.submitting import Submitter
    from seqino.options import CallOptions

__all__ = ["Drive", "Driver", "pause_before_next"]

_LOOKS = (1.0, 2.0, 4.0, 8.0, *(15.0,) * 6)
"""Seconds before each look while something may still be under way; later ones follow ever more slowly."""

_SLOWEST = 6 * 3600.0
"""Seconds between two looks at the most."""


@attrs.frozen(kw_only=True)
class Drive:
    """How far an item went.

    Args:
        item: The item as it is now.
        submission: What the platform took, if it did.
        error: How its last step failed, if it did.
        unread: Why its file cannot be read for now, if it cannot; nothing was sent, and it is due again.
    """

    item: Item
    submission: Submission | None = None
    error: CallError | None = None
    unread: OSError | None = None


def pause_before_next(
    item: Item,
    event: ItemEvent,
    error: CallError | None,
    *,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds until an item is due again that could not be sent, or of which a look told nothing.

    Args:
        item: The item before the event.
        event: What is about to be written of it.
        error: How its last step failed.
        uniform: A random number between two others.
    """
    if error is not None and error.retry_after is not None:
        return error.retry_after
    if event in _LOOKED:
        looks = 0 if event.makes_doubt else item.looks
        if looks < len(_LOOKS):
            return _LOOKS[looks]
        return min(60.0 * 2.0 ** min(looks - len(_LOOKS), 16), _SLOWEST)
    # Spreads what failed together, as between the attempts of a call; the more it has cost, the longer.
    return uniform(0.25, 1.0) * min(2.0 ** min(item.requests, 16), _LONGEST)


_LOOKED = frozenset({ItemEvent.LOST, ItemEvent.LOOKED, ItemEvent.UNIDENTIFIED, ItemEvent.CONTRADICTED})

_LONGEST = 60.0
"""Seconds until an item that does not reach the platform is tried again at the most."""


class Driver:
    """Drives items by ``submission``'s machine, over a client; each call is made once, and the rest is here.

    Args:
        store: The ledger.
        clocks: Say how old a mark is.
        timing: How long things take.
        is_probed: Whether the server was seen to refuse a second validation.
    """

    def __init__(self, store: Store, *, clocks: Clocks, timing: Timing, is_probed: bool = False) -> None:
        self._store = store
        self._clocks = clocks
        self._timing = timing
        self.is_probed = is_probed

    async def drive(
        self,
        client: SeqinoClient,
        item: Item,
        *,
        fence: Fence,
        options: CallOptions,
        patience: float,
        revalidate: bool = False,
        content: bytes | None = None,
        place: str = STORED,
    ) -> Drive:
        """Go on with an item: send it, or look what became of it.

        Args:
            client: Over which calls are made.
            item: The item, which ``fence`` allows to drive; at an end already, it stays as it is.
            fence: Of the process that drives it.
            options: What its calls do otherwise than the client; ``timeout`` covers all of it.
            patience: Seconds that may be waited before a look; 0 leaves it in doubt for ``reconcile``.
            revalidate: As for ``SeqinoClient.submit``.
            content: What is to be sent, where it is at hand; it is checked against the item's digest.
            place: Where else it may be found, as ``Item.payload_ref``: a file may be handed in again under
                another name.

        Raises:
            LedgerError: It could not be written, or somebody else drives it.
        """
        with hearing() as listener:
            journal = ItemJournal(
                item,
                store=self._store,
                fence=fence,
                clocks=self._clocks,
                window=self._timing.window,
                pause=pause_before_next,
                listener=listener,
            )
            submitter = journaled(
                client,
                journal,
                client_id=item.client_id,
                options=attrs.evolve(options, max_retries=0, extra_body=None),
                policy=Policy(settle=self._timing.settle, revalidate=revalidate or self.is_probed),
                patience=patience,
            )
            try:
                submission = await self._go(client, submitter, journal, content, place)
            except CallError as error:
                return Drive(item=journal.item, error=error)
            except _Unread as unread:
                return Drive(item=journal.item, unread=unread.error)
            return Drive(item=journal.item, submission=submission)

    async def _go(
        self,
        client: SeqinoClient,
        submitter: Submitter,
        journal: ItemJournal,
        content: bytes | None,
        place: str,
    ) -> Submission | None:
        item = journal.item
        if item.state in _LOOKED_AT and item.draft_id is not None:
            return await self._look(submitter, item, item.draft_id, await self._to_replace(item))
        if not item.state.is_to_be_sent:
            return None
        try:
            content = await self._content(item, content, place)
        except OSError as error:
            await journal.unread(f"{_file_of(item)} cannot be read: {error.strerror or error}")
            raise _Unread(error) from error
        if content is None:
            await journal.spoil(f"{_file_of(item)} was changed, or is gone")
            return None
        if item.route is Route.FILE:
            document = await asyncio.to_thread(read_document, content, name=item.name)
            file = File(name=item.name, content=content, content_type=document.media_type)
            return await submitter.submit_file(file, number=document.number)
        if item.draft_id is None:
            return await submitter.submit(Encoded(content))
        if item.state is State.CORRECTING:
            await self._replace(client, submitter, journal, Encoded(content))
        return await submitter.take_up(item.draft_id, ever_unknown=item.ever_unknown)

    async def _to_replace(self, item: Item) -> Encoded | None:
        """Return what the draft is replaced by first; ``None`` where it is known to hold that."""
        if await self._store.has_draft_as_named(item):
            return None
        content = await self._store.payload(item.sha256)
        if content is None:
            raise LedgerCorrupted(f"the ledger does not hold the content of {item.business_key!r}")
        return Encoded(content)

    async def _look(
        self, submitter: Submitter, item: Item, draft_id: str, replacing: Encoded | None
    ) -> Submission:
        now = submitter.runtime.monotonic()
        since = item.updated if item.doubt_since is None else item.doubt_since
        age = await self._store.now() - since
        step = resume(
            draft_id,
            now=now,
            policy=submitter.policy,
            quiet_from=now + max(0.0, self._timing.settle - age),
            unidentified=item.state is State.ACCEPTED_UNIDENTIFIED,
            may_differ=replacing is not None,
        )
        token = item.token(operation=VALIDATE_DRAFT.name, base_url=submitter.config.base_url)
        return await submitter.look_into(token, step, invoice=replacing)

    async def _replace(
        self, client: SeqinoClient, submitter: Submitter, journal: ItemJournal, invoice: Encoded
    ) -> None:
        item = journal.item
        try:
            await client.call(
                UPDATE_DRAFT,
                parameters={"draft_id": item.draft_id, "client_id": item.client_id},
                body=invoice,
                options=submitter.options,
            )
        except CallError as error:
            await journal.not_replaced(error)
            raise
        await journal.replaced()

    async def _content(self, item: Item, content: bytes | None, place: str) -> bytes | None:
        """Return what is to be sent; ``None`` where it is nowhere what it was.

        Raises:
            OSError: It cannot be read, and may be what it was.
        """
        if content is not None and digest(content) == item.sha256:
            return content
        unread: OSError | None = None
        for ref in dict.fromkeys((item.payload_ref, place)):
            path = path_in(ref)
            try:
                found = await (self._store.payload(item.sha256) if path is None else _read(path))
            except OSError as error:
                unread = error
            else:
                if found is not None and digest(found) == item.sha256:
                    return found
        if unread is not None:
            raise unread
        return None


_LOOKED_AT = frozenset({State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED})


class _Unread(Exception):  # noqa: N818 - says what happened
    """A file cannot be read for now."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


async def _read(path: Path) -> bytes | None:
    """Read a file; ``None`` where there is none. Any other fault may be one of the moment."""
    try:
        return await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError:
        return None


def _file_of(item: Item) -> str:
    return storable(str(path_in(item.payload_ref)))

"""A source is read into the ledger whole before anything of it is sent, a group at a time."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from seqino.batch.items import NewItem
from seqino.batch.sources import entries_under, entry_of
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from seqino.batch.items import Run
    from seqino.batch.runs import Runs
    from seqino.batch.sources import Entry, Source

__all__ = ["ingest"]

_GROUP = 500
"""Invoices that are written together, and sent as one chunk."""

_BYTES = 8 * 1024 * 1024
"""Bytes of contents that are held before they are written."""

_READ_AHEAD = 50
"""Files that are read before the event loop hears of them."""


async def ingest(
    runs: Runs,
    run: Run,
    source: Source,
    *,
    client_id: str | None,
    corrects: bool = False,
    check_digits: bool = True,
) -> Run:
    """Take a source into a run, from the beginning or again after a crash, and make the run ready.

    Memory holds a group of invoices at the most. One that cannot be sent stops no other.

    Args:
        runs: The runs of a ledger.
        run: A run that is not ready.
        source: Where its invoices come from.
        client_id: On whose behalf, where an invoice does not say.
        corrects: Whether only what was rejected, or never sent, is taken again.
        check_digits: Whether identifiers of a draft with a wrong check digit make it invalid.

    Raises:
        InvalidInput: It is no source.
        LedgerError: It could not be written; what was is known again when the source is read again.
    """
    earlier = await runs.last_item()
    group: list[Entry] = []
    size = 0
    async for entry in _entries(source, client_id, check_digits=check_digits):
        group.append(entry)
        size += len(entry.payload or b"") if isinstance(entry, NewItem) else 0
        if len(group) >= _GROUP or size >= _BYTES:
            await _write(runs, run, group, earlier=earlier, corrects=corrects)
            group, size = [], 0
    await _write(runs, run, group, earlier=earlier, corrects=corrects)
    return await runs.make_ready(run)


async def _write(runs: Runs, run: Run, group: list[Entry], *, earlier: int, corrects: bool) -> None:
    items = [entry for entry in group if isinstance(entry, NewItem)]
    if items:
        await runs.ingest(run, items, earlier=earlier, corrects=corrects)
    await runs.refuse(run, [entry for entry in group if not isinstance(entry, NewItem)])


async def _entries(source: Source, client_id: str | None, *, check_digits: bool) -> AsyncIterator[Entry]:
    number = 0
    async for one in _each(source):
        number += 1
        if isinstance(one, (str, os.PathLike)):
            path = os.fspath(cast("str", one))
            found = entries_under(path, client_id=client_id, check_digits=check_digits)
            # Reading and recognising files takes a while, during which the loop goes on.
            while block := await asyncio.to_thread(_block, found):
                for entry in block:
                    yield entry
        else:
            yield entry_of(one, name=f"item {number}", client_id=client_id, check_digits=check_digits)


def _block(found: Iterator[Entry]) -> list[Entry]:
    return list(itertools.islice(found, _READ_AHEAD))


async def _each(source: Source) -> AsyncIterator[Any]:
    if isinstance(source, (str, os.PathLike)):
        yield source
    elif isinstance(source, AsyncIterable):
        async for given in source:
            yield given
    elif isinstance(cast("object", source), Iterable):
        for one in source:
            yield one
    else:
        raise InvalidInput(
            f"a source is a path, or yields paths, (key, invoice) pairs or BatchItem objects: not a "
            f"{type(source).__name__}"
        )

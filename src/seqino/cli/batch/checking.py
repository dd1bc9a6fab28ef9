"""Invoices are read as for a run, and drafts are judged by the platform; a bounded number at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

import seqino.batch
from seqino.batch.items import NewItem
from seqino.batch.states import State
from seqino.cli.batch.show import json_line, one_line, say
from seqino.cli.result import ExitCode
from seqino.errors import Rejected
from seqino.submission import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from pathlib import Path

    from seqino.batch import Refused
    from seqino.client import SeqinoClient
    from seqino.models import ValidationMessage

__all__ = ["check_all"]

_NO_VERDICT = frozenset({401, 402, 403, 404, 405, 421, 426, 429, 431})
"""Refusals that are about the key, the client or the server: every invoice would meet them."""


@attrs.frozen
class _Found:
    name: str
    key: str | None
    verdict: str
    messages: tuple[str, ...] = ()


async def check_all(
    client: SeqinoClient, paths: Iterable[Path], *, client_id: str, workers: int, as_json: bool
) -> ExitCode:
    """Check all invoices at some paths, and say what was found of each, as it is found.

    Args:
        client: Whom to ask.
        paths: Files and folders, as for a run.
        client_id: On whose behalf, where a row does not say.
        workers: How many are asked for at the same time.
        as_json: Whether a machine reads the output.

    Raises:
        CallError: The platform could not be asked.
    """
    entries = _entries(paths, client_id, check_digits=client.check_digits)
    verdicts: Counter[str] = Counter()
    turn = asyncio.Lock()

    async def work() -> None:
        while True:
            # Reading takes a while, during which answers are received.
            async with turn:
                entry = await asyncio.to_thread(next, entries, None)
            if entry is None:
                return
            found = await _check(client, entry)
            verdicts[found.verdict] += 1
            _tell(found, as_json=as_json)

    await _together(work, workers)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    say(f"check: {told}; nothing was sent", stderr=as_json)
    return ExitCode.REJECTED if verdicts["invalid"] else ExitCode.OK


async def _together(work: Callable[[], Coroutine[Any, Any, None]], workers: int) -> None:
    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _entries(paths: Iterable[Path], client_id: str, *, check_digits: bool) -> Iterator[NewItem | Refused]:
    # Says which extra is missing, where it is.
    _ = seqino.batch.Ledger
    from seqino.batch.sources import entries_under, paths_of  # noqa: PLC0415 - needs that extra

    found = paths_of(list(paths)) or []
    return (
        entry
        for path in found
        for entry in entries_under(path, client_id=client_id, check_digits=check_digits)
    )


async def _check(client: SeqinoClient, entry: NewItem | Refused) -> _Found:
    if not isinstance(entry, NewItem):
        return _Found(entry.name, None, "invalid", (one_line(entry.reason),))
    name, key = entry.name, entry.business_key
    if entry.state is State.INVALID:
        told = msgspec.json.decode(entry.reasons or "{}")
        return _Found(name, key, "invalid", (one_line(str(told.get("message"))),))
    if entry.route is not Route.DRAFT or entry.payload is None:
        return _Found(name, key, "readable")
    return await _judge(client, entry, entry.payload)


async def _judge(client: SeqinoClient, entry: NewItem, payload: bytes) -> _Found:
    name, key = entry.name, entry.business_key
    try:
        judged = await client.drafts.validate_data(msgspec.json.decode(payload), client_id=entry.client_id)
    except Rejected as error:
        if error.status in _NO_VERDICT:
            raise
        return _Found(name, key, "invalid", (one_line(str(error)),))
    if judged.errors or judged.valid is False:
        return _Found(name, key, "invalid", _texts(judged.errors))
    return _Found(name, key, "valid" if judged.valid else "unclear", _texts(judged.warnings))


def _texts(messages: list[ValidationMessage] | None) -> tuple[str, ...]:
    return tuple(_text(message) for message in messages or ())


def _text(message: ValidationMessage) -> str:
    told = (message.path, message.rule, message.message, message.suggestion)
    return ": ".join(part for part in told if isinstance(part, str) and part)


def _tell(found: _Found, *, as_json: bool) -> None:
    if as_json:
        say(json_line(attrs.asdict(found)))
        return
    say(": ".join(filter(None, (found.name, found.key, found.verdict))))
    for message in found.messages:
        say(f"  {one_line(message)}")

"""Submit invoices and follow them, a bounded number at a time; how each stands is known at any moment."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import TYPE_CHECKING, TypeVar

import attrs

from seqino._core.wire import File
from seqino.cli.follow import Standing, standing
from seqino.cli.lifecycle import unreadable_line
from seqino.cli.plan import digest, read_draft
from seqino.cli.result import End, Result
from seqino.cli.terminal import one_line
from seqino.cli.tokens import token_of
from seqino.cli.verdicts import is_no_verdict
from seqino.errors import (
    AuthenticationFailed,
    CallError,
    ConfigurationError,
    InvalidInput,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    SeqinoError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from seqino.cli.plan import Invoice
    from seqino.cli.progress import Tell
    from seqino.client import SeqinoClient
    from seqino.statuses import Backoff
    from seqino.submission import Submission

__all__ = ["Run"]

T = TypeVar("T")

_INTERRUPTED = "interrupted while it was being sent"


class Run:
    """Some invoices on their way, and how things stand with each.

    Args:
        invoices: What to submit.
        workers: How many are submitted, or asked for, at the same time.
        tell: Told of progress: what is done, how many of them, of how many.
    """

    def __init__(self, invoices: Iterable[Invoice], *, workers: int, tell: Tell) -> None:
        self.results = [Result(invoice=invoice, number=invoice.number) for invoice in invoices]
        self.stopped: SeqinoError | None = None
        """What kept the rest from being sent, or from being followed."""
        self._workers = workers
        self._tell = tell

    async def submit(self, client: SeqinoClient) -> None:
        """Submit each invoice once; one that fails never stops the others, unless all would fail alike."""
        done = 0

        async def one(at: int) -> None:
            nonlocal done
            if self.stopped is None:
                await self._submit_one(client, at)
                done += 1
                self._tell("submitting", done, len(self.results))

        await _each(range(len(self.results)), one, workers=self._workers)

    async def _submit_one(self, client: SeqinoClient, at: int) -> None:
        begun = self.results[at]
        # Should nobody come back here, this is what is known: a sent invoice is never shown as unsent.
        self.results[at] = attrs.evolve(begun, end=End.IN_DOUBT, reason=_INTERRUPTED)
        try:
            submission = await _send(client, begun.invoice)
        except asyncio.CancelledError as error:
            if token_of(error) is None:
                self.results[at] = begun
            else:
                self.results[at] = attrs.evolve(
                    self.results[at], draft_id=_draft_id(error), token=token_of(error)
                )
            raise
        except OSError as error:
            self.results[at] = attrs.evolve(
                begun, end=End.REFUSED_BEFORE, reason=f"cannot be read: {error.strerror}"
            )
        except SeqinoError as error:
            self.results[at] = _failed(begun, error)
            if _stops_all(error) and self.stopped is None:
                self.stopped = error
        else:
            self.results[at] = attrs.evolve(
                begun,
                end=End.SUBMITTED,
                invoice_id=submission.invoice_id,
                draft_id=submission.draft_id,
                number=submission.invoice_number or begun.number,
            )

    async def follow(
        self,
        client: SeqinoClient,
        *,
        pace: Backoff,
        limit: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Ask for the events of every submitted invoice until it is at an end, or the time is over.

        Args:
            client: Whom to ask.
            pace: How often.
            limit: Seconds for all of them together.
            clock: Monotonic seconds.
            sleep: Waits for some seconds.
        """
        begun = clock()
        followed = [
            at for at, result in enumerate(self.results) if result.end is End.SUBMITTED and result.invoice_id
        ]
        for at in followed:
            self.results[at] = attrs.evolve(self.results[at], end=End.OPEN)
        due = [(begun + pace.pause(0).total_seconds(), at, 1) for at in followed]
        while due and self.stopped is None:
            if due[0][0] > begun + limit:
                return
            await sleep(max(0.0, due[0][0] - clock()))
            now = clock()
            ready = [heapq.heappop(due)]
            while due and due[0][0] <= now:
                ready.append(heapq.heappop(due))
            await _each(ready, lambda entry: self._ask(client, entry[1]), workers=self._workers)
            for _, at, asked in ready:
                if self.results[at].end is End.OPEN:
                    heapq.heappush(due, (clock() + pace.pause(asked).total_seconds(), at, asked + 1))
            self._tell("following", len(followed) - len(due), len(followed))

    async def _ask(self, client: SeqinoClient, at: int) -> None:
        result = self.results[at]
        try:
            history = await client.lifecycle.history(result.invoice_id or "")
            found = standing(history)
            if found.end is End.OPEN and history.unreadable:
                found = attrs.evolve(found, reason=unreadable_line(history.unreadable[-1]))
        except (AuthenticationFailed, PermissionDenied) as error:
            self.stopped = self.stopped or error
        except CallError as error:
            # Not ready, or not reached: asked again later, and said if the time ends first.
            found = Standing(status=result.status, reason=_first_line(error))
            self.results[at] = _stands(result, found)
        else:
            self.results[at] = _stands(result, found)


async def _each(items: Iterable[T], action: Callable[[T], Awaitable[None]], *, workers: int) -> None:
    """Do something with each item: so many workers take from one shared iterator."""
    shared = iter(items)

    async def work() -> None:
        for item in shared:
            await action(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())


async def _send(client: SeqinoClient, invoice: Invoice) -> Submission:
    data = await asyncio.to_thread(invoice.path.read_bytes)
    if digest(data) != invoice.digest:
        raise InvalidInput("was changed since it was read; run the command again")
    if invoice.kind == "json":
        return await client.submit(read_draft(data))
    return await client.submit_file(File(name=invoice.path.name, content=data))


def _stops_all(error: SeqinoError) -> bool:
    """Whether the next invoice would meet the same: nothing more is sent after it."""
    if isinstance(error, Rejected):
        return is_no_verdict(error)
    return isinstance(error, (NotSent, ConfigurationError))


def _failed(begun: Result, error: SeqinoError) -> Result:
    reason = _first_line(error)
    if isinstance(error, (OutcomeUnknown, ResponseDecodeError)):
        return attrs.evolve(
            begun, end=End.IN_DOUBT, reason=reason, draft_id=_draft_id(error), token=token_of(error)
        )
    if isinstance(error, InvalidInput):
        return attrs.evolve(begun, end=End.REFUSED_BEFORE, reason=one_line(str(error)))
    if _stops_all(error):
        return attrs.evolve(begun, end=End.NOT_SUBMITTED, reason=reason)
    if isinstance(error, Rejected) and not isinstance(error, RateLimited):
        return attrs.evolve(begun, end=End.TURNED_AWAY, reason=one_line(str(error)))
    return attrs.evolve(begun, end=End.FAILED, reason=reason)


def _stands(result: Result, found: Standing) -> Result:
    return attrs.evolve(result, end=found.end, status=found.status, reason=found.reason)


def _draft_id(error: BaseException) -> str | None:
    token = token_of(error)
    return None if token is None else token.parameters.get("draft_id")


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__

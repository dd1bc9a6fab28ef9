"""What a ledger does with many invoices at a time: runs are made, submitted, resumed, and told of."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from seqino._core.retry import LEAST_TIME
from seqino.batch.base import LedgerBase
from seqino.batch.export import Format, Subject, export
from seqino.batch.how import How
from seqino.batch.ingesting import ingest
from seqino.batch.keys import check_name
from seqino.batch.names import path_from, path_text
from seqino.batch.resolving import resolve
from seqino.batch.runner import Runner
from seqino.batch.sources import paths_of
from seqino.batch.states import ItemEvent
from seqino.client import time_limit
from seqino.errors import InvalidInput
from seqino.options import CallOptions, check_count

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
    from typing import TextIO

    from seqino.batch.items import Item, Run
    from seqino.batch.owners import Timing
    from seqino.batch.progress import Progress
    from seqino.batch.sources import Source
    from seqino.batch.states import State
    from seqino.batch.taking import Refused
    from seqino.client import SeqinoClient

__all__ = ["BatchRun", "Batches"]


class BatchRun:
    """Many invoices that were taken into a ledger together; made by ``Ledger.create_run``.

    Args:
        run: What the ledger has of it.
        batches: The ledger.
    """

    def __init__(self, run: Run, batches: Batches) -> None:
        self._run = run
        self._batches = batches

    def __repr__(self) -> str:
        return f"BatchRun({self.id}, name={self.name!r})"

    @property
    def id(self) -> int:
        """Its number in the ledger."""
        return self._run.id

    @property
    def name(self) -> str:
        """What the caller calls it."""
        return self._run.name

    @property
    def created(self) -> float:
        """When it was made, in seconds since 1970."""
        return self._run.created

    @property
    def is_ready(self) -> bool:
        """Whether its source was read to the end; before, nothing of it is sent."""
        return self._run.ready

    async def counts(self) -> dict[State, int]:
        """Count its invoices by state; states without any are left out."""
        return await self._batches.store.counts(self.id)

    def items(self, *, states: Collection[State] | None = None) -> AsyncIterator[Item]:
        """Yield its invoices in the order of its source, all or those in some states."""
        return self._batches.store.items(run_id=self.id, states=states)

    async def refused(self) -> list[Refused]:
        """Return what of its source was not taken, and why."""
        return await self._batches.runs.refused(self._run)

    async def submit(
        self,
        client: SeqinoClient,
        *,
        concurrency: int = 64,
        patience: float = 0.0,
        grace: float = 10.0,
        interval: float = 1.0,
        paced: bool = True,
        revalidate: bool = False,
        options: CallOptions | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_stop: Callable[[int], object] | None = None,
    ) -> AsyncGenerator[Progress]:
        """Send each invoice of it once, and yield how far it is; what was sent before is not sent again.

        Leave the loop, cancel the task or kill the process at any moment: the run is resumed by submitting
        it again. Leaving the loop lets what is under way end first.

        Args:
            client: A client of this ledger's server.
            concurrency: How many requests may be under way at a time, 1 or more; it begins with few, and
                adapts.
            patience: Seconds to find out what became of invoices in doubt once all others were sent; that
                takes about 90. 0 leaves them to ``Ledger.reconcile``, or to the next time.
            grace: Seconds that what is under way has to end when the loop is left.
            interval: Seconds from one progress to the next at the least.
            paced: Whether the platform is asked for its limits first, and requests are kept below them.
            revalidate: As for ``SeqinoClient.submit``.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.
            clock: Seconds of a clock that never goes back.
            sleep: Waits for some seconds.
            on_stop: Called with how many invoices are under way where the loop is left while some are: they
                are let to their ends then, for ``grace``.

        Raises:
            InvalidInput: Its source was not read to the end, or no request fits into ``timeout``; nothing was
                sent.
            RunInUse: Another process, or task, is working on it.
            AuthenticationFailed: The platform does not take the key; the rest was not sent.
            SeqinoError: Something else that every invoice would meet; the rest was not sent.
            LedgerError: The ledger failed; nothing was sent that was not written before.
        """
        how = How(
            concurrency=check_count("concurrency", concurrency, least=1),
            patience=patience,
            grace=grace,
            paced=paced,
            revalidate=revalidate,
            options=options or CallOptions(),
            clock=clock,
            sleep=sleep,
            on_stop=on_stop,
        )
        if (limit := time_limit(client, how.options)) <= LEAST_TIME:
            # Each of its invoices would be tried for ever.
            raise InvalidInput(
                f"timeout is {limit:g} s for one invoice, and no request is begun with less than "
                f"{LEAST_TIME:g} s left: nothing would ever be sent"
            )
        async with self._batches.runner(self._run, client, how) as runner:
            async for progress in runner.follow(interval=interval):
                yield progress


class Batches(LedgerBase):
    """What a ledger does with many invoices at a time.

    Args:
        server: The server that its invoices are sent to.
        timing: How long things take.
    """

    def __init__(self, *, server: str, timing: Timing) -> None:
        super().__init__(server=server, timing=timing)
        self._runners: set[Runner] = set()

    async def create_run(
        self,
        source: Source,
        *,
        client_id: str | None = None,
        name: str = "",
        corrects: bool = False,
        check_digits: bool = True,
    ) -> BatchRun:
        """Read a source into the ledger, whole, before anything of it is sent.

        Invoices that cannot be sent are noted with the reason, and stop no others; so are those whose key was
        met before, in this source or in another run.

        Args:
            source: A path of a file, a folder, or rows in JSON or JSON Lines; or what yields paths, ``(key,
                draft)`` pairs, or ``BatchItem`` objects, at once or asynchronously.
            client_id: On whose behalf, where an invoice does not say.
            name: What to call it, such as ``"2026-09"``.
            corrects: Whether it holds what rejected invoices were corrected to, found by their keys: they are
                sent again, and nothing else is taken. What was ever in doubt is not.
            check_digits: Whether a wrong check digit of an identifier is among what keeps a draft from being
                sent.

        Raises:
            InvalidInput: A path is not there, or it is no source.
            LedgerError: The ledger failed; ``resume_run`` goes on.
        """
        if client_id is not None:
            check_name("client_id", client_id)
        paths = paths_of(source)
        given = None if paths is None else [path_text(path) for path in paths]
        params = {"client_id": client_id, "paths": given, "corrects": corrects, "check_digits": check_digits}
        run = await self.runs.create(name, params=params)
        taken = await ingest(
            self.runs,
            run,
            paths or source,
            client_id=client_id,
            corrects=corrects,
            check_digits=check_digits,
        )
        return BatchRun(taken, self)

    async def resume_run(self, run_id: int | None = None, *, source: Source | None = None) -> BatchRun:
        """Return a run, to be submitted again; the latest one where no number is given.

        Args:
            run_id: Its number.
            source: Where it came from, if that was not read to its end, and is no path.

        Raises:
            InvalidInput: There is no such run, or its source has to be given.
            LedgerError: The ledger failed.
        """
        await self.runs.check(run_id)
        run = await self.runs.get(run_id)
        if run is None:
            raise InvalidInput("there is no run in this ledger")
        if not run.ready:
            paths: list[str] | None = run.params.get("paths")
            again = [path_from(path) for path in paths or ()] if source is None else source
            if source is None and paths is None:
                raise InvalidInput(
                    f"the source of the run {run.id} ({run.name}) was not read to its end: give it as source"
                )
            told = run.params
            run = await ingest(
                self.runs,
                run,
                again,
                client_id=told.get("client_id"),
                corrects=told.get("corrects", False),
                check_digits=told.get("check_digits", True),
            )
        return BatchRun(run, self)

    async def list_runs(self) -> list[BatchRun]:
        """Return all runs, the first one first."""
        return [BatchRun(run, self) for run in await self.runs.all()]

    # --- What a person says of an invoice in doubt

    async def resolve_found(self, item: Item, invoice_id: str) -> Item:
        """Note that an invoice in doubt exists: somebody has seen it on the platform.

        Args:
            item: The invoice, as ``find`` returned it.
            invoice_id: What the platform calls it.

        Raises:
            InvalidInput: The id is none.
            KeyConflict: It is not in doubt, or the id is another one's.
            LedgerError: The ledger failed.
        """
        name = check_name("invoice_id", invoice_id)
        return await resolve(self.store, item, ItemEvent.ACCEPTED, invoice_id=name)

    async def resolve_absent(self, item: Item) -> Item:
        """Note that no invoice exists of one in doubt: the platform has confirmed it. It is rejected then.

        Args:
            item: The invoice, as ``find`` returned it.

        Raises:
            KeyConflict: It is not in doubt.
            LedgerError: The ledger failed.
        """
        return await resolve(self.store, item, ItemEvent.ABSENT)

    async def resend(self, item: Item) -> Item:
        """Have an invoice in doubt sent again, with its run or its key; **it may exist twice then**.

        Args:
            item: The invoice, as ``find`` returned it.

        Raises:
            KeyConflict: It is not in doubt.
            LedgerError: The ledger failed.
        """
        return await resolve(self.store, item, ItemEvent.RESENT)

    async def export(
        self,
        file: TextIO | str | os.PathLike[str],
        *,
        what: Subject = "invoices",
        form: Format = "jsonl",
        run_id: int | None = None,
    ) -> int:
        """Write what the ledger knows, line by line; return how many lines there are, besides a heading.

        Args:
            file: A path, or a file that is open for text (for CSV with ``newline=""``).
            what: ``"invoices"``: for each key its draft, invoice, number and state. ``"history"``: the audit
                trail.
            form: JSON Lines, or CSV, in which no cell is a formula to a spreadsheet.
            run_id: Only what is of this run.

        Raises:
            InvalidInput: There is no such subject, form or run, or the file is the ledger's own.
            OSError: The file cannot be written.
        """
        await self.runs.check(run_id)
        return await export(self.store, file, what=what, form=form, run_id=run_id)

    def runner(self, run: Run, client: SeqinoClient, how: How) -> Runner:
        """Return what works on a run; it is ended with the ledger.

        Raises:
            InvalidInput: Its source was not read to the end.
        """
        self._check_server(client)
        if not run.ready:
            raise InvalidInput(f"the source of the run {run.id} was not read to its end: resume_run goes on")
        runner = Runner(
            run,
            store=self.store,
            runs=self.runs,
            driver=self.driver,
            timing=self._timing,
            client=client,
            how=how,
        )
        self._runners = {one for one in self._runners if one.is_working}
        self._runners.add(runner)
        return runner

    async def _stop_runs(self) -> None:
        for runner in self._runners:
            await runner.aclose()

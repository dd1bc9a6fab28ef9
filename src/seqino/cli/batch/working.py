"""How runs are taken into the ledger and worked on, for a person who looks on or a machine that reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from seqino.cli.batch.session import Session
from seqino.cli.batch.show import Language, counts_text, reason_of, say, say_refused, state_words, table
from seqino.cli.batch.verdict import ATTENTION, LEFT, exit_code
from seqino.cli.batch.watch import interval, limits_text, watch
from seqino.cli.common import complain
from seqino.cli.result import ExitCode
from seqino.errors import AuthenticationFailed, CallError, ConfigurationError
from seqino.options import CallOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seqino.batch import BatchRun, Ledger, Progress, Refused
    from seqino.client import SeqinoClient

__all__ = ["Worker", "worst"]

_SHOWN = 20
"""Invoices that are listed after a run; ``report`` lists all."""

_ORDER = (ExitCode.OK, ExitCode.REJECTED, ExitCode.INPUT, ExitCode.FAILURE, ExitCode.IN_DOUBT)


def worst(codes: Sequence[ExitCode]) -> ExitCode:
    """Return the exit code that tells of the worst."""
    return max(codes, key=_ORDER.index, default=ExitCode.OK)


@attrs.frozen(kw_only=True)
class Worker:
    """Works on runs.

    Args:
        session: Which ledger, and whom to call.
        concurrency: How many requests may be under way at a time.
        patience: Seconds to find out what became of invoices in doubt.
        as_json: Whether a machine reads the output.
        lang: Language of words.
    """

    session: Session
    concurrency: int
    patience: float
    as_json: bool
    lang: Language

    async def submit(self, paths: list[Path], *, name: str = "", corrects: bool = False) -> ExitCode:
        """Take what is at some paths into the ledger, and send it."""
        whose = self.session.whose()
        async with self.session.client() as client, self.session.open(create=not corrects) as ledger:
            try:
                run = await ledger.create_run(
                    paths,
                    client_id=whose,
                    name=name,
                    corrects=corrects,
                    check_digits=self.session.check_digits,
                )
                return await self._work(run, client)
            except asyncio.CancelledError:
                return await self._stopped(ledger)

    async def resume(self, run_id: int | None) -> ExitCode:
        """Go on with a run, or with each of which something is left."""
        async with self.session.client() as client, self.session.open() as ledger:
            try:
                codes = [await self._work(run, client) for run in await self._left(ledger, run_id)]
                # What a web service left in doubt is of no run.
                await ledger.reconcile(client)
            except asyncio.CancelledError:
                return await self._stopped(ledger)
            return worst(codes) if codes else exit_code(await ledger.counts())

    async def _left(self, ledger: Ledger, run_id: int | None) -> list[BatchRun]:
        """Return a run, or those of which something is left; sources are read to their ends first."""
        if run_id is not None:
            return [await ledger.resume_run(run_id)]
        runs = [
            await ledger.resume_run(run.id)
            for run in await ledger.list_runs()
            if not run.is_ready or LEFT & (await run.counts()).keys()
        ]
        if not runs:
            say("nothing is left to be sent", stderr=True)
        return runs

    async def _tell_limits(self, client: SeqinoClient, whose: str) -> None:
        try:
            limits = await client.usage.get_limits(client_id=whose, options=CallOptions(max_retries=0))
        except AuthenticationFailed:
            raise
        except CallError:
            say("limits: the platform does not tell them", stderr=True)
        else:
            say(limits_text(limits), stderr=True)

    async def _work(self, run: BatchRun, client: SeqinoClient) -> ExitCode:
        refused = await run.refused()
        self._tell_refused(refused)
        if not await run.counts():
            complain(f"run {run.id}: nothing was taken, and nothing was sent")
            return ExitCode.INPUT
        first = await anext(run.items())
        await self._tell_limits(client, client.client_id or first.client_id)
        steps = run.submit(
            client,
            concurrency=self.concurrency,
            patience=self.patience,
            interval=interval(as_json=self.as_json),
        )
        last = await watch(steps, as_json=self.as_json, lang=self.lang)
        if not self.as_json:
            await self._tell_attention(run)
        return self._verdict(last)

    def _verdict(self, last: Progress) -> ExitCode:
        """Say how a run ended, and what is to be told the shell."""
        for shortage in last.allowance.shortages:
            say(f"limit: {shortage}", stderr=True)
        words = counts_text(last.counts, self.lang)
        refused = f", {last.refused} refused before sending" if last.refused else ""
        say(f"batch: run {last.run_id}: {words}{refused}", stderr=self.as_json)
        code = exit_code(last.counts, refused=last.refused)
        if last.stopped is not None:
            complain(f"stopped: {last.stopped}")
            stopped = ExitCode.INPUT if isinstance(last.stopped, ConfigurationError) else ExitCode.FAILURE
            return worst([code, stopped])
        if last.to_be_sent:
            say(f"not all was sent: {self.session.command('resume')}", stderr=True)
            return worst([code, ExitCode.FAILURE])
        return code

    def _tell_refused(self, refused: Sequence[Refused]) -> None:
        say_refused(refused if self.as_json else refused[:_SHOWN], as_json=self.as_json)
        if not self.as_json:
            self._tell_of_more(len(refused))

    async def _tell_attention(self, run: BatchRun) -> None:
        rows: list[tuple[str, ...]] = []
        count = 0
        async for item in run.items(states=ATTENTION):
            count += 1
            if count <= _SHOWN:
                rows.append((item.business_key, state_words(item.state, self.lang), reason_of(item)))
        if rows:
            table(("key", "state", "reason"), rows)
        self._tell_of_more(count)

    def _tell_of_more(self, count: int) -> None:
        if count > _SHOWN:
            say(f"and {count - _SHOWN} more: {self.session.command('report')}")

    async def _stopped(self, ledger: Ledger) -> ExitCode:
        """Say that it can be gone on with; all that was under way has ended, or is in doubt."""
        counts = await ledger.counts()
        say(f"stopped: {counts_text(counts, self.lang)}", stderr=True)
        say(f"nothing is lost, nothing is sent twice: {self.session.command('resume')}", stderr=True)
        return worst([ExitCode.FAILURE, exit_code(counts)])

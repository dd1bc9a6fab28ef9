"""How runs are taken into the ledger and worked on, for a person who looks on or a machine that reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from seqino.batch.tries import TRIES
from seqino.cli.batch.attention import SHOWN, tell_attention, tell_of_more, tell_what_next
from seqino.cli.batch.display import Display, interval
from seqino.cli.batch.following import FIRST, Following
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import Language, counts_text, one_line, say, say_refused
from seqino.cli.batch.verdict import LEFT, exit_code, worst
from seqino.cli.batch.watch import GRACE, stopping_text, watch
from seqino.cli.common import complain
from seqino.cli.result import ExitCode
from seqino.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from seqino.batch import BatchRun, Ledger, Progress, Refused
    from seqino.batch.states import State
    from seqino.client import SeqinoClient

__all__ = ["Worker"]

_HINDERED = (ExitCode.FAILURE, ExitCode.INPUT)


@attrs.frozen(kw_only=True)
class Worker:
    """Works on runs.

    Args:
        session: Which ledger, and whom to call.
        concurrency: How many requests may be under way at a time.
        patience: Seconds to find out what became of invoices in doubt.
        follow: Whether what was taken is followed to its end.
        as_json: Whether a machine reads the output.
        lang: Language of words.
    """

    session: Session
    concurrency: int
    patience: float
    follow: bool = False
    as_json: bool
    lang: Language

    async def submit(
        self, paths: list[Path], *, name: str = "", corrects: bool = False, another: bool = False
    ) -> ExitCode:
        """Take what is at some paths into the ledger, and send it."""
        whose = self.session.whose()
        opened = self.session.open(create=not corrects, another=another)
        async with self.session.client() as client, opened as ledger:
            try:
                run = await ledger.create_run(
                    paths,
                    client_id=whose,
                    name=name,
                    corrects=corrects,
                    check_digits=self.session.check_digits,
                )
                code = await self._code(run, await self._work(run, client, ledger))
            except asyncio.CancelledError:
                return await self._stopped(ledger)
            await self._tell_what_next(ledger, run.id)
            return await self._follow(code, run.id, ledger, client)

    async def resume(self, run_id: int | None) -> ExitCode:
        """Go on with a run, or with each of which something is left."""
        async with self.session.client() as client, self.session.open() as ledger:
            try:
                runs = await self._left(ledger, run_id)
                ends = [await self._work(run, client, ledger) for run in runs]
                # What a web service left in doubt is of no run.
                await ledger.reconcile(client)
            except asyncio.CancelledError:
                return await self._stopped(ledger)
            codes = [await self._code(run, end) for run, end in zip(runs, ends, strict=True)]
            if run_id is None:
                codes.append(_whole(await ledger.counts(), alone=not runs))
            await self._tell_what_next(ledger, run_id)
            return await self._follow(worst(codes), run_id, ledger, client)

    @staticmethod
    async def _code(run: BatchRun, end: ExitCode) -> ExitCode:
        """Return what the shell is told of a run, by what the ledger knows of it now."""
        return worst([end, exit_code(await run.counts(), refused=len(await run.refused()))])

    async def _tell_what_next(self, ledger: Ledger, run_id: int | None) -> None:
        # Following says it at its own end.
        if not self.as_json and not self.follow:
            tell_what_next(await ledger.store.counts(run_id), self.session)

    async def _follow(
        self, code: ExitCode, run_id: int | None, ledger: Ledger, client: SeqinoClient
    ) -> ExitCode:
        """Follow what was sent, where that is wanted, and nothing hinders it."""
        if not self.follow:
            return code
        following = Following(
            session=self.session, run_id=run_id, first=FIRST, as_json=self.as_json, lang=self.lang
        )
        if code in _HINDERED:
            tell_what_next(await ledger.store.counts(run_id), self.session)
            say(f"not followed yet; once all was sent: {following.command}", stderr=True)
            return code
        return await following.follow(ledger, client)

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

    async def _work(self, run: BatchRun, client: SeqinoClient, ledger: Ledger) -> ExitCode:
        refused = await run.refused()
        self._tell_refused(refused)
        if not await run.counts():
            complain(f"run {run.id}: nothing was taken, and nothing was sent")
            return ExitCode.INPUT
        display = Display(as_json=self.as_json)
        steps = run.submit(
            client,
            concurrency=self.concurrency,
            patience=self.patience,
            grace=GRACE,
            interval=interval(as_json=self.as_json),
            on_stop=lambda under_way: display.tell(stopping_text(under_way)),
        )
        last = await watch(steps, display, lang=self.lang)
        if not self.as_json:
            await tell_attention(ledger, run.id, session=self.session, lang=self.lang)
        return self._verdict(last)

    def _verdict(self, last: Progress) -> ExitCode:
        """Say how a run ended; return whether anything kept it from its end."""
        for shortage in last.allowance.shortages:
            say(f"limit: {shortage}", stderr=True)
        words = counts_text(last.counts, self.lang)
        refused = f", {last.refused} refused before sending" if last.refused else ""
        say(f"batch: run {last.run_id}: {words}{refused}", stderr=self.as_json)
        if last.stopped is not None:
            complain(f"stopped: {last.stopped}")
            return ExitCode.INPUT if isinstance(last.stopped, ConfigurationError) else ExitCode.FAILURE
        if last.given_up:
            say(f"the platform failed {TRIES} times on each of {last.given_up}, which wait", stderr=True)
        for why in last.unread[:SHOWN]:
            say(f"waits: {one_line(why)}", stderr=True)
        if last.to_be_sent:
            say(f"not all was sent: {self.session.command('resume')}", stderr=True)
            return ExitCode.FAILURE
        return ExitCode.OK

    def _tell_refused(self, refused: Sequence[Refused]) -> None:
        say_refused(refused if self.as_json else refused[:SHOWN], as_json=self.as_json)
        if not self.as_json:
            tell_of_more(len(refused), self.session)

    async def _stopped(self, ledger: Ledger) -> ExitCode:
        """Say that it can be gone on with; all that was under way has ended, or is in doubt."""
        counts = await ledger.counts()
        say(f"stopped: {counts_text(counts, self.lang)}", stderr=True)
        is_ready = [run.is_ready for run in await ledger.list_runs()]
        is_whole = all(is_ready) and not LEFT & counts.keys()
        again = "report" if is_whole else "resume"
        say(f"nothing is lost, nothing is sent twice: {self.session.command(again)}", stderr=True)
        return worst([ExitCode.FAILURE, exit_code(counts)])


def _whole(counts: Mapping[State, int], *, alone: bool) -> ExitCode:
    """Return what the shell is told of the whole ledger: beside a run, of doubts only."""
    doubts = {state: count for state, count in counts.items() if state.is_in_doubt}
    return exit_code(counts if alone else doubts)

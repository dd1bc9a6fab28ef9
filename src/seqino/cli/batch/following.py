"""How submitted invoices are followed to their ends, for a person who looks on or a machine that reads."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from seqino.cli.batch.attention import tell_attention, tell_what_next
from seqino.cli.batch.display import Display, interval
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import Language, counts_text, say
from seqino.cli.batch.step import Step
from seqino.cli.batch.verdict import LEFT, exit_code, worst
from seqino.cli.result import ExitCode
from seqino.statuses import Backoff, Until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.batch import Ledger
    from seqino.batch.states import State
    from seqino.client import SeqinoClient

__all__ = ["FIRST", "Following"]

FIRST = 60.0
"""Seconds until an invoice is looked at first."""

_LONGEST = 6 * 3600.0


@attrs.frozen(kw_only=True)
class Following:
    """Follows what was submitted.

    Args:
        session: Which ledger, and whom to call.
        run_id: Only this run; ``None`` for all that the ledger has.
        until: What invoices are followed to.
        first: Seconds until an invoice is looked at first.
        limit: Seconds after which no further round is begun; ``None`` for none.
        once: Whether only what is due now is looked at.
        as_json: Whether a machine reads the output.
        lang: Language of words.
    """

    session: Session
    run_id: int | None = None
    until: Until = Until.END
    first: float = FIRST
    limit: float | None = None
    once: bool = False
    as_json: bool
    lang: Language

    async def follow(self, ledger: Ledger, client: SeqinoClient) -> ExitCode:
        """Follow until nothing is followed any more, the time is over, or somebody stops it."""
        try:
            last = await self._watch(ledger, client)
        except asyncio.CancelledError:
            return await self._stopped(ledger)
        if not self.as_json:
            await tell_attention(ledger, self.run_id, session=self.session, lang=self.lang)
        return self._verdict(last)

    async def _watch(self, ledger: Ledger, client: SeqinoClient) -> Step:
        step = Step(run_id=self.run_id)
        longest = max(self.first, _LONGEST)
        rounds = ledger.follow_until(
            client,
            until=self.until,
            backoff=Backoff(first=timedelta(seconds=self.first), longest=timedelta(seconds=longest)),
            run_id=self.run_id,
            timeout=0.0 if self.once else math.inf if self.limit is None else self.limit,
            interval=interval(as_json=self.as_json),
        )
        is_first = True
        with Display(as_json=self.as_json) as display:
            async for followed in rounds:
                step = step.after(followed, await ledger.store.counts(self.run_id))
                if is_first or followed.looked or not display.keeps_all:
                    display.show(step.text(self.lang), step.members)
                is_first = False
            step = attrs.evolve(step, is_over=True)
            if self.as_json:
                display.show("", step.members)
        return step

    def _verdict(self, last: Step) -> ExitCode:
        """Say how it ended, and what is to be told the shell."""
        run = "" if self.run_id is None else f"run {self.run_id}: "
        say(f"follow: {run}{counts_text(last.counts, self.lang)}; {last.cost}", stderr=self.as_json)
        if not self.as_json:
            tell_what_next(last.counts, self.session)
        code = exit_code(last.counts)
        if self._tell_unsent(last.counts):
            code = worst([code, ExitCode.FAILURE])
        if last.next_in is not None:
            say(f"{last.waiting} are followed further: {self.command}", stderr=True)
            if not self.once and code is ExitCode.OK:
                return ExitCode.FAILURE
        return code

    def _tell_unsent(self, counts: Mapping[State, int]) -> bool:
        if not LEFT & counts.keys():
            return False
        say(f"not all was sent, or is known to have been: {self.session.command('resume')}", stderr=True)
        return True

    async def _stopped(self, ledger: Ledger) -> ExitCode:
        counts = await ledger.store.counts(self.run_id)
        say(f"stopped: {counts_text(counts, self.lang)}", stderr=True)
        say(f"what was seen is kept; to go on: {self.command}", stderr=True)
        return worst([ExitCode.FAILURE, exit_code(counts)])

    @property
    def command(self) -> str:
        """How it is begun, or begun again."""
        run = "" if self.run_id is None else f" --run {self.run_id}"
        until = "" if self.until is Until.END else f" --until {self.until}"
        return self.session.command(f"follow{run}{until}")

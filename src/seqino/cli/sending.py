"""The one way in which ``submit`` and ``demo`` send what they were given, and say what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from seqino.cli.common import complain
from seqino.cli.files import find
from seqino.cli.plan import make_plan
from seqino.cli.result import End, ExitCode, Tally
from seqino.cli.show import ends_line, result_lines, show_refused, show_results
from seqino.cli.terminal import say
from seqino.cli.tokens import can_be_settled, token_text
from seqino.errors import InvalidInput
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seqino.cli.plan import Plan
    from seqino.cli.terminal import Language
    from seqino.cli.work import Run
    from seqino.client import SeqinoClient

__all__ = ["Following", "deliver", "exit_code", "plan_of", "report"]


@attrs.frozen(kw_only=True)
class Following:
    """How submitted invoices are followed: how often each is asked for, and seconds for all together."""

    pace: Backoff
    limit: float


def plan_of(paths: Iterable[Path]) -> Plan:
    """Read everything under some paths and decide what to send.

    Raises:
        InvalidInput: There is nothing to send; the message gives the reason for each file.
    """
    plan = make_plan(find(paths), read=lambda path: path.read_bytes())
    if not plan.invoices:
        reasons = (f"{file.name}: {file.reason}" for file in plan.refused)
        raise InvalidInput("\n".join([*reasons, "nothing was sent"]))
    return plan


async def deliver(run: Run, client: SeqinoClient, *, following: Following | None) -> None:
    """Submit and follow all invoices of a run over a client, which is closed at the end."""
    async with client:
        await run.submit(client)
        if following is not None:
            await run.follow(client, pace=following.pace, limit=following.limit)


def report(
    run: Run,
    plan: Plan,
    *,
    command: str,
    lang: Language,
    as_json: bool = False,
    duplicates: int | None = None,
) -> Tally:
    """Say what became of each file; the last line counts them all.

    Args:
        run: The invoices that were sent.
        plan: What was planned, for the files that were refused.
        command: Name of the command, with which the last line begins.
        lang: Language of labels.
        as_json: One JSON line an invoice on the output, and the counts on the error stream.
        duplicates: How many were counted by the sandbox, where one did.
    """
    tally = Tally.of(run.results, refused=len(plan.refused))
    if as_json:
        for line in result_lines(run.results, plan.refused, lang):
            say(line)
    else:
        show_results(run.results, lang)
        if plan.refused:
            say("")
            show_refused(plan.refused, lang)
        say("")
    # What a machine reads is not mixed with words.
    say(ends_line(tally, lang), stderr=as_json)
    if tally.in_doubt:
        say(
            "in doubt: do not send these again before it is known what became of them (docs/sending-once.md)",
            stderr=as_json,
        )
        for result in run.results:
            if result.token is not None and can_be_settled(result.token):
                name = f"settle {result.invoice.name}"
                say(f"{name}: seqino invoices resume {token_text(result.token)}", stderr=as_json)
    if run.stopped is not None:
        complain(f"stopped: {run.stopped}")
    say(_last_line(tally, command, duplicates), stderr=as_json)
    return tally


def _last_line(tally: Tally, command: str, duplicates: int | None) -> str:
    counts = [
        f"{tally.submitted} invoices submitted",
        f"{tally.settled} settled",
        f"{tally.in_doubt} in doubt",
    ]
    if duplicates is not None:
        counts.append(f"{duplicates} duplicates")
    else:
        others = {
            "turned away": End.TURNED_AWAY,
            "open": End.OPEN,
            "refused before sending": End.REFUSED_BEFORE,
        }
        counts += [f"{tally.count(end)} {name}" for name, end in others.items() if tally.count(end)]
        if tally.failed:
            counts.append(f"{tally.failed} failed")
    return f"{command}: {', '.join(counts)}"


def exit_code(tally: Tally, *, interrupted: bool) -> ExitCode:
    """Return what the shell is told."""
    if interrupted and not tally.in_doubt:
        return ExitCode.FAILURE
    return tally.exit_code

"""How far a run is, in words and for machines."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from seqino.cli.batch.show import Language, counts_text, one_line, say, time_text
from seqino.errors import SeqinoError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from seqino.batch.progress import Progress
    from seqino.cli.batch.display import Display
    from seqino.models import UsageLimits

__all__ = ["GRACE", "limits_text", "progress_members", "progress_text", "stopping_text", "watch"]

GRACE = 10.0
"""Seconds that what is under way has to end when a run is stopped."""

_PERIODS = ("minute", "hour", "day", "month")


async def watch(steps: AsyncGenerator[Progress], display: Display, *, lang: Language) -> Progress:
    """Show each step of a run, and return the last one; what stopped the run is in it.

    Args:
        steps: As ``BatchRun.submit`` yields them.
        display: Where they are shown.
        lang: Language of words.
    """
    async with aclosing(steps):
        # There is always a first one.
        last = await anext(steps)
        if last.to_be_sent:
            say(limits_text(last.allowance.limits), stderr=True)
        with display:

            def show(step: Progress) -> None:
                display.show(progress_text(step, lang), progress_members(step))

            show(last)
            try:
                async for last in steps:
                    show(last)
            except SeqinoError as error:
                if last.stopped is not error:
                    raise
    return last


def progress_text(step: Progress, lang: Language) -> str:
    """Write a step for people."""
    parts = [f"run {step.run_id}: {counts_text(step.counts, lang)}", f"{step.rate:.1f}/s"]
    if not step.is_over:
        parts.append(f"{step.under_way} under way of {step.concurrency}")
    if step.allowance.requests_per_second is not None:
        parts.append(f"at most {step.allowance.requests_per_second:.1f} requests/s")
    if step.held_for:
        parts.append(f"held by the platform for {step.held_for:.0f} s")
    if step.seconds_left is not None and not step.is_over:
        parts.append(f"{time_text(step.seconds_left)} left")
    if step.given_up:
        parts.append(f"{step.given_up} failed too often, and wait for a resume")
    if step.unread:
        parts.append(f"{len(step.unread)} cannot be read for now ({one_line(step.unread[-1])})")
    parts += [f"{client_id} waits: {why}" for client_id, why in step.paused.items()]
    return " · ".join(parts)


def stopping_text(under_way: int) -> str:
    """Say what a stop waits for."""
    are = "1 invoice under way is" if under_way == 1 else f"{under_way} invoices under way are"
    return (
        f"stopping: {are} being ended, for {GRACE:.0f} s at the most; a second Ctrl-C ends at once, and what "
        "may have left by then is in doubt"
    )


def progress_members(step: Progress) -> dict[str, Any]:
    """Write a step for machines."""
    return {
        "run": step.run_id,
        "is_over": step.is_over,
        "counts": dict(step.counts),
        "total": step.total,
        "to_be_sent": step.to_be_sent,
        "taken": step.taken,
        "rejected": step.rejected,
        "invalid": step.invalid,
        "in_doubt": step.in_doubt,
        "refused": step.refused,
        "elapsed": round(step.elapsed, 3),
        "rate": round(step.rate, 3),
        "seconds_left": None if step.seconds_left is None else round(step.seconds_left, 1),
        "under_way": step.under_way,
        "concurrency": step.concurrency,
        "held_for": round(step.held_for, 1),
        "requests_per_second": step.allowance.requests_per_second,
        "shortages": step.allowance.shortages,
        "paused": dict(step.paused),
        "given_up": step.given_up,
        "unread": list(step.unread),
        "stopped": None if step.stopped is None else str(step.stopped),
    }


def limits_text(limits: UsageLimits | None) -> str:
    """Write what the platform tells of its limits: ``limits: 600 requests a minute (12 used)``."""
    if limits is None:
        return "limits: the platform does not tell them"
    told = [
        f"{limit} requests a {period} ({getattr(limits, f'current_{period}_calls') or 0} used)"
        for period in _PERIODS
        if (limit := getattr(limits, f"rate_limit_per_{period}")) is not None
    ]
    return "limits: " + (", ".join(told) or "none that the platform tells")

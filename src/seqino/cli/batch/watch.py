"""How far a run is: a live line in a terminal, lines elsewhere, JSON lines for machines."""

from __future__ import annotations

from contextlib import aclosing, nullcontext
from typing import TYPE_CHECKING, Any

from rich.live import Live
from rich.text import Text

from seqino.cli.batch.show import Language, clean, console, counts_text, json_line, say
from seqino.errors import SeqinoError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from seqino.batch.progress import Progress
    from seqino.models import UsageLimits

__all__ = ["interval", "limits_text", "progress_members", "progress_text", "watch"]

_EVERY = 1.0
_EVERY_LINE = 10.0
"""Seconds between two lines in a log, which keeps them all."""

_PERIODS = ("minute", "hour", "day", "month")


def interval(*, as_json: bool) -> float:
    """Return the seconds between two of what is shown."""
    return _EVERY if as_json or console(stderr=True).is_terminal else _EVERY_LINE


async def watch(steps: AsyncGenerator[Progress], *, as_json: bool, lang: Language) -> Progress:
    """Show each step of a run, and return the last one; what stopped the run is in it.

    Args:
        steps: As ``BatchRun.submit`` yields them.
        as_json: Whether a machine reads the output.
        lang: Language of words.
    """
    err = console(stderr=True)
    live = Live(console=err, auto_refresh=False) if err.is_terminal and not as_json else None

    def show(step: Progress) -> None:
        if as_json:
            say(json_line(progress_members(step)))
        elif live is None:
            say(progress_text(step, lang), stderr=True)
        else:
            live.update(Text(clean(progress_text(step, lang))), refresh=True)

    async with aclosing(steps):
        # There is always a first one.
        last = await anext(steps)
        with live or nullcontext():
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
    if step.seconds_left is not None:
        parts.append(f"{_time(step.seconds_left)} left")
    parts += [f"{client_id} waits: {why}" for client_id, why in step.paused.items()]
    return " · ".join(parts)


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
        "stopped": None if step.stopped is None else str(step.stopped),
    }


def limits_text(limits: UsageLimits) -> str:
    """Write what the platform tells of its limits: ``limits: 600 requests a minute (12 used)``."""
    told = [
        f"{limit} requests a {period} ({getattr(limits, f'current_{period}_calls') or 0} used)"
        for period in _PERIODS
        if (limit := getattr(limits, f"rate_limit_per_{period}")) is not None
    ]
    return "limits: " + (", ".join(told) or "none that the platform tells")


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

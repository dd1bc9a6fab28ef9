"""Look at something again and again until it is over: few requests, on a clock that is passed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs

from seqino.resources.patience import PASSING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seqino.errors import CallError
    from seqino.statuses import Backoff

__all__ = ["Look", "Watched", "watch"]


@attrs.frozen(kw_only=True)
class Look:
    """What a look showed.

    Args:
        is_news: Whether anything is new, so that the next pauses are short ones.
        is_over: Whether no further look is needed.
    """

    is_news: bool
    is_over: bool


@attrs.frozen(kw_only=True)
class Watched:
    """How it ended.

    Args:
        looks: How many times it was looked at, and so asked for.
        is_over: Whether the last look said that it is over, and the time did not run out before.
    """

    looks: int
    is_over: bool


Tell: TypeAlias = "Callable[[str], None]"


async def watch(
    look: Callable[[], Awaitable[Look]],
    *,
    backoff: Backoff,
    limit: float,
    tell: Tell,
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> Watched:
    """Look at once, then again after each pause, until a look says that it is over.

    Args:
        look: Looks, and deals with what it sees. A failure that may pass is told, and looked past.
        backoff: How the pauses grow.
        limit: Seconds after which one last look is taken; ``math.inf`` for no end.
        tell: Told of failures, as one line.
        clock: Monotonic seconds.
        sleep: Waits for some seconds.

    Raises:
        CallError: A look failed in a way that does not pass.
    """
    begun = clock()
    quiet = looks = 0
    while True:
        left = begun + limit - clock()
        looks += 1
        wait = 0.0
        try:
            seen = await look()
        except PASSING as error:
            tell(_said(error))
            seen, wait = Look(is_news=False, is_over=False), error.retry_after or 0.0
        if seen.is_over or left <= 0:
            return Watched(looks=looks, is_over=seen.is_over)
        quiet = 0 if seen.is_news else quiet + 1
        pause = max(wait, backoff.pause(quiet).total_seconds())
        await sleep(min(pause, max(0.0, begun + limit - clock())))


def _said(error: CallError) -> str:
    return f"{type(error).__name__}, and it goes on: {error}"

"""Run asynchronous work from a command, and stop it cleanly when the user or the system says so."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["carry_out", "perform"]

T = TypeVar("T")


def carry_out(work: Coroutine[Any, Any, None]) -> bool:
    """Run some work until it is done, or until Ctrl-C or SIGTERM; tell whether it was interrupted."""
    try:
        perform(work)
    except KeyboardInterrupt:
        return True
    return False


def perform(work: Coroutine[Any, Any, T]) -> T:
    """Run some work and return its result; Ctrl-C and SIGTERM cancel it.

    Raises:
        KeyboardInterrupt: It was interrupted, and did not deal with that itself.
    """
    try:
        return asyncio.run(_until_told(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _until_told(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if task.cancelling() or task.done():
            # Once more, and Python itself ends whatever is still waited for.
            loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    # Not on Windows, and not outside the main thread. The loop's own way would raise a second Ctrl-C wherever
    # it happens to be.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, stop)
        # A shell that starts it in the background lets it ignore Ctrl-C, which is meant for others.
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGINT, stop)
    return await task

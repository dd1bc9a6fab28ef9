"""Run asynchronous work from a command, and stop it cleanly when the user or the system says so."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["carry_out"]


def carry_out(work: Coroutine[Any, Any, None]) -> bool:
    """Run some work until it is done, or until Ctrl-C or SIGTERM; tell whether it was interrupted."""
    try:
        asyncio.run(_until_told(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return True
    return False


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    # Not on Windows, and not outside the main thread.
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    await task

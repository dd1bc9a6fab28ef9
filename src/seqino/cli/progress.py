"""Progress on the error stream: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console
    from rich.progress import TaskID

__all__ = ["Tell", "progress"]

Tell: TypeAlias = "Callable[[str, int, int], None]"
"""Told of progress: what is done, how many of them, of how many."""

_PAUSE = 2.0
"""Seconds between two lines where no terminal is."""


@contextmanager
def progress(console: Console, *, clock: Callable[[], float] = time.monotonic) -> Generator[Tell]:
    """Show progress while the block runs; gives the function to tell it: what, how many, of how many."""
    if console.is_terminal:
        with _bar(console) as tell:
            yield tell
    else:
        yield _lines(console, clock)


@contextmanager
def _bar(console: Console) -> Generator[Tell]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        yield tell


def _lines(console: Console, clock: Callable[[], float]) -> Tell:
    last = clock()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = clock()
        if done == total or now - last >= _PAUSE:
            last = now
            console.print(f"{what}: {done}/{total}")

    return tell

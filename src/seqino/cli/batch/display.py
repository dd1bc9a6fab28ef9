"""Where progress is shown: a live line in a terminal, lines elsewhere, JSON lines for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from seqino.cli.batch.show import clean, console, json_line, say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Self

__all__ = ["Display", "interval"]

_EVERY = 1.0
_EVERY_LINE = 10.0
"""Seconds between two lines in a log, which keeps them all."""


def interval(*, as_json: bool) -> float:
    """Return the seconds between two of what is shown."""
    return _EVERY if as_json or console(stderr=True).is_terminal else _EVERY_LINE


class Display:
    """Shows how far something is; used with ``with``.

    Args:
        as_json: Whether a machine reads the output.
    """

    def __init__(self, *, as_json: bool) -> None:
        err = console(stderr=True)
        self._as_json = as_json
        self._live = Live(console=err, auto_refresh=False) if err.is_terminal and not as_json else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def keeps_all(self) -> bool:
        """Whether each thing shown stays: what says nothing new is better left out."""
        return self._live is None

    def tell(self, text: str) -> None:
        """Say something for people that stays, whoever reads the rest."""
        if self._live is None:
            say(text, stderr=True)
        else:
            self._live.console.print(Text(clean(text)), soft_wrap=True)

    def show(self, text: str, members: Mapping[str, Any]) -> None:
        """Show a step.

        Args:
            text: The step for people.
            members: The step for machines.
        """
        if self._as_json:
            say(json_line(members))
        elif self._live is None:
            say(text, stderr=True)
        else:
            self._live.update(Text(clean(text)), refresh=True)

"""Ask a person before something is changed that cannot be taken back."""

from __future__ import annotations

import sys

from seqino.cli.batch.show import say
from seqino.errors import InvalidInput

__all__ = ["answer", "confirm", "is_watched"]

_YES = frozenset({"y", "yes", "o", "oui"})


def is_watched() -> bool:
    """Whether somebody is there who could answer."""
    return sys.stdin.isatty()


def answer() -> str:
    """Read a line of what is typed."""
    return sys.stdin.readline()


def confirm(consequence: str, *, yes: bool) -> None:
    """Say what would follow, and ask, unless the answer was given beforehand.

    Args:
        consequence: What would follow.
        yes: Whether ``--yes`` was given.

    Raises:
        InvalidInput: Nobody is there to answer, or the answer was no; nothing was changed.
    """
    say(consequence, stderr=True)
    if yes:
        return
    if not is_watched():
        raise InvalidInput("nobody is there to confirm it, and nothing was changed: add --yes")
    say("Do it? [y/N]", stderr=True)
    if answer().strip().lower() not in _YES:
        raise InvalidInput("nothing was changed")

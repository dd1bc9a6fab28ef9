"""Ask a person before something is done that cannot be taken back."""

from __future__ import annotations

import sys

from seqino.cli.terminal import say
from seqino.errors import InvalidInput

__all__ = ["answer", "confirm", "is_watched"]

_YES = frozenset({"y", "yes", "o", "oui"})


def is_watched() -> bool:
    """Whether somebody is there who could answer."""
    return sys.stdin.isatty()


def answer() -> str:
    """Read a line of what is typed."""
    return sys.stdin.readline()


def confirm(question: str, *, yes: bool, sends: bool = False) -> None:
    """Ask, unless the answer was given beforehand.

    Args:
        question: What is about to be done.
        yes: Whether ``--yes`` was given.
        sends: Whether something is sent, which would count twice if it were sent twice; else it changes.

    Raises:
        InvalidInput: Nobody is there to answer, or the answer was no; nothing was done.
    """
    if yes:
        return
    untouched = "nothing was sent" if sends else "nothing was changed"
    if not is_watched():
        hint = "look at what is to be sent, then add --yes" if sends else "add --yes"
        raise InvalidInput(f"nobody is there to confirm it, and {untouched}: {hint}")
    # Not typer's own prompt: it writes a part of itself to the output, among what a machine reads there.
    say(f"{question} [y/N]", stderr=True)
    if answer().strip().lower() not in _YES:
        raise InvalidInput(untouched)

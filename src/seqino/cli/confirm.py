"""Ask a person before something is sent that would count twice if it were sent twice."""

from __future__ import annotations

import sys

from seqino.cli.terminal import say
from seqino.errors import InvalidInput

__all__ = ["confirm", "is_watched"]


_YES = {"y", "yes", "o", "oui"}


def is_watched() -> bool:
    """Whether somebody is there who could answer."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the answer was given beforehand.

    Args:
        question: What is about to be done.
        yes: Whether ``--yes`` was given.

    Raises:
        InvalidInput: Nobody is there to answer, or the answer was no; nothing was sent.
    """
    if yes:
        return
    if not is_watched():
        raise InvalidInput(
            "nobody is there to confirm it, and nothing was sent: look at what is to be sent, then add --yes"
        )
    # Not typer's own prompt: it writes a part of itself to the output, among what a machine reads there.
    say(f"{question} Send it? [y/N]", stderr=True)
    if sys.stdin.readline().strip().lower() not in _YES:
        raise InvalidInput("nothing was sent")

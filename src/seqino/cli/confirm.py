"""Ask a person before something is sent that would count twice if it were sent twice."""

from __future__ import annotations

import sys

import typer

from seqino.cli.terminal import say
from seqino.errors import InvalidInput

__all__ = ["confirm"]


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
    if not sys.stdin.isatty():
        raise InvalidInput(
            "nobody is there to confirm it, and nothing was sent: look at what is to be sent, then add --yes"
        )
    say(question, stderr=True)
    if not typer.confirm("Send it?", err=True):
        raise InvalidInput("nothing was sent")

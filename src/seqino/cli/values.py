"""Values of options: those of a closed list, and rates of faults. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["completing", "one_of", "read_rates"]


def one_of(values: Iterable[str], *names: str, help: str) -> Any:  # noqa: A002 - the word of typer
    """Make an option with a closed list of values: completed by Tab, and checked before anything is sent.

    Args:
        values: What it may be.
        names: Its names, where its parameter does not name it.
        help: What it is for.
    """
    known = [str(value) for value in values]

    def parse(text: str) -> str:
        if text not in known:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(known)}")
        return text

    return typer.Option(
        *names,
        help=help,
        parser=parse,
        metavar=f"[{'|'.join(known)}]",
        autocompletion=completing(*known),
        show_default=False,
    )


def completing(*values: str) -> Callable[[str], list[str]]:
    """Make what completes an option whose values are checked where it is read."""

    def complete(incomplete: str) -> list[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def read_rates(texts: Iterable[str]) -> dict[str, float]:
    """Read rates of faults by name.

    Args:
        texts: Such as ``reset-after=0.05``. The name may have parameters of its own, and so equals signs.

    Raises:
        InvalidInput: One has no number from 0 to 1 after its last equals sign, or a name comes twice.
    """
    rates: dict[str, float] = {}
    for text in texts:
        name, _, number = (part.strip() for part in text.rpartition("="))
        rate = _number(number)
        if not name or rate is None:
            raise InvalidInput(f"--fault {text!r} is not NAME=RATE with a rate from 0 to 1: reset-after=0.05")
        if name in rates:
            raise InvalidInput(f"--fault {name} has two rates")
        rates[name] = rate
    return rates


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None

"""Values of options that are more than a word: rates of faults. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_rates"]


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

"""Values of options that are more than a word: rates of faults, limits of calls. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_limits", "read_rates"]

_WINDOWS = ("minute", "hour", "day", "month")
_LIMIT = re.compile(rf"(?:(?P<endpoint>/[^=]*)=)?(?P<calls>\d{{1,12}})/(?P<window>{'|'.join(_WINDOWS)})")


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


def read_limits(texts: Iterable[str]) -> dict[str, int | dict[str, int]]:
    """Read how many calls a client may make, by window, and by endpoint and window.

    Args:
        texts: Such as ``100/minute``, or ``/drafts=10/minute`` for one endpoint.

    Raises:
        InvalidInput: One is no such text, or limits what another one limits already.
    """
    limits: dict[str, int] = {}
    endpoints: dict[str, dict[str, int]] = {}
    for text in texts:
        read = _LIMIT.fullmatch(text.strip())
        if read is None:
            raise InvalidInput(
                f"--limit {text!r} is not CALLS/WINDOW or ENDPOINT=CALLS/WINDOW, where a window is one of "
                f"{', '.join(_WINDOWS)}: 100/minute, /drafts=10/minute"
            )
        place = limits if read["endpoint"] is None else endpoints.setdefault(read["endpoint"], {})
        if read["window"] in place:
            raise InvalidInput(f"--limit {text!r}: that window has a limit already")
        place[read["window"]] = int(read["calls"])
    return {**limits, **endpoints}

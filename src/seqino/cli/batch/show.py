"""What people and machines are shown of a ledger: words, lines, and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table
from rich.text import Text

from seqino.batch.states import State
from seqino.cli.plain import json_line
from seqino.cli.terminal import Language, clean, console, language, one_line, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seqino.batch.items import Item
    from seqino.batch.taking import Refused

__all__ = [
    "Language",
    "clean",
    "console",
    "counts_text",
    "json_line",
    "language",
    "one_line",
    "reason_of",
    "say",
    "say_refused",
    "state_words",
    "table",
    "time_text",
]

_FRENCH = {
    State.QUEUED: "à envoyer",
    State.DRAFTED: "en brouillon",
    State.SENDING: "en cours d'envoi",
    State.IN_DOUBT: "en doute",
    State.PARKED: "en doute, à trancher",
    State.CORRECTING: "en correction",
    State.ACCEPTED_UNIDENTIFIED: "acceptée sans identifiant",
    State.ACCEPTED: "acceptée",
    State.REJECTED: "refusée par la plateforme",
    State.INVALID: "inutilisable",
    State.SETTLED: "encaissée",
    State.DEAD: "morte",
    State.NOT_DELIVERED: "non transmise",
    State.DUPLICATE: "déjà déposée",
    State.EXPIRED: "sans fin connue",
}

_DOUBTS = {
    State.IN_DOUBT: "an invoice may exist: its end was not seen, and no look at its draft has decided it yet",
    State.PARKED: "an invoice may exist: its end was not seen, and no look can tell",
}

_PERHAPS_SINCE = (
    "rejected when the backup was made, perhaps corrected and sent since; ask the platform. It was: "
)


def state_words(state: State, lang: Language) -> str:
    """Write a state in a language."""
    return _FRENCH[state] if lang == "fr" else state.replace("_", " ")


def counts_text(counts: Mapping[State, int], lang: Language) -> str:
    """Write counts in the order in which states follow each other: ``3 queued, 12 accepted``."""
    told = [f"{counts[state]} {state_words(state, lang)}" for state in State if counts.get(state)]
    return ", ".join(told) or ("rien" if lang == "fr" else "nothing")


def reason_of(item: Item) -> str:
    """Return why an item is what it is, where there is something to say.

    Of a rejection that is what the platform found, with where it is; our own words where it named nothing.
    What is kept of a doubt is for programmers.
    """
    if item.state.is_taken:
        return ""
    if item.state in _DOUBTS:
        answer = f" (last answer: {item.http_status})" if item.http_status else ""
        return f"{_DOUBTS[item.state]}{answer}"
    told: dict[str, Any] = msgspec.json.decode(item.reasons) if item.reasons else {}
    found = [told.get("words"), *(": ".join(filter(None, fault)) for fault in told.get("faults") or ())]
    named = "; ".join(filter(None, found)) if item.state is State.REJECTED else ""
    # What a person has said of a doubt is kept without findings.
    since = _PERHAPS_SINCE if item.state is State.REJECTED and item.ever_unknown and "faults" in told else ""
    return one_line(since + (named or str(told.get("message") or "")))


def time_text(seconds: float) -> str:
    """Write a length of time: ``0:05``, ``2:00:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; what others wrote is no markup in it."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        made.add_column(head, overflow="fold")
    for row in rows:
        made.add_row(*(Text(clean(cell)) for cell in row))
    console().print(made)


def say_refused(refused: Sequence[Refused], *, as_json: bool) -> None:
    """Say what of a source was not taken, a line each: paths and reasons are too long for a table."""
    for one in refused:
        say(
            json_line({"refused": one.name, "reason": one_line(one.reason)})
            if as_json
            else f"refused before sending: {one.name}: {one_line(one.reason)}"
        )

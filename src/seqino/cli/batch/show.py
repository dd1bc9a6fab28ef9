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
    from seqino.batch.runs import Refused

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
    State.EXPIRED: "sans fin connue",
}


def state_words(state: State, lang: Language) -> str:
    """Write a state in a language."""
    return _FRENCH[state] if lang == "fr" else state.replace("_", " ")


def counts_text(counts: Mapping[State, int], lang: Language) -> str:
    """Write counts in the order in which states follow each other: ``3 queued, 12 accepted``."""
    told = [f"{counts[state]} {state_words(state, lang)}" for state in State if counts.get(state)]
    return ", ".join(told) or ("rien" if lang == "fr" else "nothing")


def reason_of(item: Item) -> str:
    """Return why an item is what it is, where there is something to say."""
    told: dict[str, Any] = msgspec.json.decode(item.reasons) if item.reasons else {}
    return "" if item.state.is_taken else one_line(str(told.get("message") or ""))


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

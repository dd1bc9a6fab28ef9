"""What somebody has to look at after a command, and why each of it is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.batch.states import State
from seqino.cli.batch.show import Language, reason_of, say, state_words, table
from seqino.cli.batch.verdict import ATTENTION
from seqino.cli.lifecycle import reason_text
from seqino.cli.terminal import label, one_line
from seqino.statuses import in_order, is_duplicate_refusal, was_not_transmitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.batch import Item, Ledger
    from seqino.cli.batch.session import Session
    from seqino.models import LifecycleEvent

__all__ = ["SHOWN", "tell_attention", "tell_of_more", "tell_what_next", "why"]

SHOWN = 20
"""Invoices that are listed after a command; ``report`` lists all."""

_NEXT = {
    State.IN_DOUBT: "in doubt: {resume} looks at their drafts again; never send them under another key",
    State.PARKED: "parked: ask the platform whether it has them, then: {resolve}",
    State.ACCEPTED_UNIDENTIFIED: "accepted without an id: {resume} looks for it",
    State.REJECTED: "rejected: correct them under the same keys, then: {retry} (not what was ever in doubt)",
    State.INVALID: "invalid, and never sent: put them right, then submit them as any others",
    State.DEAD: "dead: what is to replace one is an invoice of its own, under its own key",
    State.DUPLICATE: "duplicate: the network has the number, and this delivery is void; the first one counts",
    State.NOT_DELIVERED: "not delivered: they are issued; hand over a copy by other means",
}
"""What somebody does about each of them."""

_ENDED_BY_EVENTS = (State.DEAD, State.DUPLICATE, State.NOT_DELIVERED)
_ENDING = frozenset({210, 213, 220, 221})


async def tell_attention(ledger: Ledger, run_id: int | None, *, session: Session, lang: Language) -> None:
    """List the first of what of a run, or of a whole ledger, somebody has to look at.

    Args:
        ledger: The ledger.
        run_id: The run; ``None`` for all.
        session: Says how the rest is listed.
        lang: Language of words.
    """
    rows: list[tuple[str, ...]] = []
    count = 0
    async for item in ledger.store.items(run_id=run_id, states=ATTENTION):
        count += 1
        if count <= SHOWN:
            rows.append((item.business_key, state_words(item.state, lang), await why(ledger, item, lang)))
    if rows:
        table(("key", "state", "reason"), rows)
    tell_of_more(count, session)


def tell_what_next(counts: Mapping[State, int], session: Session) -> None:
    """Say what to do about what is not as it should be, a line each.

    Args:
        counts: How many invoices are in which state.
        session: Says how commands are given.
    """
    commands = {
        "resume": session.command("resume"),
        "resolve": f"{session.command('resolve')} KEY --found INVOICE_ID (or --absent, or --resend)",
        "retry": f"{session.command('retry --rejected')} PATH",
    }
    for state, words in _NEXT.items():
        if counts.get(state):
            say(words.format(**commands), stderr=True)


def tell_of_more(count: int, session: Session) -> None:
    """Say how what is not listed any more can be."""
    if count > SHOWN:
        say(f"and {count - SHOWN} more: {session.command('report')}")


async def why(ledger: Ledger, item: Item, lang: Language) -> str:
    """Say why an invoice is what it is: in the platform's words, or ours, or those of the network."""
    if item.state not in _ENDED_BY_EVENTS:
        return reason_of(item)
    ending = [event for event in in_order(await ledger.status_events(item)) if _ends(event, item.state)]
    return _said(ending[-1], lang) if ending else ""


def _said(event: LifecycleEvent, lang: Language) -> str:
    return one_line(": ".join(filter(None, (label(event.status_code, lang), reason_text(event, lang)))))


def _ends(event: LifecycleEvent, state: State) -> bool:
    if was_not_transmitted(event):
        return True
    is_of_duplicate = state is State.DUPLICATE
    return event.status_code.number in _ENDING and is_duplicate_refusal(event) is is_of_duplicate

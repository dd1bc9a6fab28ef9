"""How an invoice of a source gets into a run: as a new one, taken again, known already, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import sqlite

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.document_refs import known_as, name_document, why_not_of
from seqino.batch.gap import read_gap
from seqino.batch.items import Change, Facts, Fence, Item, NewItem, Run
from seqino.batch.names import IN_FILE, path_in, storable
from seqino.batch.states import ItemEvent, State, next_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


__all__ = ["Ingested", "Refused", "note_refused", "take_in"]


@attrs.frozen(kw_only=True)
class Refused:
    """What a source holds that was not taken, and why; it is never sent."""

    name: str = attrs.field(converter=storable)
    reason: str = attrs.field(converter=storable)


@attrs.frozen(kw_only=True)
class Ingested:
    """What came of a part of a source.

    Args:
        added: How many invoices were taken.
        known: How many had been taken before, when the source was read in part.
        refused: The others.
    """

    added: int = 0
    known: int = 0
    refused: tuple[Refused, ...] = ()


def take_in(
    connection: Connection,
    run: Run,
    items: Sequence[NewItem],
    *,
    earlier: int,
    corrects: bool,
) -> Ingested:
    """Take a part of a source into a run; those that are taken make one chunk.

    Args:
        connection: In a transaction.
        run: A run that is not ready.
        items: The invoices.
        earlier: As for ``Runs.ingest``.
        corrects: As for ``Runs.ingest``.
    """
    now = connection.execute(sql.NOW).scalar_one()
    # Where there is a time of which the ledger knows nothing, it takes no key that it does not know.
    gap = read_gap(connection)
    fence = _new_chunk(connection, run)
    contents = [(new.sha256, new.payload) for new in items if new.payload is not None]
    if contents:
        sql.ADD_PAYLOAD.many(connection, contents)
    known, refused, history = 0, list[Refused](), list[tuple[Any, ...]]()
    for new in items:
        values = sql.item_values(new, run_id=run.id, fence=fence, now=now)
        row = None if corrects or gap is not None else sql.ADD_ITEM.one(connection, values)
        if row is not None:
            history.append(sql.added_values(new, row[0], fence=fence, now=now))
            continue
        found = known_as(connection, new)
        if found is None and gap is not None and not corrects:
            reason: str | None = gap.why_refused(new.business_key)
        elif found is not None and _may_be_taken_again(connection, found, new, run=run, corrects=corrects):
            history.append(_take_again(connection, found, new, run=run, fence=fence, now=now))
            continue
        else:
            reason = _reason(connection, found, run, new, earlier=earlier, corrects=corrects)
        known += reason is None
        if reason is not None:
            refused.append(Refused(name=_name(new), reason=reason))
        elif found is not None and found.document_ref is None and new.document_ref is not None:
            name_document(connection, found, new.document_ref, now=now)
    if history:
        sql.ADD_HISTORY.many(connection, history)
    else:
        connection.execute(schema.chunk.delete().where(schema.chunk.c.id == fence.chunk_id))
    note_refused(connection, run, refused)
    return Ingested(added=len(history), known=known, refused=tuple(refused))


def note_refused(connection: Connection, run: Run, refused: Sequence[Refused]) -> None:
    """Note what of a source is not taken; the same twice is noted once."""
    if refused:
        values = [{"run_id": run.id, "name": each.name, "reason": each.reason} for each in refused]
        connection.execute(sqlite.insert(schema.refused).on_conflict_do_nothing(), values)


def _new_chunk(connection: Connection, run: Run) -> Fence:
    highest = select(func.max(schema.chunk.c.no)).where(schema.chunk.c.run_id == run.id)
    no = connection.execute(highest).scalar_one() + 1
    values = {"run_id": run.id, "no": no, "epoch": 0, "done": False}
    made = insert(schema.chunk).values(**values).returning(schema.chunk.c.id)
    return Fence(connection.execute(made).scalar_one(), 0)


# What is taken again


def _may_be_taken_again(
    connection: Connection, item: Item, new: NewItem, *, run: Run, corrects: bool
) -> bool:
    """Whether an invoice that is known may be sent with what it is now: no invoice was made of it."""
    if item.business_key != new.business_key or item.run_id == run.id or item.ever_unknown:
        return False
    if why_not_of(connection, item, new.document_ref) is not None:
        return False
    if item.state is State.INVALID:
        return True
    # A correction that cannot be read leaves what was rejected as it is.
    is_like_it = item.route is new.route and new.state is State.QUEUED
    return corrects and item.state is State.REJECTED and is_like_it


def _take_again(
    connection: Connection, item: Item, new: NewItem, *, run: Run, fence: Fence, now: float
) -> tuple[Any, ...]:
    """Take what became no invoice into another run; return the line that this adds to the audit trail."""
    after = attrs.evolve(
        item,
        run_id=run.id,
        chunk_id=fence.chunk_id,
        epoch=fence.epoch,
        name=new.name,
        route=new.route,
        document_ref=new.document_ref or item.document_ref,
        payload_ref=new.payload_ref,
        sha256=new.sha256,
        invoice_number=new.invoice_number,
        state=next_state(
            item.state,
            ItemEvent.CORRECTED,
            has_draft=item.draft_id is not None,
            ever_unknown=item.ever_unknown,
        )
        if new.state is State.QUEUED
        else new.state,
        reasons=new.reasons,
        not_before=None,
        updated=now,
    )
    values = attrs.asdict(after, filter=lambda field, _: field.name not in ("id", "created"))
    connection.execute(update(schema.item).where(schema.item.c.id == item.id).values(**values))
    facts = Facts(sha256=new.sha256, payload_ref=new.payload_ref, name=new.name)
    change = Change(item=item, event=ItemEvent.CORRECTED, facts=facts, fence=fence, detail={"run_id": run.id})
    return sql.history_values(change, item, after, now=now)


# Why an invoice is not taken


def _reason(  # noqa: PLR0911 - one for each way in which it is known
    connection: Connection, known: Item | None, run: Run, new: NewItem, *, earlier: int, corrects: bool
) -> str | None:
    """Say why an invoice whose key, or document, is known is not taken; ``None`` where it was before."""
    if known is None:
        return f"has the key {new.business_key!r}, which this ledger does not know: submit it"
    if known.business_key != new.business_key:
        return f"is the document {new.document_ref!r}, which {_place(known, run)} is too: sent once"
    other_document = why_not_of(connection, known, new.document_ref)
    if other_document is not None:
        return other_document
    is_here = known.run_id == run.id
    if corrects and not is_here:
        return _why_not_corrected(known, new)
    is_same = known.sha256 == new.sha256
    is_read_again = known.id <= earlier and is_same and not known.payload_ref.startswith(IN_FILE)
    if not is_here:
        return _why_not_again(known, run, is_same=is_same)
    if not (_name(known) == _name(new) or is_read_again):
        return f"has the key {known.business_key!r}, which {_place(known, run)} has too: sent once"
    return (
        None if is_same else "was changed since it was read first, and is not sent; what it was may have been"
    )


def _why_not_again(known: Item, run: Run, *, is_same: bool) -> str:
    """Say what is so of an invoice that the ledger knows from elsewhere, and what can be done."""
    place, state = _place(known, run), known.state
    told = f"has the key {known.business_key!r} of {place}"
    resume = f"'seqino batch resume{'' if known.run_id is None else f' --run {known.run_id}'}'"
    if not is_same and state is not State.INVALID:
        return (
            f"{told}, which has another content: another invoice needs another key, and a rejected one is "
            "corrected by 'seqino batch retry --rejected'"
        )
    if state.is_to_be_sent:
        way = "its service sends it" if known.run_id is None else f"{resume} sends it"
        return f"{told}, which was taken before and is not sent yet: {way}"
    if state.is_in_doubt:
        return f"{told}, which may have been sent: {resume} finds out, and nothing is sent twice"
    if state is State.INVALID:
        return (
            f"{told}, which was never sent as far as this ledger knows, but it is a backup and does not know "
            "all: give it another key, once you are sure"
        )
    if state is State.REJECTED:
        return f"{told}, which was rejected: correct it, then 'seqino batch retry --rejected'"
    return f"{told}, which was sent: {state}"


def _why_not_corrected(known: Item, new: NewItem) -> str:
    if new.state is State.INVALID:
        return str(msgspec.json.decode(new.reasons or "{}").get("message", "cannot be sent"))
    if known.state not in (State.REJECTED, State.INVALID):
        return f"is {known.state}, not rejected: it is not sent again"
    if known.ever_unknown:
        return "was once in doubt, and is never sent with another content: ask the platform what became of it"
    return f"was sent as a {known.route}, and is corrected the same way"


def _name(item: Item | NewItem) -> str:
    """Say where in its source an invoice is: two files may have one name."""
    path = path_in(item.payload_ref)
    return item.name or item.business_key if path is None else storable(str(path))


def _place(known: Item, run: Run) -> str:
    """Say where an invoice is that is in the ledger already."""
    name = _name(known)
    if known.run_id is None:
        return f"{name} (submitted outside of any run)"
    return name if known.run_id == run.id else f"{name} of the run {known.run_id}"

"""What a ledger knows, for other programs and for people: JSON Lines and CSV, line by line."""

from __future__ import annotations

import csv
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeAlias, get_args

import msgspec
from sqlalchemy import select

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from seqino.batch.items import Item
    from seqino.batch.store import Store

__all__ = ["Format", "Subject", "export", "harmless"]

Subject: TypeAlias = Literal["invoices", "history"]
Format: TypeAlias = Literal["jsonl", "csv"]

INVOICES = (
    *("run_id", "client_id", "key", "document_ref", "route", "name", "state", "draft_id", "invoice_id"),
    *("invoice_number", "platform_status", "ever_unknown", "attempt", "sha256", "reason", "updated"),
)
HISTORY = (
    *(
        "id",
        "run_id",
        "client_id",
        "key",
        "at",
        "event",
        "from_state",
        "to_state",
        "epoch",
        "attempt",
        "sent",
    ),
    *("received", "detail"),
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection)."""


async def export(
    store: Store, file: TextIO | str | os.PathLike[str], *, what: Subject, form: Format, run_id: int | None
) -> int:
    """Write what a ledger knows; return how many lines there are, besides a heading.

    Args:
        store: The ledger.
        file: A path, or a file that is open for text.
        what: Invoices, or the audit trail.
        form: How.
        run_id: Only what is of this run.

    Raises:
        InvalidInput: There is no such subject or form, or the file is the ledger's own.
        OSError: The file cannot be written.
    """
    if what not in get_args(Subject) or form not in get_args(Format):
        raise InvalidInput(f"exported are invoices or history, as jsonl or csv: not {what!r} as {form!r}")
    rows = _invoices(store, run_id) if what == "invoices" else _history(store, run_id)
    columns = INVOICES if what == "invoices" else HISTORY
    if isinstance(file, (str, os.PathLike)):
        _check_is_other(Path(file), store)
    with _opened(file) as out:
        write = _lines(out) if form == "jsonl" else _cells(out, columns)
        count = 0
        async for row in rows:
            write(row)
            count += 1
    return count


def _check_is_other(file: Path, store: Store) -> None:
    if file.resolve() in {own.resolve() for own in store.files}:
        raise InvalidInput(f"{file} is a file of the ledger itself: export to another one")


def _opened(file: TextIO | str | os.PathLike[str]) -> AbstractContextManager[TextIO]:
    if isinstance(file, (str, os.PathLike)):
        return Path(file).open("w", encoding="utf-8", newline="")
    return nullcontext(file)


def _lines(file: TextIO) -> Callable[[dict[str, Any]], object]:
    return lambda row: file.write(msgspec.json.encode(row).decode() + "\n")


def _cells(file: TextIO, columns: tuple[str, ...]) -> Callable[[dict[str, Any]], object]:
    writer = csv.writer(file)
    writer.writerow(columns)
    return lambda row: writer.writerow([harmless(_text(row[name])) for name in columns])


def _text(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value


def harmless(cell: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before it keeps it a text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


async def _invoices(store: Store, run_id: int | None) -> AsyncIterator[dict[str, Any]]:
    async for item in store.items(run_id=run_id):
        values: dict[str, Any] = {"key": item.business_key, "reason": _reason(item)}
        yield {name: values[name] if name in values else getattr(item, name) for name in INVOICES}
    async for row in _pages(store, schema.refused, select(schema.refused), run_id=run_id):
        told = {"run_id": row.run_id, "name": row.name, "state": "refused", "reason": row.reason}
        yield {name: told.get(name) for name in INVOICES}


def _reason(item: Item) -> str | None:
    """Why an invoice was not taken, with the faults that the platform named."""
    if item.reasons is None or item.state.is_taken:
        return None
    told: dict[str, Any] = msgspec.json.decode(item.reasons)
    faults = (f"{path}: {message}" for path, message in told.get("faults", ()))
    return " ".join([told["message"], "; ".join(faults)]).strip()


async def _history(store: Store, run_id: int | None) -> AsyncIterator[dict[str, Any]]:
    item = schema.item.c
    query = select(schema.history, item.run_id, item.client_id, item.business_key.label("key")).join(
        schema.item
    )
    async for row in _pages(store, schema.history, query, run_id=run_id):
        told = row._mapping  # noqa: SLF001 - SQLAlchemy's documented way # pyright: ignore[reportPrivateUsage]
        yield {**{name: told[name] for name in HISTORY}, "detail": msgspec.json.decode(row.detail)}


async def _pages(store: Store, table: Any, query: Any, *, run_id: int | None) -> AsyncIterator[sql.AnyRow]:
    """Yield the rows of a query, of a run or of all, in the order of a table's ids."""
    if run_id is not None:
        run = schema.item.c.run_id if table is schema.history else table.c.run_id
        query = query.where(run == run_id)
    async for row in store.pages(query, table.c.id):
        yield row

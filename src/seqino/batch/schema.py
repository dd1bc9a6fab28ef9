"""The tables of the ledger, the same on SQLite and PostgreSQL.

Times are seconds since 1970 by the database's own clock. The server and the sponsor stand once, in
``ledger``: a ledger has one pair, so that a key is unique for a client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from seqino.batch.states import State

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

__all__ = [
    "APPEND_ONLY",
    "METADATA",
    "SCHEMA_VERSION",
    "chunk",
    "epoch_now",
    "history",
    "item",
    "ledger",
    "payload",
    "refused",
    "run",
    "status_event",
    "watch",
    "webhook_inbox",
]

SCHEMA_VERSION = 1
"""Grows with every change of the tables; a ledger of a higher one is not opened."""

METADATA = MetaData()

# SQLite numbers rows by itself only where the type is INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


class epoch_now(FunctionElement[float]):  # noqa: N801 - named as what it is in SQL: a function
    """Seconds since 1970 by the clock of the database."""

    type: TypeEngine[float] = Double()
    inherit_cache = True


@compiles(epoch_now, "sqlite")
def _epoch_now_sqlite(*_: Any, **__: Any) -> str:
    # unixepoch('subsec') came with SQLite 3.42; this is right to a tenth of a millisecond.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch_now, "postgresql")
def _epoch_now_postgresql(*_: Any, **__: Any) -> str:
    # Not now(), which is the beginning of the transaction.
    return "extract(epoch from clock_timestamp())::float8"


ledger = Table(
    "ledger",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("ledger_id", String(32), nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("server", Text, nullable=False),
    Column("sponsor", Text, nullable=False),
    # Counts the groups of writes after which something could be sent: a lower one is a backup.
    Column("sequence", BigInteger, nullable=False, default=0),
    # When a second validation was seen to be refused.
    Column("probed", Double),
    # From when to when nothing is known of what was sent: a backup was put back.
    Column("gap_since", Double),
    Column("gap_until", Double),
    Column("created", Double, nullable=False),
    CheckConstraint("id = 1", name="ledger_is_one_row"),
)

run = Table(
    "run",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("params", Text, nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("created", Double, nullable=False),
)

chunk = Table(
    "chunk",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("run_id", _Id, ForeignKey("run.id")),
    Column("no", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("owner", Text),
    Column("seen", Double),
    Column("done", Boolean, nullable=False),
    UniqueConstraint("run_id", "no", name="chunk_of_run"),
)

_HAS_DRAFT = text("draft_id IS NOT NULL")
_HAS_INVOICE = text("invoice_id IS NOT NULL")
_OPEN = text(
    f"state IN ('{State.SENDING}', '{State.IN_DOUBT}', '{State.ACCEPTED_UNIDENTIFIED}', '{State.ACCEPTED}')"
)
_REOPENED = text(
    f"state IN ('{State.NOT_DELIVERED}', '{State.DUPLICATE}', '{State.EXPIRED}') AND not_before IS NOT NULL"
)

item = Table(
    "item",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("run_id", _Id, ForeignKey("run.id")),
    Column("chunk_id", _Id, ForeignKey("chunk.id")),
    Column("client_id", Text, nullable=False),
    Column("business_key", Text, nullable=False),
    Column("document_ref", Text),
    Column("route", String(8), nullable=False),
    Column("name", Text, nullable=False),
    Column("payload_ref", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(24), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("ever_unknown", Boolean, nullable=False),
    Column("doubt_since", Double),
    Column("not_before", Double),
    Column("looks", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("draft_id", Text),
    Column("invoice_id", Text),
    Column("invoice_number", Text),
    Column("platform_status", Text),
    Column("http_status", Integer),
    Column("reasons", Text),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    # A document without a reference collides with none: NULL is equal to nothing.
    UniqueConstraint("client_id", "business_key", name="item_key"),
    UniqueConstraint("client_id", "document_ref", name="item_document"),
    Index("item_draft", "draft_id", sqlite_where=_HAS_DRAFT, postgresql_where=_HAS_DRAFT),
    Index("item_invoice", "invoice_id", sqlite_where=_HAS_INVOICE, postgresql_where=_HAS_INVOICE),
    Index("item_of_chunk", "chunk_id", "state"),
    Index("item_of_run", "run_id", "state"),
    # What is looked at and followed; most of what a ledger holds is at an end.
    Index("item_open", "state", "not_before", sqlite_where=_OPEN, postgresql_where=_OPEN),
    # What is at an end that later news may change, and of which there were some.
    Index("item_reopened", "not_before", sqlite_where=_REOPENED, postgresql_where=_REOPENED),
)

payload = Table(
    "payload",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

history = Table(
    "history",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("item_id", _Id, ForeignKey("item.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String(24), nullable=False),
    Column("from_state", String(24)),
    Column("to_state", String(24), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("sent", String(64)),
    Column("received", String(64)),
    Column("detail", Text, nullable=False),
    Index("history_of_item", "item_id", "id"),
)

refused = Table(
    "refused",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("run_id", _Id, ForeignKey("run.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("run_id", "name", name="refused_once"),
)
"""What a source held that was not taken, and why: it is never sent."""

status_event = Table(
    "status_event",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("invoice_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("emitter", Text, nullable=False),
    Column("rejection_reason", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("is_mandatory", Boolean, nullable=False),
    Column("seen", Double, nullable=False),
    # Events have no id: of one invoice, two that tell the same are the same.
    UniqueConstraint(
        *("invoice_id", "code", "at", "emitter", "rejection_reason", "reason"), name="status_event_once"
    ),
)

watch = Table(
    "watch",
    METADATA,
    Column("item_id", _Id, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    Column("since", Double, nullable=False),
    Column("looks", Integer, nullable=False),
    Column("quiet", Integer, nullable=False),
    Column("looked_at", Double),
    Column("hinted_at", Double),
)
"""What is remembered of following an invoice; when it is due again stands in ``item.not_before``."""

webhook_inbox = Table(
    "webhook_inbox",
    METADATA,
    Column("event_id", Text, primary_key=True),
    Column("item_id", _Id, ForeignKey("item.id")),
    Column("body", Text, nullable=False),
    Column("seen", Double, nullable=False),
)

APPEND_ONLY = tuple(
    f"CREATE TRIGGER IF NOT EXISTS history_keeps_{verb.lower()} BEFORE {verb} ON history "
    "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
"""What keeps the audit trail from being changed, on SQLite."""

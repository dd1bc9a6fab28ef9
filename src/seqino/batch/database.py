"""The way to the ledger's database: connections, what makes a commit durable, and its errors in our words."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from seqino.batch.errors import LedgerBusy, LedgerCorrupted, LedgerError, LedgerReadOnly, WriteFailed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from pathlib import Path

__all__ = ["BUSY_TIMEOUT", "Database"]

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process to finish its commit."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # The others lose the last commits with the power, and with them the proof that something was sent.
    "PRAGMA synchronous=FULL",
    # macOS: fsync alone does not reach the disk there.
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)


class Database:
    """One SQLite file: one connection that writes, and a few that read beside it.

    Args:
        path: The file; it is made where it is not there.
        busy_timeout: Seconds to wait for another process.
    """

    def __init__(self, path: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        url = URL.create("sqlite+aiosqlite", database=str(path))
        # Transactions are begun by us: the driver would begin them late, and fail where two want to write.
        arguments: dict[str, Any] = {"isolation_level": None, "timeout": busy_timeout}
        self._writing = create_async_engine(url, connect_args=arguments, pool_size=1, max_overflow=0)
        self._reading = create_async_engine(url, connect_args=arguments, pool_size=2, max_overflow=2)
        for engine in (self._writing, self._reading):
            event.listen(engine.sync_engine, "connect", _set_up)
        event.listen(self._writing.sync_engine, "begin", _begin_to_write)
        self._writer: AsyncConnection | None = None

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """Write in one durable transaction; one at a time.

        Raises:
            LedgerError: It cannot be written; nothing of the transaction was.
        """
        with self._in_our_words():
            if self._writer is None:
                self._writer = await self._writing.connect()
            try:
                async with self._writer.begin():
                    yield self._writer
            except DBAPIError:
                # What it holds back must not stand in the way of the next one.
                writer, self._writer = self._writer, None
                await writer.close()
                raise

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """Read; each statement sees what is committed by then.

        Raises:
            LedgerError: It cannot be read.
        """
        with self._in_our_words():
            async with self._reading.connect() as connection:
                yield connection

    async def aclose(self) -> None:
        """Close all connections."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        engines: tuple[AsyncEngine, ...] = (self._writing, self._reading)
        for engine in engines:
            await engine.dispose()

    @contextmanager
    def _in_our_words(self) -> Generator[None]:
        try:
            yield
        except DBAPIError as error:
            raise told(error, self.path) from error


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_to_write(connection: Any) -> None:
    # At once: a transaction that begins with a read may find that it cannot write any more.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def told(error: DBAPIError, path: Path) -> LedgerError:
    """Say what a database error means for whoever uses the ledger.

    Args:
        error: As it came.
        path: The ledger's file.
    """
    cause: BaseException | None = error.orig
    while cause is not None and not hasattr(cause, "sqlite_errorname"):
        cause = cause.__cause__
    name: str = getattr(cause, "sqlite_errorname", "")
    for prefix, kind, words in _WORDS:
        if name.startswith(prefix):
            return kind(f"the ledger {path} {words} ({name}: {cause})")
    return LedgerError(f"the ledger {path} failed: {error.orig}")


_WORDS: tuple[tuple[str, type[LedgerError], str], ...] = (
    ("SQLITE_FULL", WriteFailed, "cannot be written, as the disk is full: make room, then try again"),
    ("SQLITE_READONLY", LedgerReadOnly, "or its folder cannot be written: check their permissions"),
    (
        "SQLITE_CANTOPEN",
        LedgerReadOnly,
        "cannot be opened: is its folder there, and can it be written?",
    ),
    ("SQLITE_PERM", LedgerReadOnly, "cannot be opened: check its permissions"),
    ("SQLITE_BUSY", LedgerBusy, "is kept locked by another process"),
    ("SQLITE_LOCKED", LedgerBusy, "is kept locked by another process"),
    (
        "SQLITE_CORRUPT",
        LedgerCorrupted,
        "is damaged: put back a backup, and run 'seqino batch recover'",
    ),
    (
        "SQLITE_NOTADB",
        LedgerCorrupted,
        "is no ledger, or is damaged: name another, or put back a backup",
    ),
    ("SQLITE_IOERR", WriteFailed, "cannot be read or written, as its disk fails"),
)

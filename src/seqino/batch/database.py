"""The way to the ledger's database: connections, what makes a commit durable, and its errors in our words."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from seqino.batch.errors import (
    LedgerBusy,
    LedgerCorrupted,
    LedgerError,
    LedgerReadOnly,
    Unwritable,
    WriteFailed,
    closed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from sqlalchemy import Executable

    from seqino.batch.statements import AnyRow

__all__ = ["BUSY_TIMEOUT", "Database", "keep_log_ahead"]

T = TypeVar("T")

_FAILURES = (DBAPIError, sqlite3.Error)
"""Errors of SQLAlchemy, and of the driver where it is given a statement itself."""

_READERS = 2
"""Threads that read, beside the one that writes."""

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process to finish its commit."""

_BETWEEN_TRIES = 0.01
"""Seconds until a lock is tried for again, for which SQLite does not wait."""

_PRAGMAS = (
    # The others lose the last commits with the power, and with them the proof that something was sent.
    "PRAGMA synchronous=FULL",
    # macOS: fsync alone does not reach the disk there.
    "PRAGMA fullfsync=ON",
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
)


class Database:
    """One SQLite file: a thread that writes, and a few that read beside it.

    Its driver blocks; each statement handed to a thread by itself would cost more than the statement.

    Args:
        path: The file; it is made where it is not there.
        busy_timeout: Seconds to wait for another process.
    """

    def __init__(self, path: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        # Transactions are begun by us: the driver would begin them late, and fail where two want to write.
        arguments: dict[str, Any] = {
            "isolation_level": None,
            "timeout": busy_timeout,
            "check_same_thread": False,
        }
        url = URL.create("sqlite", database=str(path))
        self._writing = create_engine(url, connect_args=arguments, pool_size=1, max_overflow=0)
        self._reading = create_engine(url, connect_args=arguments, pool_size=_READERS, max_overflow=0)
        for engine in (self._writing, self._reading):
            event.listen(engine, "connect", _set_up)
        event.listen(self._writing, "begin", _begin_to_write)
        self._writer: Connection | None = None
        self._is_closed = False
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="seqino-ledger")
        self._read_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="seqino-ledger")

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do something in the thread that writes, in which there is one thing at a time.

        Args:
            work: It; what it writes, it writes by ``transact``.

        Raises:
            LedgerUnusable: The ledger is closed.
        """
        if self._is_closed:
            raise closed()
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, work)

    def transact(self, perform: Callable[[Connection], T]) -> T:
        """Write in one durable transaction; in the thread that writes.

        Raises:
            LedgerError: It cannot be written; nothing of the transaction was.
        """
        with self._in_our_words():
            if self._writer is None:
                self._writer = self._writing.connect()
            try:
                with self._writer.begin():
                    return perform(self._writer)
            except (*_FAILURES, UnicodeError, OverflowError, MemoryError):
                # What it holds back must not stand in the way of the next one.
                writer, self._writer = self._writer, None
                writer.close()
                raise

    async def read(self, query: Executable) -> list[AnyRow]:
        """Return the rows of a query, as they are committed by then.

        Raises:
            LedgerError: It cannot be read.
        """
        if self._is_closed:
            raise closed()
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, self._read, query)

    def _read(self, query: Executable) -> list[AnyRow]:
        with self._in_our_words(), self._reading.connect() as connection:
            return list(connection.execute(query).all())

    async def aclose(self) -> None:
        """Close all connections."""
        self._is_closed = True
        await asyncio.get_running_loop().run_in_executor(self._write_thread, self._close)
        self._write_thread.shutdown(wait=False)
        self._read_threads.shutdown(wait=False)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._writing.dispose()
        self._reading.dispose()

    @contextmanager
    def _in_our_words(self) -> Generator[None]:
        try:
            yield
        except _FAILURES as error:
            raise told(error, self.path) from error
        except (UnicodeError, OverflowError) as error:
            # The driver says so of a value before the database has seen it.
            raise Unwritable(f"the ledger {self.path} cannot keep what it was given: {error}") from error
        except MemoryError as error:
            # The driver says so without a name.
            raise WriteFailed(f"the ledger {self.path} cannot be written: too little memory") from error


def keep_log_ahead(connection: sqlite3.Connection) -> None:
    """Have a file keep a write-ahead log.

    Where it has none yet, that takes a lock for which SQLite does not wait: another process may be about to
    do the same.

    Raises:
        sqlite3.Error: It cannot be done, or not in the time that the connection waits for others.
    """
    wait: int = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    until = time.monotonic() + wait / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            time.sleep(_BETWEEN_TRIES)
        else:
            return


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    keep_log_ahead(connection)
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_to_write(connection: Connection) -> None:
    # At once: a transaction that begins with a read may find that it cannot write any more.
    connection.connection.cursor().execute("BEGIN IMMEDIATE")


def told(error: DBAPIError | sqlite3.Error, path: Path) -> LedgerError:
    """Say what a database error means for whoever uses the ledger.

    Args:
        error: As it came.
        path: The ledger's file.
    """
    first: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    cause = first
    while cause is not None and not hasattr(cause, "sqlite_errorname"):
        cause = cause.__cause__
    name: str = getattr(cause, "sqlite_errorname", "")
    for prefix, kind, words in _WORDS:
        if name.startswith(prefix):
            return kind(f"the ledger {path} {words} ({name}: {cause})")
    return LedgerError(f"the ledger {path} failed: {first}")


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
    ("SQLITE_PROTOCOL", LedgerBusy, "is kept locked by another process"),
    ("SQLITE_TOOBIG", Unwritable, "cannot keep what it was given"),
    ("SQLITE_CONSTRAINT", Unwritable, "cannot keep what it was given"),
    ("SQLITE_MISMATCH", Unwritable, "cannot keep what it was given"),
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

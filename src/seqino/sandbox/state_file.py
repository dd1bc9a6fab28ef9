"""The state in a file: one SQLite database, one table of records, one transaction for each request.

A transaction is in the operating system's hands before its request is answered, so that it outlives the
process, however that ends (WAL with ``synchronous=NORMAL``). Only when the machine itself loses its power may
the last few be missing; they are missing whole, from the end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Self

import msgspec

from seqino.sandbox.clock import LAST, stamp
from seqino.sandbox.errors import SandboxError
from seqino.sandbox.state import Kept, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from seqino.sandbox.world.records import Record

__all__ = ["FORMAT", "StateFile", "write"]

FORMAT = 1
"""Version of the tables; a file of a newer one is left alone."""

_APPLICATION = int.from_bytes(b"SQNO", "big")
"""Tells our files from other databases (``PRAGMA application_id``)."""

_SCHEMA = f"""
    PRAGMA application_id = {_APPLICATION};
    PRAGMA user_version = {FORMAT};
    CREATE TABLE record (
        place INTEGER PRIMARY KEY, -- records are read in the order in which they were first put
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        data TEXT NOT NULL,
        UNIQUE (owner, kind, key)
    );
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_PUT = """INSERT INTO record (owner, kind, key, data) VALUES (?, ?, ?, ?)
    ON CONFLICT (owner, kind, key) DO UPDATE SET data = excluded.data"""
_DROP = "DELETE FROM record WHERE owner = ? AND kind = ? AND key = ?"
_SET = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

_READ_ONLY = "may only be read: make it writable, or choose another file"
_CAUSES = {
    sqlite3.SQLITE_BUSY: "is in use by another sandbox that runs: stop that one, or choose another file",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: it has to be a file in a folder that exists and is yours",
    sqlite3.SQLITE_CORRUPT: "is damaged: take a copy of it that is not, or choose another file",
    sqlite3.SQLITE_FULL: "has no room left: free some and start the sandbox again",
    sqlite3.SQLITE_NOTADB: "is no state of a sandbox: choose another file",
    sqlite3.SQLITE_READONLY: _READ_ONLY,
}

_log = logging.getLogger("seqino.sandbox")
_json = msgspec.json.Encoder(decimal_format="number")
"""A fraction in what the API does not know keeps its digits as a number; an amount is text already."""

_Place = tuple[str, str, str]


def write(record: Record) -> str:
    """Write the fields of a record as JSON."""
    return _json.encode(record).decode()


class StateFile:
    """A state in a file, which no other sandbox can use meanwhile.

    Args:
        path: For messages.
        connection: Database, with its tables and locked.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.failure: str | None = None
        self.connection = connection
        """The database, open and locked."""
        self._changes: dict[_Place, Record | None] = {}
        """What to write: a record, or ``None`` for one to forget."""
        self._is_changed = False
        self._is_cleared = False
        self._digest: str | None = None
        self._until: datetime | None = None
        """Moment of the sandbox's time up to which the file is ahead of it."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file, or make one that only its owner can read, and lock it.

        Raises:
            SandboxError: It is no state of a sandbox, a newer version wrote it, another sandbox uses it, or
                it cannot be written.
        """
        # SQLite would make one that all can read, and a webhook's secret is in it. An existing file is not
        # opened here: to close it again would let go of this process's locks on it.
        with contextlib.suppress(OSError):  # SQLite says what is wrong, if anything is
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if path.exists() and not path.is_file():  # here too
            raise SandboxError(f"{path} {_CAUSES[sqlite3.SQLITE_CANTOPEN]}")
        if path.is_file() and not os.access(path, os.W_OK):  # SQLite would speak of a disk error
            raise SandboxError(f"{path} {_READ_ONLY}")
        connection = None
        try:
            # A sandbox may run in one thread and be reset from another; SQLite itself takes turns.
            connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            _prepare(connection, path)
        except (sqlite3.Error, SandboxError) as error:
            if connection is not None:
                connection.close()
            raise _explained(path, error) from error
        return cls(path, connection)

    # --- Reading

    def standing(self) -> Standing | None:
        """Return what was counted at the last commit.

        Raises:
            SandboxError: The file is damaged, or its time is later than any sandbox's.
        """
        value = self._meta("standing")
        if value is None:
            return None
        try:
            standing = msgspec.json.decode(value, type=Standing)
        except msgspec.MsgspecError as error:
            raise SandboxError(f"{self.path} {_CAUSES[sqlite3.SQLITE_CORRUPT]} ({error})") from error
        if standing.now > LAST:
            raise SandboxError(
                f"{self.path} cannot be gone on from: its time is {stamp(standing.now)},"
                f" and the clock ends with {stamp(LAST)}. Choose another file"
            )
        return standing

    def records(self) -> Iterator[Kept]:
        """Yield every record, in the order in which they were first put.

        Raises:
            SandboxError: The file is damaged.
        """
        try:
            for row in self.connection.execute("SELECT owner, kind, data FROM record ORDER BY place"):
                yield Kept(*row)
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error

    @property
    def description(self) -> str | None:
        """Digest of the description that its records were judged by; set, it holds with the next commit.

        Raises:
            SandboxError: The file is damaged.
        """
        return self._meta("description")

    @description.setter
    def description(self, digest: str) -> None:
        self._digest = digest

    def _meta(self, name: str) -> str | None:
        try:
            row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        except sqlite3.Error as error:
            raise _explained(self.path, error) from error
        return None if row is None else str(row[0])

    # --- Writing

    def put(self, owner: str, record: Record) -> None:
        """Keep a record of an owner, in place of an earlier one with its kind and key."""
        self._changes[owner, record.kind, record.key] = record
        self._is_changed = True

    def note(self, owner: str, record: Record) -> None:
        """Keep a record with whatever is kept next."""
        self._changes[owner, record.kind, record.key] = record

    def insist(self) -> None:
        """Have the next commit write, even where nothing but counts changed."""
        self._is_changed = True

    def drop(self, owner: str, record: Record) -> None:
        """Forget a record of an owner."""
        self._changes[owner, record.kind, record.key] = None
        self._is_changed = True

    def clear(self) -> None:
        """Forget everything."""
        self._changes.clear()
        self._is_changed = self._is_cleared = True

    def is_due(self, now: datetime) -> bool:
        """Tell whether something changed, or the sandbox's time has come further than the file knows."""
        return self._is_changed or self._until is None or now > self._until

    def commit(self, standing: Standing) -> None:
        """Write what changed, as one transaction.

        Raises:
            SandboxError: It cannot be written; nothing of it is, and nothing can be from now on.
        """
        if self.failure is not None:
            raise SandboxError(self.failure)
        try:
            self._write(standing)
        except sqlite3.Error as error:
            self.failure = f"{_explained(self.path, error)}; nothing since then is kept"
            _log.error("%s", self.failure)
            raise SandboxError(self.failure) from error
        self._changes.clear()
        self._is_changed = self._is_cleared = False
        self._until, self._digest = standing.now, None

    def _write(self, standing: Standing) -> None:
        kept = [(*place, write(record)) for place, record in self._changes.items() if record is not None]
        dropped = [place for place, record in self._changes.items() if record is None]
        execute = self.connection.execute
        execute("BEGIN")
        # What fails leaves the transaction open, and whatever ends the process, or close(), undoes it.
        if self._is_cleared:
            execute("DELETE FROM record")
        self.connection.executemany(_DROP, dropped)
        self.connection.executemany(_PUT, kept)
        execute(_SET, ("standing", _json.encode(standing).decode()))
        if self._digest is not None:
            execute(_SET, ("description", self._digest))
        execute("COMMIT")

    def close(self) -> None:
        """Let go of the file; what was not committed is lost."""
        self.connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Lock the database, and see that it is one of ours."""

    def pragma(name: str) -> Any:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    # Before anything is read: from the first read on the file is locked until it is closed.
    pragma("locking_mode = EXCLUSIVE")
    application, version = pragma("application_id"), pragma("user_version")
    is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != _APPLICATION and not (is_new and application == 0):
        raise SandboxError(f"{path} is a database of something else: choose another file")
    if version > FORMAT:
        raise SandboxError(
            f"{path} was written by a newer version (format {version}, this one knows {FORMAT}):"
            " use that one, or choose another file"
        )
    pragma("journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if is_new:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT")
    with contextlib.suppress(OSError):  # another's file that we may write: its owner says who reads it
        path.chmod(0o600)


def _explained(path: Path, error: sqlite3.Error | SandboxError) -> SandboxError:
    if isinstance(error, SandboxError):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    cause = None if code is None else _CAUSES.get(code & 0xFF)  # the low byte is the primary code
    return SandboxError(f"{path} {cause or f'cannot be used: {error}'}")

"""Everything that may be wrong with a ledger before the first write, and its making where there is none."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import platformdirs
from sqlalchemy import insert, make_url, select, text
from sqlalchemy.exc import ArgumentError

from seqino.batch import schema
from seqino.batch.database import BUSY_TIMEOUT, Database, keep_log_ahead
from seqino.batch.elsewhere import ledgers_elsewhere
from seqino.batch.errors import (
    LedgerCorrupted,
    LedgerElsewhere,
    LedgerMissing,
    LedgerNewer,
    LedgerOfAnother,
    LedgerOnNetwork,
    LedgerReadOnly,
    LedgerRestored,
)
from seqino.batch.keys import check_name, digest, normalise_server
from seqino.batch.names import storable
from seqino.batch.sequence import HighWater, marks_of, sequence_path
from seqino.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from seqino.batch.sequence import Mark
    from seqino.batch.statements import AnyRow

__all__ = ["Opened", "Place", "check_is_local", "filesystem_of", "open_database", "place_of"]

APPLICATION_ID = 0x53714C67
"""What says in the file's header that it is a ledger: ``SqLg``."""

_MAGIC = b"SQLite format 3\0"
_CHECKED = 64 * 1024 * 1024
"""Bytes up to which a file is checked whole when it is opened: about a tenth of a second."""

_REMOTE = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.davfs", "fuse.glusterfs", "fuse.rclone"}
    | {
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb2",
        "smb3",
        "smbfs",
    }
    | {"vboxsf", "virtiofs"}
)
"""File systems whose files are on another machine."""


@attrs.frozen(kw_only=True)
class Place:
    """Where a ledger is, and whose.

    Args:
        path: Its file, absolute.
        server: The server's address in the form of ``normalise_server``.
        sponsor: What the caller calls the sponsor.
        copies: Folder of the copies of high-water marks.
        is_another: Whether it may be made although the same server and sponsor have one already.
    """

    path: Path
    server: str
    sponsor: str
    copies: Path
    is_another: bool = False


@attrs.frozen(kw_only=True)
class Opened:
    """An open ledger.

    Args:
        database: The way to it.
        high_water: How far it has come, outside of it.
        sequence: The number of the last group of writes.
        is_new: Whether it was made just now.
        is_probed: Whether the server was seen to refuse a second validation.
    """

    database: Database
    high_water: HighWater
    sequence: int
    is_new: bool
    is_probed: bool


def place_of(
    place: str | os.PathLike[str] | None,
    *,
    server: str,
    sponsor: str,
    copies: str | os.PathLike[str] | None,
    is_another: bool = False,
) -> Place:
    """Say where a ledger is.

    Args:
        place: Its file, or an ``sqlite:///`` URL; the user's data folder where it is left out.
        server: Name of a published server, or a URL.
        sponsor: What the caller calls the sponsor whose key is used: a key may change, this must not.
        copies: Folder of the copies of high-water marks; the user's state folder where it is left out.
        is_another: Whether it may be made although the same server and sponsor have one already.

    Raises:
        ConfigurationError: The server or the place is none.
        InvalidInput: The sponsor's name is none.
    """
    address = normalise_server(server)
    name = check_name("sponsor", sponsor)
    if place is None:
        # A readable name is not unique once what a file cannot be called is left out.
        readable = "".join(letter if letter.isalnum() else "-" for letter in f"{address}-{name}".lower())
        unique = digest(f"{address} {name}".encode())[:12]
        path = platformdirs.user_data_path("seqino") / "ledgers" / f"{readable[:80]}-{unique}.sqlite"
    else:
        path = _path(place)
    folder = platformdirs.user_state_path("seqino") / "high-water" if copies is None else Path(copies)
    for given in (path.absolute(), folder.absolute()):
        if storable(str(given)) != str(given):
            # It is written down where the ledger was, to tell a backup from it.
            raise ConfigurationError(f"the ledger cannot be at {storable(str(given))}: its name is no text")
    return Place(
        path=path.absolute(),
        server=address,
        sponsor=name,
        copies=folder.absolute(),
        is_another=is_another,
    )


def _path(place: str | os.PathLike[str]) -> Path:
    if not isinstance(place, str) or "://" not in place:
        return Path(place)
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        url = make_url("none://")
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ConfigurationError("the ledger must be a file, or an sqlite:/// URL of one")
    return Path(url.database)


async def open_database(place: Place, *, create: bool, recover: bool = False) -> Opened:
    """Open a ledger, or make it.

    Args:
        place: Where it is, and whose.
        create: Whether to make it where none is or was.
        recover: Whether it may be a backup; whoever opens it so has to call ``Store.recover``.

    Raises:
        LedgerUnusable: It cannot be used; the message says why, and what to do.
        LedgerError: It is locked, or its disk fails.
    """
    await asyncio.to_thread(_check_file, place, create=create)
    database = Database(place.path)
    opened = False
    try:
        result = await _open(place, database, recover=recover)
        opened = True
    finally:
        if not opened:
            await database.aclose()
    return result


async def _open(place: Place, database: Database, *, recover: bool) -> Opened:
    def make(connection: Connection) -> tuple[bool, AnyRow]:
        return _make(connection, place), connection.execute(select(schema.ledger)).one()

    is_new, row = await database.in_thread(lambda: database.transact(make))
    await _check_content(place, database)
    if (row.server, row.sponsor) != (place.server, place.sponsor):
        raise LedgerOfAnother(
            f"{place.path} is the ledger of {row.sponsor!r} at {row.server}, not of {place.sponsor!r} at "
            f"{place.server}: each sponsor at each server has its own, as a key is unique in one ledger only"
        )
    high_water = HighWater(ledger_id=row.ledger_id, place=place.path, folder=place.copies)
    reached = await asyncio.to_thread(high_water.read)
    sequence: int = row.sequence
    if reached > sequence:
        # Another process may have come further since: a mark is made after what it marks, so that what is
        # read after it is not behind it.
        sequence = (await database.read(select(schema.ledger.c.sequence)))[0][0]
    if reached > sequence and not recover:
        raise LedgerRestored(
            f"{place.path} is older than it was ({sequence} of {reached} groups of writes): a backup was "
            "put in its place, which does not know what was sent since. Run 'seqino batch recover' before "
            "anything is sent"
        )
    await asyncio.to_thread(high_water.open)
    return Opened(
        database=database,
        high_water=high_water,
        sequence=max(sequence, reached),
        is_new=is_new,
        is_probed=row.probed is not None,
    )


# The file, before SQLite sees it


def _check_file(place: Place, *, create: bool) -> None:
    path = place.path
    check_is_local(path)
    try:
        head = _head(path)
        known = () if head else marks_of(path, place.copies)
        # Another process may have made it meanwhile, and marked it afterwards.
        head = head or _head(path)
    except OSError as error:
        raise LedgerReadOnly(f"the ledger at {path} cannot be read: {error.strerror}") from error
    if not head:
        _check_may_be_made(place, known, create=create)
        _begin(path)
        return
    if not head.startswith(_MAGIC):
        raise LedgerCorrupted(f"{path} is no ledger, or is damaged: name another file, or put back a backup")
    # Its format: sqlite.org/fileformat2.html, 1.3.
    version, application = int.from_bytes(head[60:64]), int.from_bytes(head[68:72])
    if application != APPLICATION_ID:
        raise LedgerCorrupted(f"{path} is an SQLite file, but no ledger: name another file")
    if version > schema.SCHEMA_VERSION:
        raise LedgerNewer(
            f"{path} was written by a newer version of seqino (its tables are of version {version}, this one "
            f"knows {schema.SCHEMA_VERSION}): upgrade seqino"
        )


def _head(path: Path) -> bytes:
    """Return how a file begins; nothing where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(100)
    except FileNotFoundError:
        return b""


def _check_may_be_made(place: Place, known: Sequence[Mark], *, create: bool) -> None:
    if known:
        last = max(known, key=lambda mark: mark.sequence)
        copy = place.copies / f"{last.ledger_id}.sequence"
        raise LedgerMissing(
            f"there is no ledger at {place.path}, although there was one: what it knew to be sent would be "
            "sent again. Put it or a backup of it back, then run 'seqino batch recover'. If nothing was ever "
            f"sent, remove {sequence_path(place.path)} and {copy}"
        )
    if not create:
        raise LedgerMissing(f"there is no ledger at {place.path}")
    others = ledgers_elsewhere(place.path, place.copies, server=place.server, sponsor=place.sponsor)
    if others and not place.is_another:
        raise LedgerElsewhere(
            f"{place.sponsor!r} at {place.server} has a ledger already, {others[0]}, and none at "
            f"{place.path}: a new one would not know what was sent, and would send it again. Use that one, "
            "or move it here; if this really has to be another one, say so (another=True, --another-ledger)"
        )


def _begin(path: Path) -> None:
    """Make a file that says in its header what it is, before anything else is in it.

    It appears whole: of several processes that make it at once, one does. One that is there and empty is
    never put aside, since another process may just have made a ledger of it: SQLite sees to it that all of
    them write the same file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
            _put_header(unfinished)
            with suppress(FileExistsError):
                path.hardlink_to(unfinished)
            unfinished.unlink()
        if not path.stat().st_size:
            _put_header(path)
    except (OSError, sqlite3.Error) as error:
        raise LedgerReadOnly(f"no ledger can be made at {path}: {error}") from error


def _put_header(path: Path) -> None:
    # Whole invoices are kept in it; what SQLite lays beside it is as private.
    path.touch(mode=0o600)
    path.chmod(0o600)
    with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
        connection.execute("COMMIT")
        keep_log_ahead(connection)


def check_is_local(path: Path) -> None:
    """Refuse a file that is on another machine.

    Raises:
        LedgerOnNetwork: It is.
    """
    kind = "network" if path.drive.startswith("\\\\") else ""
    if sys.platform == "linux":
        kind = filesystem_of(path, Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    if kind in _REMOTE or kind == "network":
        raise LedgerOnNetwork(
            f"{path} is on another machine ({kind}), where neither locks nor durable writes can be relied "
            "on: keep the ledger on a local disk"
        )


def filesystem_of(path: Path, mounts: str) -> str:
    """Return the kind of file system that a file is on, or would be; empty where nothing tells.

    Args:
        path: The file, absolute.
        mounts: What proc(5) says of mounts (``/proc/self/mountinfo``).
    """
    target = path.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        parts = fields.split()
        if len(parts) < 5 or not rest:  # noqa: PLR2004 - the mount point is the fifth
            continue
        mount = Path(parts[4].encode("latin-1", "replace").decode("unicode_escape"))
        # Of two at one place, the later one hides the other.
        if target.is_relative_to(mount) and len(mount.parts) >= best:
            best, kind = len(mount.parts), rest.split()[0]
    return kind


# Its content


def _make(connection: Connection, place: Place) -> bool:
    """Make the tables where they are not there; several processes may want to at once."""
    schema.METADATA.create_all(connection)
    for trigger in schema.APPEND_ONLY:
        connection.execute(text(trigger))
    if connection.execute(select(schema.ledger.c.id)).first() is not None:
        return False
    values: dict[str, Any] = {
        "id": 1,
        "ledger_id": secrets.token_hex(16),
        "schema_version": schema.SCHEMA_VERSION,
        "server": place.server,
        "sponsor": place.sponsor,
        "sequence": 0,
    }
    connection.execute(insert(schema.ledger).values(**values, created=schema.epoch_now()))
    return True


async def _check_content(place: Place, database: Database) -> None:
    size = await asyncio.to_thread(lambda: place.path.stat().st_size)
    check = "PRAGMA quick_check(1)" if size <= _CHECKED else "SELECT 'ok'"
    journal: str = (await database.read(text("PRAGMA journal_mode")))[0][0]
    found: str = (await database.read(text(check)))[0][0]
    if found != "ok":
        raise LedgerCorrupted(
            f"{place.path} is damaged ({found}): put a backup in its place, and run 'seqino batch recover'"
        )
    if journal != "wal":
        raise LedgerOnNetwork(
            f"{place.path} cannot keep a write-ahead log where it is: keep it on a local disk"
        )

"""What may be wrong with a ledger before anything is written to it."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from seqino.batch import (
    KeyConflict,
    KeyUnknown,
    Ledger,
    LedgerBusy,
    LedgerCorrupted,
    LedgerElsewhere,
    LedgerError,
    LedgerMissing,
    LedgerNewer,
    LedgerOfAnother,
    LedgerOnNetwork,
    LedgerReadOnly,
    LedgerRestored,
    State,
    WriteFailed,
    opening,
)
from seqino.batch.database import Database, told
from seqino.batch.errors import Unwritable
from seqino.batch.opening import filesystem_of, place_of
from seqino.batch.sequence import sequence_path
from seqino.errors import ConfigurationError, InvalidInput
from tests.batch.conftest import CLIENT, DRAFT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

SERVER = "http://127.0.0.1:8052"


def settings(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"server": SERVER, "sponsor": "acme", "copies": folder / "copies", **changes}


async def make(folder: Path) -> Path:
    place = folder / "l.db"
    async with Ledger.open(place, **settings(folder)) as ledger:
        assert ledger.is_new
    return place


async def test_a_ledger_is_made_once_and_then_opened(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = await make(tmp_path)
    assert "l.db was made. What was sent before is not in it" in caplog.text
    ledger = await Ledger.open(place, **settings(tmp_path))
    assert not ledger.is_new
    await ledger.aclose()


async def test_many_that_make_it_at_once_make_one(tmp_path: Path) -> None:
    place = tmp_path / "l.db"
    ledgers = await asyncio.gather(*(_opened(place, tmp_path) for _ in range(5)))
    assert sum(ledger.is_new for ledger in ledgers) == 1
    await asyncio.gather(*(ledger.aclose() for ledger in ledgers))


async def test_a_ledger_is_made_and_recovered_although_the_log_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Mock()
    broken.filter.side_effect = ZeroDivisionError
    monkeypatch.setattr(logging.getLogger("seqino"), "filters", [broken])
    place = await make(tmp_path)
    async with Ledger.open(place, recover=True, **settings(tmp_path)) as ledger:
        assert not ledger.is_new
    assert broken.filter.call_count == 2


async def test_an_empty_file_is_none_yet(tmp_path: Path) -> None:
    (tmp_path / "l.db").touch()
    assert await make(tmp_path) == tmp_path / "l.db"


async def test_an_empty_file_that_another_process_makes_a_ledger_of_meanwhile_is_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "l.db"
    place.touch()
    stat_of, begin = Path.stat, opening._begin
    seen, others = list[os.stat_result](), list[str]()

    async def make_it() -> None:
        async with Ledger.open(place, **settings(tmp_path)) as other:
            others.append(other._opened.high_water.ledger_id)

    def stat_then(self: Path, **how: Any) -> os.stat_result:
        """What is seen is past by the time that it is acted on."""
        found = stat_of(self, **how)
        if self != place or (seen and not others):
            return found
        if not seen:
            seen.append(found)
            with ThreadPoolExecutor(1) as another:
                another.submit(asyncio.run, make_it()).result()
        return seen[0]

    def begin_late(path: Path) -> None:
        monkeypatch.setattr(opening, "_begin", begin)
        monkeypatch.setattr(Path, "stat", stat_then)
        begin(path)
        monkeypatch.setattr(Path, "stat", stat_of)

    monkeypatch.setattr(opening, "_begin", begin_late)
    async with Ledger.open(place, **settings(tmp_path)) as ledger:
        assert (ledger.is_new, [ledger._opened.high_water.ledger_id]) == (False, others)


async def test_an_empty_file_that_appears_while_a_ledger_is_made_is_made_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Path.hardlink_to

    def hardlink_to(self: Path, target: Path) -> None:
        self.touch(mode=0o644)
        link(self, target)

    monkeypatch.setattr(Path, "hardlink_to", hardlink_to)
    place = await make(tmp_path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    async with Ledger.open(place, **settings(tmp_path)) as ledger:
        assert not ledger.is_new
    left = sorted(os.listdir(tmp_path))  # noqa: PTH208 - Path's own is not for coroutines
    assert left == ["copies", "l.db", "l.db.sequence"]


async def test_a_ledger_that_another_process_makes_while_the_file_is_looked_at_is_missed_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = opening._head

    def head_then(path: Path) -> bytes:
        """What is read is past by the time that it is acted on."""
        found = head(path)
        monkeypatch.setattr(opening, "_head", head)
        asyncio.run(make(tmp_path))
        return found

    monkeypatch.setattr(opening, "_head", head_then)
    async with Ledger.open(tmp_path / "l.db", **settings(tmp_path)) as ledger:
        assert not ledger.is_new


@pytest.fixture
async def without_log(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """A ledger without a write-ahead log yet, which another process writes."""
    place = await make(tmp_path)
    with closing(sqlite3.connect(place, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_a_ledger_that_another_process_makes_is_waited_for(
    tmp_path: Path, without_log: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_: float) -> None:
        without_log.execute("ROLLBACK")

    monkeypatch.setattr(time, "sleep", sleep)
    async with Ledger.open(tmp_path / "l.db", **settings(tmp_path)) as ledger:
        assert not ledger.is_new


@pytest.mark.usefixtures("without_log")
async def test_a_ledger_that_another_process_makes_is_not_waited_for_without_end(tmp_path: Path) -> None:
    database = Database(tmp_path / "l.db", busy_timeout=0)
    try:
        with pytest.raises(LedgerBusy, match="is kept locked by another process"):
            await database.read(select(1))
    finally:
        await database.aclose()


async def _opened(place: Path, folder: Path) -> Ledger:
    return await Ledger.open(place, **settings(folder))


async def test_a_ledger_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing, match="there is no ledger at"):
        await Ledger.open(tmp_path / "l.db", create=False, **settings(tmp_path))
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - Path's own is not for coroutines


@pytest.mark.parametrize("change", [{"server": "http://127.0.0.1:9"}, {"sponsor": "other"}])
async def test_another_servers_or_sponsors_ledger_is_refused(tmp_path: Path, change: Any) -> None:
    place = await make(tmp_path)
    with pytest.raises(LedgerOfAnother, match="is the ledger of 'acme' at http://127"):
        await Ledger.open(place, **settings(tmp_path, **change))


async def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    place = await make(tmp_path)
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(LedgerNewer, match=r"version 99, this one knows 1\): upgrade seqino"):
        await Ledger.open(place, **settings(tmp_path))


async def test_what_is_no_ledger_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, other = tmp_path / "t.db", tmp_path / "o.db"
    text.write_bytes(b"x" * 200)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE a (b)")
    before = other.read_bytes()
    with pytest.raises(LedgerCorrupted, match="is no ledger, or is damaged"):
        await Ledger.open(text, **settings(tmp_path))
    with pytest.raises(LedgerCorrupted, match="an SQLite file, but no ledger"):
        await Ledger.open(other, **settings(tmp_path))
    assert (text.read_bytes(), other.read_bytes()) == (b"x" * 200, before)


async def test_a_damaged_ledger_is_refused(tmp_path: Path) -> None:
    place = await make(tmp_path)
    content = bytearray(place.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    place.write_bytes(content)
    with pytest.raises(LedgerCorrupted, match="damaged"):
        await Ledger.open(place, **settings(tmp_path))


async def test_a_ledger_with_a_damaged_table_is_refused(tmp_path: Path) -> None:
    place = await make(tmp_path)
    with closing(sqlite3.connect(place)) as connection:
        page: int = connection.execute("SELECT rootpage FROM sqlite_master WHERE name='payload'").fetchone()[
            0
        ]
    content = bytearray(place.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    place.write_bytes(content)
    with pytest.raises(LedgerCorrupted, match=r"is damaged \("):
        await Ledger.open(place, **settings(tmp_path))


async def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LedgerReadOnly, match=r"the ledger at .*l\.db cannot be read: Not a directory"):
        await Ledger.open(tmp_path / "file" / "l.db", **settings(tmp_path))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(LedgerReadOnly, match=r"no ledger can be made at .*l\.db: .*No space left"):
        await Ledger.open(tmp_path / "l.db", **settings(tmp_path))


async def test_a_ledger_on_another_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "filesystem_of", Mock(return_value="nfs4"))
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(LedgerOnNetwork, match=r"on another machine \(nfs4\)"):
        await Ledger.open(tmp_path / "l.db", **settings(tmp_path))


async def test_a_share_of_windows_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = Mock(spec=tmp_path, drive="\\\\host\\share")
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(LedgerOnNetwork, match=r"\(network\)"):
        opening.check_is_local(share)
    opening.check_is_local(tmp_path / "l.db")


async def test_a_file_without_a_write_ahead_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await make(tmp_path)
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    monkeypatch.setattr("seqino.batch.database.keep_log_ahead", Mock())
    with pytest.raises(LedgerOnNetwork, match="write-ahead log"):
        await Ledger.open(place, **settings(tmp_path))


async def test_a_large_ledger_is_not_read_whole_to_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await make(tmp_path)
    monkeypatch.setattr(opening, "_CHECKED", 0)
    async with Ledger.open(place, **settings(tmp_path)) as ledger:
        assert await ledger.counts() == {}


async def test_a_locked_ledger_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await make(tmp_path)
    monkeypatch.setattr("seqino.batch.opening.Database", _impatient)
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="kept locked by another process"):
            await Ledger.open(place, **settings(tmp_path))


def _impatient(path: Path) -> Any:
    from seqino.batch.database import Database  # noqa: PLC0415 - not the one that was replaced

    return Database(path, busy_timeout=0.0)


async def test_an_opening_that_failed_closes_nothing(tmp_path: Path) -> None:
    pending = Ledger.open(tmp_path / "l.db", create=False, **settings(tmp_path))
    with pytest.raises(LedgerMissing):
        async with pending:
            pass
    await pending.__aexit__(None, None, None)


# Backups


async def sent(machine: Machine, client: SeqinoClient, key: str) -> None:
    ledger = await machine.open()
    await ledger.submit(client, DRAFT, key=key)
    await ledger.aclose()


async def test_a_backup_in_a_ledgers_place_is_refused_until_it_is_recovered(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    platform.faults["create"] = ["401"]
    with pytest.raises(Exception, match="401"):
        await ledger.submit(client, DRAFT, key="queued")
    platform.faults["validate"], platform.faults["look"] = ["401"], ["401"]
    with pytest.raises(Exception, match="401"):
        await ledger.submit(client, DRAFT, key="drafted")
    await ledger.aclose()
    backup = machine.folder / "backup.db"
    shutil.copy(machine.place, backup)
    for key in ("queued", "drafted", "k"):
        await sent(machine, client, key)
    effects = platform.effects.total()
    shutil.copy(backup, machine.place)
    with pytest.raises(LedgerRestored, match=r"is older than it was \(1 of 4 groups of writes\)"):
        await machine.open()
    recovered = await machine.open(recover=True)
    # Without a draft nobody can look; with one, the platform tells.
    assert await recovered.counts() == {State.PARKED: 1, State.IN_DOUBT: 1}
    assert (await recovered.reconcile(client)).settled == 1
    assert platform.effects.total() == effects
    await recovered.aclose()
    # What it does not know, it may have sent: only a person can tell.
    for key in ("k", "another"):
        with pytest.raises(KeyUnknown, match=f"'{key}' is not in this ledger, which was put back"):
            await sent(machine, client, key)
    assert platform.effects.total() == effects
    ledger = await machine.open()
    gap = await ledger.gap()
    assert gap is not None
    assert gap.since < gap.until
    assert await ledger.admit_new_keys() == gap
    assert (await ledger.gap(), await ledger.admit_new_keys()) == (None, None)
    await ledger.aclose()
    await sent(machine, client, "another")


async def test_a_second_backup_leaves_the_gap_begin_where_the_first_one_did(machine: Machine) -> None:
    await (await machine.open()).aclose()
    first = await machine.open(recover=True)
    gap = await first.gap()
    await first.aclose()
    second = await machine.open(recover=True)
    again = await second.gap()
    assert gap is not None
    assert again is not None
    assert (again.since, again.until > gap.until) == (gap.since, True)
    await second.aclose()


async def test_a_process_that_is_at_work_learns_that_new_keys_are_taken_again(
    machine: Machine, client: SeqinoClient
) -> None:
    await (await machine.open(recover=True)).aclose()
    at_work, person = await machine.open(), await machine.open()
    with pytest.raises(KeyUnknown):
        await at_work.submit(client, DRAFT, key="k")
    run = await at_work.create_run([("1", DRAFT)], client_id=CLIENT)
    assert ["may have been sent then" in refused.reason for refused in await run.refused()] == [True]
    await person.admit_new_keys()
    await at_work.submit(client, DRAFT, key="k")
    await person.aclose()
    await at_work.aclose()


async def test_a_process_that_is_at_work_learns_that_the_ledger_is_a_backup(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    at_work = await machine.open()
    await at_work.submit(client, DRAFT, key="known")
    await (await machine.open(recover=True)).aclose()
    with pytest.raises(KeyUnknown):
        await at_work.submit(client, DRAFT, key="k")
    assert platform.effects.total() == 1
    await at_work.aclose()


async def test_what_was_invalid_in_a_backup_may_have_been_mended_and_sent_since(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    await ledger.create_run([("1", {"currency_code": "EUR"})], client_id=CLIENT)
    await ledger.create_run([("1", {"currency_code": "CHF"})], client_id=CLIENT)
    await ledger.aclose()
    recovered = await machine.open(recover=True)
    await recovered.admit_new_keys()
    assert await recovered.counts() == {State.INVALID: 1}
    run = await recovered.create_run([("1", DRAFT)], client_id=CLIENT)
    corrected = await recovered.create_run([("1", DRAFT)], client_id=CLIENT, corrects=True)
    assert ["does not know all" in one.reason for one in await run.refused()] == [True]
    assert ["once in doubt" in one.reason for one in await corrected.refused()] == [True]
    with pytest.raises(KeyConflict):
        await recovered.submit(client, DRAFT, key="1")
    assert platform.effects.total() == 0
    await recovered.aclose()


# Other places


async def test_a_second_ledger_of_a_sponsor_is_refused_unless_it_is_wanted(tmp_path: Path) -> None:
    place = await make(tmp_path)
    other = tmp_path / "other.db"
    with pytest.raises(LedgerElsewhere, match=r"has a ledger already, .*, and none at .*other\.db"):
        await Ledger.open(other, **settings(tmp_path))
    assert not other.exists()
    await (await Ledger.open(other, another=True, **settings(tmp_path))).aclose()
    await (await Ledger.open(other, **settings(tmp_path))).aclose()
    await (await Ledger.open(tmp_path / "else.db", **settings(tmp_path, sponsor="else"))).aclose()
    for gone in (place, other):
        gone.write_bytes(b"no ledger")
    await (await Ledger.open(tmp_path / "third.db", **settings(tmp_path))).aclose()


async def test_a_ledger_is_private(tmp_path: Path) -> None:
    place = await make(tmp_path)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


async def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerReadOnly, match="cannot be read: Is a directory"):
        await Ledger.open(tmp_path, **settings(tmp_path))


async def test_a_whole_folder_put_back_is_known_by_the_copy(machine: Machine, client: SeqinoClient) -> None:
    await sent(machine, client, "a")
    kept = [machine.place, sequence_path(machine.place)]
    saved = [path.read_bytes() for path in kept]
    await sent(machine, client, "b")
    for path, content in zip(kept, saved, strict=True):
        path.write_bytes(content)
    with pytest.raises(LedgerRestored):
        await machine.open()


async def test_a_ledger_that_is_gone_is_not_made_anew(
    machine: Machine, client: SeqinoClient, tmp_path: Path
) -> None:
    await sent(machine, client, "a")
    machine.place.unlink()
    with pytest.raises(LedgerMissing, match="although there was one") as caught:
        await machine.open()
    sequence_path(machine.place).unlink()
    with pytest.raises(LedgerMissing):
        await machine.open()
    copy = next((tmp_path / "copies").iterdir())
    assert str(copy) in str(caught.value)
    copy.unlink()
    assert (await machine.open()).is_new


async def test_a_backup_put_in_place_while_it_is_used_is_noticed(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    ledger = await machine.open()
    await ledger.submit(client, DRAFT, key="a")
    await ledger.submit(client, DRAFT, key="b")
    with closing(sqlite3.connect(machine.place)) as connection, connection:
        connection.execute("UPDATE ledger SET sequence = 0")
    with pytest.raises(LedgerRestored, match="older than it was a moment ago"):
        await ledger.submit(client, DRAFT, key="c")
    assert platform.effects.total() == 2
    item = await ledger.find("c", client_id=CLIENT)
    assert item is not None
    assert item.state in (State.QUEUED, State.DRAFTED)


# Where it is


def test_without_a_place_it_is_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    place = place_of(None, server="dev", sponsor="Société Dupain", copies=None)
    assert place.path.parent == tmp_path / "data" / "seqino" / "ledgers"
    assert place.path.name.startswith("https---pdp-seqino-dev-api-société-dupain-")
    assert place.copies == tmp_path / "state" / "seqino" / "high-water"
    assert place.path != place_of(None, server="dev", sponsor="Société-Dupain", copies=None).path


def test_a_url_of_sqlite_is_a_place_too(tmp_path: Path) -> None:
    place = place_of(f"sqlite:///{tmp_path}/l.db", server="dev", sponsor="a", copies=tmp_path)
    assert place.path == tmp_path / "l.db"


@pytest.mark.parametrize("url", ["postgresql://h/db", "sqlite://", "sqlite:///:memory:", "x://[", "://"])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be a file"):
        place_of(url, server="dev", sponsor="a", copies=None)


def test_a_sponsor_needs_a_name() -> None:
    with pytest.raises(InvalidInput, match="sponsor"):
        place_of("l.db", server="dev", sponsor="", copies=None)


@pytest.mark.parametrize("where", [{"place": "f\udce9/l.db"}, {"place": "l.db", "copies": "f\udce9"}])
def test_a_folder_whose_name_is_no_text_is_refused(where: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"f%E9.*: its name is no text"):
        place_of(where["place"], server="dev", sponsor="a", copies=where.get("copies"))


MOUNTS = r"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/my\040share rw,relatime shared:2 - nfs4 host:/x rw
31 22 0:41 / /data rw - cifs //host/y rw
32 31 8:2 / /data rw - xfs /dev/sdb1 rw
a line that is none
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/l.db", "ext4"), ("/mnt/my share/a/l.db", "nfs4"), ("/data/l.db", "xfs"), ("/database", "ext4")],
)
def test_the_file_system_is_that_of_the_innermost_mount(path: str, kind: str) -> None:
    assert filesystem_of(Path(path), MOUNTS) == kind


def test_where_nothing_tells_there_is_no_kind() -> None:
    assert filesystem_of(Path("/home/l.db"), "") == ""


# Errors of the database


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_FULL", WriteFailed),
        ("SQLITE_IOERR_FSYNC", WriteFailed),
        ("SQLITE_READONLY_DIRECTORY", LedgerReadOnly),
        ("SQLITE_CANTOPEN", LedgerReadOnly),
        ("SQLITE_PERM", LedgerReadOnly),
        ("SQLITE_BUSY_SNAPSHOT", LedgerBusy),
        ("SQLITE_LOCKED", LedgerBusy),
        ("SQLITE_CORRUPT", LedgerCorrupted),
        ("SQLITE_NOTADB", LedgerCorrupted),
        ("SQLITE_PROTOCOL", LedgerBusy),
        ("SQLITE_TOOBIG", Unwritable),
        ("SQLITE_CONSTRAINT_NOTNULL", Unwritable),
        ("SQLITE_INTERNAL", LedgerError),
    ],
)
def test_each_error_is_told_in_our_words(name: str, kind: type[LedgerError]) -> None:
    cause = sqlite3.OperationalError("what SQLite says")
    cause.sqlite_errorname = name
    wrapped = Exception("what the driver says")
    wrapped.__cause__ = cause
    error = told(DBAPIError("SELECT 1", {}, wrapped), Path("/l.db"))
    assert type(error) is kind
    assert "the ledger /l.db" in str(error)


async def test_too_little_memory_may_pass(tmp_path: Path) -> None:
    def perform(_: object) -> None:
        raise MemoryError

    async with Ledger.open(tmp_path / "l.db", **settings(tmp_path)) as ledger:
        with pytest.raises(WriteFailed, match="too little memory"):
            await ledger.store.transact(perform)
        assert await ledger.counts() == {}


def test_an_error_without_a_name_is_told_as_it_came() -> None:
    error = told(DBAPIError("SELECT 1", {}, Exception("odd")), Path("/l.db"))
    assert str(error) == "the ledger /l.db failed: odd"

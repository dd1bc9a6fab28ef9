"""Files that cannot be read for a moment: nothing is wrong with their invoices, and they are sent later."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seqino.batch import State
from seqino.batch.content import file_item
from seqino.batch.sources import BatchItem
from seqino.batch.tries import TRIES
from seqino.errors import AuthenticationFailed, InvalidInput
from seqino.options import CallOptions
from tests.batch.conftest import CLIENT, FILE
from tests.batch.test_runner import a_copy, drafts, no_pauses, to_its_end

if TYPE_CHECKING:
    from seqino.batch import Ledger
    from seqino.client import SeqinoClient
    from tests.batch.platform import Platform

__all__ = ["no_pauses"]


def unreadable(monkeypatch: pytest.MonkeyPatch, path: Path, times: int) -> None:
    """Let a file fail to be read some times, as where too many are open."""
    read = Path.read_bytes
    left = [OSError(errno.EMFILE, "Too many open files")] * times

    def read_bytes(self: Path) -> bytes:
        if self == path and left:
            raise left.pop()
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)


async def test_a_file_that_cannot_be_read_for_a_moment_is_sent_later(
    ledger: Ledger, client: SeqinoClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_copy(tmp_path / "f.xml")
    run = await ledger.create_run(path, client_id=CLIENT)
    unreadable(monkeypatch, path, 3)
    last = await to_its_end(run, client)
    assert (last.counts, last.unread, last.given_up) == ({State.ACCEPTED: 1}, (), 0)


async def test_a_file_that_cannot_be_read_waits_and_keeps_no_other_back(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_copy(tmp_path / "f.xml")
    run = await ledger.create_run([BatchItem(invoice=path), *drafts(2)], client_id=CLIENT)
    unreadable(monkeypatch, path, TRIES)
    last = await to_its_end(run, client, concurrency=1)
    why = f"{path} cannot be read: Too many open files"
    assert (last.counts, last.unread) == ({State.QUEUED: 1, State.ACCEPTED: 2}, (why,))
    assert (last.given_up, last.stopped) == (0, None)
    assert why in ((await anext(run.items())).reasons or "")
    again = await to_its_end(run, client)
    assert (again.counts, again.unread) == ({State.ACCEPTED: 3}, ())
    assert platform.effects.total() == 3


async def test_a_run_of_which_too_much_cannot_be_read_is_stopped(
    ledger: Ledger, client: SeqinoClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.batch.tries.MOST_GIVEN_UP", 1)
    path = a_copy(tmp_path / "f.xml")
    run = await ledger.create_run(path, client_id=CLIENT)
    unreadable(monkeypatch, path, 99)
    with pytest.raises(InvalidInput, match=r"f\.xml cannot be read: Too many open files, and many others"):
        await to_its_end(run, client)
    assert await run.counts() == {State.QUEUED: 1}


async def test_a_file_that_cannot_be_read_for_a_moment_is_not_invalid(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_copy(tmp_path / "f.xml")
    new = file_item(path, client_id=CLIENT, key="k")
    unreadable(monkeypatch, path, 1)
    with pytest.raises(OSError, match="Too many open files"):
        await ledger._service.submit(client, new, options=CallOptions())
    item = await ledger.find("k", client_id=CLIENT)
    assert item is not None
    assert (item.state, item.chunk_id, platform.uploads) == (State.QUEUED, None, [])
    assert f"{path} cannot be read: Too many open files" in (item.reasons or "")
    assert (await ledger.submit_file(client, path, key="k")).invoice_id == "inv-f"


async def test_a_file_that_can_be_read_elsewhere_is_sent(
    ledger: Ledger, client: SeqinoClient, platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_copy(tmp_path / "f.xml")
    platform.faults["upload"] = ["401"]
    with pytest.raises(AuthenticationFailed):
        await ledger.submit_file(client, path, key="k")
    unreadable(monkeypatch, path, 9)
    assert (await ledger.submit_file(client, FILE, key="k")).invoice_id == "inv-f"

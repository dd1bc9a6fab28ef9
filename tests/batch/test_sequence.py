"""The high-water mark, beside a ledger and outside of its folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from seqino.batch import sequence
from seqino.batch.errors import LedgerReadOnly, WriteFailed
from seqino.batch.sequence import HighWater, Mark, marks_of, sequence_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ID = "0123456789abcdef0123456789abcdef"
Make = "Callable[..., HighWater]"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., HighWater]]:
    opened: list[HighWater] = []

    def make_one(ledger_id: str = ID) -> HighWater:
        made = HighWater(ledger_id=ledger_id, place=tmp_path / "here" / "l.db", folder=tmp_path / "copies")
        opened.append(made)
        return made

    yield make_one
    for high_water in opened:
        high_water.close()


def test_what_was_noted_is_read_again(make: Callable[..., HighWater]) -> None:
    water = make()
    assert water.read() == 0
    water.open()
    water.advance(1)
    water.advance(2)
    water.close()
    assert make().read() == 2
    again = make()
    again.open()
    assert again.read() == 2


def test_either_file_is_enough(make: Callable[..., HighWater]) -> None:
    water = make()
    water.open()
    water.advance(9)
    for path in water.paths:
        content = path.read_bytes()
        path.unlink()
        assert make().read() == 9
        path.write_bytes(content)


def test_a_torn_or_foreign_line_tells_nothing(make: Callable[..., HighWater]) -> None:
    water = make()
    water.open()
    water.advance(5)
    beside, copy = water.paths
    copy.unlink()
    with beside.open("ab") as file:
        file.write(b"00000000 99 " + ID.encode() + b" /x\n6e1")
    assert make().read() == 5
    assert make("f" * 32).read() == 0


def test_processes_that_append_out_of_order_are_no_step_back(make: Callable[..., HighWater]) -> None:
    one, two = make(), make()
    one.open()
    two.open()
    one.advance(8)
    two.advance(7)
    assert make().read() == 8


def test_a_long_file_is_begun_anew_and_loses_nothing(
    make: Callable[..., HighWater], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "_LARGEST", 600)
    water = make()
    water.open()
    for number in range(1, 21):
        water.advance(number)
    water.close()
    again = make()
    again.open()
    assert all(path.stat().st_size < 600 for path in again.paths)
    assert again.read() == 20


def test_a_long_file_is_read_from_its_end(
    make: Callable[..., HighWater], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "_TAIL", 300)
    water = make()
    water.open()
    for number in range(1, 50):
        water.advance(number)
    assert water.read() == 49


def test_the_ledgers_of_a_place_are_known_by_either_file(
    make: Callable[..., HighWater], tmp_path: Path
) -> None:
    water = make()
    water.open()
    water.advance(3)
    place, folder = tmp_path / "here" / "l.db", tmp_path / "copies"
    assert marks_of(place, folder) == [Mark(ID, str(place), 3)] * 2
    sequence_path(place).unlink()
    assert marks_of(place, folder) == [Mark(ID, str(place), 3)]
    assert marks_of(tmp_path / "elsewhere.db", folder) == []
    assert marks_of(place, tmp_path / "nowhere") == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    water = HighWater(ledger_id=ID, place=tmp_path / "l.db", folder=tmp_path / "file" / "copies")
    with pytest.raises(LedgerReadOnly, match="another folder may be given"):
        water.open()


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    sequence_path(tmp_path / "l.db").mkdir()
    with pytest.raises(LedgerReadOnly, match=r"l\.db\.sequence cannot be read"):
        HighWater(ledger_id=ID, place=tmp_path / "l.db", folder=tmp_path).read()


def test_a_full_disk_is_said(make: Callable[..., HighWater], monkeypatch: pytest.MonkeyPatch) -> None:
    water = make()
    water.open()

    def fail(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("seqino.batch.sequence.os.fsync", fail)
    with pytest.raises(WriteFailed, match="No space left"):
        water.advance(1)

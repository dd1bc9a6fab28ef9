"""How far a ledger has come, kept beside its file and once more outside its folder.

A backup that is put in a ledger's place does not know what was sent since it was made, and would send it
again. So each group of writes after which something may leave is numbered, and the number is kept where a
backup does not bring its own: a file that only grows beside the ledger, and a copy in another folder, for the
case that the whole folder is put back.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import attrs

from seqino.batch.errors import LedgerReadOnly, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HighWater", "Mark", "marks_in", "marks_of", "sequence_path"]

_TAIL = 64 * 1024
"""Bytes at the end of a file that are read: processes may append out of order, but never by so much."""

_LARGEST = 1024 * 1024
"""Bytes from which on a file is begun anew when it is opened."""


class Mark(NamedTuple):
    """What a file tells: of which ledger it is, where that is, and how far it had come."""

    ledger_id: str
    place: str
    sequence: int


def sequence_path(ledger: Path) -> Path:
    """Return the file beside a ledger."""
    return ledger.with_name(f"{ledger.name}.sequence")


def _line(mark: Mark) -> bytes:
    content = f"{mark.sequence} {mark.ledger_id} {mark.place}".encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _read_line(line: bytes) -> Mark | None:
    """Read a line; a torn one is none."""
    checksum, _, content = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(content):
        return None
    sequence, ledger_id, place = content.decode().split(" ", 2)
    return Mark(ledger_id, place, int(sequence))


def _read(path: Path) -> Mark | None:
    """Return the highest mark of a file; ``None`` where it is not there, or tells nothing."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LedgerReadOnly(f"{path} cannot be read: {error.strerror}") from error
    marks = [mark for line in lines if (mark := _read_line(line)) is not None]
    return max(marks, key=lambda mark: mark.sequence, default=None)


def marks_of(place: Path, folder: Path) -> list[Mark]:
    """Return what is known of ledgers that are, or were, in a place.

    Args:
        place: The ledger's file, absolute.
        folder: Where the copies are.
    """
    beside = _read(sequence_path(place))
    marks = [*([] if beside is None else [beside]), *marks_in(folder)]
    return [mark for mark in marks if mark.place == str(place)]


def marks_in(folder: Path) -> list[Mark]:
    """Return the mark of each ledger of which a folder has a copy."""
    return [mark for path in sorted(folder.glob("*.sequence")) if (mark := _read(path)) is not None]


@attrs.define(kw_only=True)
class HighWater:
    """The high-water mark of one ledger.

    Args:
        ledger_id: The ledger's own id.
        place: Its file, absolute.
        folder: Where the copy is kept.
    """

    ledger_id: str
    place: Path
    folder: Path
    _files: list[tuple[int, bool]] = attrs.field(factory=list[tuple[int, bool]], init=False)

    @property
    def paths(self) -> tuple[Path, Path]:
        """The file beside the ledger, and the copy."""
        return sequence_path(self.place), self.folder / f"{self.ledger_id}.sequence"

    def read(self) -> int:
        """Return how far the ledger had come; 0 where nothing is known."""
        marks = [_read(path) for path in self.paths]
        return max((mark.sequence for mark in marks if mark and mark.ledger_id == self.ledger_id), default=0)

    def open(self) -> None:
        """Make ready to be written.

        Raises:
            LedgerReadOnly: One of the files cannot be written.
        """
        sequence = self.read()
        beside, copy = self.paths
        for path, synced in ((beside, True), (copy, False)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.exists() and path.stat().st_size > _LARGEST:
                    # One after the other: what was known is in one of them at any moment.
                    path.write_bytes(b"")
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
                self._files.append((os.open(path, flags, 0o600), synced))
            except OSError as error:
                self.close()
                raise LedgerReadOnly(
                    f"{path} cannot be written ({error.strerror}): without it a backup in the ledger's place "
                    "could not be told. For the copy, another folder may be given (copies=…)"
                ) from error
            self._append(self._files[-1:], sequence)

    def advance(self, sequence: int) -> None:
        """Note durably how far the ledger has come.

        Args:
            sequence: The number of the last group.

        Raises:
            WriteFailed: It cannot be written.
        """
        self._append(self._files, sequence)

    def _append(self, files: Sequence[tuple[int, bool]], sequence: int) -> None:
        line = _line(Mark(self.ledger_id, str(self.place), sequence))
        try:
            for file, synced in files:
                os.write(file, line)
                # The copy outlives this process at once, and a loss of power a little later.
                if synced:
                    os.fsync(file)
        except OSError as error:
            raise WriteFailed(
                f"the high-water mark of {self.place} cannot be written: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Close both files."""
        while self._files:
            with contextlib.suppress(OSError):
                os.close(self._files.pop()[0])

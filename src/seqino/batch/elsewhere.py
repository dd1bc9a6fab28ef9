"""Other ledgers of a server and sponsor that this machine knows: a key is sent once in one ledger only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from seqino.batch.sequence import marks_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ledgers_elsewhere"]


def ledgers_elsewhere(place: Path, folder: Path, *, server: str, sponsor: str) -> list[Path]:
    """Return the ledgers of a server and sponsor, other than the one in a place.

    Args:
        place: The file that is left out, absolute.
        folder: Where the copies of high-water marks are, which tell where ledgers are.
        server: The server's address in the form of ``normalise_server``.
        sponsor: What the caller calls the sponsor.
    """
    others = sorted({Path(mark.place) for mark in marks_in(folder)} - {place})
    return [other for other in others if (server, sponsor) in _whose(other)]


def _whose(path: Path) -> Iterator[tuple[str, str]]:
    """Yield whose a ledger is; nothing where it is gone, or cannot be read."""
    try:
        # Read only, so that nothing is made beside it.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            yield from connection.execute("SELECT server, sponsor FROM ledger")
    except sqlite3.Error:
        return

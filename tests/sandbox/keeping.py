"""What a sandbox holds, what its file holds, and what is left when it is killed."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from seqino.sandbox.state_file import StateFile, write

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from seqino.sandbox import Sandbox

__all__ = ["crashed", "database", "held", "kept"]


def crashed(path: Path) -> Path:
    """Copy what a sandbox that runs has in the hands of the system: what is left when it is killed."""
    copy = path.with_name("crashed.state")
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    return copy


def held(sandbox: Sandbox) -> dict[tuple[str, str, str], Any]:
    """Every record in memory, as it would be written."""
    found: dict[tuple[str, str, str], Any] = {}
    for sponsor in sandbox.world.sponsors:
        found |= {
            (sponsor.sponsor_id, one.kind, one.key): json.loads(write(one)) for one in sponsor.records()
        }
        for client in sponsor.clients.values():
            found |= {(client.owner, one.kind, one.key): json.loads(write(one)) for one in client.records()}
    return found


def database(sandbox: Sandbox) -> sqlite3.Connection:
    world: Any = sandbox.world
    connection: sqlite3.Connection = world._state.connection
    return connection


def kept(path: Path) -> dict[tuple[str, str, str], Any]:
    """Every record in a file."""
    state = StateFile.open(path)
    try:
        return {
            (owner, kind, key): json.loads(data)
            for owner, kind, key, data in state.connection.execute(
                "SELECT owner, kind, key, data FROM record ORDER BY place"
            )
        }
    finally:
        state.close()

"""The public surface is what was reviewed: a change of it is never an accident."""

from __future__ import annotations

import difflib

from tests.public_surface import SNAPSHOT, surface


def test_the_public_surface_is_the_one_that_was_reviewed() -> None:
    reviewed, found = SNAPSHOT.read_text(encoding="utf-8"), surface()
    changes = "\n".join(
        difflib.unified_diff(reviewed.splitlines(), found.splitlines(), "reviewed", "found", n=0, lineterm="")
    )
    assert not changes, (
        "the public surface changed. If it is meant, renew the snapshot (`python -m tests.public_surface`), "
        f"review it and note it in CHANGELOG.md:\n{changes}"
    )

"""Where the ledgers of the tests are."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ledger_url"]


def ledger_url(place: Path) -> str:
    """Return the URL of a test's ledger: its own file, unless ``SEQINO_LEDGER_URL`` is set.

    Args:
        place: The file; in the variable, ``{name}`` stands for a name that is another for each.
    """
    name = hashlib.sha256(str(place).encode()).hexdigest()[:16]
    return os.environ.get("SEQINO_LEDGER_URL", f"sqlite:///{place}").replace("{name}", name)

"""Invoices sent once, durably: a ledger that outlives the process, for web services and for batches.

Needs the extra ``batch``. Names are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seqino.errors import MissingExtra

if TYPE_CHECKING:
    from seqino.batch.allowance import Allowance
    from seqino.batch.batches import BatchRun
    from seqino.batch.errors import (
        Fenced,
        ItemChanged,
        KeyConflict,
        KeyInUse,
        KeyUnknown,
        LedgerBusy,
        LedgerCorrupted,
        LedgerElsewhere,
        LedgerError,
        LedgerInUse,
        LedgerMissing,
        LedgerNewer,
        LedgerOfAnother,
        LedgerOnNetwork,
        LedgerReadOnly,
        LedgerRestored,
        LedgerUnusable,
        RunInUse,
        WriteFailed,
    )
    from seqino.batch.following import Followed
    from seqino.batch.gap import Gap
    from seqino.batch.items import HistoryEntry, Item
    from seqino.batch.ledger import Ledger
    from seqino.batch.progress import Progress
    from seqino.batch.reconciling import Reconciled
    from seqino.batch.sources import BatchItem
    from seqino.batch.states import State
    from seqino.batch.taking import Refused

__all__ = [
    "Allowance",
    "BatchItem",
    "BatchRun",
    "Fenced",
    "Followed",
    "Gap",
    "HistoryEntry",
    "Item",
    "ItemChanged",
    "KeyConflict",
    "KeyInUse",
    "KeyUnknown",
    "Ledger",
    "LedgerBusy",
    "LedgerCorrupted",
    "LedgerElsewhere",
    "LedgerError",
    "LedgerInUse",
    "LedgerMissing",
    "LedgerNewer",
    "LedgerOfAnother",
    "LedgerOnNetwork",
    "LedgerReadOnly",
    "LedgerRestored",
    "LedgerUnusable",
    "Progress",
    "Reconciled",
    "Refused",
    "RunInUse",
    "State",
    "WriteFailed",
]

_HOME = {
    "Allowance": "allowance",
    "BatchItem": "sources",
    "BatchRun": "batches",
    "Followed": "following",
    "Gap": "gap",
    "HistoryEntry": "items",
    "Item": "items",
    "Ledger": "ledger",
    "Progress": "progress",
    "Reconciled": "reconciling",
    "Refused": "taking",
    "State": "states",
}
"""The module of each name that is no error."""

_OF_THE_EXTRA = frozenset({"platformdirs", "sqlalchemy"})

# A type checker that saw this would take every misspelt name for one that exists.
if not TYPE_CHECKING:  # pragma: no branch - at run time it never is

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            module = importlib.import_module(f"seqino.batch.{_HOME.get(name, 'errors')}")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in _OF_THE_EXTRA:
                raise
            raise MissingExtra("batch", purpose="The ledger") from None
        value: Any = getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

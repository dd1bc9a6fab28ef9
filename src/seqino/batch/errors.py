"""What can be wrong with a ledger, below ``SeqinoError``.

::

    SeqinoError
    └── LedgerError
        ├── LedgerUnusable          it cannot be opened, or must not be used as it is
        │   ├── LedgerMissing       it is not there, although it was
        │   ├── LedgerOfAnother     it is another server's, or another sponsor's
        │   ├── LedgerElsewhere     there is one already, in another place
        │   ├── LedgerNewer         a newer version of this library wrote it
        │   ├── LedgerCorrupted     its file is damaged, or no ledger
        │   ├── LedgerReadOnly      it cannot be written
        │   ├── LedgerInUse         another process is at work on it while it is to be recovered
        │   ├── LedgerOnNetwork     its folder is on another machine
        │   └── LedgerRestored      it is older than it was: a backup was put in its place
        ├── LedgerBusy              another process keeps it locked
        ├── WriteFailed             the disk is full, or fails; nothing that was not written is sent
        ├── KeyConflict             the key stands for another content (also an InvalidInput)
        ├── KeyUnknown              a ledger that was put back cannot tell whether the key is new
        ├── KeyInUse                another process is sending it
        ├── RunInUse                another process is working on the run
        ├── Fenced                  another process took over, since this one seemed dead
        └── ItemChanged             somebody else has changed the item
"""

# ruff: noqa: N818 - the names say what happened, as everywhere below SeqinoError

from __future__ import annotations

from seqino.errors import InvalidInput, SeqinoError

__all__ = [
    "Fenced",
    "ItemChanged",
    "KeyConflict",
    "KeyInUse",
    "KeyUnknown",
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
    "RunInUse",
    "WriteFailed",
]


class LedgerError(SeqinoError):
    """A ledger could not do what was asked of it."""


class LedgerUnusable(LedgerError):
    """It cannot be opened, or must not be used as it is."""


class LedgerMissing(LedgerUnusable):
    """It is not there, although it was: what it knew would be sent again."""


class LedgerOfAnother(LedgerUnusable):
    """It is the ledger of another server, or of another sponsor."""


class LedgerElsewhere(LedgerUnusable):
    """There is one in another place: what that one sent, a new one would send again."""


class LedgerNewer(LedgerUnusable):
    """A newer version of this library wrote it."""


class LedgerCorrupted(LedgerUnusable):
    """Its file is damaged, or is no ledger."""


class LedgerReadOnly(LedgerUnusable):
    """It, or its folder, cannot be written."""


class LedgerInUse(LedgerUnusable):
    """Another process is at work on it: it cannot be recovered meanwhile."""


class LedgerOnNetwork(LedgerUnusable):
    """Its folder is on another machine, where locks and durable writes cannot be relied on."""


class LedgerRestored(LedgerUnusable):
    """It is older than it was: a backup was put in its place, which does not know of the latest sends."""


def closed() -> LedgerUnusable:
    """What whoever uses a ledger is told that was closed."""
    return LedgerUnusable("the ledger is closed: open it again")


class LedgerBusy(LedgerError):
    """Another process keeps it locked."""


class WriteFailed(LedgerError):
    """It could not be written: the disk is full, or fails.

    Nothing is sent that was not written before. What became of what was sent may be unwritten yet: call again
    with the same key, and never with another.
    """


class Unwritable(LedgerError):
    """What was to be written is at fault, and cannot be written at any time."""


class KeyConflict(LedgerError, InvalidInput):
    """The key, or the reference of the document, stands for another content; nothing was sent."""


class KeyUnknown(LedgerError, InvalidInput):
    """The ledger was put back from a backup, and may not know that the key was sent; nothing was sent."""


class KeyInUse(LedgerError):
    """The invoice is being sent by somebody else, who did not end in time."""


class RunInUse(LedgerError):
    """Another process is working on the run."""


class Fenced(LedgerError):
    """Another process took over what this one was doing, since it seemed dead."""


class ItemChanged(LedgerError):
    """Somebody else has changed the item since it was read."""

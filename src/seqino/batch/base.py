"""What all that a ledger does stands on: its tables, who drives its items, and the server that it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.batch.keys import normalise_server
from seqino.errors import ConfigurationError

if TYPE_CHECKING:
    from seqino.batch.driving import Driver
    from seqino.batch.following import Follower
    from seqino.batch.owners import Timing
    from seqino.batch.reconciling import Reconciler
    from seqino.batch.runs import Runs
    from seqino.batch.service import Service
    from seqino.batch.store import Store
    from seqino.batch.watches import Watches
    from seqino.client import SeqinoClient

__all__ = ["LedgerBase"]


class LedgerBase:
    """What all that a ledger does stands on.

    Args:
        server: The server that its invoices are sent to.
        timing: How long things take.
    """

    store: Store
    runs: Runs
    driver: Driver
    watches: Watches
    _service: Service
    _reconciler: Reconciler
    _follower: Follower

    def __init__(self, *, server: str, timing: Timing) -> None:
        self._server = server
        self._timing = timing

    def _check_server(self, client: SeqinoClient) -> None:
        calls = normalise_server(client.base_url)
        if calls != self._server:
            raise ConfigurationError(f"this is the ledger of {self._server}, and the client calls {calls}")

"""The ledger: what was sent, written down so that it is sent once, whatever happens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from seqino._core.events import log
from seqino.batch.batches import Batches
from seqino.batch.driving import Driver
from seqino.batch.fates import Fates
from seqino.batch.following import Follower
from seqino.batch.invoices import Invoices
from seqino.batch.opening import open_database, place_of
from seqino.batch.owners import Timing, this_process
from seqino.batch.reconciling import Reconciler
from seqino.batch.runs import Runs
from seqino.batch.service import Service
from seqino.batch.store import Store
from seqino.batch.watches import Watches
from seqino.batch.window import Clocks

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Generator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from seqino.batch.items import HistoryEntry, Item
    from seqino.batch.opening import Opened, Place
    from seqino.batch.states import State

__all__ = ["Ledger"]


class Ledger(Invoices, Fates, Batches):
    """What was sent on behalf of a sponsor's clients at one server; made by ``Ledger.open``.

    Keep it for as long as invoices have to be kept (ten years): that a key is sent once holds in one ledger
    only. Use it in one event loop, from any number of tasks; several processes of one machine may use one
    ledger at the same time.
    """

    def __init__(self, place: Place, opened: Opened, *, timing: Timing, clocks: Clocks) -> None:
        super().__init__(server=place.server, timing=timing)
        self._place = place
        self._opened = opened
        self.store = Store(
            opened.database,
            high_water=opened.high_water,
            owner=this_process(),
            timing=timing,
            sequence=opened.sequence,
        )
        self.runs = Runs(self.store)
        self.driver = Driver(self.store, clocks=clocks, timing=timing, is_probed=opened.is_probed)
        self._service = Service(self.store, self.driver, timing=timing, server=place.server)
        self._reconciler = Reconciler(self.store, self.driver, service=self._service, beat=timing.beat)
        self.watches = Watches(self.store)
        self._follower = Follower(self.store, self.watches, self.runs)
        self._is_closed = False

    @staticmethod
    def open(
        place: str | os.PathLike[str] | None = None,
        *,
        server: str,
        sponsor: str,
        create: bool = True,
        another: bool = False,
        recover: bool = False,
        copies: str | os.PathLike[str] | None = None,
        timing: Timing | None = None,
        clocks: Clocks | None = None,
    ) -> Opening:
        """Open a ledger, or make one: ``async with Ledger.open(...) as ledger``, or ``await`` it.

        Args:
            place: Its file, on a local disk; the user's data folder where it is left out.
            server: The server that invoices are sent to: a published name (``dev``, ``local``) or a URL.
            sponsor: A name of your own for whom the API key belongs to. It is kept in the ledger, and must
                not change, as keys do.
            create: Whether to make it where there is none; never where there was one.
            another: Whether to make it although the same server and sponsor have one in another place, as far
                as ``copies`` tells: what one of them sent, the other would send again.
            recover: Doubt all that may have been sent since a backup was made that is in its place now. Keys
                that it does not know are refused until ``admit_new_keys``.
            copies: Folder, outside of the ledger's own, where is noted how far it has come, so that a backup
                in its place is told from it; the user's state folder where it is left out.
            timing: How long things take; only tests need others, and clients whose calls take more than 60 s.
            clocks: Clocks of this machine; only tests need others.

        Raises:
            ConfigurationError: The server or the place cannot be used.
            InvalidInput: The sponsor's name cannot be used.
            LedgerUnusable: The ledger cannot be used; the message says why, and what to do.
        """
        where = place_of(place, server=server, sponsor=sponsor, copies=copies, is_another=another)
        return Opening(
            where, create=create, recover=recover, timing=timing or Timing(), clocks=clocks or Clocks()
        )

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r}, server={self.server!r}, sponsor={self.sponsor!r})"

    @property
    def path(self) -> Path:
        """Its file."""
        return self._place.path

    @property
    def server(self) -> str:
        """The server that its invoices are sent to."""
        return self._place.server

    @property
    def sponsor(self) -> str:
        """Whom the API key belongs to."""
        return self._place.sponsor

    @property
    def is_new(self) -> bool:
        """Whether it was made just now."""
        return self._opened.is_new

    @property
    def is_probed(self) -> bool:
        """Whether its server was seen to refuse a second validation, when it was opened."""
        return self._opened.is_probed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Write what is still to be written, and close it. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._stop_runs()
            await self._service.aclose()
        finally:
            await self._opened.database.aclose()
            self._opened.high_water.close()

    # --- Reading

    async def find(self, key: str, *, client_id: str) -> Item | None:
        """Return what the ledger knows of a key, or ``None``.

        Args:
            key: The key.
            client_id: The client on whose behalf it was submitted.
        """
        return await self.store.find(client_id, key)

    def history(self, item: Item | None = None) -> AsyncIterator[HistoryEntry]:
        """Yield the audit trail, of one invoice or of all, in the order in which it was written."""
        return self.store.history(None if item is None else item.id)

    async def counts(self) -> dict[State, int]:
        """Count invoices by state; states without any are left out."""
        return await self.store.counts()


class Opening:
    """A ledger that is about to be opened, by ``await`` or ``async with``."""

    def __init__(self, place: Place, *, create: bool, recover: bool, timing: Timing, clocks: Clocks) -> None:
        self._place = place
        self._create = create
        self._recover = recover
        self._timing = timing
        self._clocks = clocks
        self._ledger: Ledger | None = None

    def __await__(self) -> Generator[Any, Any, Ledger]:
        return self._open().__await__()

    async def __aenter__(self) -> Ledger:
        self._ledger = await self._open()
        return self._ledger

    async def __aexit__(self, *_: object) -> None:
        if self._ledger is not None:
            await self._ledger.aclose()

    async def _open(self) -> Ledger:
        opened = await open_database(self._place, create=self._create, recover=self._recover)
        ledger = Ledger(self._place, opened, timing=self._timing, clocks=self._clocks)
        if ledger.is_new:
            # Wherever it was thought that there is one already, this has to be seen.
            log(logging.WARNING, "ledger: %s was made. What was sent before is not in it", ledger.path)
        if self._recover:
            try:
                count = await ledger.store.recover()
            except BaseException:
                await ledger.aclose()
                raise
            log(logging.WARNING, "ledger: %s was recovered, %d invoices are in doubt", ledger.path, count)
        return ledger

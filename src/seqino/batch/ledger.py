"""The ledger: what was sent, written down so that it is sent once, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seqino.batch.batches import Batches
from seqino.batch.content import draft_item, file_item
from seqino.batch.driving import Driver
from seqino.batch.events import record
from seqino.batch.following import Follower
from seqino.batch.keys import check_name
from seqino.batch.opening import open_database, place_of
from seqino.batch.owners import Timing, this_process
from seqino.batch.reconciling import Reconciler
from seqino.batch.runs import Runs
from seqino.batch.service import Service
from seqino.batch.store import Store
from seqino.batch.watches import Goal, Watches
from seqino.batch.window import Clocks
from seqino.errors import ConfigurationError
from seqino.options import CallOptions
from seqino.statuses import Backoff, Until, goal_of

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from seqino._core.wire import JSON
    from seqino.batch.following import Followed
    from seqino.batch.items import HistoryEntry, Item
    from seqino.batch.opening import Opened, Place
    from seqino.batch.reconciling import Reconciled
    from seqino.batch.states import State
    from seqino.client import InvoiceFile, SeqinoClient
    from seqino.models import InvoiceDraft, LifecycleEvent, WebhookEventPayload
    from seqino.submission import Submission

__all__ = ["Ledger"]

_LOG = logging.getLogger("seqino")

MAX_AGE = timedelta(days=180)
"""How long an invoice is followed: longer than any lawful term of payment."""


class Ledger(Batches):
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
        self._follower = Follower(self.store, self.watches)
        self._is_closed = False

    @staticmethod
    def open(
        place: str | os.PathLike[str] | None = None,
        *,
        server: str,
        sponsor: str,
        create: bool = True,
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
            recover: Doubt all that may have been sent since a backup was made that is in its place now.
            copies: Folder, outside of the ledger's own, where is noted how far it has come, so that a backup
                in its place is told from it; the user's state folder where it is left out.
            timing: How long things take; only tests need others.
            clocks: Clocks of this machine; only tests need others.

        Raises:
            ConfigurationError: The server or the place cannot be used.
            InvalidInput: The sponsor's name cannot be used.
            LedgerUnusable: The ledger cannot be used; the message says why, and what to do.
        """
        where = place_of(place, server=server, sponsor=sponsor, copies=copies)
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

    # --- Invoices, each sent once

    async def submit(
        self,
        client: SeqinoClient,
        invoice: InvoiceDraft | Mapping[str, JSON],
        *,
        key: str,
        client_id: str | None = None,
        document_ref: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice, once, however often and from wherever it is called with this key.

        Args:
            client: A client of this ledger's server.
            invoice: The invoice, as a model or as a mapping with the names of the wire.
            key: Your own key of it, such as its number in your accounts: unique for each client.
            client_id: On whose behalf; the client's own where it is left out.
            document_ref: The document it is made of, if it could also be sent as a file: unique too.
            revalidate: As for ``SeqinoClient.submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took, now or when this key was first submitted.

        Raises:
            InvalidInput: The invoice cannot be sent, and nothing was.
            KeyConflict: The key, or the document, stands for another content.
            KeyInUse: Another process is sending it, and did not end in time.
            Rejected: The platform refused it; no invoice exists.
            OutcomeUnknown: An invoice may exist. Call again, or ``reconcile``; never use another key.
            CallError: Nothing was submitted; call again.
            LedgerError: The ledger failed.
        """
        whose = self._whose(client, client_id)
        new = draft_item(invoice, client_id=whose, key=key, document_ref=document_ref)
        return await self._service.submit(
            client, new, options=options or CallOptions(), revalidate=revalidate
        )

    async def submit_file(
        self,
        client: SeqinoClient,
        file: InvoiceFile,
        *,
        key: str | None = None,
        name: str | None = None,
        client_id: str | None = None,
        document_ref: str | None = None,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice as a file, byte for byte, once. If its answer is lost, it stays in doubt.

        Args:
            client: A client of this ledger's server.
            file: UBL or CII XML, or Factur-X PDF. One that is named by its path is read again when it is
                sent, and must not have changed.
            key: Your own key of it; seller, number and year of issue where it is left out.
            name: Name to send it under; the file's own where it has one.
            client_id: On whose behalf; the client's own where it is left out.
            document_ref: The document it is made of, if it could also be sent as a draft: unique too.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took, now or when this key was first submitted.

        Raises:
            InvalidInput: It is no invoice, or has no key, and nothing was sent.
            OSError: It cannot be read, and nothing was sent.
            KeyConflict: The key, or the document, stands for another content.
            KeyInUse: Another process is sending it, and did not end in time.
            Rejected: The platform refused it; no invoice exists.
            OutcomeUnknown: An invoice may exist, and no file can be looked up: ask the platform.
            CallError: Nothing was submitted; call again.
            LedgerError: The ledger failed.
        """
        whose = self._whose(client, client_id)
        # Reading and recognising may take a while, during which the loop goes on.
        new = await asyncio.to_thread(
            file_item, file, client_id=whose, key=key, name=name, document_ref=document_ref
        )
        return await self._service.submit(client, new, options=options or CallOptions())

    async def correct(
        self,
        client: SeqinoClient,
        invoice: InvoiceDraft | Mapping[str, JSON],
        *,
        key: str,
        client_id: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice that was rejected, with what it was corrected to; its draft is replaced.

        Args:
            client: A client of this ledger's server.
            invoice: The invoice as it is now.
            key: The key that it was submitted with.
            client_id: On whose behalf; the client's own where it is left out.
            revalidate: As for ``SeqinoClient.submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Raises:
            KeyConflict: It was not rejected, or an end of it was once unclear; nothing was sent.
            InvalidInput: There is no such key, or the invoice cannot be sent; nothing was.
            SeqinoError: As for ``submit``.
        """
        new = draft_item(invoice, client_id=self._whose(client, client_id), key=key)
        return await self._service.correct(
            client, new, options=options or CallOptions(), revalidate=revalidate
        )

    async def correct_file(
        self,
        client: SeqinoClient,
        file: InvoiceFile,
        *,
        key: str,
        name: str | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice file that was rejected, with what it was corrected to.

        Args:
            client: A client of this ledger's server.
            file: The file as it is now.
            key: The key that it was submitted with.
            name: Name to send it under; the file's own where it has one.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Raises:
            KeyConflict: It was not rejected, or an end of it was once unclear; nothing was sent.
            InvalidInput: There is no such key, or it is no invoice; nothing was sent.
            SeqinoError: As for ``submit_file``.
        """
        whose = self._whose(client, client_id)
        new = await asyncio.to_thread(file_item, file, client_id=whose, key=key, name=name)
        return await self._service.correct(client, new, options=options or CallOptions())

    def _whose(self, client: SeqinoClient, client_id: str | None) -> str:
        self._check_server(client)
        whose = client_id or client.client_id
        if whose is None:
            raise ConfigurationError(
                "the ledger has to know on whose behalf an invoice is sent: give client_id, here or to the "
                "client"
            )
        return check_name("client_id", whose)

    # --- What was left in doubt

    async def reconcile(
        self,
        client: SeqinoClient,
        *,
        patience: float = 0.0,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Reconciled:
        """Find out what became of invoices that are in doubt: when a program starts, or from time to time.

        Takes over what processes left that are dead by now, and looks at each draft that is due. What is
        proven to be unused is validated.

        Args:
            client: A client of this ledger's server.
            patience: Seconds to wait for further looks at one; 0 looks once, and leaves the rest for later.
            revalidate: As for ``SeqinoClient.submit``; also looks again where no look could tell.
            options: What this does otherwise than the client; ``timeout`` is for one invoice.

        Raises:
            ConfigurationError: The client calls another server.
            LedgerError: The ledger failed.
        """
        self._check_server(client)
        return await self._reconciler.reconcile(
            client, options=options or CallOptions(), patience=patience, revalidate=revalidate
        )

    async def record_event(self, event: WebhookEventPayload | Mapping[str, Any]) -> Item | None:
        """Keep a webhook's event as evidence: what it shows of an invoice is never guessed afterwards.

        The same event twice is kept once. Verify its delivery before: what is given here is believed.

        Args:
            event: The event, as a model or as it came.

        Returns:
            The invoice that it is about, as far as this ledger knows it.

        Raises:
            InvalidInput: It is no event.
            LedgerError: The ledger failed; deliver it again.
        """
        return await record(self.store, self.watches, event)

    async def note_probe(self) -> None:
        """Note that the server was seen to refuse a second validation, as ``seqino doctor`` tries.

        Where a platform does not show what became of a draft, one in doubt is validated again from the next
        time on that the ledger is opened.

        Raises:
            LedgerError: The ledger failed.
        """
        await self.store.note_probe()

    # --- What becomes of them

    async def follow(
        self,
        client: SeqinoClient,
        *,
        until: Until | str = Until.END,
        max_age: timedelta | None = MAX_AGE,
        backoff: Backoff | None = None,
        run_id: int | None = None,
        options: CallOptions | None = None,
    ) -> Followed:
        """Look once at each accepted invoice that is due, and write down what happened to it.

        Call it from time to time, as often as you like: an invoice is looked at after a minute, then ever
        more seldom, up to every six hours, and at once where ``record_event`` was told of news.

        Args:
            client: A client of this ledger's server.
            until: What invoices are followed to: ``"end"`` (settled, dead or not delivered), or
                ``"approved"`` too, for sellers whose VAT is due on debits.
            max_age: How long one is followed at most, before it is ``EXPIRED``; ``None`` sets no end.
            backoff: How the pauses grow.
            run_id: Only what is of this run; all that the ledger follows where it is left out.
            options: What its calls do otherwise than the client; ``timeout`` is for one invoice.

        Returns:
            What came of it. An invoice that could not be looked at is counted, and looked at later.

        Raises:
            AuthenticationFailed: The key is wrong: no invoice can be looked at.
            InvalidInput: ``until`` is none of the goals.
            ConfigurationError: The client calls another server.
            LedgerError: The ledger failed.
        """
        self._check_server(client)
        goal = Goal(until=goal_of(until), max_age=max_age, backoff=backoff or Backoff())
        return await self._follower.follow(client, goal=goal, options=options or CallOptions(), run_id=run_id)

    def follow_until(
        self,
        client: SeqinoClient,
        *,
        until: Until | str = Until.END,
        max_age: timedelta | None = MAX_AGE,
        backoff: Backoff | None = None,
        run_id: int | None = None,
        options: CallOptions | None = None,
        timeout: float = math.inf,
        at_most: float = 60.0,
        interval: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> AsyncIterator[Followed]:
        """Follow accepted invoices until none of them is followed any more: ``async for followed in ...``.

        Args:
            client: A client of this ledger's server.
            until: As for ``follow``.
            max_age: As for ``follow``.
            backoff: As for ``follow``.
            run_id: As for ``follow``.
            options: As for ``follow``.
            timeout: Seconds after which no further round is begun.
            at_most: Seconds between two rounds at most; other processes may have heard of news meanwhile.
            interval: Seconds after which a round that goes on is told of, in parts.
            clock: Monotonic seconds; only tests need another.
            sleep: Waits for some seconds; only tests need another.

        Yields:
            What came of each round; of a long one, what came since it was last told of.

        Raises:
            SeqinoError: As for ``follow``.
        """
        self._check_server(client)
        return self._follower.follow_until(
            client,
            goal=Goal(until=goal_of(until), max_age=max_age, backoff=backoff or Backoff()),
            options=options or CallOptions(),
            run_id=run_id,
            timeout=timeout,
            at_most=at_most,
            interval=interval,
            clock=clock,
            sleep=sleep,
        )

    async def status_events(self, item: Item) -> list[LifecycleEvent]:
        """Return what is known to have happened to an invoice, in order, each event once."""
        return await self.watches.events(item)

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
            _LOG.warning("ledger: %s was made. What was sent before is not in it", ledger.path)
        if self._recover:
            count = await ledger.store.recover()
            _LOG.warning("ledger: %s was recovered, %d invoices are in doubt", ledger.path, count)
        return ledger

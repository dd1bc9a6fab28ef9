"""A platform that fails by chance, a ledger, and processes that work with it and are killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
from contextlib import closing
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from seqino.batch import Ledger, State
from seqino.client import SeqinoClient
from seqino.sandbox import Sandbox
from seqino.sandbox.fault_plays import Play, fault
from seqino.submission import Route
from tests.batch_chaos.child import CLIENT, Order, Report, follow, open_ledger, work

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from seqino.batch import Item
    from seqino.sandbox.faults import Faults

__all__ = ["CREATE", "LOOK", "UPLOAD", "VALIDATE", "Chance", "Child", "Stage", "stage"]

CREATE = "POST /drafts"
VALIDATE = "POST /drafts/{draft_id}/validate"
LOOK = "GET /drafts/{draft_id}"
UPLOAD = "POST /invoicing/files/submit"

INVOICES = Path(__file__).parents[2] / "src/seqino/sandbox/invoices"
_FILE = (INVOICES / "01-it-services-ubl.xml").read_text(encoding="utf-8")
_DRAFT: dict[str, Any] = json.loads((INVOICES / "13-consulting-draft.json").read_text(encoding="utf-8"))
_NUMBER = "ANR-2026-0412"

_PATIENCE = 300.0
"""Seconds after which a process that does nothing more has failed the test."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.batch_chaos.child"])


class Chance:
    """Faults drawn by chance, until there were enough of them.

    Args:
        seed: What is drawn follows from it, and from the order of the requests.
        share: Which part of the requests gets one.
        most: How many there are at the most.
    """

    _NAMES = (
        *("status-429-before", "status-500-before", "status-503-after", "status-502-after"),
        *("reset-before", "reset-after", "hang-before", "hang-after"),
    )

    def __init__(self, seed: int, *, share: float, most: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same seed draws the same faults
        self._share = share
        self._left = most

    def join(self, faults: Faults) -> None:
        """Draw beside what is planned."""
        planned = faults.take

        def take(strikes: Any, *, operation: str | None = None, client_id: str | None = None) -> Play | None:
            if strikes != "request" or not self._left or self._random.random() >= self._share:
                return planned(strikes, operation=operation, client_id=client_id)
            self._left -= 1
            # Reads have no effect to fail before or after.
            names = self._NAMES if operation != LOOK else ("status-500-before", "reset-before")
            return fault(self._random.choice(names))

        vars(faults)["take"] = take

    def stop(self) -> None:
        """Play no more of them."""
        self._left = 0


@attrs.define
class Child:
    """A process that works with the ledger."""

    process: ForkServerProcess
    report: Any

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.process.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def stopped(self) -> None:
        """Wait until it has stopped itself."""
        await until(lambda: _state_of(self.pid) == "T")

    async def end(self) -> Report | None:
        """Wait for its end; ``None`` where it was killed."""
        await until(lambda: not self.process.is_alive())
        self.process.join()
        said: Report | None = None
        if self.report.poll():
            with contextlib.suppress(EOFError):
                said = self.report.recv()
        return said

    def bury(self) -> None:
        """Leave nothing of it behind."""
        self.signal(signal.SIGKILL)
        self.process.join()
        self.process.close()
        self.report.close()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(_PATIENCE):
        # What happens in another process sets no event here.
        while not is_so():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.002)


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return ""


@attrs.define
class Stage:
    """Where processes work on a ledger, and what came of it is counted.

    Args:
        folder: Where the ledger and the invoices are.
        sandbox: The platform.
    """

    folder: Path
    sandbox: Sandbox
    keys: list[str] = attrs.field(factory=list[str])
    children: list[Child] = attrs.field(factory=list[Child])

    @property
    def source(self) -> Path:
        return self.folder / "invoices"

    @property
    def place(self) -> Path:
        return self.folder / "ledger.db"

    def order(self, **details: Any) -> Order:
        """Say what a process is to do."""
        return Order(place=self.place, url=self.sandbox.url, source=self.source, **details)

    def write(self, *, drafts: int, files: int) -> None:
        """Write the invoices: each is told from the others at the platform."""
        self.source.mkdir()
        rows: list[str] = []
        for number in range(drafts):
            key = f"ERP-{number}"
            invoice = {**_DRAFT, "purchase_order_reference": key}
            rows.append(json.dumps({"key": key, "invoice": invoice}))
            self.keys.append(key)
        (self.source / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
        for number in range(files):
            name = f"FILE-{number}"
            content = _FILE.replace(_NUMBER, name)
            (self.source / f"{name}.xml").write_text(content, encoding="utf-8")
            self.keys.append(name)

    def is_locked(self) -> bool:
        """Whether somebody is in the midst of a write."""
        with closing(sqlite3.connect(self.place, timeout=0.0, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.execute("ROLLBACK")
            return False

    async def freeze(self, child: Child) -> None:
        """Stop a process, but not within a write: so long nobody can write, and nobody can send."""
        child.signal(signal.SIGSTOP)
        await child.stopped()
        while self.is_locked():
            child.signal(signal.SIGCONT)
            await asyncio.sleep(0.001)
            child.signal(signal.SIGSTOP)
            await child.stopped()

    def put_in_place(self, backup: Path) -> None:
        """Put a backup of the ledger in its place, while nobody uses it."""
        for left in self.folder.glob(f"{self.place.name}-*"):
            left.unlink()
        shutil.copy(backup, self.place)

    def start(self, order: Order) -> Child:
        """Start a process."""
        receiving, sending = _context.Pipe(duplex=False)
        process = _context.Process(target=work, args=(order, sending), daemon=True)
        process.start()
        sending.close()
        child = Child(process, receiving)
        self.children.append(child)
        return child

    async def run(self, order: Order) -> Report | None:
        """Let a process work to its end."""
        return await self.start(order).end()

    async def finish(self, **details: Any) -> None:
        """Go on with the run in this process, to its end."""
        order = self.order(**{"patience": 60.0, **details})
        async with (
            open_ledger(order) as ledger,
            SeqinoClient("key-1", client_id=CLIENT, base_url=order.url) as client,
        ):
            await follow(ledger, client, order)

    @contextlib.asynccontextmanager
    async def opened(self, *, recover: bool = False) -> AsyncGenerator[Ledger]:
        """Open the ledger in this process."""
        async with open_ledger(self.order(), recover=recover) as ledger:
            yield ledger

    def effects(self) -> dict[str, list[str]]:
        """Return the ids of the invoices that the platform has, by the key of what they were made of."""
        found: dict[str, list[str]] = {}
        for sponsor in self.sandbox.world.sponsors:
            for client in sponsor.clients.values():
                for invoice in client.invoices.values():
                    order = (invoice.content or {}).get("purchase_order_reference")
                    key = invoice.number if invoice.number in self.keys else str(order)
                    found.setdefault(key, []).append(invoice.invoice_id)
        return found

    async def check_marks(self) -> list[str]:
        """Say which invoices exist of which the ledger does not say that they were about to be sent."""
        async with self.opened() as ledger:
            items = {_key_of(item): item async for item in ledger.store.items()}
        return [
            f"{key} exists, and the ledger does not know that it was sent"
            for key in self.effects()
            if key not in items or not items[key].attempt
        ]

    async def check(self) -> Told:
        """Hold what the ledger says against what the platform has."""
        effects = self.effects()
        told = Told(invoices=len(self.keys))
        async with self.opened() as ledger:
            items = {_key_of(item): item async for item in ledger.store.items()}
        for key in {*self.keys, *effects, *items}:
            item, made = items.get(key), effects.get(key, [])
            told.duplicates += len(made) > 1
            if item is None or key not in self.keys:
                told.wrong(key, item, made, lost=True)
            elif item.state.is_taken:
                if not made or item.invoice_id not in (None, *made):
                    told.wrong(key, item, made, lost=True)
            elif item.state in (State.IN_DOUBT, State.PARKED):
                told.in_doubt += 1
                told.doubtful.append(key)
                if not item.ever_unknown:
                    told.wrong(key, item, made, lost=True)
            elif item.state in (State.REJECTED, State.INVALID):
                told.false_failures += bool(made)
                told.wrong(key, item, made, lost=not made)
            else:
                told.wrong(key, item, made, lost=True)
            if len(made) > 1:
                told.wrong(key, item, made, lost=False)
        return told


def _key_of(item: Item) -> str:
    if item.route is Route.FILE and item.invoice_number is not None:
        return item.invoice_number
    return item.business_key


@attrs.define
class Told:
    """What came of some invoices."""

    invoices: int = 0
    duplicates: int = 0
    lost: int = 0
    false_failures: int = 0
    in_doubt: int = 0
    kills: int = 0
    doubtful: list[str] = attrs.field(factory=list[str])
    """Keys of what is in doubt."""
    found: list[str] = attrs.field(factory=list[str])

    def add(self, other: Told) -> None:
        """Count what came of others too."""
        for field in attrs.fields(Told):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def wrong(self, key: str, item: Item | None, made: list[str], *, lost: bool) -> None:
        """Note what must not be."""
        self.lost += lost
        state = "not in the ledger" if item is None else f"{item.state} ({item.invoice_id})"
        self.found.append(f"{key} is {state}; the platform has {made}")


@contextlib.asynccontextmanager
async def stage(folder: Path, *, faults: Chance | None = None, **settings: Any) -> AsyncGenerator[Stage]:
    """Run a platform, and leave no process behind.

    Args:
        folder: Where the ledger and the invoices are to be.
        faults: What the platform does wrong.
        settings: Of the sandbox.
    """
    sandbox = Sandbox(speed=0, **settings)
    if faults is not None:
        faults.join(sandbox.faults)
    async with sandbox:
        made = Stage(folder, sandbox)
        try:
            yield made
        finally:
            for child in made.children:
                child.bury()

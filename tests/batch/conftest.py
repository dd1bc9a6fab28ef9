# pyright: reportPrivateUsage=false
from __future__ import annotations

import itertools
import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from aiohttp.test_utils import TestServer

from seqino.batch import Ledger
from seqino.batch.owners import Owner, Timing, this_process
from seqino.client import SeqinoClient
from tests.batch.places import ledger_url
from tests.batch.platform import Platform
from tests.facade.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from seqino.batch.store import Store

INVOICES = Path(__file__).parents[2] / "src/seqino/sandbox/invoices"
FILE = INVOICES / "01-it-services-ubl.xml"
DRAFT: dict[str, Any] = json.loads(
    (INVOICES / "13-consulting-draft.json").read_text(encoding="utf-8"), parse_float=Decimal
)
CLIENT = "client-1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    made = Platform()
    async with TestServer(made.app()) as server:
        made.url = str(server.make_url("/api"))
        yield made


@pytest.fixture
async def client(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: Platform
) -> AsyncIterator[SeqinoClient]:
    """A client of that platform, whose pauses take no time."""
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with SeqinoClient("key-1", client_id=CLIENT, base_url=platform.url) as made:
        yield made


_pids = itertools.count(2**22 + 1)
"""Numbers that no process has."""


@attrs.define
class Machine:
    """Where ledgers are opened, one after the other or several at a time, each as by its own process."""

    folder: Path
    server: str
    clock: Clock
    monkeypatch: pytest.MonkeyPatch
    opened: list[Ledger] = attrs.field(factory=list[Ledger])

    @property
    def place(self) -> Path:
        return self.folder / "ledger.db"

    @property
    def url(self) -> str:
        return ledger_url(self.place)

    async def open(self, **arguments: Any) -> Ledger:
        """Open the ledger as by a process that is dead as soon as anybody else looks."""
        owner = Owner(this_process().machine, next(_pids), "1")
        self.monkeypatch.setattr("seqino.batch.ledger.this_process", lambda: owner)
        given: dict[str, Any] = {
            "server": self.server,
            "sponsor": "acme",
            "copies": self.folder / "copies",
            # A disk that is busy for some seconds is not what these tests are about.
            "timing": Timing(poll=0.0, window=20.0),
            **arguments,
        }
        ledger = await Ledger.open(self.url, **given)
        # Pauses take no time.
        ledger._service._sleep = self.clock.sleep
        ledger._service._clock = lambda: self.clock.now
        self.opened.append(ledger)
        return ledger


@pytest.fixture
async def machine(
    tmp_path: Path, platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Machine]:
    made = Machine(tmp_path, platform.url, clock, monkeypatch)
    yield made
    for ledger in made.opened:
        await ledger.aclose()


@pytest.fixture
async def ledger(machine: Machine) -> Ledger:
    return await machine.open()


@pytest.fixture
def store(ledger: Ledger) -> Store:
    return ledger.store

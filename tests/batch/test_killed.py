"""A process that is killed before or after any of its writes, and another that goes on with its file."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import pytest

from seqino.batch import Ledger, State
from seqino.errors import OutcomeUnknown, SeqinoError
from seqino.options import CallOptions
from tests.batch.conftest import CLIENT, DRAFT, FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

Moment: TypeAlias = Literal["before", "after"]

PATIENT = CallOptions(timeout=300)


@attrs.define(eq=False)
class Killer:
    """Kills a ledger's process at one of its commits: from then on it writes nothing."""

    ledger: Ledger
    at: int
    moment: Moment
    died: asyncio.Event = attrs.field(factory=asyncio.Event)
    commits: int = 0

    def __attrs_post_init__(self) -> None:
        writer = self.ledger.store._writer
        commit = writer._commit

        async def until_killed(writes: Sequence[Any]) -> Sequence[Any]:
            self.commits += 1
            if self.commits == self.at and self.moment == "after":
                await commit(writes)
            if self.commits >= self.at:
                self.died.set()
                await asyncio.get_running_loop().create_future()
            return await commit(writes)

        writer._commit = until_killed

    async def watch(self, work: asyncio.Task[Any]) -> bool:
        """Wait until the work is done or the process is dead; tell whether it died."""
        death = asyncio.create_task(self.died.wait())
        await asyncio.wait([work, death], return_when=asyncio.FIRST_COMPLETED)
        death.cancel()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, SeqinoError):
            await work
        died = self.died.is_set()
        await bury(self.ledger)
        return died


async def bury(ledger: Ledger) -> None:
    """Close what a dead process had open, and write nothing."""
    ledger._is_closed = True
    for task in (ledger.store._writer._task, ledger._service._beating):
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    await ledger._opened.database.aclose()
    ledger._opened.high_water.close()


async def send(ledger: Ledger, client: SeqinoClient, route: str) -> Any:
    if route == "draft":
        return await ledger.submit(client, DRAFT, key="k", options=PATIENT)
    return await ledger.submit_file(client, FILE, key="k", options=PATIENT)


FAULTS = {
    "nothing": {},
    "lost after": {"validate": ["lost after"], "upload": ["lost after"]},
    "lost before": {"validate": ["lost before"], "upload": ["lost before"]},
    "refused": {"validate": ["refuse"], "upload": ["refuse"]},
    "throttled": {"validate": ["429"], "upload": ["429"]},
}


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ["draft", "file"])
async def test_killed_at_any_write_an_invoice_is_sent_once_and_its_end_is_told_honestly(
    machine: Machine, client: SeqinoClient, platform: Platform, *, route: str, fault: str, moment: Moment
) -> None:
    at, died, root = 0, True, machine.folder
    while died:
        at += 1
        machine.folder = root / f"{at}"
        machine.folder.mkdir()
        platform.effects.clear()
        platform.drafts.clear()
        platform.faults.clear()
        platform.faults.update({step: list(faults) for step, faults in FAULTS[fault].items()})
        first = await machine.open()
        died = await Killer(first, at, moment).watch(asyncio.create_task(send(first, client, route)))
        second = await machine.open()
        await second.reconcile(client)
        ending: Any = None
        try:
            ending = await send(second, client, route)
        except SeqinoError as error:
            ending = error
        await _check(second, platform, ending)
        await second.aclose()
    # The register of the process, the invoice, the mark and its end, at the least.
    assert at > 4


async def _check(ledger: Ledger, platform: Platform, ending: Any) -> None:
    made = platform.effects.total()
    item = await ledger.find("k", client_id=CLIENT)
    assert item is not None
    assert made <= 1, "sent twice"
    assert item.chunk_id is None, "nobody drives it any more"
    if item.state is State.ACCEPTED:
        assert made == 1, "told as sent"
        assert ending.invoice_id == item.invoice_id
    elif item.state is State.REJECTED:
        assert made == 0, "told as refused"
        assert not isinstance(ending, OutcomeUnknown)
    else:
        assert item.state is State.PARKED
        assert item.ever_unknown
        assert isinstance(ending, OutcomeUnknown)


async def test_what_a_dead_process_was_sending_is_in_doubt_at_once(
    machine: Machine, client: SeqinoClient, platform: Platform
) -> None:
    first = await machine.open()
    # Register, invoice, mark; the answer is never written.
    killer = Killer(first, 4, "before")
    assert await killer.watch(asyncio.create_task(send(first, client, "draft")))
    second = await machine.open()
    item = await second.find("k", client_id=CLIENT)
    assert item is not None
    assert item.state is State.SENDING
    done = await second.reconcile(client)
    assert (done.settled, done.in_doubt) == (1, 0)
    assert [str(entry.event) async for entry in second.history()] == [
        *("added", "marked", "taken_over", "adopted", "accepted")
    ]
    assert platform.effects.total() == 1


async def test_a_living_process_is_waited_for_and_then_reported(
    machine: Machine, client: SeqinoClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await machine.open(), await machine.open()
    waited = asyncio.Event()

    def is_dead(*_: object, **__: object) -> bool:
        waited.set()
        return False

    monkeypatch.setattr(second.store, "is_dead", is_dead)
    platform.holds = "validate"
    sending = asyncio.create_task(send(first, client, "draft"))
    await platform.held.wait()
    waiting = asyncio.create_task(send(second, client, "draft"))
    await waited.wait()
    assert not waiting.done()
    platform.release()
    one, other = await asyncio.gather(sending, waiting)
    assert one.invoice_id == other.invoice_id == "inv-1"
    assert platform.requests == {"create": 1, "validate": 1}

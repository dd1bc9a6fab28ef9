"""A sandbox ends, and another goes on from what was committed: no event is lost, and none is told twice."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Receiver, Sandbox, SandboxError
from seqino.sandbox.clock import Clock
from seqino.sandbox.state import Memory

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from seqino.sandbox.state import Standing
    from seqino.sandbox.world.records import Record


class Kept(Memory):
    """A state that remembers what each commit made durable."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str, str], Record] = {}
        self._changed: dict[tuple[str, str, str], Record | None] = {}
        self.commits: list[tuple[datetime, dict[tuple[str, str, str], Record]]] = []

    def put(self, owner: str, record: Record) -> None:
        self._changed[owner, record.kind, record.key] = record

    def drop(self, owner: str, record: Record) -> None:
        self._changed[owner, record.kind, record.key] = None

    def clear(self) -> None:
        self._records, self._changed = {}, {}

    def is_due(self, now: datetime) -> bool:  # noqa: ARG002 - time alone changes nothing here
        return bool(self._changed)

    def commit(self, standing: Standing) -> None:
        if self._changed:
            for key, record in self._changed.items():
                if record is None:
                    del self._records[key]
                else:
                    self._records[key] = copy.deepcopy(record)
            self._changed = {}
            self.commits.append((standing.now, dict(self._records)))


@pytest.fixture
def kept(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Kept:
    state = Kept()
    monkeypatch.setattr(sandbox.world, "_state", state)
    return state


def revived(now: datetime, records: dict[tuple[str, str, str], Record]) -> Sandbox:
    """A sandbox that holds what was kept, at the time at which it was."""
    sandbox = Sandbox(speed=0)
    sandbox.clock = sandbox.world.clock = Clock(speed=0, start=now)
    sponsor = sandbox.world.sponsor("a-key")
    for (owner, kind, key), kept in records.items():
        record: Any = copy.deepcopy(kept)
        client = sponsor.clients.get(owner.partition("/")[2])
        if kind == "webhook":
            sponsor.webhook = record
        elif kind == "delivery":
            sponsor.deliveries[key] = record
        elif kind == "invoice":
            assert client is not None
            client.add_invoice(record)
    return sandbox


def told(sandbox: Sandbox) -> Counter[str]:
    """All that was turned into deliveries, without the ids that each run makes anew."""
    envelopes = [json.loads(one.payload) for one in sandbox.deliveries.list()]
    return Counter(json.dumps({**one, "event_id": None}) for one in envelopes)


async def test_after_any_commit_another_sandbox_goes_on_exactly_there(
    kept: Kept, call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    hook.fail(2)
    await call.issue()
    sandbox.clock.advance(1)
    await call.issue()
    created = len(kept.commits)
    for _ in range(30):
        await sandbox.deliveries.settled()
        sandbox.clock.advance(2)
    await sandbox.deliveries.settled()
    expected, end = told(sandbox), sandbox.clock.now()
    assert set(expected.values()) == {1}
    assert len(kept.commits) > 20
    ids = {one.event_id for one in hook.events}
    await sandbox.stop()

    for now, records in kept.commits[created - 1 :]:
        hook.clear()
        before = {key for _, kind, key in records if kind == "delivery"}
        async with revived(now, records) as another:
            another.clock.advance((end - now).total_seconds())
            await another.deliveries.settled()
            another.clock.advance(60)
            await another.deliveries.settled()
            assert told(another) == expected
            assert {one.outcome for one in another.deliveries.list()} == {"delivered"}
            ended = {one.event_id for one in another.deliveries.list()} - {
                one.event_id for one in hook.events
            }
            assert ended <= before & ids, "what is not sent again had arrived"


async def test_more_can_happen_in_the_moment_of_the_restart(
    kept: Kept, call: Any, calling: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    await sandbox.stop()
    async with revived(*kept.commits[-1]) as another:
        client = another.world.sponsors[0].clients["sandbox-client-seqino"]
        (invoice,) = client.invoices.values()
        another.world.save(client, invoice)  # as any change of it would
        await calling(another).issue()
        await another.deliveries.settled()
    created = [one for one in hook.events if one.event_type == "invoice.created"]
    assert len({one.payload["data"]["invoice_id"] for one in created}) == 2
    assert len(hook.events) == 4


class Full(Kept):
    """A state whose disk is full."""

    def commit(self, standing: Standing) -> None:
        raise SandboxError(f"the disk is full at {standing.now}")


@pytest.mark.parametrize("when", ["telling", "noting"])
async def test_what_cannot_be_kept_is_not_delivered(
    call: Any, sandbox: Sandbox, hook: Receiver, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call.issue()
    if when == "telling":
        await sandbox.deliveries.settled()
    arrived = len(hook.events)
    monkeypatch.setattr(sandbox.world, "_state", Full())
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert len(hook.events) <= arrived + 1


async def test_what_is_not_delivered_yet_is_delivered_by_whoever_goes_on_from_the_file(
    calling: Any, receiver: Receiver, register: Any, tmp_path: Path
) -> None:
    path = tmp_path / "sandbox.state"
    body = {"start_date": "2024-01-15T00:00:00Z", "directory_entry": {"siren": "523456788", "name": "Canal"}}
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        await register(call, receiver)
        receiver.fail(1)
        mandate = (await call("POST", "/mandates", json=body)).body
        published = {"siren": "812345676", "name": "Vauban"}
        assert (await call("POST", "/_sandbox/directory", json=published, judged=False)).status == 200
        await sandbox.deliveries.settled()
        assert [one.outcome for one in sandbox.deliveries.list()] == ["pending"]
    async with Sandbox(speed=0, state=path) as sandbox:
        call = calling(sandbox)
        sandbox.clock.advance(3600)
        await sandbox.deliveries.settled()
        assert {one.event_type for one in receiver.events} == {"mandate.created", "mandate.activated"}
        assert (await call("GET", f"/mandates/{mandate['id']}")).body["status"] == "active"
        for siren in ("523456788", "812345676"):
            assert (await call("GET", f"/directory/{siren}")).status == 200


async def test_nothing_is_delivered_any_more_once_nothing_can_be_kept(
    call: Any, sandbox: Sandbox, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call.issue()
    await sandbox.deliveries.settled()
    arrived = len(hook.events)
    broken = Kept()
    broken.failure = "the disk is full"
    monkeypatch.setattr(sandbox.world, "_state", broken)
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert len(hook.events) == arrived

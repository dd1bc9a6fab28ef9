"""Plays the cases of ``tests/cases``: what goes wrong on the wire, and what has to come of it.

Time is virtual: only the pauses of a call, and a server that stops talking, let it pass. How the cases are
written is described in ``tests/cases/README.md``.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from seqino._core.wire import Effect
from seqino.client import SeqinoClient
from seqino.errors import CallError, OutcomeUnknown
from tests.cases.platform import ROUTES, Platform, perform
from tests.cases.stage import Stage, connected, pool
from tests.cases.table import THING, Case, Flow, arguments, collect, operation, play, success

if TYPE_CHECKING:
    from seqino._core.events import CallEvent
    from tests.core.conftest import Bench, FaultServer

NEVER = 120
"""Seconds of real time after which a call that should have ended long ago fails its test."""

SENT_ONCE = {Effect.ONCE, Effect.READABLE, Effect.CREATE}
"""Effects that must never happen twice."""


def told(event: CallEvent) -> str:
    return f"delay {event.delay:g}" if event.kind == "delay" else f"{event.kind} {event.outcome}"


@pytest.mark.parametrize("case", collect("cases"))
async def test_a_call_ends_as_its_case_says(bench: Bench, server: FaultServer, case: Case) -> None:
    called, time = operation(case.call), bench.time
    async with connected(case.on, Stage(bench, server), case.client) as engine:
        server.plays(*[play(step, good=success(called)) for step in case.script])
        await server.turn()
        budget = engine._shared.budget
        if case.budget:
            budget.tokens = case.budget[0]
        if case.on == "stale":
            server.hang_up()
        began = time.now
        error: CallError | None = None
        try:
            async with asyncio.timeout(NEVER):
                result = await engine.call(called, **arguments(called))
        except CallError as raised:
            error = raised
        else:
            assert result == (THING if case.call not in WITHOUT_BODY else None)

        assert ("done" if error is None else type(error).__name__) == case.ends, error
        assert (server.begun, server.unplayed) == (case.sends, 0)
        assert time.now - began == pytest.approx(case.seconds)
        assert [told(event) for event in bench.events] == case.events
        assert pool(engine) == (case.on == "full", 0)
        if case.on in {"reused", "parted"}:
            assert (server.reused > 0) == (case.on == "reused")
        # The same bytes each time, and nothing that counts twice.
        assert len({seen for seen in server.seen if seen.method != "CONNECT"}) <= 1
        effects = server.effects.total()
        assert effects <= 1 or called.effect not in SENT_ONCE
        if case.effects is not None:
            assert effects == case.effects
        if case.budget:
            assert budget.tokens == case.budget[1]
        if error is not None:
            check(error, case, attempts=sum(event.kind == "attempt" for event in bench.events))


WITHOUT_BODY = {"idempotent DELETE"}


def check(error: CallError, case: Case, *, attempts: int) -> None:
    assert error.attempts == attempts
    assert (error.status, error.retry_after) == (case.status, case.retry_after)
    assert case.outcome is None or error.outcome == case.outcome
    assert case.says in str(error)
    if isinstance(error, OutcomeUnknown):
        assert error.token is not None
        assert error.token.attempts == attempts


@pytest.mark.parametrize("flow", collect("flows"))
async def test_a_call_that_looks_ends_as_its_case_says(
    bench: Bench, server: FaultServer, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stage(bench, server)
    platform, time = Platform(server, flow.shows), bench.time
    for step, script in flow.scripts.items():
        server.plays(*[play(each, good=platform.later(step)) for each in script], on=ROUTES[step])
    monkeypatch.setattr("seqino.client.Runtime", lambda: time.runtime)
    began = time.now
    error: CallError | None = None
    async with SeqinoClient("key", client_id="acme", base_url=server.url) as client:
        try:
            async with asyncio.timeout(NEVER):
                ends, gives = await perform(flow.do, client)
        except CallError as raised:
            error, ends, gives = raised, type(raised).__name__, None
        assert pool(client._engine) == (0, 0)

    assert (ends, gives) == (flow.ends, flow.gives), error
    assert getattr(error, "status", None) == flow.status
    assert (getattr(error, "token", None) is not None) == flow.token
    assert flow.says in str(error)
    assert server.unplayed == 0
    sends = Counter(seen.route for seen in server.seen)
    assert {step: sends[route] for step, route in ROUTES.items() if sends[route]} == flow.sends
    assert platform.effects == flow.effects
    assert time.now - began == pytest.approx(flow.seconds)

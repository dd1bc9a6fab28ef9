"""Plays the cases of ``tests/cases``: what goes wrong on the wire, and what has to come of it.

Time is virtual: only the pauses of a call, and a server that stops talking, let it pass. How the cases are
written is described in ``tests/cases/README.md``.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seqino._core.wire import JSON, Effect
from seqino.client import SeqinoClient
from seqino.errors import CallError, OutcomeUnknown
from seqino.sandbox.fault_plays import Behaviour, Exchange, answer
from seqino.submission import Submission
from tests.cases.stage import Stage, connected, pool
from tests.cases.table import THING, Case, Flow, arguments, collect, operation, play, success

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.events import CallEvent
    from tests.core.conftest import Bench, FaultServer

FILE = Path(__file__).parents[2] / "src/seqino/sandbox/invoices/01-it-services-ubl.xml"

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


# Submissions, with a server that knows drafts

DRAFT: dict[str, JSON] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Boulangerie Dupain", "postal_address": {"city_name": "Paris"}},
}
MADE = {"invoice_id": "inv-1", "invoice_number": "F-1", "status": "submitted"}
ROUTES = {
    "create": "POST /drafts",
    "validate": "POST /drafts/d1/validate",
    "look": "GET /drafts/d1",
    "upload": "POST /invoicing/files/submit",
}


def json_answer(status: int, body: Mapping[str, Any]) -> Behaviour:
    return answer(status, json.dumps(body).encode())


class Platform:
    """What the server answers where a flow's scripts say nothing else.

    ``shows`` is what a look tells: the ``state`` of a draft and the invoice made of it, ``nothing`` of these,
    or the draft only ``until-used``.
    """

    def __init__(self, server: FaultServer, shows: str) -> None:
        self.server = server
        self.shows = shows
        for step, route in ROUTES.items():
            self.server.always(getattr(self, step), on=route)

    @property
    def is_used(self) -> bool:
        return self.server.effects[ROUTES["validate"]] > 0

    def create(self) -> Behaviour:
        return json_answer(201, {"draft_id": "d1"})

    def validate(self) -> Behaviour:
        if self.is_used:
            return json_answer(400, {"error": "the draft is immutable", "code": 1, "trace_id": "t"})
        return json_answer(200, MADE)

    def look(self) -> Behaviour:
        if self.shows == "nothing":
            return json_answer(200, DRAFT)
        if not self.is_used:
            return json_answer(200, {**DRAFT, "status": "draft"})
        if self.shows == "until-used":
            return json_answer(404, {"error": "no such draft", "code": 2, "trace_id": "t"})
        return json_answer(200, {**DRAFT, **MADE})

    def upload(self) -> Behaviour:
        return json_answer(201, {**MADE, "file_name": FILE.name, "file_size": FILE.stat().st_size})


@pytest.mark.parametrize("flow", collect("flows"))
async def test_a_submission_ends_as_its_case_says(
    bench: Bench, server: FaultServer, flow: Flow, monkeypatch: pytest.MonkeyPatch
) -> None:
    Stage(bench, server)
    platform, time = Platform(server, flow.shows), bench.time
    for step, script in flow.scripts.items():
        server.plays(*[play(each, good=later(platform, step)) for each in script], on=ROUTES[step])
    monkeypatch.setattr("seqino.client.Runtime", lambda: time.runtime)
    began = time.now
    async with SeqinoClient("key", client_id="acme", base_url=server.url) as client:
        end: Submission | CallError
        try:
            end = await (client.submit(DRAFT) if flow.do == "submit" else client.submit_file(FILE))
        except CallError as error:
            end = error
        assert pool(client._engine) == (0, 0)

    assert (str(end.verdict) if isinstance(end, Submission) else type(end).__name__) == flow.ends, end
    assert (end.invoice_id if isinstance(end, Submission) else None) == flow.invoice_id
    assert (None if isinstance(end, Submission) else end.status) == flow.status
    assert (getattr(end, "token", None) is not None) == flow.token
    assert server.unplayed == 0
    sends = Counter(seen.route for seen in server.seen)
    assert {step: sends[route] for step, route in ROUTES.items() if sends[route]} == flow.sends
    assert server.effects[ROUTES["validate"]] + server.effects[ROUTES["upload"]] == flow.effects
    assert time.now - began == pytest.approx(flow.seconds)


def later(platform: Platform, step: str) -> Behaviour:
    """What the platform answers at the time of the request."""

    async def behave(exchange: Exchange) -> None:
        await getattr(platform, step)()(exchange)

    return behave

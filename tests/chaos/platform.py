"""A platform in memory behind a transport in memory: what it did can be counted."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import attrs

from seqino._core.outcome import FaultKind
from seqino._core.transport import Answer, Broken
from tests.chaos.chance import Kind, Plan, Traits, answer, plan_exchange
from tests.chaos.loop import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.config import Secret
    from seqino._core.request import Request
    from seqino._core.transport import Result, SendMark

__all__ = ["INVOICE", "REPEATABLE", "Draft", "Platform", "SimulatedTransport", "item_of"]

INVOICE: Mapping[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Boulangerie Dupain", "postal_address": {"city_name": "Paris"}},
}

_KINDS: Mapping[str, Kind] = {
    "create_draft": "create",
    "validate_draft": "validate",
    "submit_invoice_file": "upload",
    "get_draft": "look",
    "get_clients": "look",
    "delete_draft": "remove",
}

REPEATABLE = frozenset({"create_draft", "get_draft", "get_clients", "delete_draft"})
"""What may be sent again without harm."""

_CLIENT = {
    "organization_name": "Dupain",
    "contact_email": "paris@dupain.example",
    "sponsor_id": "s-1",
    "status": "active",
    "created_at": "2026-09-01T00:00:00Z",
}

_PAYMENT = {"client_siren": "123456782", "payment_date": "2026-09-01", "amount": "10.00", "currency": "EUR"}


@attrs.define(kw_only=True)
class Draft:
    """A draft; ``consumed_at`` is when it became an invoice."""

    item: str
    consumed_at: float = math.inf
    invoice_id: str = ""


@attrs.define(kw_only=True)
class Platform:
    """What exists, and how often it was made."""

    loop: VirtualLoop
    rng: random.Random
    traits: Traits
    drafts: dict[str, Draft] = attrs.field(factory=dict[str, Draft])
    made: Counter[str] = attrs.field(factory=Counter[str])
    """How often an invoice, or what else a request makes, came of each item."""
    made_at: dict[str, float] = attrs.field(factory=dict[str, float])
    """When that was last."""
    rival: Literal["same", "different"] | None = None
    """What somebody else has made under the same key: the same, or something else."""
    ids: dict[str, str] = attrs.field(factory=dict[str, str])
    """The invoice of each item."""
    left: Counter[str] = attrs.field(factory=Counter[str])
    """How often a request that must not be repeated left for each item."""
    masked: set[str] = attrs.field(factory=set[str])
    """Items whose acceptance a gateway lost, and answered with the refusal of its own repetition."""
    shown: set[str] = attrs.field(factory=set[str])
    """Items whose invoice a look brought to light."""
    hollow: set[str] = attrs.field(factory=set[str])
    """Items of which a 2xx said nothing and nothing came, and that no look has contradicted yet."""
    trace: list[tuple[Any, ...]] = attrs.field(factory=list[Any])

    def note(self, *what: Any) -> None:
        self.trace.append((round(self.loop.time(), 6), *what))

    def plan(self, request: Request) -> Plan:
        kind = _KINDS.get(request.operation.name, "make")
        return plan_exchange(self.rng, self.traits, kind=kind)

    def deliver(self, request: Request, plan: Plan, reply: asyncio.Future[Result]) -> None:
        """A request left: what comes of it no longer depends on who waits for the answer."""
        if request.operation.name not in REPEATABLE:
            self.left[item_of(request)] += 1
        seen: list[Answer] = []
        if plan.effect is not None:
            self.loop.call_later(plan.effect, self._perform, request, seen)
            if plan.repeats:
                self.loop.call_later(plan.effect + 1.0, self._perform, request, seen)
        if plan.reply == "natural":
            self.loop.call_later(plan.after, lambda: _settle(reply, seen[-1]))
        elif plan.reply is not None:
            natural = plan.reply
            self.loop.call_later(plan.after, lambda: _settle(reply, natural))

    def _perform(self, request: Request, seen: list[Answer]) -> None:
        seen.append(self.apply(request))
        name, item, status = request.operation.name, item_of(request), seen[-1].status
        self.note("platform", name, item, status)
        if name == "validate_draft" and len(seen) > 1 and self.made[item] and status != 200:
            self.masked.add(item)

    def remember(self, request: Request, plan: Plan, told: Answer) -> None:
        """An answer arrived: from now on the caller can know what it says."""
        item = item_of(request)
        if plan.name == "hollow never":
            self.hollow.add(item)
        elif request.operation.name == "get_draft" and b"inv-d-" in told.body:
            self.shown.add(item)
        elif request.operation.name == "get_draft" and b'"draft"' in told.body:
            self.hollow.discard(item)

    # What each operation does

    def apply(self, request: Request) -> Answer:  # noqa: PLR0911 - a table
        """Do what a request asks, and answer."""
        match request.operation.name:
            case "create_draft":
                draft_id = f"d-{len(self.drafts) + 1}"
                self.drafts[draft_id] = Draft(item=item_of(request))
                return answer(201, {"draft_id": draft_id, "status": "draft"})
            case "validate_draft":
                return self._validate(request.parameters["draft_id"])
            case "get_draft":
                return self._look(request.parameters["draft_id"])
            case "delete_draft":
                gone = self.drafts.pop(request.parameters["draft_id"], None) is None
                return answer(404 if gone else 204, {"error": "gone"} if gone else None)
            case "submit_invoice_file":
                return self._take_file(item_of(request))
            case "get_clients":
                return answer(200, self._clients())
            case "create_client":
                self._make(item_of(request))
                return answer(201, self._client(item_of(request)))
            case _:
                self._make(item_of(request))
                created = {"payment_id": "p-1", "created_at": "2026-09-01T00:00:00Z", "period": "2026-09"}
                return answer(200, {**_PAYMENT, **created})

    def _make(self, item: str) -> None:
        self.made[item] += 1
        self.made_at[item] = self.loop.time()

    def _clients(self) -> list[Mapping[str, Any]]:
        now = self.loop.time() - self.traits.stale
        shown = [self._client(item) for item, count in self.made.items() for _ in range(count)]
        shown = [each for each in shown if self.made_at[each["external_ref"]] <= now]
        if self.rival is not None:
            other = {} if self.rival == "same" else {"organization_name": "Somebody Else"}
            shown.append({**self._client("item-0"), "client_id": "c-other", **other})
        return shown

    @staticmethod
    def _client(item: str) -> Mapping[str, Any]:
        return {**_CLIENT, "client_id": f"c-{item}", "external_ref": item}

    def _refusal(self) -> Answer | None:
        refuses = self.traits.refuses
        if refuses is None:
            return None
        if refuses == "rejected":
            return answer(200, {"status": "rejected"})
        if refuses == "errors":
            return answer(200, {"status": "draft", "errors": [{"path": "$.lines", "message": "none"}]})
        return answer(refuses, {"error": "the invoice is not valid", "code": refuses, "trace_id": "t-1"})

    def _validate(self, draft_id: str) -> Answer:
        draft = self.drafts.get(draft_id)
        if draft is None:
            return answer(404, {"error": "no such draft", "code": 404, "trace_id": "t-1"})
        if draft.invoice_id:
            if self.traits.consumed != 200:
                return answer(self.traits.consumed, {"error": "immutable", "code": 1, "trace_id": "t-1"})
            return self._accepted(draft)
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        draft.consumed_at = self.loop.time()
        draft.invoice_id = f"inv-{draft_id}"
        self._make(draft.item)
        self.ids[draft.item] = draft.invoice_id
        return self._accepted(draft)

    def _accepted(self, draft: Draft) -> Answer:
        full = {"invoice_id": draft.invoice_id, "invoice_number": "F-1", "status": "submitted"}
        match self.traits.answer:
            case "full":
                return answer(200, full)
            case "id":
                return answer(201, {"invoice_id": draft.invoice_id})
            case "status":
                return answer(200, {"status": "submitted"})
            case "empty":
                return answer(200, {})
            case "no content":
                return answer(204)

    def _look(self, draft_id: str) -> Answer:  # noqa: PLR0911 - a table
        draft, shows = self.drafts.get(draft_id), self.traits.shows
        if draft is None:
            return answer(404, {"error": "no such draft", "code": 404, "trace_id": "t-1"})
        if draft.consumed_at + self.traits.stale > self.loop.time():
            return answer(200, {**INVOICE, "status": "draft"} if shows in ("all", "status") else INVOICE)
        match shows:
            case "all":
                return answer(200, {**INVOICE, "invoice_id": draft.invoice_id, "status": "processed"})
            case "id":
                return answer(200, {**INVOICE, "invoice_id": draft.invoice_id})
            case "status":
                return answer(200, {**INVOICE, "status": "submitted"})
            case "nothing":
                return answer(200, INVOICE)
            case "gone":
                return answer(self.rng.choice((404, 410)), {"error": "gone", "code": 404})

    def _take_file(self, item: str) -> Answer:
        shown = {"file_name": "f.xml", "file_size": 1}
        refuses = self.traits.refuses
        if isinstance(refuses, int):
            return answer(refuses, {"error": "not valid", "code": refuses, "trace_id": "t-1"})
        if refuses is not None:
            return answer(201, {**shown, "invoice_id": "inv-no", "status": "rejected"})
        self._make(item)
        self.ids[item] = f"inv-{item}"
        return answer(201, {**shown, "invoice_id": self.ids[item], "status": "processed"})


def item_of(request: Request) -> str:
    """The item that a request is about."""
    if request.client_id is not None:
        return request.client_id
    reference: str = json.loads(request.body or b"{}").get("external_ref", "")
    return reference


def _settle(reply: asyncio.Future[Result], result: Result) -> None:
    if not reply.done():
        reply.set_result(result)


@attrs.define(kw_only=True)
class SimulatedTransport:
    """Stands where the real one does: one exchange, one result, and never a second send of its own."""

    platform: Platform
    in_flight: Counter[str] = attrs.field(factory=Counter[str])

    async def send(self, request: Request, *, key: Secret | None, mark: SendMark | None) -> Result:
        assert key is not None
        assert key.reveal() == "key-1"
        platform = self.platform
        plan = platform.plan(request)
        item = item_of(request)
        platform.note("send", request.operation.name, item, plan.name)
        self.in_flight[item] += 1
        try:
            return await self._exchange(request, plan, mark)
        finally:
            self.in_flight[item] -= 1

    async def _exchange(self, request: Request, plan: Plan, mark: SendMark | None) -> Result:
        loop = self.platform.loop
        await asyncio.sleep(plan.connecting)
        if plan.unsent is FaultKind.TIMED_OUT:
            # Waiting for a connection of the pool.
            await loop.create_future()
        if plan.unsent is not None:
            return Broken(kind=plan.unsent, detail="drawn")
        if mark is not None:
            mark.begin(None)
        reply: asyncio.Future[Result] = loop.create_future()
        self.platform.deliver(request, plan, reply)
        result = await reply
        # The head came; the rest of the body takes a moment.
        await asyncio.sleep(0.125 if self.platform.traits.ticking else 0.001)
        if isinstance(result, Answer):
            self.platform.remember(request, plan, result)
        return result

    async def aclose(self) -> None:
        """Nothing is held."""

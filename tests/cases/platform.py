"""A platform behind the server of faults, for calls that look at what became of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fault_server import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino._core.wire import JSON
    from seqino.client import SeqinoClient
    from tests.core.conftest import FaultServer
    from tests.exchange import Behaviour, Exchange

__all__ = ["ROUTES", "Platform", "perform"]

FILE = Path(__file__).parents[2] / "src/seqino/sandbox/invoices/01-it-services-ubl.xml"
DRAFT: dict[str, JSON] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Boulangerie Dupain", "postal_address": {"city_name": "Paris"}},
}
MADE = {"invoice_id": "inv-1", "invoice_number": "F-1", "status": "submitted"}
ASKED = {"organization_name": "Dupain", "contact_email": "compta@dupain.example", "external_ref": "r-1"}
CLIENT = {
    **ASKED,
    "client_id": "c-1",
    "sponsor_id": "s-1",
    "status": "active",
    "created_at": "2026-03-01T12:00:00Z",
}
HOOK = {"url": "https://dupain.example/hook", "events": ["invoice.created"]}

ROUTES = {
    "create": "POST /drafts",
    "validate": "POST /drafts/d1/validate",
    "look": "GET /drafts/d1",
    "upload": "POST /invoicing/files/submit",
    "register": "POST /clients",
    "search": "GET /clients",
    "subscribe": "POST /webhooks",
    "subscription": "GET /webhooks",
}
COUNTED = ("validate", "upload", "register", "subscribe")


async def perform(do: str, client: SeqinoClient) -> tuple[str, str | None]:
    """Do what a flow says; return how it ended, and the id that was given."""
    match do:
        case "submit" | "submit_file":
            done = await (client.submit(DRAFT) if do == "submit" else client.submit_file(FILE))
            return str(done.verdict), done.invoice_id
        case "create_client":
            return "done", (await client.clients.create(ASKED)).client_id
        case _:
            return "done", (await client.webhooks.create(HOOK)).webhook_id


def say(status: int, body: JSON) -> Behaviour:
    return answer(status, json.dumps(body).encode())


def refuse(status: int, why: str) -> Behaviour:
    return say(status, {"error": why, "code": 1, "trace_id": "t"})


class Platform:
    """What the server answers where a flow's scripts say nothing else.

    ``shows`` is what a look tells: the ``state``; ``nothing`` of it; the draft only ``until-used``; something
    ``different`` under the same key; or the object ``twice``.
    """

    def __init__(self, server: FaultServer, shows: str) -> None:
        self._server = server
        self._shows = shows
        for step, route in ROUTES.items():
            server.always(getattr(self, step), on=route)

    def later(self, step: str) -> Behaviour:
        """What a step is answered at the time of the request."""

        async def behave(exchange: Exchange) -> None:
            await getattr(self, step)()(exchange)

        return behave

    def _was_done(self, step: str) -> bool:
        return self._server.effects[ROUTES[step]] > 0

    @property
    def effects(self) -> int:
        """How much was made that must be made once."""
        return sum(self._server.effects[ROUTES[step]] for step in COUNTED)

    def create(self) -> Behaviour:
        return say(201, {"draft_id": "d1"})

    def validate(self) -> Behaviour:
        return refuse(400, "the draft is immutable") if self._was_done("validate") else say(200, MADE)

    def look(self) -> Behaviour:
        if self._shows == "nothing":
            return say(200, DRAFT)
        if not self._was_done("validate"):
            return say(200, {**DRAFT, "status": "draft"})
        return refuse(404, "no such draft") if self._shows == "until-used" else say(200, {**DRAFT, **MADE})

    def upload(self) -> Behaviour:
        return say(201, {**MADE, "file_name": FILE.name, "file_size": FILE.stat().st_size})

    def register(self) -> Behaviour:
        return say(201, CLIENT)

    def search(self) -> Behaviour:
        return say(200, self._clients())

    def _clients(self) -> Sequence[dict[str, Any]]:
        if self._shows == "different":
            return [{**CLIENT, "organization_name": "Dupont"}]
        if not self._was_done("register") or self._shows == "nothing":
            return []
        return [CLIENT, {**CLIENT, "client_id": "c-2"}] if self._shows == "twice" else [CLIENT]

    def subscribe(self) -> Behaviour:
        told = {"secret": "5ec" * 10, "created_at": CLIENT["created_at"], "message": "registered"}
        return say(201, {**HOOK, "webhook_id": "w-1", **told})

    def subscription(self) -> Behaviour:
        if not self._was_done("subscribe"):
            return refuse(404, "no webhook")
        return say(200, {**HOOK, "webhook_id": "w-1", "is_active": True})

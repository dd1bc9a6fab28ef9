"""What each operation does to the world, once its request is judged; synchronous, so each effect is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import Refusal, Unprocessable, problem
from seqino.sandbox.reading import NoInvoice, read_file
from seqino.sandbox.rules import breaches, party_key, siren_of
from seqino.sandbox.scenarios import UNSOUND
from seqino.sandbox.shape import shape_of
from seqino.sandbox.world import Frozen, Sponsor

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.description import Description
    from seqino.sandbox.rules import Breach
    from seqino.sandbox.shape import Terms
    from seqino.sandbox.world import Client, Draft, Invoice, World

__all__ = ["Answer", "Call", "Operations", "Upload"]

_CLIENT_HEADER = "x-pdp-client-id"

_MARKS = (
    "draft_id",
    "status",
    "invoice_id",
    "invoice_number",
    "errors",
    "warnings",
    "created_at",
    "updated_at",
)
"""What the platform itself writes into a draft; sent back by a caller, it changes nothing."""


@attrs.frozen
class Upload:
    """A file of a multipart request."""

    name: str
    content: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True, eq=False)
class Call:
    """A request that was judged, and by whom it was made."""

    sponsor: Sponsor
    parameters: Mapping[str, Any]
    body: Any = None
    file: Upload | None = None

    @property
    def client(self) -> Client:
        """Client on whose behalf the call is made."""
        return _client(self.sponsor, self.parameters[_CLIENT_HEADER])


@attrs.frozen
class Answer:
    """What is answered: a status and a JSON value; no body at all for 204."""

    status: int
    body: Any = None


class Operations:
    """The operations that the sandbox plays, by method and path template.

    Args:
        world: What they act on.
        description: Where the fields of an invoice stand.
        show_inferred: Whether answers carry the marks that no public page shows: status, invoice id and
            number of a draft. The draft id stays in the answer that creates one: nothing works without it.
    """

    def __init__(self, world: World, description: Description, *, show_inferred: bool = True) -> None:
        self._world = world
        self._show_inferred = show_inferred
        drafts = description.operation("POST /drafts").body_schema
        invoices = description.operation("GET /invoicing/invoice_data/{invoice_id}").responses[200] or {}
        self._draft = shape_of(description, drafts)
        self._invoice = shape_of(description, invoices)
        self._invoice_validator = description.validator(invoices)
        # Where a term stands more than once, the first place is the one to speak of.
        self._places = dict(reversed(list(self._draft.places())))
        self.table: dict[str, Callable[[Call], Answer]] = {
            "GET /clients": self.get_clients,
            "POST /clients": self.create_client,
            "GET /clients/{client_id}": self.get_client_details,
            "DELETE /clients/{client_id}": self.delete_client,
            "POST /drafts": self.create_draft,
            "POST /drafts/validate-data": self.validate_invoice_data,
            "GET /drafts/{draft_id}": self.get_draft,
            "PUT /drafts/{draft_id}": self.update_draft,
            "DELETE /drafts/{draft_id}": self.delete_draft,
            "POST /drafts/{draft_id}/validate": self.validate_draft,
            "POST /invoicing/files/submit": self.submit_invoice_file,
            "GET /invoicing/invoice_data/{invoice_id}": self.get_invoice_data,
            "GET /lifecycle-events": self.get_lifecycle_events,
        }

    # --- Clients ---

    def get_clients(self, call: Call) -> Answer:
        """List the sponsor's clients, or answer the one with a reference; an empty list where none has it."""
        records = [client.record for client in call.sponsor.clients.values()]
        wanted = call.parameters.get("external_ref")
        if wanted is None:
            return Answer(200, records)
        found = [one for one in records if one["external_ref"] == wanted]
        return Answer(200, found[0] if found else [])

    def create_client(self, call: Call) -> Answer:
        """Create a client; a reference that another one has is refused with 409."""
        body = call.body
        reference = body["external_ref"]
        if any(one.record["external_ref"] == reference for one in call.sponsor.clients.values()):
            raise Refusal(409, f"a client with external_ref {reference} exists")
        client = self._world.add_client(
            call.sponsor,
            self._world.new_id("client"),
            body["organization_name"],
            body["contact_email"],
            reference,
        )
        self._world.counters.clients_created += 1
        return Answer(201, client.record)

    def get_client_details(self, call: Call) -> Answer:
        """Answer one client."""
        return Answer(200, _client(call.sponsor, call.parameters["client_id"]).record)

    def delete_client(self, call: Call) -> Answer:
        """Delete a client with all that it holds."""
        client = _client(call.sponsor, call.parameters["client_id"])
        del call.sponsor.clients[client.record["client_id"]]
        return Answer(204)

    # --- Drafts ---

    def create_draft(self, call: Call) -> Answer:
        """Store a draft; data may be missing, and what would stop its validation is a warning."""
        draft = self._world.add_draft(call.client, self._content(call.body))
        return Answer(201, {"draft_id": draft.draft_id, **self._draft_marks(draft)})

    def validate_invoice_data(self, call: Call) -> Answer:
        """Judge invoice data as validation would, and store nothing."""
        _ = call.client  # an unknown one gets 404, as everywhere
        found = [self._message(one) for one in self._breaches(call.body["invoice_data"])]
        return Answer(200, {"valid": not found, "errors": found, "warnings": []})

    def get_draft(self, call: Call) -> Answer:
        """Answer a draft with its marks, an issued one too."""
        draft = self._find_draft(call)
        marks: dict[str, Any] = {}
        if self._show_inferred:
            marks = {"draft_id": draft.draft_id, **self._draft_marks(draft)}
        return Answer(200, {**draft.content, **marks})

    def update_draft(self, call: Call) -> Answer:
        """Replace the whole content of a draft."""
        draft = self._find_draft(call)
        self._unless_frozen(self._world.replace_draft, draft, self._content(call.body))
        return Answer(200, {"draft_id": draft.draft_id, **self._draft_marks(draft)})

    def delete_draft(self, call: Call) -> Answer:
        """Delete a draft for good."""
        self._unless_frozen(self._world.delete_draft, call.client, self._find_draft(call))
        return Answer(204)

    def validate_draft(self, call: Call) -> Answer:
        """Issue a draft as an invoice, exactly once; an unsound one is refused with 422 and stays a draft."""
        draft = self._find_draft(call)
        if draft.invoice is None:
            self._refuse_unsound(draft)
        terms = self._draft.terms(draft.content)
        content = json.dumps(draft.content, sort_keys=True, default=str).encode()
        invoice: Invoice = self._unless_frozen(
            self._world.issue_draft,
            call.sponsor,
            call.client,
            draft,
            seller=_seller(terms),
            buyer=_buyer(terms),
            fingerprint=hashlib.blake2b(content, digest_size=16).hexdigest(),
        )
        marks: dict[str, Any] = {"draft_id": draft.draft_id, **_issued(invoice), "errors": [], "warnings": []}
        return Answer(200, marks if self._show_inferred else {})

    # --- Invoices ---

    def submit_invoice_file(self, call: Call) -> Answer:
        """Take an invoice file; what is no invoice is refused with 400."""
        client, file = call.client, call.file
        if file is None:
            raise Unprocessable([problem(["body", "file"], "Field required", "missing")])
        try:
            read = read_file(file.content)
        except NoInvoice as error:
            raise Refusal(400, f"{file.name}: {error}") from None
        terms = read.terms
        content = self._carried(terms)
        unsound = next(breaches(terms, self._places), None)
        invoice = self._world.take_file(
            call.sponsor,
            client,
            number=terms["BT-1"],
            seller=_seller(terms),
            year=terms["BT-2"][:4],
            buyer=_buyer(terms),
            content=content,
            refused=None if unsound is None else UNSOUND.because(f"{unsound.rule}: {unsound.message}"),
        )
        return Answer(
            201,
            {
                "invoice_id": invoice.invoice_id,
                "status": "submitted",
                "file_name": file.name,
                "file_size": len(file.content),
                "extracted_data": {"syntax": read.syntax, **_summary(terms)},
                "en16931_invoice": content and self._shown(content),
            },
        )

    def get_invoice_data(self, call: Call) -> Answer:
        """Answer an invoice as the API's model shows it."""
        invoice_id = call.parameters["invoice_id"]
        invoice = call.client.invoices.get(invoice_id)
        if invoice is None:
            raise Refusal(404, f"invoice {invoice_id} does not exist")
        if invoice.content is None:
            raise Refusal(404, f"the file of invoice {invoice_id} holds no data that this API can show")
        marks = {"invoice_id": invoice.invoice_id, "status": invoice.status(self._world.clock.now())}
        return Answer(200, self._shown({**invoice.content, **marks}))

    def get_lifecycle_events(self, call: Call) -> Answer:
        """Answer the events of one object, of all of a kind, or of the client; oldest first."""
        kind, wanted = call.parameters.get("object_type"), call.parameters.get("object_id")
        if kind is None and wanted is not None:
            loc = ("query", "object_type")
            raise Unprocessable(
                [problem(loc, "object_id says which object only with object_type", "missing")]
            )
        invoices = call.client.invoices
        if kind not in (None, "invoice"):
            return Answer(200, [])
        if wanted is None:
            chosen = list(invoices.values())
        else:
            chosen = [invoices[wanted]] if wanted in invoices else []
        now = self._world.clock.now()
        events = [event for invoice in chosen for event in invoice.events(now)]
        return Answer(200, sorted(events, key=lambda event: event["timestamp"]))

    # --- What they share ---

    def _find_draft(self, call: Call) -> Draft:
        draft_id = call.parameters["draft_id"]
        draft = call.client.drafts.get(draft_id)
        if draft is None:
            raise Refusal(404, f"draft {draft_id} does not exist")
        return draft

    def _content(self, body: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = self._draft.plain(body)
        return _unmarked(plain)

    def _shown(self, content: dict[str, Any]) -> dict[str, Any]:
        return content if self._show_inferred else _unmarked(content)

    def _breaches(self, content: Mapping[str, Any]) -> list[Breach]:
        return list(breaches(self._draft.terms(content), self._places))

    def _refuse_unsound(self, draft: Draft) -> None:
        found = self._breaches(draft.content)
        if found:
            raise Unprocessable(
                problem(["draft", *self._places.get(one.term, ())], one.message, one.rule) for one in found
            )

    def _draft_marks(self, draft: Draft) -> dict[str, Any]:
        if not self._show_inferred:
            return {}
        marks: dict[str, Any] = {
            "status": "draft",
            "created_at": stamp(draft.created_at),
            "updated_at": draft.updated_at and stamp(draft.updated_at),
        }
        if draft.invoice is None:
            return {**marks, "warnings": [self._message(one) for one in self._breaches(draft.content)]}
        return {**marks, **_issued(draft.invoice)}

    def _message(self, breach: Breach) -> dict[str, Any]:
        path = ".".join(self._places.get(breach.term, ())) or None
        return {"path": path, "message": breach.message, "rule": breach.rule, "suggestion": None}

    def _carried(self, terms: Terms) -> dict[str, Any] | None:
        """Carry a file's data into the API's model; it is narrower than EN 16931, so some do not fit."""
        content = self._invoice.carry(terms)
        return content if self._invoice_validator.is_valid(content) else None

    def _unless_frozen(self, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return act(*arguments, **named)
        except Frozen as error:
            raise Refusal(409, str(error)) from None


def _client(sponsor: Sponsor, client_id: str) -> Client:
    client = sponsor.clients.get(client_id)
    if client is None:
        raise Refusal(404, f"client {client_id} does not exist: create it with POST /clients")
    return client


def _unmarked(content: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in content.items() if name not in _MARKS}


def _issued(invoice: Invoice) -> dict[str, Any]:
    """Say what a draft became; it stays *submitted*, whatever the network then does with the invoice."""
    return {"invoice_id": invoice.invoice_id, "invoice_number": invoice.number, "status": "submitted"}


def _seller(terms: Terms) -> str:
    siren = siren_of(terms, legal="BT-30", vat="BT-31", address="BT-34")
    return party_key(terms, siren=siren, others=("BT-31", "BT-30", "BT-27"))


def _buyer(terms: Terms) -> str | None:
    return siren_of(terms, legal="BT-47", vat="BT-48", address="BT-49")


def _summary(terms: Terms) -> dict[str, Any]:
    return {
        "invoice_number": terms["BT-1"],
        "type_code": terms.get("BT-3"),
        "issue_date": terms["BT-2"],
        "seller_siren": siren_of(terms, legal="BT-30", vat="BT-31", address="BT-34"),
        "buyer_siren": _buyer(terms),
    }

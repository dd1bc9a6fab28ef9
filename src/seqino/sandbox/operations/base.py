"""What all operations share: a judged call, an answer, and the shapes of invoice data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.identifiers import is_siren
from seqino.sandbox.judge import Refusal, Unprocessable, problem
from seqino.sandbox.reading import InvoiceFile, NoInvoice
from seqino.sandbox.rules import JUDGED, breaches, party_key, siren_of
from seqino.sandbox.shape import Shape, shape_of
from seqino.sandbox.world import Sponsor

if TYPE_CHECKING:
    from seqino.sandbox.description import Description
    from seqino.sandbox.rules import Breach
    from seqino.sandbox.shape import Terms
    from seqino.sandbox.world import Client

__all__ = [
    "CLIENT_HEADER",
    "Answer",
    "Call",
    "InvoiceData",
    "Play",
    "Upload",
    "buyer_of",
    "find_client",
    "refuse_no_siren",
    "seller_of",
    "unmarked",
]

CLIENT_HEADER = "x-pdp-client-id"

_SELLER = {"legal": "BT-30", "vat": "BT-31", "address": "BT-34"}
_BUYER = {"legal": "BT-47", "vat": "BT-48", "address": "BT-49"}
_OTHERS = ("BT-31", "BT-30", "BT-27")
"""What tells a seller without a SIREN from others."""

_READ = JUDGED.union(_SELLER.values(), _BUYER.values(), _OTHERS)
"""The terms of a draft that are read: what the rules ask for, and who sells and buys."""

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


@attrs.frozen(kw_only=True, eq=False)
class Upload:
    """A file of a multipart request."""

    name: str
    size: int
    """Bytes."""
    read: InvoiceFile | NoInvoice
    """What was read of it, or why it is no invoice."""


@attrs.frozen(kw_only=True, eq=False)
class Call:
    """A request that was judged, and by whom it was made."""

    sponsor: Sponsor
    parameters: Mapping[str, Any]
    body: Any = None
    file: Upload | None = None

    @property
    def client(self) -> Client:
        """Client on whose behalf the call is made.

        Raises:
            Refusal: 404, the sponsor has no such client.
        """
        return find_client(self.sponsor, self.parameters[CLIENT_HEADER])


@attrs.frozen
class Answer:
    """What is answered: a status and a JSON value; no body at all for 204."""

    status: int
    body: Any = None


Play = Callable[[Call], Answer]
"""What an operation does, once its request is judged; synchronous, so each effect is whole."""


def find_client(sponsor: Sponsor, client_id: str) -> Client:
    """Return a client of a sponsor.

    Raises:
        Refusal: 404, the sponsor has no such client.
    """
    client = sponsor.clients.get(client_id)
    if client is None:
        raise Refusal(404, f"client {client_id} does not exist: create it with POST /clients")
    return client


def refuse_no_siren(text: str) -> None:
    """Refuse what stands for a SIREN in the path and is none.

    Raises:
        Unprocessable: It is no SIREN.
    """
    if not is_siren(text):
        message = f"{text} is no SIREN: nine digits with a valid check digit"
        raise Unprocessable([problem(["path", "siren"], message, "value_error")])


@attrs.frozen(eq=False)
class _Shapes:
    """Where a description has the fields of an invoice."""

    draft: Shape
    read: Shape
    """What is read of a draft."""
    invoice: Shape
    fits: Callable[[Any], bool]
    """Whether invoice data can be shown."""
    places: Mapping[str, tuple[str, ...]]
    """Where a term stands more than once, the first place is the one to speak of."""


def _shapes(description: Description) -> _Shapes:
    """Read the shapes of a description, which takes longer than most tests."""
    draft = shape_of(description, description.operation("POST /drafts").body_schema)
    invoice = description.operation("GET /invoicing/invoice_data/{invoice_id}").responses[200] or {}
    return _Shapes(
        draft=draft,
        read=draft.only(_READ),
        invoice=shape_of(description, invoice),
        fits=description.validator(invoice).is_valid,
        places=dict(reversed(list(draft.places()))),
    )


class InvoiceData:
    """Invoice data as the API holds it: its fields by business term, what is wrong with it, what is shown.

    Args:
        description: Where the fields of an invoice stand.
        show_inferred: Whether answers carry the marks that no public page shows: status, invoice id and
            number of a draft. The draft id stays in the answer that creates one: nothing works without it.
    """

    def __init__(self, description: Description, *, show_inferred: bool) -> None:
        self.show_inferred = show_inferred
        self._shapes = description.once(_shapes)
        self.draft, self.places = self._shapes.draft, self._shapes.places

    def content(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is stored of a body: all of it but the platform's own marks."""
        plain: dict[str, Any] = self.draft.plain(body)
        return unmarked(plain)

    def terms(self, content: Mapping[str, Any]) -> Terms:
        """Read the business terms of a draft, as far as rules and parties ask for them."""
        return self._shapes.read.terms(content)

    def shown(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return what an answer may show of an invoice."""
        return content if self.show_inferred else unmarked(content)

    def carried(self, terms: Terms) -> dict[str, Any]:
        """Carry a file's data into the fields of the API's model, whether they fit it or not."""
        return self._shapes.invoice.carry(terms)

    def fits(self, content: dict[str, Any]) -> bool:
        """Tell whether the API can show a file's data: its model is narrower than EN 16931."""
        return self._shapes.fits(content)

    def breaches(self, content: Mapping[str, Any]) -> list[Breach]:
        """Return the rules that a draft breaks."""
        return list(breaches(self.terms(content), self.places))

    def message(self, breach: Breach) -> dict[str, Any]:
        """Write a breach as drafts and reports show it."""
        path = ".".join(self.places.get(breach.term, ())) or None
        return {"path": path, "message": breach.message, "rule": breach.rule, "suggestion": None}


def unmarked(content: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the platform itself writes."""
    return {name: one for name, one in content.items() if name not in _MARKS}


def seller_of(terms: Terms) -> str:
    """Return what tells the seller from others: its SIREN, as a rule."""
    return party_key(terms, siren=siren_of(terms, **_SELLER), others=_OTHERS)


def buyer_of(terms: Terms) -> str | None:
    """Return the SIREN of the buyer, where the data give one."""
    return siren_of(terms, **_BUYER)

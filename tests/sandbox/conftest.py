"""A sandbox whose time stands still, and a caller that judges every answer by the description."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest

from seqino.sandbox import Receiver, Sandbox
from seqino.sandbox.deliveries import Limits
from seqino.sandbox.description import SHIPPED, Description
from tests import sound_invoice
from tests.sound_invoice import BUYER, SELLER

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

CLIENT = "sandbox-client-seqino"
HEADERS = {"Authorization": "a-key", "X-PDP-Client-Id": CLIENT}

INVOICE: dict[str, Any] = {
    **sound_invoice.INVOICE,
    "lines": [
        {
            "line_identifier": "1",
            "item_name": "Rayonnage",
            "invoiced_quantity": 2,
            "line_net_amount": "100.00",
        },
        {"line_identifier": "2", "item_name": "Pose", "invoiced_quantity": "1.5", "line_net_amount": 50.10},
    ],
}
"""Its amounts and quantities as text and as numbers: the API takes both."""

UBL = """<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>{number}</cbc:ID><cbc:IssueDate>{date}</cbc:IssueDate>
  <cbc:InvoiceTypeCode>{type_code}</cbc:InvoiceTypeCode><cbc:Note>Merci</cbc:Note>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>CHF</cbc:TaxCurrencyCode>
  <cac:AccountingSupplierParty><cac:Party>
    <cbc:EndpointID schemeID="0225">{seller}</cbc:EndpointID>
    <cac:PostalAddress><cbc:CityName>Lille</cbc:CityName></cac:PostalAddress>
    <cac:PartyTaxScheme><cbc:CompanyID>123</cbc:CompanyID><cac:TaxScheme><cbc:ID>LOC</cbc:ID></cac:TaxScheme>
    </cac:PartyTaxScheme>
    <cac:PartyTaxScheme><cbc:CompanyID>FR19{seller}</cbc:CompanyID>
      <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>
    <cac:PartyLegalEntity><cbc:RegistrationName>Vauban</cbc:RegistrationName>
      <cbc:CompanyID schemeID="0002">{seller}</cbc:CompanyID></cac:PartyLegalEntity>
  </cac:Party></cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party>
    <cac:PostalAddress><cbc:CityName>Nantes</cbc:CityName></cac:PostalAddress>
    <cac:PartyLegalEntity><cbc:RegistrationName>Canal</cbc:RegistrationName>
      <cbc:CompanyID>{buyer}</cbc:CompanyID></cac:PartyLegalEntity>
  </cac:Party></cac:AccountingCustomerParty>
  <cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator><cbc:Amount>10.00</cbc:Amount>
  </cac:AllowanceCharge>
  <cac:TaxTotal><cbc:TaxAmount currencyID="CHF">19.10</cbc:TaxAmount></cac:TaxTotal>
  <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">20.00</cbc:TaxAmount><cac:TaxSubtotal>
    <cbc:TaxableAmount>100.00</cbc:TaxableAmount><cbc:TaxAmount>20.00</cbc:TaxAmount></cac:TaxSubtotal></cac:TaxTotal>
  <cac:LegalMonetaryTotal><cbc:LineExtensionAmount>110.00</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount>100.00</cbc:TaxExclusiveAmount><cbc:TaxInclusiveAmount>{total}</cbc:TaxInclusiveAmount>
    <cbc:AllowanceTotalAmount>10.00</cbc:AllowanceTotalAmount><cbc:PayableAmount>{total}</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
  <cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount>110.00</cbc:LineExtensionAmount></cac:InvoiceLine>
</Invoice>"""


def _draft(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(INVOICE), **changes}


def _ubl(number: str = "F-1", **changes: str) -> bytes:
    values = {"date": "2026-09-15", "type_code": "380", "seller": SELLER, "buyer": BUYER, "total": "120.00"}
    return UBL.format(number=number, **{**values, **changes}).encode()


@attrs.frozen
class Reply:
    status: int
    body: Any
    headers: Any


class Judge:
    """Holds every answer against the description, independently of the code that made it."""

    def __init__(self) -> None:
        self._description = Description()
        schemas = json.loads(SHIPPED.read_bytes())["components"]["schemas"]
        assert "ErrorResponse" in schemas
        self._error = self._description.validator({"$ref": "#/components/schemas/ErrorResponse"})
        self._validators: dict[tuple[str, int], Any] = {}

    def check(self, method: str, path: str, reply: Reply) -> None:
        operation = next(
            (
                one
                for one in self._description.operations
                if one.method == method and _matches(one.path, path)
            ),
            None,
        )
        schema = operation.responses.get(reply.status) if operation else None
        if schema is None and reply.status >= 400:  # undocumented, or documented without a body
            assert self._error.is_valid(reply.body), reply.body
            return
        assert operation is not None, f"{method} {path} answers {reply.status}"
        assert reply.status in operation.responses, f"{operation.key} answers an undocumented {reply.status}"
        if schema is None:
            assert reply.body is None
            return
        key = (operation.key, reply.status)
        validator = self._validators.setdefault(key, self._description.validator(schema))
        errors = [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(reply.body)]
        assert errors == [], errors


def _matches(template: str, path: str) -> bool:
    pattern = re.sub(r"\\?\{[^}]+\\?\}", "[^/]+", template)
    return re.fullmatch(f"(/api)?{pattern}", path.partition("?")[0]) is not None


class Caller:
    """Sends requests as curl would, and judges the answers."""

    def __init__(self, session: aiohttp.ClientSession, judge: Judge) -> None:
        self._session = session
        self._judge = judge

    async def __call__(self, method: str, path: str, *, judged: bool = True, **options: Any) -> Reply:
        headers = {**HEADERS, **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        async with self._session.request(method, path, headers=headers, **options) as response:
            text = await response.text()
            reply = Reply(response.status, json.loads(text) if text else None, response.headers)
        if judged:
            self._judge.check(method, path, reply)
        return reply

    async def create(self, invoice: dict[str, Any] | None = None, **options: Any) -> str:
        reply = await self("POST", "/drafts", json=_draft() if invoice is None else invoice, **options)
        assert reply.status == 201, reply
        return str(reply.body["draft_id"])

    async def issue(self, invoice: dict[str, Any] | None = None, **options: Any) -> str:
        draft_id = await self.create(invoice, **options)
        reply = await self("POST", f"/drafts/{draft_id}/validate", **options)
        assert reply.status == 200, reply
        return str(reply.body["invoice_id"])

    async def send_file(self, content: bytes, *, name: str = "invoice.xml", **options: Any) -> Reply:
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", content, filename=name, content_type="application/xml")
        return await self("POST", "/invoicing/files/submit", data=form, **options)

    async def statuses(self, invoice_id: str) -> list[str]:
        reply = await self("GET", f"/lifecycle-events?object_type=invoice&object_id={invoice_id}")
        assert reply.status == 200
        return [event["status_code"].partition(".")[2] for event in reply.body]


@pytest.fixture
def draft() -> Callable[..., dict[str, Any]]:
    """Makes a sound draft, with the fields given in place of its own."""
    return _draft


@pytest.fixture
def for_buyer() -> Callable[[str], dict[str, Any]]:
    """Makes a sound draft for the buyer with a SIREN."""

    def make(siren: str) -> dict[str, Any]:
        invoice = _draft()
        invoice["buyer"]["buyer_legal_registration_identifier"] = siren
        return invoice

    return make


@pytest.fixture
def ubl() -> Callable[..., bytes]:
    """Makes a sound UBL invoice file."""
    return _ubl


@pytest.fixture(scope="session")
def judge() -> Judge:
    return Judge()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(speed=0) as sandbox:
        # On a busy machine too, an event waits for the answer to the one before, as their order has it.
        sandbox.deliveries.limits = Limits(timeout=60, patience=60)
        yield sandbox


@pytest.fixture
async def calling(judge: Judge) -> AsyncIterator[Callable[[Sandbox], Caller]]:
    """Makes a caller for any sandbox."""
    sessions: list[aiohttp.ClientSession] = []

    def make(sandbox: Sandbox) -> Caller:
        sessions.append(aiohttp.ClientSession(sandbox.url))
        return Caller(sessions[-1], judge)

    yield make
    for session in sessions:
        await session.close()


@pytest.fixture
async def call(sandbox: Sandbox, calling: Callable[[Sandbox], Caller]) -> Caller:
    return calling(sandbox)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def register() -> Callable[..., Any]:
    """Registers a URL, or a receiver, as the webhook of the sponsor with a key."""

    async def do(call: Caller, to: Receiver | str, *, key: str = "a-key", events: Any = None) -> Any:
        url = to if isinstance(to, str) else to.url
        headers = {"Authorization": key, "X-PDP-Client-Id": None}
        reply = await call("POST", "/webhooks", json={"url": url, "events": events}, headers=headers)
        assert reply.status == 201, reply
        if isinstance(to, Receiver):
            to.secret = reply.body["secret"]
        return reply.body

    return do


@pytest.fixture
async def hook(call: Caller, receiver: Receiver, register: Callable[..., Any]) -> Receiver:
    """A receiver that is the sponsor's webhook, for events of every type."""
    await register(call, receiver)
    return receiver


@pytest.fixture
def answering() -> Callable[..., Any]:
    """Makes a server that answers as no careful one would."""

    @asynccontextmanager
    async def serving(
        handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> AsyncGenerator[str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                await handle(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the other side had enough
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1")
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        finally:
            server.close()
            await server.wait_closed()

    return serving


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that gives up after a while."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session:
        yield session

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import io
import json
import os
import pickle
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest

from seqino import api, models
from seqino._core.wire import File
from seqino._generated.operations import GET_DRAFT
from seqino.client import SeqinoClient
from seqino.errors import (
    ClientClosed,
    ConfigurationError,
    InvalidInput,
    OutcomeUnknown,
    ResumeToken,
    UnprocessableContent,
)
from seqino.options import CallOptions
from seqino.submission import Submission, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from seqino.sandbox import Sandbox
    from tests.facade.conftest import Connection

BASE = "http://127.0.0.1:8052/api"
VALIDATE = "POST /drafts/{draft_id}/validate"
INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Dupain", "postal_address": {"city_name": "Paris"}},
    "lines": [{"line_net_amount": "12.50"}],
}
UBL = b"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>F-2026-7</cbc:ID><cbc:IssueDate>2026-09-01</cbc:IssueDate></Invoice>\r\n\r\n"""


# --- Configuration


def test_arguments_outrank_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "from-environment")
    monkeypatch.setenv("SEQINO_CLIENT_ID", "client-e")
    monkeypatch.setenv("SEQINO_BASE_URL", "http://localhost:1/e")
    assert (SeqinoClient().base_url, SeqinoClient().client_id) == ("http://localhost:1/e", "client-e")
    client = SeqinoClient("k", client_id="client-a", base_url=BASE)
    assert (client.base_url, client.client_id) == (BASE, "client-a")
    assert SeqinoClient("k", server="local").base_url == "http://localhost:8052"


def test_without_anything_the_published_server_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEQINO_API_KEY", "SEQINO_CLIENT_ID", "SEQINO_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert (SeqinoClient().base_url, SeqinoClient().client_id) == ("https://pdp.seqino.dev/api", None)


def test_a_client_shows_its_server_and_scope_and_no_secret() -> None:
    client = SeqinoClient("canary-key", client_id="c-1", base_url=BASE)
    assert repr(client) == f"SeqinoClient(base_url='{BASE}', client_id='c-1')"
    assert (
        "canary" not in f"{client} {client!r} {vars(client)} {client.drafts!r} {client.for_client('c-2')!r}"
    )
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="with_options") as caught:
            take(client)
        assert "canary" not in str(caught.value)


def test_what_cannot_be_called_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError):
        SeqinoClient("k", base_url="ftp://x")
    with pytest.raises(ConfigurationError):
        SeqinoClient("k", client_id="")
    with pytest.raises(ConfigurationError):
        SeqinoClient("k", base_url=BASE, server="dev")


# --- Copies and lifetime


async def test_a_copy_for_another_client_differs_in_its_scope_alone(client: SeqinoClient, wire: Any) -> None:
    for _ in range(3):
        wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    other = client.for_client("client-2")
    assert (other.client_id, other.base_url) == ("client-2", BASE)
    await other.drafts.get("d-1")
    await client.drafts.get("d-1")
    await other.with_options(extra_headers={"X-A": "1"}).drafts.get("d-1")
    assert [sent.headers["X-PDP-Client-Id"] for sent in wire.sent] == ["client-2", "client-1", "client-2"]
    assert [sent.headers.get("X-A") for sent in wire.sent] == [None, None, "1"]


def test_a_copy_of_a_subclass_is_of_the_subclass() -> None:
    class Mine(SeqinoClient):
        pass

    assert type(Mine("k", base_url=BASE).for_client("c")) is Mine


@pytest.mark.parametrize("client_id", ["", "c\r\nX-Evil: 1"])
def test_a_scope_that_cannot_be_sent_is_refused(client: SeqinoClient, client_id: str) -> None:
    with pytest.raises(ConfigurationError):
        client.for_client(client_id)


async def test_closing_a_copy_closes_nothing_and_closing_the_client_closes_all(platform: Sandbox) -> None:
    async with SeqinoClient("k", client_id="client-1", base_url=platform.url) as client:
        async with client.for_client("client-2") as other:
            await other.health()
        await client.health()
        await other.health()
    for closed in (client, other, other.with_options(timeout=1)):
        with pytest.raises(ClientClosed):
            await closed.health()


async def test_a_session_that_was_given_stays_open(platform: Sandbox) -> None:
    async with aiohttp.ClientSession() as session:
        async with SeqinoClient("k", client_id="client-1", base_url=platform.url, session=session) as client:
            await client.health()
        assert not session.closed


# --- Calls


async def test_generated_functions_take_a_client(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    draft = await api.drafts.get_draft(client, "d-1")
    assert draft == await client.call(GET_DRAFT, parameters={"draft_id": "d-1"})


@pytest.mark.parametrize("answer", [None, "up", 1.5, True, [], {"status": "ok"}])
async def test_health_takes_any_json_without_a_key(wire: Any, answer: Any) -> None:
    wire.answer("GET", "http://127.0.0.1:8052/health", answer)
    async with SeqinoClient("key-1", client_id="c", base_url=BASE) as client:
        assert await client.health() == answer
    assert wire.sent[0].headers.keys().isdisjoint({"Authorization", "X-PDP-Client-Id"})


# --- Submitting, against a sandbox, which counts what it did


def issued(platform: Sandbox, client_id: str = "client-1") -> dict[str, str | None]:
    """The invoices of a client at the platform, each with the draft that it was made from."""
    client = platform.world.sponsor("key-1").clients[client_id]
    return {invoice.invoice_id: invoice.draft_id for invoice in client.invoices.values()}


async def test_an_invoice_is_submitted_once(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, invoice: dict[str, Any]
) -> None:
    result = await connected.submit(invoice)
    assert (result.verdict, result.status) == (Verdict.ACCEPTED, "submitted")
    assert isinstance(result.answer, models.DraftValidated)
    assert issued(platform) == {result.invoice_id: result.draft_id}
    assert platform.counters.drafts_created == platform.counters.invoices_created == 1
    assert json.loads(connection.sent[0].body) == invoice


async def test_a_mapping_goes_out_as_it_is_and_a_model_says_the_same(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, invoice: dict[str, Any]
) -> None:
    await connected.submit({**invoice, "field_of_tomorrow": {"deep": [1, None]}})
    model = models.InvoiceDraft(
        issue_date=dt.date(2026, 9, 1),
        type_code=models.InvoiceTypeCode.CODE_380,
        currency_code="EUR",
        seller=models.SellerParty(name="Dupain", postal_address=models.PostalAddress(city_name="Paris")),
        buyer=models.BuyerParty(
            name="Librairie du Canal", postal_address=models.PostalAddress(city_name="Nantes")
        ),
        lines=[
            models.InvoiceLine(line_identifier="1", item_name="Pain", line_net_amount=Decimal("12.50")),
        ],
    )
    await connected.submit(model)
    as_mapping, as_model = (json.loads(one.body) for one in connection.sent if one.body)
    assert as_mapping == {**invoice, "field_of_tomorrow": {"deep": [1, None]}}
    assert as_model == {key: invoice[key] for key in as_model}
    assert as_model.keys() == {"issue_date", "type_code", "currency_code", "seller", "buyer", "lines"}
    assert platform.counters.invoices_created == 2


async def test_a_reply_lost_after_its_effect_ends_with_one_invoice_and_its_id(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-after", operation=VALIDATE)
    result = await connected.submit(invoice)
    assert (result.invoice_number, result.status) == ("SBX-2026-000001", "submitted")
    assert issued(platform) == {result.invoice_id: result.draft_id}
    assert platform.counters.invoices_created == 1
    assert connection.steps == ["create", "validate", "look"]


async def test_a_reply_lost_after_its_effect_stays_in_doubt_where_nothing_shows_it(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-after", operation=VALIDATE)
    platform.show_inferred = False
    with pytest.raises(OutcomeUnknown) as caught:
        await connected.submit(invoice)
    assert platform.counters.invoices_created == 1
    assert connection.steps.count("validate") == 1
    token = caught.value.token
    assert token is not None
    assert pickle.loads(pickle.dumps(token)) == token  # noqa: S301 - made here
    platform.show_inferred = True
    found = await connected.resume(token)
    assert isinstance(found, Submission)
    assert {found.invoice_id} == issued(platform).keys()
    assert platform.counters.invoices_created == 1
    assert connection.steps.count("validate") == 1


async def test_a_request_lost_before_its_effect_is_sent_again_only_when_all_has_settled(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, clock: Any, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-before", operation=VALIDATE)
    result = await connected.submit(invoice)
    assert issued(platform) == {result.invoice_id: result.draft_id}
    assert platform.counters.invoices_created == 1
    assert connection.steps.count("validate") == 2
    assert clock.now >= 30


async def test_a_request_lost_before_its_effect_and_then_refused_is_not_called_sent(
    platform: Sandbox, connected: SeqinoClient, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-before", operation=VALIDATE)
    platform.faults.plan("status-422-before", operation=VALIDATE)
    with pytest.raises(OutcomeUnknown):
        await connected.submit(invoice)
    assert platform.counters.invoices_created == 0


async def test_a_creation_that_is_lost_leaves_a_draft_and_makes_one_invoice(
    platform: Sandbox, connected: SeqinoClient, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-after", operation="POST /drafts")
    result = await connected.submit(invoice)
    assert issued(platform) == {result.invoice_id: result.draft_id}
    assert (platform.counters.drafts_created, platform.counters.invoices_created) == (2, 1)


async def test_a_refused_invoice_is_an_error_and_no_invoice(
    platform: Sandbox, connected: SeqinoClient, invoice: dict[str, Any]
) -> None:
    del invoice["lines"]
    with pytest.raises(UnprocessableContent) as caught:
        await connected.submit(invoice)
    assert caught.value.faults[0].path == "draft.lines"
    assert (platform.counters.drafts_created, platform.counters.invoices_created) == (1, 0)


async def test_an_invoice_with_a_float_is_refused_before_anything_is_sent(
    platform: Sandbox, connected: SeqinoClient, invoice: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match="line_net_amount"):
        await connected.submit({**invoice, "lines": [{"line_net_amount": 12.5}]})
    assert platform.counters.requests == 0


async def test_two_tasks_submit_at_once_over_one_client(
    platform: Sandbox, connected: SeqinoClient, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-after", operation=VALIDATE)
    other = connected.for_client("client-2")
    results = await asyncio.gather(*(sender.submit(invoice) for sender in (connected, other) * 10))
    assert platform.counters.invoices_created == 20
    both = {**issued(platform), **issued(platform, "client-2")}
    assert both == {result.invoice_id: result.draft_id for result in results}
    assert len(set(both.values())) == 20
    assert len(issued(platform)) == 10


async def test_the_timeout_covers_the_whole_submission(
    platform: Sandbox, connected: SeqinoClient, clock: Any, invoice: dict[str, Any]
) -> None:
    platform.faults.plan("reset-after", operation=VALIDATE)
    platform.show_inferred = False
    with pytest.raises(OutcomeUnknown):
        await connected.submit(invoice, options=CallOptions(timeout=5))
    assert clock.now < 5


@pytest.mark.parametrize(
    ("operation", "base_url", "why"),
    [
        ("validate_draft", "https://elsewhere.example/api", "the token is of https://elsewhere"),
        ("validate_draft", BASE, "the token does not name the draft"),
        ("create_client", BASE, "the token does not say what create_client was to make"),
        ("make_coffee", BASE, "make_coffee, which is no operation of this API"),
    ],
)
async def test_a_token_that_cannot_be_resumed_here_is_refused(
    client: SeqinoClient, operation: str, base_url: str, why: str
) -> None:
    token = ResumeToken(
        operation=operation, base_url=base_url, attempts=1, first_sent_at=0.0, last_sent_at=0.0
    )
    with pytest.raises(InvalidInput, match=why):
        await client.resume(token)


@pytest.mark.parametrize("operation", ["submit_invoice_file", "record_payment", "create_draft"])
async def test_what_nothing_can_show_stays_in_doubt(client: SeqinoClient, operation: str) -> None:
    token = ResumeToken(operation=operation, base_url=BASE, attempts=2, first_sent_at=0.0, last_sent_at=0.0)
    with pytest.raises(
        OutcomeUnknown, match=r"no operation of the API shows whether.*ask the platform"
    ) as info:
        await client.resume(token)
    assert (info.value.token, info.value.attempts) == (token, 2)


# --- Files


class Opened:
    """Something to read from, without a name of its own."""

    def __init__(self, content: Any, name: Any = None) -> None:
        self.content = content
        if name is not None:
            self.name = name

    def read(self) -> Any:
        return self.content


async def test_a_file_goes_out_byte_for_byte_under_its_name(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "facture é.xml"
    path.write_bytes(UBL)
    with path.open("rb") as opened:
        for file in (str(path), path, opened, File(name="facture é.xml", content=UBL)):
            result = await connected.submit_file(file)
            assert result.invoice_number == "F-2026-7"
            assert isinstance(result.answer, models.InvoiceFileSubmitted)
            assert (result.answer.file_name, result.answer.file_size) == ("facture é.xml", len(UBL))
    for sent in connection.sent:
        assert b'filename="facture \xc3\xa9.xml"\r\nContent-Type: application/xml\r\n\r\n' in sent.body
        # The platform tells how long the file was, and keeps no copy of it.
        assert b"\r\n\r\n" + UBL + b"\r\n--" in sent.body
    assert (platform.counters.files_taken, platform.counters.invoices_created) == (4, 1)


@pytest.mark.parametrize("nameless", [UBL, io.BytesIO(UBL), Opened(UBL), Opened(UBL, name=7)])
async def test_what_has_no_name_gets_one(connected: SeqinoClient, nameless: Any) -> None:
    first = await connected.submit_file(nameless)
    if isinstance(nameless, io.BytesIO):
        nameless.seek(0)
    second = await connected.submit_file(nameless, name="other.xml")
    shown = [(one.answer.file_name, one.answer.file_size) for one in cast("Any", (first, second))]
    assert shown == [("invoice.xml", len(UBL)), ("other.xml", len(UBL))]


async def test_a_pdf_is_called_one(client: SeqinoClient, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A mock: the sandbox reads PDF by the very library that is missing here.
    monkeypatch.setitem(sys.modules, "pypdf", None)
    taken = {"invoice_id": "i", "status": "submitted", "file_name": "invoice.pdf", "file_size": 19}
    wire.answer("POST", f"{BASE}/invoicing/files/submit", taken, status=201)
    result = await client.submit_file(b"%PDF-1.7 and so on")
    assert result.invoice_number is None
    (sent,) = wire.sent
    assert (
        b'filename="invoice.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.7 and so on\r\n--'
        in sent.body
    )


async def test_what_is_no_invoice_is_refused_before_anything_is_sent(
    platform: Sandbox, connected: SeqinoClient, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"notes\.txt: is neither XML nor PDF"):
        await connected.submit_file(b"milk, bread", name="notes.txt")
    with pytest.raises(InvalidInput, match="mode 'rb'"):
        await connected.submit_file(Opened("<Invoice/>"))
    with pytest.raises(FileNotFoundError):
        await connected.submit_file(tmp_path / os.fsdecode("absent.xml"))
    assert platform.counters.requests == 0


@pytest.mark.parametrize(("fault", "invoices"), [("reset-before", 0), ("reset-after", 1)])
async def test_a_file_whose_reply_is_lost_is_never_sent_again(
    platform: Sandbox, connected: SeqinoClient, connection: Connection, fault: str, invoices: int
) -> None:
    platform.faults.plan(fault, operation="POST /invoicing/files/submit")
    with pytest.raises(OutcomeUnknown) as caught:
        await connected.submit_file(UBL, name="f.xml")
    assert connection.steps == ["upload"]
    assert platform.counters.invoices_created == invoices
    assert caught.value.token is not None
    assert caught.value.token.operation == "submit_invoice_file"


async def test_a_file_goes_out_on_behalf_of_the_client_named(client: SeqinoClient, wire: Any) -> None:
    taken = {"invoice_id": "i", "status": "submitted", "file_name": "f", "file_size": 1}
    wire.answer("POST", f"{BASE}/invoicing/files/submit", taken, status=201)
    await client.submit_file(UBL, client_id="other", options=CallOptions(extra_headers={"X-A": "1"}))
    assert wire.sent[0].headers["X-PDP-Client-Id"] == "other"
    assert wire.sent[0].headers["X-A"] == "1"

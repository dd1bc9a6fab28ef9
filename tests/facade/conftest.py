from __future__ import annotations

import contextlib
import copy
import datetime as dt
import inspect
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import aiohttp
import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aioresponses import aioresponses
from aioresponses import core as aioresponses_core
from yarl import URL

from seqino._core.runtime import Runtime
from seqino.client import SeqinoClient
from seqino.models import InvoiceDraft, InvoiceTypeCode, PostalAddress, SellerParty
from seqino.sandbox import Sandbox
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator

    from seqino.models import LifecycleEvent


@attrs.define
class Clock:
    """A clock that moves only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = attrs.field(factory=list[float])

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def runtime(self) -> Runtime:
        return Runtime(
            monotonic=lambda: self.now,
            wall=lambda: 1_000_000.0 + self.now,
            sleep=self.sleep,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_draft() -> Callable[..., InvoiceDraft]:
    def make(**fields: Any) -> InvoiceDraft:
        seller = SellerParty(name="Boulangerie Dupain", postal_address=PostalAddress(city_name="Paris"))
        return InvoiceDraft(
            issue_date=dt.date(2026, 9, 1),
            type_code=InvoiceTypeCode.CODE_380,
            currency_code="EUR",
            seller=seller,
            **fields,
        )

    return make


BASE = "http://127.0.0.1:8052/api"


class _StreamlessResponse(aiohttp.ClientResponse):
    """What aioresponses makes its answers of: aiohttp 3.14 asks for a writer that it does not know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


@attrs.frozen
class Sent:
    """A request that went over the wire."""

    method: str
    url: URL
    headers: dict[str, str]
    body: bytes


def _headers(given: dict[str, Any]) -> dict[str, str]:
    """The headers of a request, with the key, which a middleware of the client brings; none is run here."""
    request = Mock(headers=dict(given["headers"]))
    with contextlib.suppress(StopIteration):
        given["middlewares"][0](request, AsyncMock()).send(None)
    return request.headers  # type: ignore[no-any-return] # a mock's


class Wire:
    """Answers of the platform without a network."""

    def __init__(self, answers: Any) -> None:
        self._answers = answers

    def answer(self, method: str, url: str, payload: Any = None, *, status: int = 200) -> None:
        self._answers.add(URL(url, encoded=True), method, status=status, body=json.dumps(payload))

    @property
    def sent(self) -> list[Sent]:
        return [
            Sent(method, url, _headers(call.kwargs), getattr(call.kwargs["data"], "_value", b""))
            for (method, url), calls in self._answers.requests.items()
            for call in calls
        ]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # Falls away with the first release of aioresponses that builds its answers itself.
    if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
        monkeypatch.setattr(aioresponses_core, "ClientResponse", _StreamlessResponse)
    with aioresponses() as answers:
        yield Wire(answers)


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> AsyncIterator[SeqinoClient]:
    """A client whose pauses take no time."""
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with SeqinoClient("key-1", client_id="client-1", base_url=BASE) as made:
        yield made


INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Dupain", "postal_address": {"city_name": "Paris"}},
    "buyer": {"name": "Librairie du Canal", "postal_address": {"city_name": "Nantes"}},
    "lines": [{"line_identifier": "1", "item_name": "Pain", "line_net_amount": "12.50"}],
    "vat_breakdown": [
        {"vat_category_code": "S", "vat_rate": "20", "taxable_amount": "12.50", "vat_amount": "2.50"}
    ],
    "sum_of_line_net_amount": "12.50",
    "total_amount_without_vat": "12.50",
    "total_vat_amount": "2.50",
    "total_amount_with_vat": "15.00",
    "amount_due_for_payment": "15.00",
}
"""Sound: the sandbox issues it."""


@pytest.fixture
def invoice() -> dict[str, Any]:
    """A sound invoice of the test's own."""
    return copy.deepcopy(INVOICE)


@pytest.fixture
async def platform() -> AsyncIterator[Sandbox]:
    """A platform that counts what it did, and fails on demand; its clock stands still."""
    async with Sandbox(speed=0, clients=("client-1", "client-2")) as sandbox:
        yield sandbox


@attrs.frozen
class Connection:
    """Notes what a client sends, in the words of the description."""

    sent: list[Sent] = attrs.field(factory=list[Sent])

    async def note(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        body = b"" if isinstance(request.body, bytes) else await request.body.as_bytes()
        self.sent.append(Sent(request.method, request.url, dict(request.headers), body))
        return await handler(request)

    @property
    def steps(self) -> list[str]:
        """Requests of a submission: ``create``, ``validate`` or ``look``, and ``upload``."""
        return [_step(one) for one in self.sent]


def _step(sent: Sent) -> str:
    match sent.method, sent.url.parts[2:]:
        case "POST", ("drafts",):
            return "create"
        case "POST", ("drafts", _, "validate"):
            return "validate"
        case "GET", ("drafts", _):
            return "look"
        case _:
            return "upload"


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
async def connected(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: Sandbox, connection: Connection
) -> AsyncIterator[SeqinoClient]:
    """A client of that platform, whose pauses take no time."""
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with SeqinoClient(
        "key-1", client_id="client-1", base_url=f"{platform.url}/api", middlewares=[connection.note]
    ) as made:
        yield made


# --- Following

DRAFTS = Path(__file__).parents[2] / "src/seqino/sandbox/invoices"
DRAFT: dict[str, Any] = json.loads(
    (DRAFTS / "13-consulting-draft.json").read_text(encoding="utf-8"), parse_float=Decimal
)
QUICK = Backoff(first=timedelta(seconds=3), longest=timedelta(seconds=24))
EVENTS = "GET /lifecycle-events"


@attrs.define
class Stage:
    """A sandbox whose time goes on while the client pauses, and never else."""

    sandbox: Sandbox
    client: SeqinoClient
    clock: Clock

    async def submit(self, scenario: str = "paid") -> str:
        self.sandbox.scenario = scenario
        submitted = await self.client.submit(DRAFT)
        assert submitted.invoice_id is not None
        return submitted.invoice_id


@attrs.define
class JointClock(Clock):
    """Pauses of the client are those of the sandbox."""

    sandbox: Sandbox | None = None

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        assert self.sandbox is not None
        self.sandbox.clock.advance(seconds)


@contextlib.asynccontextmanager
async def joined(
    clock: JointClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[tuple[Sandbox, SeqinoClient]]:
    """A sandbox and its client, for both of which time goes on while the client pauses."""
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with (
        Sandbox(speed=0) as sandbox,
        SeqinoClient("key-1", client_id="sandbox-client-seqino", base_url=sandbox.url) as client,
    ):
        clock.sandbox = sandbox
        yield sandbox, client


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = JointClock()
    async with joined(clock, monkeypatch) as (sandbox, client):
        yield Stage(sandbox, client, clock)


def numbers(events: Iterable[LifecycleEvent]) -> list[int | None]:
    return [event.status_code.number for event in events]


def event(status: str, at: int = 0, **fields: Any) -> dict[str, Any]:
    moment = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(seconds=at)
    return {"status_code": status, "timestamp": moment.isoformat(), "emitter": "PDPE", **fields}


@pytest.fixture
async def feed(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> AsyncIterator[tuple[SeqinoClient, list[Any]]]:
    """A client of a platform that answers with a list of events, or with a status."""
    shown: list[Any] = []

    async def tell(_: web.Request) -> web.Response:
        if shown and isinstance(shown[0], int):
            return web.json_response({}, status=shown.pop(0))
        return web.json_response(shown)

    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    app = web.Application()
    app.router.add_get("/lifecycle-events", tell)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client,
    ):
        yield client, shown


Feed = tuple[SeqinoClient, list[Any]]

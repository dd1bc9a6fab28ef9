from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import inspect
import json
from collections import Counter, defaultdict
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

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


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


class Platform:
    """A platform over HTTP that counts what it did, and loses replies on demand."""

    def __init__(self) -> None:
        self.url = ""
        self.drafts: dict[str, Any] = {}
        self.effects: Counter[str] = Counter()
        """How often each draft, or uploaded file, became an invoice."""
        self.uploads: list[tuple[str, str, bytes]] = []
        self.faults: defaultdict[str, list[str]] = defaultdict(list)
        """What goes wrong with the next requests to ``create``, ``validate``, ``look`` and ``upload``."""
        self.hides = False
        """Whether a draft that was consumed is no longer shown."""
        self.names_nothing = False
        """Whether a validation or an upload is answered without an id."""
        self.requests: Counter[str] = Counter()
        self.holds = ""
        """Which kind of request is held, once, after it had its effect, until ``release``."""
        self.held = asyncio.Event()
        self._let_go = asyncio.Event()

    def release(self) -> None:
        self._let_go.set()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/health", self._health)
        app.router.add_post("/api/drafts", self._create)
        app.router.add_get("/api/drafts/{id}", self._look)
        app.router.add_put("/api/drafts/{id}", self._replace)
        app.router.add_post("/api/drafts/{id}/validate", self._validate)
        app.router.add_post("/api/invoicing/files/submit", self._upload)
        return app

    async def _perform(
        self, name: str, request: web.Request, effect: Callable[[], web.Response]
    ) -> web.Response:
        self.requests[name] += 1
        fault = self.faults[name].pop(0) if self.faults[name] else ""
        if fault == "refuse":
            return web.json_response({"detail": [{"loc": ["body", "lines"], "msg": "no"}]}, status=422)
        if fault.isdigit():
            told = {"error": "no", "code": int(fault), "trace_id": "t"}
            return web.json_response(told, status=int(fault))
        response = web.Response() if fault == "lost before" else effect()
        if self.holds == name:
            self.holds = ""
            self.held.set()
            await self._let_go.wait()
        if fault.startswith("lost"):
            assert request.transport is not None
            request.transport.abort()
        return response

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response("up")

    async def _create(self, request: web.Request) -> web.Response:
        invoice = await request.json()

        def effect() -> web.Response:
            draft_id = f"draft-{len(self.drafts) + 1}"
            self.drafts[draft_id] = invoice
            return web.json_response({"draft_id": draft_id}, status=201)

        return await self._perform("create", request, effect)

    async def _replace(self, request: web.Request) -> web.Response:
        draft_id, invoice = request.match_info["id"], await request.json()

        def effect() -> web.Response:
            self.drafts[draft_id] = invoice
            return web.json_response({"draft_id": draft_id})

        return await self._perform("replace", request, effect)

    async def _validate(self, request: web.Request) -> web.Response:
        draft_id = request.match_info["id"]

        def effect() -> web.Response:
            if self.effects[draft_id]:
                return web.json_response({"error": "consumed", "code": 409, "trace_id": "t"}, status=409)
            self.effects[draft_id] += 1
            return web.json_response({} if self.names_nothing else self._invoice(draft_id))

        return await self._perform("validate", request, effect)

    async def _look(self, request: web.Request) -> web.Response:
        draft_id = request.match_info["id"]

        def effect() -> web.Response:
            shown = self.drafts[draft_id]
            if not self.effects[draft_id]:
                return web.json_response({**shown, "status": "draft"})
            if self.hides:
                return web.json_response({"error": "not found", "code": 404, "trace_id": "t"}, status=404)
            return web.json_response({**shown, **self._invoice(draft_id)})

        return await self._perform("look", request, effect)

    @staticmethod
    def _invoice(draft_id: str) -> dict[str, str]:
        number = draft_id.removeprefix("draft-")
        return {"invoice_id": f"inv-{number}", "invoice_number": f"F-{number}", "status": "submitted"}

    async def _upload(self, request: web.Request) -> web.Response:
        field = (await request.post())["file"]
        assert isinstance(field, web.FileField)
        name, content_type, content = field.filename, field.content_type, field.file.read()

        def effect() -> web.Response:
            self.effects[name] += 1
            self.uploads.append((name, content_type, content))
            taken = {"invoice_id": "" if self.names_nothing else "inv-f", "status": "submitted"}
            return web.json_response({**taken, "file_name": name, "file_size": len(content)}, status=201)

        return await self._perform("upload", request, effect)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    made = Platform()
    async with TestServer(made.app()) as server:
        made.url = str(server.make_url("/api"))
        yield made


@pytest.fixture
async def connected(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, platform: Platform
) -> AsyncIterator[SeqinoClient]:
    """A client of that platform, whose pauses take no time."""
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    async with SeqinoClient("key-1", client_id="client-1", base_url=platform.url) as made:
        yield made

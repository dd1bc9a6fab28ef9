"""Spans and metrics of calls, as OpenTelemetry's own exporters in memory receive them."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.request import Request
from seqino._core.runtime import Runtime
from seqino._core.wire import Body, Effect, Operation, Parameter
from seqino.client import SeqinoClient
from seqino.errors import BadRequest, CallError, ConnectionFailed, MissingExtra, OutcomeUnknown
from seqino.integrations.otel import OpenTelemetry
from tests.fault_server import FaultServer, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "canary-key-51c7"
SECRET_BODY = "canary-body-77aa"
CREATE: Operation[None] = Operation(
    name="create_thing",
    operation_id="create_thing",
    tag="things",
    method="POST",
    path="/shelves/{shelf-id}/things",
    parameters=(
        Parameter(name="shelf_id", wire="shelf-id", location="path", required=True),
        Parameter(name="colour", wire="colour", location="query", required=False),
    ),
    body=Body(kind="json", type=dict[str, str], required=False),
    effect=Effect.CREATE,
    responses={204: None},
)
INVOICE: Any = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Boulangerie Dupain", "postal_address": {"city_name": "Paris"}},
}
GET = attrs.evolve(CREATE, name="get_thing", method="GET", effect=Effect.SAFE, body=None)


async def no_sleep(_seconds: float) -> None:
    await asyncio.sleep(0)


class Ticking:
    """A clock that goes on by a quarter of a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.25
        return self.now


@attrs.define(eq=False)
class Observatory:
    """A server, an observed engine that calls it, and what was observed."""

    server: FaultServer
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    telemetry: OpenTelemetry
    engine: CallEngine

    def finished(self) -> list[ReadableSpan]:
        return sorted(self.spans.get_finished_spans(), key=lambda span: span.start_time or 0)

    def points(self) -> list[HistogramDataPoint]:
        return points(self.metrics)


def told(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})


def points(reader: InMemoryMetricReader) -> list[HistogramDataPoint]:
    """What the one histogram holds."""
    data = reader.get_metrics_data()
    assert data is not None
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    (metric,) = scope.metrics
    assert (metric.name, metric.unit) == ("http.client.request.duration", "s")
    return [point for point in metric.data.data_points if isinstance(point, HistogramDataPoint)]


@pytest.fixture
async def sky() -> AsyncIterator[Observatory]:
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    traces = TracerProvider()
    traces.add_span_processor(SimpleSpanProcessor(spans))
    telemetry = OpenTelemetry(
        tracer_provider=traces, meter_provider=MeterProvider([metrics]), clock=Ticking()
    )
    async with FaultServer() as server:
        config = Config(api_key=Secret(KEY), client_id="acme", base_url=f"{server.url}/base/api")
        engine = CallEngine(config, Codec(), telemetry=telemetry, runtime=Runtime(sleep=no_sleep))
        yield Observatory(server, spans, metrics, telemetry, engine)
        await engine.aclose()


def call(sky: Observatory, operation: Operation[Any], **more: Any) -> Any:
    parameters = {"shelf_id": "s 1", "colour": "canary-query-12"}
    return sky.engine.call(operation, parameters=parameters, **more)


async def test_a_call_is_a_span_with_its_attempt_below_it(sky: Observatory) -> None:
    sky.server.plays(answer(204, b""))
    await call(sky, CREATE, body={"a": SECRET_BODY})
    logical, attempt = sky.finished()
    assert (logical.name, logical.kind, logical.parent) == ("seqino.create_thing", SpanKind.INTERNAL, None)
    assert told(logical) == {"seqino.operation": "create_thing"}
    assert (attempt.name, attempt.kind) == (
        "POST /base/api/shelves/{shelf-id}/things",
        SpanKind.CLIENT,
    )
    assert attempt.parent is not None
    assert logical.context is not None
    assert attempt.parent.span_id == logical.context.span_id
    assert told(attempt) == {
        "http.request.method": "POST",
        "server.address": "127.0.0.1",
        "server.port": sky.server.port,
        "url.template": "/base/api/shelves/{shelf-id}/things",
        "url.full": f"{sky.server.url}/base/api/shelves/s%201/things",
        "http.response.status_code": 204,
        "seqino.outcome": "done",
    }
    assert {logical.status.status_code, attempt.status.status_code} == {StatusCode.UNSET}


async def test_the_scope_names_the_package_and_its_conventions(sky: Observatory) -> None:
    sky.server.plays(answer(204, b""))
    await call(sky, CREATE)
    scope = sky.finished()[0].instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.version) == ("seqino", version("seqino"))
    assert scope.schema_url == "https://opentelemetry.io/schemas/1.29.0"


async def test_every_attempt_is_a_span_that_counts_the_sends_before_it(sky: Observatory) -> None:
    sky.server.plays("status-503", "close-after", answer(204, b""))
    await call(sky, GET)
    logical, *attempts = sky.finished()
    names = ("http.request.resend_count", "http.response.status_code", "error.type")
    assert [[told(each).get(name) for name in names] for each in attempts] == [
        [None, 503, "503"],
        [1, None, "disconnected"],
        [2, 204, None],
    ]
    assert [each.status.status_code.name for each in attempts] == ["ERROR", "ERROR", "UNSET"]
    assert logical.status.status_code is StatusCode.UNSET


async def test_the_trace_is_passed_on_with_each_attempts_own_span(sky: Observatory) -> None:
    sky.server.plays("status-503", answer(204, b""))
    await call(sky, GET)
    _, *attempts = sky.finished()
    for request, span in zip(sky.server.requests, attempts, strict=True):
        assert span.context is not None
        own = span.context
        expected = f"traceparent: 00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}\r\n"
        assert request.count(b"traceparent") == 1
        assert expected.encode() in request


async def test_a_header_of_the_caller_is_replaced_by_the_trace(sky: Observatory) -> None:
    sky.server.plays(answer(204, b""))
    config = attrs.evolve(sky.engine.config, extra_headers={"Traceparent": "own", "X-Other": "kept"})
    engine = CallEngine(config, Codec(), telemetry=sky.telemetry)
    await engine.call(CREATE, parameters={"shelf_id": "1"})
    await engine.aclose()
    head = sky.server.requests[0].lower()
    assert head.count(b"traceparent") == 1
    assert b"traceparent: 00-" in head
    assert b"x-other: kept" in head


async def test_no_header_is_there_twice_in_any_spelling(sky: Observatory) -> None:
    headers = {"TRACEPARENT": "own", "X-Other": "kept"}
    plain = Request(
        operation=GET, url=f"{sky.server.url}/x", headers=headers, body=None, client_id=None, parameters={}
    )
    with sky.telemetry.attempt(plain, number=1) as observed:
        assert sorted(observed.request.headers) == ["X-Other", "traceparent"]
    assert plain.headers == headers


async def test_each_attempt_begins_with_the_headers_of_the_call(
    sky: Observatory, monkeypatch: pytest.MonkeyPatch
) -> None:
    carriers: list[dict[str, str]] = []

    def once(carrier: dict[str, str]) -> None:
        carriers.append(carrier)
        if len(carriers) == 1:
            carrier["traceparent"] = "of the first"

    monkeypatch.setattr(propagate, "inject", once)
    sky.server.plays("status-503", answer(204, b""))
    await call(sky, GET)
    assert [b"traceparent" in request for request in sky.server.requests] == [True, False]


async def test_a_call_within_a_span_of_the_caller_belongs_to_its_trace(sky: Observatory) -> None:
    sky.server.plays(answer(204, b""))
    tracer = trace.get_tracer("caller", tracer_provider=TracerProvider())
    with tracer.start_as_current_span("month-end") as outer:
        await call(sky, CREATE)
        assert trace.get_current_span() is outer
    logical, attempt = sky.finished()
    assert logical.parent is not None
    assert logical.parent.span_id == outer.get_span_context().span_id
    assert attempt.context is not None
    assert attempt.context.trace_id == outer.get_span_context().trace_id


async def test_a_refusal_is_an_error_of_both_spans(sky: Observatory) -> None:
    sky.server.plays(answer(400, b'{"error": "canary-answer-08"}'))
    with pytest.raises(BadRequest):
        await call(sky, CREATE)
    logical, attempt = sky.finished()
    assert told(logical) == {
        "seqino.operation": "create_thing",
        "error.type": "seqino.errors.BadRequest",
        "seqino.outcome": "rejected",
    }
    assert told(attempt)["error.type"] == "400"
    assert {logical.status.status_code, attempt.status.status_code} == {StatusCode.ERROR}


async def test_a_redirect_is_no_error_of_http(sky: Observatory) -> None:
    sky.server.plays(answer(302, b""))
    with pytest.raises(OutcomeUnknown):
        await call(sky, CREATE)
    logical, attempt = sky.finished()
    assert attempt.status.status_code is StatusCode.UNSET
    assert told(attempt)["seqino.outcome"] == "unknown"
    assert told(logical)["seqino.outcome"] == "unknown"


async def test_a_cancelled_call_ends_its_spans(sky: Observatory) -> None:
    sky.server.plays("hang-after")
    task = asyncio.create_task(call(sky, CREATE))
    await sky.server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    logical, attempt = sky.finished()
    for span in (logical, attempt):
        assert told(span)["error.type"] == "asyncio.exceptions.CancelledError"
        assert span.status.status_code is StatusCode.ERROR
    assert [(dict(point.attributes or {})["error.type"], point.count) for point in sky.points()] == [
        ("asyncio.exceptions.CancelledError", 1)
    ]


async def test_an_exception_of_the_callers_own_is_named_by_its_class(sky: Observatory) -> None:
    async def no_key() -> str:
        raise RuntimeError("canary-words-40")

    config = attrs.evolve(sky.engine.config, api_key=no_key)
    engine = CallEngine(config, Codec(), telemetry=sky.telemetry)
    with pytest.raises(RuntimeError):
        await engine.call(CREATE, parameters={"shelf_id": "1"})
    assert [told(span)["error.type"] for span in sky.finished()] == ["RuntimeError"] * 2
    assert "seqino.outcome" not in told(sky.finished()[0])


# Metrics


async def test_each_attempt_is_counted_with_its_time(sky: Observatory) -> None:
    sky.server.plays("status-503", answer(204, b""), answer(204, b""))
    await call(sky, GET)
    await call(sky, GET)
    failed, done = sorted(sky.points(), key=lambda point: point.count)
    common = {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": sky.server.port,
        "url.template": "/base/api/shelves/{shelf-id}/things",
    }
    assert dict(failed.attributes or {}) == {**common, "http.response.status_code": 503, "error.type": "503"}
    assert dict(done.attributes or {}) == {**common, "http.response.status_code": 204}
    # The clock ticks once between the beginning of an attempt and its end.
    assert (failed.count, failed.sum, done.count, done.sum) == (1, 0.25, 2, 0.5)
    assert tuple(done.explicit_bounds) == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75),
        *(1, 2.5, 5, 7.5, 10),
    )


# What is not recorded


async def test_no_secret_no_body_no_query_is_recorded(sky: Observatory) -> None:
    sky.server.plays(answer(422, b'{"error": "canary-answer-08"}'))
    with pytest.raises(CallError):
        await call(sky, CREATE, body={"a": SECRET_BODY})
    recorded = "".join(span.to_json() for span in sky.finished()) + repr(sky.metrics.get_metrics_data())
    for canary in (KEY, SECRET_BODY, "canary-query-12", "canary-answer-08"):
        assert canary not in recorded
    assert all(span.events == () for span in sky.finished())


# What fails in it


class Broken(SpanProcessor):
    """Foreign code that fails at every turn."""

    def __init__(self, *, at: str) -> None:
        self.at = at

    def on_start(self, span: Any, parent_context: Any = None) -> None:  # noqa: ARG002 - OpenTelemetry's names
        if self.at == "start":
            raise RuntimeError("processor")

    def on_end(self, span: Any) -> None:  # noqa: ARG002
        if self.at == "end":
            raise RuntimeError("processor")


@pytest.mark.parametrize("at", ["start", "end"])
async def test_a_processor_that_fails_changes_nothing_and_is_told(
    sky: Observatory, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    traces, metrics = TracerProvider(), InMemoryMetricReader()
    traces.add_span_processor(Broken(at=at))
    telemetry = OpenTelemetry(tracer_provider=traces, meter_provider=MeterProvider([metrics]))
    engine = CallEngine(sky.engine.config, Codec(), telemetry=telemetry)
    sky.server.plays(answer(204, b""), "close-after")
    await engine.call(CREATE, parameters={"shelf_id": "1"})
    with pytest.raises(OutcomeUnknown):
        await engine.call(CREATE, parameters={"shelf_id": "1"})
    await engine.aclose()
    assert caplog.text.count("telemetry failed") == 4
    assert sum(point.count for point in points(metrics)) == 2


async def test_a_propagator_and_a_meter_that_fail_change_nothing(
    sky: Observatory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("foreign")

    monkeypatch.setattr(propagate, "inject", fail)
    monkeypatch.setattr(sky.telemetry._duration, "record", fail)
    sky.server.plays(answer(204, b""))
    await call(sky, CREATE)
    assert caplog.text.count("telemetry failed") == 2
    assert b"traceparent" not in sky.server.requests[0]


# The client


async def test_a_submission_is_one_trace(sky: Observatory) -> None:
    sky.server.plays(answer(201, b'{"draft_id": "d-1"}'), on="POST /api/drafts")
    taken = b'{"draft_id": "d-1", "invoice_id": "inv-1", "status": "submitted"}'
    sky.server.plays(answer(200, taken), on="POST /api/drafts/d-1/validate")
    url = f"{sky.server.url}/api"
    async with SeqinoClient(KEY, client_id="acme", base_url=url, telemetry=sky.telemetry) as client:
        await client.submit(INVOICE)
    spans = sky.finished()
    assert [span.name for span in spans] == [
        "seqino.submit",
        "seqino.create_draft",
        "POST /api/drafts",
        "seqino.validate_draft",
        "POST /api/drafts/{draft_id}/validate",
    ]
    assert len({span.context.trace_id for span in spans if span.context is not None}) == 1
    assert told(spans[0])["seqino.client_id"] == "acme"
    parents = Counter(span.parent.span_id for span in spans if span.parent is not None)
    assert spans[0].context is not None
    assert parents[spans[0].context.span_id] == 2


async def test_a_submission_that_fails_is_an_error_of_its_span(sky: Observatory, unused_port: int) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    async with SeqinoClient(KEY, base_url=url, max_retries=0, telemetry=sky.telemetry) as client:
        with pytest.raises(ConnectionFailed):
            await client.submit(INVOICE, client_id="acme")
    spans = sky.finished()
    assert [span.name for span in spans] == ["seqino.submit", "seqino.create_draft", "POST /drafts"]
    assert [told(span)["error.type"] for span in spans] == [
        "seqino.errors.ConnectionFailed",
        "seqino.errors.ConnectionFailed",
        "unreachable",
    ]
    assert [told(span).get("seqino.client_id") for span in spans] == ["acme", "acme", None]


async def test_copies_are_observed_too(sky: Observatory) -> None:
    sky.server.plays(answer(200, b'"up"'))
    async with SeqinoClient(KEY, base_url=sky.server.url, telemetry=sky.telemetry) as client:
        await client.for_client("acme").health()
    assert len(sky.finished()) == 2


async def test_ports_that_urls_leave_out_are_told(sky: Observatory) -> None:
    for url, port in (("http://pdp.invalid", 80), ("https://pdp.invalid/api", 443)):
        config = Config(base_url=url, max_retries=0, api_key=Secret(KEY))
        engine = CallEngine(config, Codec(), telemetry=sky.telemetry)
        with pytest.raises(ConnectionFailed):
            await engine.call(CREATE, parameters={"shelf_id": "1"})
        await engine.aclose()
        span = sky.finished()[-1]
        assert told(span)["server.port"] == port


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "seqino.integrations.otel")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtra, match=r"pip install 'seqino\[otel\]'"):
        importlib.import_module("seqino.integrations.otel")


def test_the_client_loads_no_telemetry_by_itself() -> None:
    code = "import seqino.client, sys; print([m for m in sys.modules if m.startswith('opentelemetry')])"
    said = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"


def test_without_providers_the_global_ones_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def get_tracer(*arguments: Any) -> Any:
        asked.append(arguments[2])

    monkeypatch.setattr("seqino.integrations.otel.get_tracer", get_tracer)
    OpenTelemetry()
    assert asked == [None]

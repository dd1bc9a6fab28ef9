"""Traces and metrics by OpenTelemetry (extra ``otel``), after its semantic conventions for HTTP clients."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast
from urllib.parse import urlsplit

import attrs

from seqino._core.events import log
from seqino._core.request import Request
from seqino.errors import CallError, MissingExtra

try:
    from opentelemetry import propagate
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import (
        INVALID_SPAN,
        Span,
        SpanKind,
        StatusCode,
        TracerProvider,
        get_tracer,
        use_span,
    )
except ImportError as error:
    raise MissingExtra("otel", purpose="seqino.integrations.otel") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from seqino._core.outcome import Attempt

__all__ = ["OpenTelemetry"]

T = TypeVar("T")
Attributes: TypeAlias = dict[str, str | int]

SCHEMA = "https://opentelemetry.io/schemas/1.29.0"
"""The version of the semantic conventions that the names of spans, attributes and metrics follow."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; what the semantic conventions advise for http.client.request.duration."""

_PORTS = {"http": 80, "https": 443}
_FIRST_ERROR_STATUS = 400


class OpenTelemetry:
    """Observes a client: ``SeqinoClient(telemetry=OpenTelemetry())``.

    Each call is a span, each of its attempts a client span below it, and each attempt counts in the histogram
    ``http.client.request.duration``. The trace is passed on by the propagators that are set up
    (``traceparent``). No body, no header and no query is recorded.

    Args:
        tracer_provider: Where spans go; the global one where it is left out.
        meter_provider: Where metrics go; the global one where it is left out.
        clock: Seconds on a clock that never goes back.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._tracer = get_tracer("seqino", version("seqino"), tracer_provider, SCHEMA)
        self._clock = clock
        meter = get_meter("seqino", version("seqino"), meter_provider, SCHEMA)
        self._duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    @contextmanager
    def operation(self, name: str, *, client_id: str | None) -> Generator[None, None, None]:
        """Observe a logical call, or a submission: a span inside of this process."""
        attributes: Attributes = {"seqino.operation": name}
        if client_id is not None:
            attributes["seqino.client_id"] = client_id
        with self._span(f"seqino.{name}", SpanKind.INTERNAL, attributes) as span:
            try:
                yield
            except BaseException as error:
                attributes = {"error.type": _type(error)}
                if isinstance(error, CallError):
                    attributes["seqino.outcome"] = error.outcome
                _shielded(lambda: _fail(span, attributes), None)
                raise

    @contextmanager
    def attempt(self, request: Request, *, number: int) -> Generator[_Observed, None, None]:
        """Observe one attempt: a client span, and one more request in the histogram."""
        attributes = _attributes(request)
        name = f"{attributes['http.request.method']} {attributes['url.template']}"
        details: Attributes = {"url.full": request.url.partition("?")[0]}
        if number > 1:
            details["http.request.resend_count"] = number - 1
        began = self._clock()
        with self._span(name, SpanKind.CLIENT, {**attributes, **details}) as span:
            carrier: dict[str, str] = {}
            _shielded(lambda: propagate.inject(carrier), None)
            observed = _Observed(request=_with_headers(request, carrier))
            try:
                yield observed
            except BaseException as error:
                observed.found = {"error.type": _type(error)}
                raise
            finally:
                _shielded(lambda: _finish(span, observed), None)
                seconds = self._clock() - began
                found = {name: value for name, value in observed.found.items() if name in _MEASURED}
                _shielded(lambda: self._duration.record(seconds, {**attributes, **found}), None)

    @contextmanager
    def _span(self, name: str, kind: SpanKind, attributes: Attributes) -> Generator[Span, None, None]:
        nothing = cast("Span", INVALID_SPAN)
        span = _shielded(lambda: self._tracer.start_span(name, kind=kind, attributes=attributes), nothing)
        try:
            # An exception's words may be the platform's: its class is enough.
            with use_span(span, record_exception=False, set_status_on_exception=False):
                yield span
        finally:
            _shielded(span.end, None)


@attrs.define
class _Observed:
    """An attempt that is observed.

    Args:
        request: What to send, with the headers that carry the trace.
        found: Attributes that say how it ended.
    """

    request: Request
    found: Attributes = attrs.field(factory=dict[str, str | int])

    def ended(self, attempt: Attempt) -> None:
        """Note how it ended."""
        self.found = {"seqino.outcome": attempt.outcome.value}
        if attempt.status is not None:
            self.found["http.response.status_code"] = attempt.status
            if attempt.status >= _FIRST_ERROR_STATUS:
                self.found["error.type"] = str(attempt.status)
        if attempt.fault is not None:
            self.found["error.type"] = attempt.fault.value


_MEASURED = frozenset({"http.response.status_code", "error.type"})
"""What of an attempt's end tells requests apart in the histogram."""


def _finish(span: Span, observed: _Observed) -> None:
    span.set_attributes(observed.found)
    if "error.type" in observed.found:
        span.set_status(StatusCode.ERROR)


def _fail(span: Span, attributes: Attributes) -> None:
    span.set_attributes(attributes)
    span.set_status(StatusCode.ERROR)


def _attributes(request: Request) -> Attributes:
    """What a request is, without anything that differs from one invoice to the next."""
    parts = urlsplit(request.url)
    template = request.operation.path
    # The API hangs below a base path, which no operation names.
    base = parts.path.split("/")[: -template.count("/")]
    return {
        "http.request.method": request.operation.method,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _PORTS[parts.scheme],
        "url.template": "/".join(base) + template,
    }


def _with_headers(request: Request, carrier: Mapping[str, str]) -> Request:
    replaced = {name.lower() for name in carrier}
    kept = {name: value for name, value in request.headers.items() if name.lower() not in replaced}
    return attrs.evolve(request, headers={**kept, **carrier})


def _type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _shielded(act: Callable[[], T], otherwise: T) -> T:
    """Do something for observation's sake only; what goes wrong in it must not hide what a call did."""
    try:
        return act()
    except Exception:  # noqa: BLE001 - told by the log
        # Exporters, processors and propagators are foreign code.
        log(logging.ERROR, "telemetry failed", exc_info=True)
        return otherwise

"""What the calls of a client and its copies have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from seqino._core.codec import Codec
from seqino._core.events import Emitter
from seqino._core.gate import Gate
from seqino._core.retry import Pace, RetryBudget
from seqino._core.runtime import Alarm, Runtime
from seqino._core.telemetry import Telemetry
from seqino._core.transport import Transport
from seqino._core.wire import Operation

__all__ = ["Shared", "needs_key"]


@attrs.define(kw_only=True)
class Shared:
    """What a client and its copies have in common."""

    codec: Codec
    transport: Transport
    runtime: Runtime
    events: Emitter
    operations: Mapping[str, Operation[Any]] = attrs.field(factory=dict[str, Any])
    budget: RetryBudget = attrs.field(factory=RetryBudget)
    pace: Pace = attrs.field(factory=Pace)
    gate: Gate | None = None
    telemetry: Telemetry | None = None
    alarm: Alarm = attrs.field(
        default=attrs.Factory(lambda shared: Alarm(shared.runtime), takes_self=True), init=False
    )


def needs_key(operation: Operation[Any]) -> bool:
    """Whether an operation is called with the API key; what hangs beside the API never gets to see it."""
    return operation.authenticated and not operation.outside_api

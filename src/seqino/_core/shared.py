"""What the calls of a client and its copies have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from seqino._core.codec import Codec
from seqino._core.config import Config, Secret, check_key
from seqino._core.events import Emitter
from seqino._core.gate import Gate
from seqino._core.retry import Pace, RetryBudget
from seqino._core.runtime import Alarm, Runtime
from seqino._core.telemetry import Telemetry
from seqino._core.transport import Transport
from seqino._core.wire import Operation

__all__ = ["Shared", "key_for", "needs_key"]


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


async def key_for(operation: Operation[Any], config: Config) -> Secret | None:
    """Return the key that an operation is called with, fetched where that is the caller's wish.

    Args:
        operation: What is called.
        config: Has the key, or the function that fetches it.

    Raises:
        ConfigurationError: What was fetched is no key.
        Exception: What the caller's function raised.
    """
    key = config.api_key if needs_key(operation) else None
    if key is None or isinstance(key, Secret):
        return key
    return check_key(Secret(await key()), source="what api_key() returned")

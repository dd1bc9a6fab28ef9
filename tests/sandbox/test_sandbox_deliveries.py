"""What arrives at a webhook, and what does not: over real connections, on a clock that is stepped."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.sandbox import Receiver, Sandbox
from seqino.sandbox.clock import stamp
from seqino.sandbox.deliveries import Behaviour, Deliveries, Limits
from seqino.sandbox.description import SHIPPED, Description
from seqino.sandbox.world.webhooks import KEPT, RETRIES, Attempt, Webhooks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Answer = "Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]"


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """What arrived: the type, and the last word of the status where there is one."""
    return [
        (one.event_type, one.payload["data"].get("status_code", "").rpartition(".")[2])
        for one in receiver.events
    ]

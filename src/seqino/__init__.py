"""Unofficial asyncio SDK for the Seqino PDP API: French electronic invoices, each sent once.

Names are loaded when they are first used, so that importing the package is cheap, and so that the sandbox
does not load the client.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqino import api, errors, identifiers, models, statuses
    from seqino._core.events import CallEvent
    from seqino._core.raw import Response
    from seqino._core.wire import UNSET, File, Operation, UnsetType
    from seqino.client import SeqinoClient
    from seqino.client.resuming import Resumed
    from seqino.documents import Document, read_document
    from seqino.errors import (
        InvalidInput,
        OutcomeUnknown,
        PageToken,
        Rejected,
        ResumeToken,
        SeqinoError,
    )
    from seqino.models import LifecycleStatusCode
    from seqino.options import CallOptions
    from seqino.pagination import Page, Pager
    from seqino.resources.conditions import Condition, ConditionName
    from seqino.resources.cursors import Polled
    from seqino.resources.histories import History
    from seqino.resources.names import MandateStatusName, ObjectTypeName, UsagePeriodName
    from seqino.resources.watching import InvoiceChange
    from seqino.statuses import GoalName, LocalState, UnreadableEvent, local_state
    from seqino.submission import Submission

    __version__: str

__all__ = [
    "UNSET",
    "CallEvent",
    "CallOptions",
    "Condition",
    "ConditionName",
    "Document",
    "File",
    "GoalName",
    "History",
    "InvalidInput",
    "InvoiceChange",
    "LifecycleStatusCode",
    "LocalState",
    "MandateStatusName",
    "ObjectTypeName",
    "Operation",
    "OutcomeUnknown",
    "Page",
    "PageToken",
    "Pager",
    "Polled",
    "Rejected",
    "Response",
    "ResumeToken",
    "Resumed",
    "SeqinoClient",
    "SeqinoError",
    "Submission",
    "UnreadableEvent",
    "UnsetType",
    "UsagePeriodName",
    "__version__",
    "api",
    "errors",
    "identifiers",
    "local_state",
    "models",
    "read_document",
    "statuses",
]

_HOME = {
    "UNSET": "seqino._core.wire",
    "CallEvent": "seqino._core.events",
    "CallOptions": "seqino.options",
    "Condition": "seqino.resources.conditions",
    "ConditionName": "seqino.resources.conditions",
    "Document": "seqino.documents",
    "File": "seqino._core.wire",
    "GoalName": "seqino.statuses",
    "History": "seqino.resources.histories",
    "InvalidInput": "seqino.errors",
    "InvoiceChange": "seqino.resources.watching",
    "LifecycleStatusCode": "seqino.models",
    "LocalState": "seqino.statuses",
    "MandateStatusName": "seqino.resources.names",
    "ObjectTypeName": "seqino.resources.names",
    "Operation": "seqino._core.wire",
    "OutcomeUnknown": "seqino.errors",
    "Page": "seqino.pagination",
    "PageToken": "seqino.errors",
    "Pager": "seqino.pagination",
    "Polled": "seqino.resources.cursors",
    "Rejected": "seqino.errors",
    "Response": "seqino._core.raw",
    "ResumeToken": "seqino.errors",
    "Resumed": "seqino.client.resuming",
    "SeqinoClient": "seqino.client",
    "SeqinoError": "seqino.errors",
    "Submission": "seqino.submission",
    "UnreadableEvent": "seqino.statuses",
    "UnsetType": "seqino._core.wire",
    "UsagePeriodName": "seqino.resources.names",
    "local_state": "seqino.statuses",
    "read_document": "seqino.documents",
}
"""The module of each public name that is not a module itself."""

_MODULES = frozenset({"api", "errors", "identifiers", "models", "statuses"})


# A type checker that saw this would take every misspelt name for one that exists.
if not TYPE_CHECKING:  # pragma: no branch - at run time it never is

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            # Takes longer to import than all of this, and hardly anybody asks.
            from importlib.metadata import version  # noqa: PLC0415

            value: Any = version("seqino")
        elif name in _HOME:
            value = getattr(importlib.import_module(_HOME[name]), name)
        elif name in _MODULES:
            value = importlib.import_module(f"seqino.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)

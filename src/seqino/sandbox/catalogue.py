"""The types of event that a webhook can receive: what triggers each, and what it says. Pure."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seqino.sandbox.description import Description

__all__ = ["TEST", "Catalogue", "EventType"]

TEST = "webhook.test"
"""The type of an event that nothing but a test sends."""

_MOMENT = "2026-09-01T08:00:00.000Z"
_INVOICE = {"invoice_id": "inv_3b1f6c0a9d2e4f58", "invoice_number": "SBX-2026-000001"}


@attrs.frozen
class EventType:
    """A type of event."""

    description: str
    """What triggers it."""
    data: dict[str, Any]
    """An example of what it says."""


def _mandate(status: str, error_cause: str | None = None) -> dict[str, Any]:
    return {
        "mandate_id": "mandate_3b1f6c0a9d2e4f58",
        "status": status,
        "error_cause": error_cause,
        "directory_entry": {"siren": "812345676"},
    }


_KNOWN: Mapping[str, EventType] = MappingProxyType(
    {
        TEST: EventType("Sent on request, to test the endpoint.", {"message": "This is a test."}),
        "invoice.created": EventType("An invoice was issued, or its file was taken.", _INVOICE),
        "invoice.received": EventType(
            "An invoice arrived for a company that has an active mandate.",
            {**_INVOICE, "buyer_siren": "523456788"},
        ),
        "invoice.status_updated": EventType(
            "An invoice has another status; its lifecycle events say the same.",
            {
                "invoice_id": _INVOICE["invoice_id"],
                "object_type": "invoice",
                "status_code": "InvoiceLifecycleStatus.APPROVED",
                "timestamp": _MOMENT,
                "emitter": "PDPR",
                "reason": None,
                "rejection_reason": None,
                "is_mandatory": False,
            },
        ),
        "mandate.activated": EventType("A mandate is active from now on.", _mandate("active")),
        "mandate.created": EventType("A mandate was created.", _mandate("processing")),
        "mandate.expired": EventType("A mandate has expired.", _mandate("expired")),
        "mandate.failed": EventType(
            "A mandate could not be activated.", _mandate("error", "The directory has this entry already.")
        ),
    }
)


class Catalogue:
    """The types that a description lists, in its order.

    Args:
        description: Where they are listed: as the types that a webhook can choose.

    Raises:
        ValueError: It does not describe how a webhook is registered.
    """

    def __init__(self, description: Description) -> None:
        body = description.resolve(description.operation("POST /webhooks").body_schema)
        listed = _values(description, body.get("properties", {}).get("events", {}))
        self.types: Mapping[str, EventType] = {
            name: _KNOWN.get(name) or EventType(f"The platform sends {name}.", {}) for name in listed
        }

    def entries(self, sponsor_id: str, client_id: str) -> list[dict[str, Any]]:
        """Return the entries as the API shows them.

        Args:
            sponsor_id: Sponsor that the examples name.
            client_id: Client that the examples name.
        """
        return [
            {
                "event_type": name,
                "description": one.description,
                "example_payload": {
                    "event_id": "evt_abc123def456",
                    "event_type": name,
                    "timestamp": _MOMENT,
                    "sponsor_id": sponsor_id,
                    "client_id": None if name == TEST else client_id,
                    "data": one.data,
                },
            }
            for name, one in self.types.items()
        ]


def _values(description: Description, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of the enum in a schema, wherever in it that stands."""
    schema = description.resolve(schema)
    yield from schema.get("enum", ())
    for branch in (*schema.get("anyOf", ()), schema.get("items", {})):
        if branch:
            yield from _values(description, branch)

"""Deliveries in the sandbox's own API: what was sent and when, test events, sending again, misbehaving."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast, get_args

from seqino.sandbox.asked import only, text
from seqino.sandbox.catalogue import TEST
from seqino.sandbox.clock import stamp
from seqino.sandbox.deliveries.behaviour import Behaviour
from seqino.sandbox.world.webhooks import Outcome

if TYPE_CHECKING:
    from seqino.sandbox.catalogue import Catalogue
    from seqino.sandbox.deliveries import Deliveries
    from seqino.sandbox.world.webhooks import Attempt, Delivery

__all__ = ["WAYS", "DeliveryControl"]

WAYS = (
    "GET deliveries",
    "POST deliveries",
    "GET deliveries/{event_id}",
    "POST deliveries/{event_id}/redeliver",
    "GET deliveries/behaviour",
    "POST deliveries/behaviour",
)
"""All that can be asked."""


class DeliveryControl:
    """Answers what the control API is asked about deliveries; a secret is in none of its answers.

    Args:
        deliveries: What it shows and changes.
        catalogue: Types of event, and what they say.
    """

    def __init__(self, deliveries: Deliveries, catalogue: Catalogue) -> None:
        self._deliveries = deliveries
        self._catalogue = catalogue

    def answer(self, method: str, path: str, query: dict[str, str], asked: dict[str, Any]) -> Any:
        """Answer a request below ``/_sandbox/deliveries``.

        Args:
            method: ``GET`` or ``POST``.
            path: What stands behind ``deliveries/``.
            query: Parameters of the query.
            asked: The body.

        Raises:
            LookupError: There is no such event, no webhook, or nothing to ask at the path.
            TypeError: A value is of another type.
            ValueError: A name is unknown, or a value out of its range.
        """
        match method, path.split("/"):
            case "GET", [""]:
                return self._shown(query)
            case "POST", [""]:
                return self._sent(asked)
            case "GET", ["behaviour"]:
                return self._deliveries.behaviour.as_dict()
            case "POST", ["behaviour"]:
                self._deliveries.behaviour = Behaviour.read(asked)
                return self._deliveries.behaviour.as_dict()
            case "GET", [event_id]:
                return _full(self._deliveries.find(event_id))
            case "POST", [event_id, "redeliver"]:
                return _line(self._deliveries.redeliver(event_id))
            case _:
                raise LookupError(
                    f"the control API has no {method} deliveries/{path}; it has {', '.join(WAYS)}"
                )

    def _shown(self, query: dict[str, str]) -> dict[str, Any]:
        only(query, "event_type", "outcome")
        outcome, event_type = query.get("outcome"), query.get("event_type")
        if outcome not in (None, *get_args(Outcome)):
            raise ValueError(f"outcome is one of {', '.join(get_args(Outcome))}; this is {outcome!r}")
        return {
            "deliveries": [
                _line(one)
                for one in self._deliveries.list()
                if outcome in (None, one.outcome) and event_type in (None, one.event_type)
            ]
        }

    def _sent(self, asked: dict[str, Any]) -> dict[str, Any]:
        only(asked, "event_type", "data", "client_id", "sponsor_id")
        event_type = text(asked, "event_type") or TEST
        if event_type not in self._catalogue.types:
            raise ValueError(
                f"event_type is one of {', '.join(self._catalogue.types)}; this is {event_type!r}"
            )
        data = asked.get("data", self._catalogue.types[event_type].data)
        if not isinstance(data, dict):
            raise TypeError(f"data must be an object; this is {data!r}")
        said = cast("dict[str, Any]", data)
        client_id, sponsor_id = (text(asked, name) for name in ("client_id", "sponsor_id"))
        sent = self._deliveries.send(event_type, said, client_id=client_id, sponsor_id=sponsor_id)
        return {"deliveries": [_line(one) for one in sent]}


def _line(delivery: Delivery) -> dict[str, Any]:
    return {
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "sponsor_id": delivery.sponsor_id,
        "client_id": delivery.client_id,
        "outcome": delivery.outcome,
        "due": stamp(delivery.due) if delivery.outcome == "pending" else None,
        "attempts": [_attempt(one) for one in delivery.attempts],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": stamp(attempt.at),
        "status": attempt.status,
        "error": attempt.error,
        "seconds": round(attempt.seconds, 6),
    }


def _full(delivery: Delivery) -> dict[str, Any]:
    attempts = [{**_attempt(one), "headers": one.headers} for one in delivery.attempts]
    return {**_line(delivery), "payload": json.loads(delivery.payload), "attempts": attempts}

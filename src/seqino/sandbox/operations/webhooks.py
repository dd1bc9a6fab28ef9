"""The webhook of a sponsor, and the types of event that it can be told of."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import Refusal, Unprocessable, problem
from seqino.sandbox.operations.base import Answer
from seqino.sandbox.world.webhooks import AlreadyRegistered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.catalogue import Catalogue
    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world.webhooks import Webhooks

__all__ = ["WebhookOperations"]

_LONGEST_URL = 2083
"""Characters, as in pydantic's ``HttpUrl``."""


class WebhookOperations:
    """What the tag *Webhooks* does; it belongs to the sponsor, and no client is named.

    Args:
        webhooks: What it acts on.
        catalogue: The types of event.
    """

    def __init__(self, webhooks: Webhooks, catalogue: Catalogue) -> None:
        self._webhooks = webhooks
        self._catalogue = catalogue

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "POST /webhooks": self.create_webhook,
            "GET /webhooks": self.get_webhook,
            "GET /webhooks/event-types": self.get_webhook_event_types,
        }

    def create_webhook(self, call: Call) -> Answer:
        """Register the webhook; the secret is in this answer only. A second one is refused with 409."""
        url, events = call.body["url"], call.body.get("events")
        reason = _wrong_with(url)
        if reason is not None:
            raise Unprocessable(
                [problem(["body", "url"], f"Input should be a valid URL: {reason}", "url_parsing")]
            )
        try:
            webhook = self._webhooks.register(
                call.sponsor, url, self._catalogue.types if events is None else events
            )
        except AlreadyRegistered as error:
            raise Refusal(409, str(error)) from None
        return Answer(
            201,
            {
                "webhook_id": webhook.webhook_id,
                "url": webhook.url,
                "secret": webhook.secret,
                "events": webhook.events,
                "created_at": stamp(webhook.created_at),
                "message": "Keep the secret: it is not shown again.",
            },
        )

    def get_webhook(self, call: Call) -> Answer:
        """Answer the sponsor's webhook, without its secret."""
        webhook = call.sponsor.webhook
        if webhook is None:
            raise Refusal(404, "no webhook is registered: create it with POST /webhooks")
        return Answer(
            200,
            {
                "webhook_id": webhook.webhook_id,
                "url": webhook.url,
                "events": webhook.events,
                "is_active": True,
                "created_at": stamp(webhook.created_at),
                "last_triggered_at": webhook.last_triggered_at and stamp(webhook.last_triggered_at),
            },
        )

    def get_webhook_event_types(self, call: Call) -> Answer:
        """Answer every type of event, with an example of what is sent."""
        client_id = next(iter(call.sponsor.clients), "client_abc123")
        return Answer(200, {"event_types": self._catalogue.entries(call.sponsor.sponsor_id, client_id)})


def _wrong_with(url: str) -> str | None:
    """Say why events cannot be sent to a URL; ``None`` where they can. Plain HTTP is for tests, and taken."""
    if len(url) > _LONGEST_URL:
        return f"it has more than {_LONGEST_URL} characters"
    if not url.isprintable() or " " in url:
        return "it has a space or a control character"
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("https", "http"):
        return "it has to start with https:// or, for tests, http://"
    return None if parts.hostname else "it names no host"

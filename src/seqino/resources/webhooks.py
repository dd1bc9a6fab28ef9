"""The sponsor's webhook, to which the platform sends events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino._generated import operations
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.models import Webhook, WebhookCreate, WebhookCreated, WebhookEventTypes
    from seqino.options import CallOptions

__all__ = ["Webhooks"]


class Webhooks(Resource):
    """A sponsor has one webhook, for all of its clients."""

    __slots__ = ()

    async def get(self, *, options: CallOptions | None = None) -> Webhook:
        """Get the webhook that is registered; its secret is not shown again.

        Args:
            options: What this call does otherwise than its client.

        Returns:
            The webhook.

        Raises:
            NotFound: None is registered.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_webhook(self._client, options=options)

    async def create(
        self, webhook: WebhookCreate | Mapping[str, Any], *, options: CallOptions | None = None
    ) -> WebhookCreated:
        """Register the webhook; its secret is in this answer only, so keep it.

        Args:
            webhook: Where events are sent to, over https, and which types of event; all where they are left
                out.
            options: What this call does otherwise than its client.

        Returns:
            The webhook with its ``secret``, by which deliveries are signed (HMAC-SHA256).

        Raises:
            InvalidInput: It does not fit the description; nothing was sent.
            AnswerLost: It is registered, by this call or before, and the secret is not shown again.
            ReconcileMismatch: Another webhook is registered: a sponsor has one.
            OutcomeUnknown: It may have been registered.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.create_webhook(self._client, webhook, options=options)

    async def get_event_types(self, *, options: CallOptions | None = None) -> WebhookEventTypes:
        """Get the types of event that a webhook can receive.

        Args:
            options: What this call does otherwise than its client.

        Returns:
            The types, each with a description.

        Raises:
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_webhook_event_types(self._client, options=options)

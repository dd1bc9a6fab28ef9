"""Webhook events as evidence of what became of an invoice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs
import msgspec

from seqino.batch.items import Change, Facts
from seqino.batch.states import ItemEvent, State
from seqino.errors import InvalidInput
from seqino.models import WebhookEventType

if TYPE_CHECKING:
    from seqino.batch.items import Item
    from seqino.batch.store import Store
    from seqino.batch.watches import Watches
    from seqino.models import WebhookEventPayload

__all__ = ["record"]


async def record(
    store: Store, watches: Watches, event: WebhookEventPayload | Mapping[str, Any]
) -> Item | None:
    """Keep an event, and what it proves.

    Only what carries our draft id, or the invoice id that is known, is evidence; anything else is kept, and
    tells nothing. What says that the status of an invoice changed makes it due to be looked at: its own
    events tell to what, and in which order.

    Args:
        store: The ledger.
        watches: What it remembers of following.
        event: The event.
    """
    told: Mapping[str, Any] = event if isinstance(event, Mapping) else attrs.asdict(event)
    event_id = told.get("event_id")
    if not isinstance(event_id, str) or not event_id.isprintable() or not event_id:
        raise InvalidInput("this is no event of a webhook: it has no event_id")
    data: object = told.get("data")
    item = await _of(store, told, cast("Mapping[str, Any]", data) if isinstance(data, Mapping) else {})
    if not await store.has_event(event_id):
        if item is not None and told.get("event_type") == WebhookEventType.INVOICE_STATUS_UPDATED:
            await watches.hint(item)
        # Last: what was not kept is delivered again, and proves the same again.
        body = _written(told)
        await store.add_event(event_id, body, item_id=None if item is None else item.id)
    return item


def _written(told: Mapping[str, Any]) -> str:
    """Write an event as JSON; what is half a character (a lone surrogate) stays the escape that it was."""
    try:
        return msgspec.json.encode(told).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(told))


async def _of(store: Store, told: Mapping[str, Any], data: Mapping[str, Any]) -> Item | None:
    """Return the item that an event is about, as it is once that is taken into account."""
    draft_id, invoice_id, number = (
        _text(data, name) for name in ("draft_id", "invoice_id", "invoice_number")
    )
    item = None if draft_id is None else await store.find_by_draft(draft_id)
    if item is None and invoice_id is not None:
        item = await store.find_by_invoice(invoice_id)
    if item is None or _is_of_another(item, told):
        return None
    if told.get("event_type") != WebhookEventType.INVOICE_CREATED or invoice_id is None:
        return item
    is_over = item.state.is_taken and item.state not in (State.ACCEPTED, State.ACCEPTED_UNIDENTIFIED)
    is_known = item.invoice_id is not None and (item.invoice_number is not None or number is None)
    if is_over or is_known or item.invoice_id not in (None, invoice_id):
        return item
    return await store.change(
        Change(
            item=item,
            event=ItemEvent.ACCEPTED,
            facts=Facts(invoice_id=invoice_id, invoice_number=number),
            detail={"webhook": told["event_id"]},
        )
    )


def _is_of_another(item: Item, told: Mapping[str, Any]) -> bool:
    return told.get("client_id") not in (None, item.client_id)


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) and value else None

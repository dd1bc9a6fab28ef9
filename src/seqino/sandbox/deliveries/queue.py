"""What waits to be delivered to one webhook, and how much of it may be under way. Pure.

Events go out in the order of their moments: the next one starts when the one before was answered. A receiver
that takes its time holds the others up only for a while; then several are under way, up to a bound.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from seqino.sandbox.world import Sponsor
    from seqino.sandbox.world.webhooks import Delivery, Webhook

__all__ = ["Queue"]

_Entry = tuple["datetime", int, int, "Delivery"]
"""Moment, place among the events, and a count, since no two deliveries can be compared."""


class Queue:
    """Deliveries of one sponsor that are still to be made.

    Args:
        sponsor: Who is told.
        webhook: Where it is told.
        at_once: How many may be under way.
    """

    def __init__(self, sponsor: Sponsor, webhook: Webhook, at_once: int) -> None:
        self.sponsor = sponsor
        self.webhook = webhook
        self._at_once = at_once
        self._heap: list[_Entry] = []
        self._pushed = 0
        self._under_way: set[str] = set()
        self._foremost: str | None = None
        """Event whose answer the others wait for."""

    def push(self, delivery: Delivery) -> None:
        """Take up a delivery, or one that became due at another moment."""
        self._pushed += 1
        heapq.heappush(self._heap, (delivery.due, delivery.number, self._pushed, delivery))

    def next_due(self) -> datetime | None:
        """Return the moment at which the next attempt is due; ``None`` where nothing waits."""
        while self._heap:
            if self._waits(self._heap[0]):
                return self._heap[0][0]
            heapq.heappop(self._heap)
        return None

    def take(self, now: datetime, *, latest: bool) -> Delivery | None:
        """Return the delivery to attempt now, if there is one, and count it as under way.

        Args:
            now: Moment on the sandbox's clock.
            latest: Take the last of those that are due instead of the first.
        """
        if self._foremost is not None or len(self._under_way) >= self._at_once:
            return None
        due = self.next_due()
        if due is None or due > now:
            return None
        if latest:
            delivery = max(one for one in self._heap if one[0] <= now and self._waits(one))[-1]
        else:
            delivery = heapq.heappop(self._heap)[-1]
        self._under_way.add(delivery.event_id)
        self._foremost = delivery.event_id
        return delivery

    def go_on(self, delivery: Delivery) -> None:
        """Wait no longer for the answer to this one before the next starts."""
        if self._foremost == delivery.event_id:
            self._foremost = None

    def ended(self, delivery: Delivery) -> None:
        """Count a delivery as no longer under way; it waits again where another attempt is due."""
        self.go_on(delivery)
        self._under_way.discard(delivery.event_id)
        if delivery.outcome == "pending":
            self.push(delivery)

    def _waits(self, entry: _Entry) -> bool:
        """Whether an entry still says what is to be done: not under way, not ended, not due anew."""
        due, *_, delivery = entry
        return (
            delivery.outcome == "pending" and delivery.due == due and delivery.event_id not in self._under_way
        )

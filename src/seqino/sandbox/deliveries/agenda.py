"""When which object has something to tell to which webhook: the moments to come, soonest first. Pure.

Each webhook remembers until when everything was told (``told_until``). More may happen in that very moment,
as it does while the clock stands still: of it the agenda counts how much of each object was told.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, TypeGuard

import attrs

from seqino.sandbox.world import Client, Sponsor
from seqino.sandbox.world.records import Happening, Invoice, Notifying, Record
from seqino.sandbox.world.webhooks import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from seqino.sandbox.world import World

__all__ = ["Agenda", "News", "Recipients"]

Recipients = Callable[[str], Iterable[Client]]
"""Returns the clients that receive invoices for a SIREN: those with an active mandate."""

_TICK = timedelta.resolution
_Key = tuple[str, str, str, str]
_RECEIVED = ("InvoiceLifecycleStatus.RECEIVED_BY_PLATFORM", "InvoiceLifecycleStatus.MADE_AVAILABLE")
"""202 and 203: from the first of them on, the buyer's platform has the invoice."""


@attrs.frozen(eq=False)
class Incoming:
    """An invoice, as its buyer hears of it."""

    kind: ClassVar[str] = "incoming"

    invoice: Invoice

    @property
    def key(self) -> str:
        """Id of the invoice."""
        return self.invoice.key

    def happenings(self, after: datetime, until: datetime) -> list[Happening]:
        """Return its arrival, if that is later than ``after`` and not later than ``until``."""
        invoice = self.invoice
        data = {
            "invoice_id": invoice.invoice_id,
            "invoice_number": invoice.number,
            "buyer_siren": invoice.buyer,
        }
        return [Happening(at, "invoice.received", data) for at in self.moments(after) if at <= until]

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moment of its arrival, if that is later than ``after``."""
        before = self.invoice.deposited_at - _TICK
        arrivals = [
            one.at
            for moment in self.invoice.moments(before)[-1:]
            for one in self.invoice.happenings(before, moment)
            if one.data.get("status_code") in _RECEIVED
        ]
        return [moment for moment in arrivals[:1] if moment > after]


@attrs.frozen(eq=False)
class _Topic:
    """An object that belongs to a client, and what another one, or the same, hears of it."""

    owner: Client
    record: Record
    hearer: Client
    view: Notifying

    @property
    def key(self) -> _Key:
        """What tells it from all other topics."""
        return self.hearer.sponsor.sponsor_id, self.hearer.client_id, self.view.kind, self.view.key

    @property
    def is_there(self) -> bool:
        """Whether the object and both clients were not deleted."""
        held = self.owner.subjects(self.record.key)
        return _is_there(self.owner) and _is_there(self.hearer) and any(one is self.record for one in held)


@attrs.frozen(eq=False)
class News:
    """What a sponsor has to be told, oldest first."""

    sponsor: Sponsor
    webhook: Webhook
    happenings: list[tuple[Client, Happening]]


class Agenda:
    """Knows when there is something to tell; what concerns no webhook is left alone, and costs nothing.

    Args:
        world: Where the objects are.
        recipients: Finds the clients that receive invoices for a SIREN.
    """

    def __init__(self, world: World, recipients: Recipients) -> None:
        self._world = world
        self._recipients = recipients
        self.clear()

    def clear(self) -> None:
        """Forget every webhook."""
        self._watched: dict[str, Webhook] = {}
        self._heap: list[tuple[datetime, int, _Key]] = []
        self._planned: dict[_Key, tuple[datetime, _Topic]] = {}
        self._saved: dict[_Key, _Topic] = {}
        self._told: dict[str, dict[_Key, int]] = {}
        self._pushed = 0

    def watch(self, sponsor: Sponsor, webhook: Webhook) -> None:
        """Plan what objects have to tell to a webhook; all until ``told_until`` was told."""
        self._watched[sponsor.sponsor_id] = webhook
        told = self._told[sponsor.sponsor_id] = {}
        for topic in self._all_topics():
            if topic.hearer.sponsor is sponsor:
                until = webhook.told_until
                if count := len(topic.view.happenings(until - _TICK, until)):
                    told[topic.key] = count
                self._plan(topic, until)

    def saved(self, client: Client, record: Record) -> None:
        """Look at an object again: something may have happened to it, or will at other moments."""
        if self._watched:
            for topic in self._topics(client, record):
                self._saved[topic.key] = topic

    @property
    def next(self) -> datetime | None:
        """Moment at which something is to be told; ``None`` where none is known."""
        while self._heap:
            moment, _, key = self._heap[0]
            if key in self._planned and self._planned[key][0] == moment:
                return moment
            heapq.heappop(self._heap)  # planned anew since
        return None

    def tell(self, now: datetime) -> list[News]:
        """Return what is to be told until ``now``, this moment included, and count it as told."""
        topics = self._saved
        self._saved = {}
        while (moment := self.next) is not None and moment <= now:
            key = heapq.heappop(self._heap)[2]
            _, topic = self._planned.pop(key)
            topics.setdefault(key, topic)
        by_sponsor: dict[str, list[_Topic]] = {}
        for topic in topics.values():
            if topic.is_there:
                by_sponsor.setdefault(topic.hearer.sponsor.sponsor_id, []).append(topic)
        return [self._news(group, now) for group in by_sponsor.values()]

    def _news(self, topics: list[_Topic], now: datetime) -> News:
        sponsor = topics[0].hearer.sponsor
        webhook = self._watched[sponsor.sponsor_id]
        before = self._told[sponsor.sponsor_id]
        told = before if now == webhook.told_until else {}
        found: list[tuple[Client, Happening]] = []
        for topic in topics:
            happenings = topic.view.happenings(webhook.told_until - _TICK, now)
            found += [(topic.hearer, one) for one in happenings[before.get(topic.key, 0) :]]
            if count := sum(one.at == now for one in happenings):
                told[topic.key] = count
            self._plan(topic, now)
        webhook.told_until, self._told[sponsor.sponsor_id] = now, told
        found.sort(key=lambda one: one[1].at)
        return News(sponsor, webhook, found)

    def _plan(self, topic: _Topic, after: datetime) -> None:
        moments = topic.view.moments(after)
        if moments:
            self._pushed += 1
            self._planned[topic.key] = moments[0], topic
            heapq.heappush(self._heap, (moments[0], self._pushed, topic.key))
        else:
            self._planned.pop(topic.key, None)

    def _topics(self, client: Client, record: Record) -> Iterator[_Topic]:
        if client.sponsor.sponsor_id in self._watched and _notifies(record):
            yield _Topic(client, record, client, record)
        if isinstance(record, Invoice) and record.buyer is not None:
            for hearer in self._recipients(record.buyer):
                if hearer.sponsor.sponsor_id in self._watched:
                    yield _Topic(client, record, hearer, Incoming(record))

    def _all_topics(self) -> Iterator[_Topic]:
        for client in self._world.clients:
            for record in client.subjects():
                yield from self._topics(client, record)


def _is_there(client: Client) -> bool:
    return client.sponsor.clients.get(client.client_id) is client


def _notifies(record: Record) -> TypeGuard[Notifying]:
    return hasattr(record, "happenings")

"""Webhooks and what they are told: kept until it was taken, or given up. Nothing here knows HTTP."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

import attrs

from seqino.sandbox.clock import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seqino.sandbox.world import Sponsor, World
    from seqino.sandbox.world.records import Happening

__all__ = ["KEPT", "RETRIES", "AlreadyRegistered", "Attempt", "Delivery", "Outcome", "Webhook", "Webhooks"]

RETRIES = (1, 5, 30, 120, 600, 3600)
"""Seconds on the sandbox's clock from a failed attempt to the next; after the last an event is given up."""

KEPT = 10_000
"""Deliveries that are kept for a sponsor once they ended: a sandbox under load must not grow without end."""

Outcome = Literal["pending", "delivered", "given_up"]


@attrs.define(eq=False, kw_only=True)
class Webhook:
    """Where a sponsor is told what happens to its clients."""

    kind: ClassVar[str] = "webhook"

    webhook_id: str
    url: str
    events: list[str]
    """Types of event that it is told of."""
    secret: str = attrs.field(repr=False)
    created_at: datetime
    told_until: datetime
    """All that happened until then, this moment included, was turned into deliveries."""
    told: int = 0
    """Events turned into deliveries so far."""
    last_triggered_at: datetime | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.webhook_id


@attrs.frozen(kw_only=True)
class Attempt:
    """One try to deliver an event."""

    at: datetime
    """Moment on the sandbox's clock."""
    status: int | None
    """Status of the answer; ``None`` where there was none."""
    error: str | None
    """What went wrong, in words."""
    seconds: float
    """Real seconds that it took."""
    headers: dict[str, str]
    """Headers that were sent."""

    @property
    def has_succeeded(self) -> bool:
        """Whether the receiver took it: only a status 2xx says so."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110 §15.3


@attrs.define(eq=False, kw_only=True)
class Delivery:
    """An event on its way to a webhook: the same id and the same bytes at every attempt."""

    kind: ClassVar[str] = "delivery"

    event_id: str
    event_type: str
    number: int
    """Place among the events of its webhook, from 1 on."""
    sponsor_id: str
    client_id: str | None
    payload: bytes
    """The body, exactly as it is signed and sent."""
    due: datetime
    """Moment of the next attempt."""
    attempts: list[Attempt] = attrs.field(factory=list[Attempt])
    failures: int = 0
    """Failed attempts since it was last set out; they say how long the next one waits."""
    outcome: Outcome = "pending"

    @property
    def key(self) -> str:
        """Id of the event."""
        return self.event_id


class AlreadyRegistered(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The sponsor has a webhook, and it can have one only."""


class Webhooks:
    """Webhooks of a world, and what they are told.

    Args:
        world: Where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.watchers: list[Callable[[Sponsor, Webhook], None]] = []
        """Told of each webhook that was registered, and by whom."""

    def register(self, sponsor: Sponsor, url: str, events: Iterable[str]) -> Webhook:
        """Register the webhook of a sponsor; it is told what happens from now on.

        Raises:
            AlreadyRegistered: The sponsor has one.
        """
        if sponsor.webhook is not None:
            raise AlreadyRegistered(f"webhook {sponsor.webhook.webhook_id} is registered: a sponsor has one")
        world, now = self._world, self._world.clock.now()
        webhook = sponsor.webhook = Webhook(
            webhook_id=world.new_id("webhook"),
            url=url,
            events=list(events),
            # No id: whoever could work it out from the seed could sign.
            secret=secrets.token_hex(32),
            created_at=now,
            told_until=now,
        )
        world.save_for(sponsor, webhook)
        world.counters.webhooks_registered += 1
        for watcher in self.watchers:
            watcher(sponsor, webhook)
        return webhook

    def add(
        self, sponsor: Sponsor, webhook: Webhook, client_id: str | None, happening: Happening, due: datetime
    ) -> Delivery:
        """Turn something that happened into a delivery.

        Args:
            sponsor: Who is told.
            webhook: Where it is told.
            client_id: Client that it concerns.
            happening: What happened.
            due: Moment of the first attempt.
        """
        webhook.told += 1
        # Not drawn from the seed: receivers remember ids beyond a run, and drop an event that they saw.
        event_id = f"evt_{secrets.token_hex(8)}"
        # An amount is text, as everywhere in the API.
        envelope = {
            "event_id": event_id,
            "event_type": happening.event_type,
            "timestamp": stamp(happening.at),
            "sponsor_id": sponsor.sponsor_id,
            "client_id": client_id,
            "data": happening.data,
        }
        delivery = Delivery(
            event_id=event_id,
            event_type=happening.event_type,
            number=webhook.told,
            sponsor_id=sponsor.sponsor_id,
            client_id=client_id,
            payload=json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), default=str).encode(),
            due=due,
        )
        sponsor.deliveries[event_id] = delivery
        self._world.save_for(sponsor, webhook)
        self._world.save_for(sponsor, delivery)
        return delivery

    def note(
        self, sponsor: Sponsor, webhook: Webhook, delivery: Delivery, attempt: Attempt, *, repeat: bool
    ) -> None:
        """Write down what became of an attempt, and when the next one is due.

        Args:
            sponsor: Who is told.
            webhook: Where it is told.
            delivery: The event.
            attempt: What was tried.
            repeat: Whether to send once more what was taken for the first time.
        """
        is_first = not any(one.has_succeeded for one in delivery.attempts)
        delivery.attempts.append(attempt)
        webhook.last_triggered_at = attempt.at
        now = self._world.clock.now()
        if attempt.has_succeeded:
            self._world.counters.deliveries_succeeded += 1
            if repeat and is_first:
                delivery.due = now
            else:
                delivery.outcome = "delivered"
        elif delivery.failures < len(RETRIES):
            delivery.due = now + timedelta(seconds=RETRIES[delivery.failures])
            delivery.failures += 1
        else:
            delivery.outcome = "given_up"
        self._world.save_for(sponsor, webhook)
        self._world.save_for(sponsor, delivery)
        self._forget_old(sponsor)

    def give_up(self, sponsor: Sponsor, delivery: Delivery) -> None:
        """Send an event no more."""
        delivery.outcome = "given_up"
        self._world.save_for(sponsor, delivery)
        self._forget_old(sponsor)

    def set_out(self, sponsor: Sponsor, delivery: Delivery) -> None:
        """Send an event now, whatever became of it before; its attempts are counted afresh."""
        delivery.outcome, delivery.failures, delivery.due = "pending", 0, self._world.clock.now()
        self._world.save_for(sponsor, delivery)

    def _forget_old(self, sponsor: Sponsor) -> None:
        """Forget the oldest of what ended, once there is too much."""
        if len(sponsor.deliveries) > KEPT:
            old = next((one for one in sponsor.deliveries.values() if one.outcome != "pending"), None)
            if old is not None:
                del sponsor.deliveries[old.event_id]
                self._world.drop_for(sponsor, old)

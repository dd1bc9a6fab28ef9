"""Events on their way to webhooks, for real: due on the sandbox's clock, signed, tried again, given up.

Nothing polls: what happens next is known, and one timer waits for it; a step of the clock, a commit and the
end of an attempt make it look again.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.clock import LAST
from seqino.sandbox.deliveries.agenda import Agenda
from seqino.sandbox.deliveries.behaviour import Behaviour
from seqino.sandbox.deliveries.queue import Queue
from seqino.sandbox.deliveries.sending import Sender
from seqino.sandbox.world.records import Happening
from seqino.sandbox.world.webhooks import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from seqino.sandbox.deliveries.agenda import Recipients
    from seqino.sandbox.signing import Scheme
    from seqino.sandbox.world import Client, Sponsor, World
    from seqino.sandbox.world.webhooks import Delivery, Outcome, Webhook, Webhooks

__all__ = ["Behaviour", "Deliveries", "Limits"]

_LONGEST_TIMER = 3600.0
"""Seconds; a timer that is set for longer is set again."""

_EVIDENCE = ("draft_id", "invoice_id")
"""What ``invoice.created`` may say, and the platform perhaps does not: which draft became which invoice."""


@attrs.frozen(kw_only=True)
class Limits:
    """What a receiver is given, in real seconds and in numbers."""

    timeout: float = 10.0
    """Seconds in which it has to answer."""
    patience: float = 1.0
    """Seconds for which the next event waits for the answer to the one before, to keep their order."""
    at_once: int = 8
    """Attempts of one sponsor under way."""
    in_all: int = 32
    """Attempts of all sponsors under way."""


class Deliveries:
    """Tells webhooks what happens.

    Args:
        world: What happens, and its clock.
        webhooks: Who is told.
        scheme: How deliveries are signed.
        recipients: Finds the clients that receive invoices for a SIREN, to be told of ``invoice.received``.
        tells_drafts: Whether ``invoice.created`` says which draft became which invoice.
        limits: What a receiver is given.
    """

    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        scheme: Scheme,
        *,
        recipients: Recipients,
        tells_drafts: Callable[[], bool] = lambda: True,
        limits: Limits | None = None,
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._agenda = Agenda(world, self._receivers)
        self._sender = Sender(scheme)
        self._queues: dict[str, Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.Handle | None = None
        self._is_woken = False
        self.recipients: Recipients = recipients
        """Finds the clients that receive invoices for a SIREN."""
        self._tells_drafts = tells_drafts
        self.limits = limits or Limits()
        self.behaviour = Behaviour()
        """How deliveries misbehave; set another one, or ``Behaviour()`` to end it."""

    # --- What there is ---

    def list(self, outcome: Outcome | None = None) -> Sequence[Delivery]:
        """Return all deliveries, or those with an outcome: sponsor by sponsor, in the order of the events."""
        return [
            delivery
            for sponsor in self._world.sponsors
            for delivery in sorted(sponsor.deliveries.values(), key=lambda one: one.number)
            if outcome in (None, delivery.outcome)
        ]

    def find(self, event_id: str) -> Delivery:
        """Return the delivery of an event.

        Raises:
            LookupError: There is none.
        """
        return self._find(event_id)[1]

    async def settled(self) -> None:
        """Return once all that is due at the sandbox's present time was attempted, and nothing is under way.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        while True:
            if self._loop is None:
                raise RuntimeError("the sandbox is not running: nothing is delivered")
            self._step()
            if not self._tasks:
                return
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    # --- On request ---

    def send(
        self,
        event_type: str,
        data: dict[str, Any],
        *,
        client_id: str | None = None,
        sponsor_id: str | None = None,
    ) -> Sequence[Delivery]:
        """Send an event that did not happen, whatever types the webhooks chose.

        Args:
            event_type: Its type.
            data: What it says.
            client_id: Client that it names.
            sponsor_id: Whose webhook gets it; every webhook by default.

        Raises:
            LookupError: No such webhook is registered.
        """
        now = self._world.clock.now()
        sent = [
            self._add(sponsor, webhook, client_id, Happening(now, event_type, data))
            for sponsor in self._world.sponsors
            if (webhook := sponsor.webhook) is not None and sponsor_id in (None, sponsor.sponsor_id)
        ]
        if not sent:
            whose = f"{sponsor_id} has no webhook" if sponsor_id else "no sponsor has a webhook"
            raise LookupError(f"{whose}: register one with POST /webhooks")
        self._world.commit()
        return sent

    def redeliver(self, event_id: str) -> Delivery:
        """Send an event again now, whatever became of it; one that is under way is not sent twice.

        Raises:
            LookupError: There is no such event.
        """
        sponsor, delivery = self._find(event_id)
        self._webhooks.set_out(sponsor, delivery)
        self._push(sponsor, delivery)
        self._world.commit()
        return delivery

    # --- From start to stop ---

    def start(self) -> None:
        """Take up what is to be told and what was not delivered yet."""
        self._loop, self._is_woken = asyncio.get_running_loop(), False
        self._world.watchers.append(self._agenda.saved)
        self._world.before_commit.append(self._tell)
        self._world.before_reset.append(self._forget)
        self._world.clock.watchers.append(self._wake)
        self._webhooks.watchers.append(self._watch)
        for sponsor in self._world.sponsors:
            if sponsor.webhook is not None:
                self._watch(sponsor, sponsor.webhook)
        self._wake()

    async def stop(self) -> None:
        """End what is under way; it stays due, and is taken up by the next start. Twice is harmless."""
        if self._loop is None:
            return
        self._world.watchers.remove(self._agenda.saved)
        self._world.before_commit.remove(self._tell)
        self._world.before_reset.remove(self._forget)
        self._world.clock.watchers.remove(self._wake)
        self._webhooks.watchers.remove(self._watch)
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
        self._drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sender.close()

    def _forget(self) -> None:
        """Deliver nothing of what was, and behave."""
        self.behaviour = Behaviour()
        self._drop()

    def _drop(self) -> None:
        self._agenda.clear()
        self._queues.clear()
        for task in self._tasks:
            task.cancel()

    def _watch(self, sponsor: Sponsor, webhook: Webhook) -> None:
        queue = self._queues[sponsor.sponsor_id] = Queue(sponsor, webhook, self.limits.at_once)
        for delivery in sponsor.deliveries.values():
            if delivery.outcome == "pending":
                queue.push(delivery)
        self._agenda.watch(sponsor, webhook)

    def _receivers(self, siren: str) -> Iterable[Client]:
        return self.recipients(siren)

    # --- From what happened to an attempt ---

    def _tell(self) -> None:
        """Turn what happened until now into deliveries; they are committed with what made them happen."""
        told = self._agenda.tell(self._world.clock.now())
        for news in told:
            for client, happening in news.happenings:
                if happening.event_type in news.webhook.events:
                    self._add(news.sponsor, news.webhook, client.client_id, happening)
        if told:
            self._wake()

    def _add(
        self, sponsor: Sponsor, webhook: Webhook, client_id: str | None, happening: Happening
    ) -> Delivery:
        due = happening.at + timedelta(seconds=self.behaviour.delay)
        if happening.event_type == "invoice.created" and not self._tells_drafts():
            told = {name: one for name, one in happening.data.items() if name not in _EVIDENCE}
            happening = attrs.evolve(happening, data=told)
        delivery = self._webhooks.add(sponsor, webhook, client_id, happening, due)
        self._push(sponsor, delivery)
        return delivery

    def _push(self, sponsor: Sponsor, delivery: Delivery) -> None:
        queue = self._queues.get(sponsor.sponsor_id)
        if queue is not None:  # else it is taken up at the next start
            queue.push(delivery)
            self._wake()

    def _wake(self) -> None:
        """Look soon at what is due; a clock may be stepped from another thread."""
        if self._loop is not None and not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._step)

    def _step(self) -> None:
        """Tell what is to be told, start what is due, and wait for what comes next."""
        self._is_woken = False
        if self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._world.failure is not None:
            # What could not be kept is not told either: nobody would know of it after a restart.
            self._drop()
            return
        # One moment for all of it: what came due between two looks at a running clock would be waited for by
        # nobody.
        now = self._world.clock.now()
        moment = self._agenda.next
        if moment is not None and moment <= now:
            self._commit()
        self._launch(now)
        self._set_timer(self._loop, now)

    def _launch(self, now: datetime) -> None:
        dropped = False
        for queue in self._queues.values():
            while len(self._tasks) < self.limits.in_all:
                delivery = queue.take(now, latest=self.behaviour.out_of_order)
                if delivery is None:
                    break
                if self.behaviour.drop:
                    self._webhooks.give_up(queue.sponsor, delivery)
                    queue.ended(delivery)
                    dropped = True
                    continue
                task = asyncio.create_task(self._attempt(queue, delivery))
                self._tasks.add(task)
                task.add_done_callback(self._ended)
        if dropped:
            self._commit()

    def _set_timer(self, loop: asyncio.AbstractEventLoop, now: datetime) -> None:
        # What is due and was not started waits for the end of an attempt, which looks again.
        moments = [self._agenda.next, *(queue.next_due() for queue in self._queues.values())]
        # What is due after the clock's last moment never is.
        waits = [(one - now).total_seconds() for one in moments if one is not None and now < one <= LAST]
        speed = self._world.clock.speed
        if waits and speed:
            self._timer = loop.call_later(min(_LONGEST_TIMER, min(waits) / speed), self._step)

    async def _attempt(self, queue: Queue, delivery: Delivery) -> None:
        webhook, behaviour, loop = queue.webhook, self.behaviour, asyncio.get_running_loop()
        self._world.counters.deliveries_attempted += 1
        headers = self._sender.headers(webhook.secret, delivery.payload, behaviour)
        at, began = self._world.clock.now(), loop.time()
        patience = loop.call_later(self.limits.patience, self._go_on, queue, delivery)
        try:
            status, error = await self._sender.post(
                webhook.url, headers, delivery.payload, timeout=self.limits.timeout
            )
        finally:
            patience.cancel()
        attempt = Attempt(at=at, status=status, error=error, seconds=loop.time() - began, headers=headers)
        self._webhooks.note(queue.sponsor, webhook, delivery, attempt, repeat=behaviour.duplicate)
        queue.ended(delivery)
        self._commit()

    def _commit(self) -> None:
        try:
            self._world.commit()
        except OSError:
            # What cannot be kept is not delivered; requests are told why.
            self._drop()

    def _go_on(self, queue: Queue, delivery: Delivery) -> None:
        queue.go_on(delivery)
        self._step()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake()

    def _find(self, event_id: str) -> tuple[Sponsor, Delivery]:
        for sponsor in self._world.sponsors:
            delivery = sponsor.deliveries.get(event_id)
            if delivery is not None:
                return sponsor, delivery
        raise LookupError(f"there is no event {event_id}")

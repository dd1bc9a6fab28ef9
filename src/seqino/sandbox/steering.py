"""Steering invoices by hand: put an event on one, let it take another scenario, see where all are."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import LAST, stamp
from seqino.sandbox.courses import gone_on, objections, remaining, said, set_by, stopped, underway
from seqino.sandbox.lifecycle import Leg, event
from seqino.sandbox.lifecycle_rules import BUYER_SIDE, FAMILIES, SELLER_SIDE, STATUSES, progress
from seqino.sandbox.scenarios import SCENARIOS, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from seqino.sandbox.world import Client, World
    from seqino.sandbox.world.records import Invoice

__all__ = ["NotAllowed", "Steering", "UnknownInvoice"]

_OBJECTS = {family: about for about, family in FAMILIES.items()}


class NotAllowed(ValueError):  # noqa: N818 - an answer, not a fault of the sandbox
    """A rule of the reform forbids it; the message names the rule."""


class UnknownInvoice(LookupError):  # noqa: N818 - an answer, not a fault of the sandbox
    """No client has an invoice with this id."""


class Steering:
    """Acts on invoices as buyers, sellers and platforms would, whenever it is asked to.

    Whatever it does is judged by the reform's rules, so that a feed stays one that a platform could send;
    ``force`` leaves that out, to see what a client does with one that no platform should.

    >>> import asyncio
    >>> from seqino.sandbox import Sandbox
    >>> async def example() -> list[dict[str, Any]]:
    ...     async with Sandbox(speed=0, scenario="silent") as sandbox:
    ...         return sandbox.invoices.all()  # nothing was deposited yet
    >>> asyncio.run(example())
    []

    Args:
        world: Where the invoices are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[dict[str, Any]]:
        """Return every invoice of every client, in the order of their deposits: where it is and goes."""
        return [
            self._shown(client, invoice)
            for client in self._world.clients
            for invoice in client.invoices.values()
        ]

    def put(
        self,
        invoice_id: str,
        status: str,
        *,
        rejection_reason: str | None = None,
        reason: str | None = None,
        emitter: str | None = None,
        after: float = 0.0,
        force: bool = False,
    ) -> dict[str, Any]:
        """Put an event on an invoice; its scenario goes on as far as the event leaves that lawful.

        Once it is refused or rejected (210, 213), its scenario sets no other status of it.

        Args:
            invoice_id: The invoice.
            status: Name of the status, such as ``REFUSED``, or with its family, such as
                ``LifecycleStatusReporting.REJECTED``.
            rejection_reason: Reason code.
            reason: Comment.
            emitter: Who sets it; who usually does, where it is left out.
            after: Seconds of the sandbox's clock from now, 0 or more.
            force: Do it whatever the rules say.

        Returns:
            The event, as the API will answer it.

        Raises:
            UnknownInvoice: There is no such invoice.
            NotAllowed: A rule forbids it.
            ValueError: There is no such status, or ``after`` is out of its range.
        """
        client, invoice = self._find(invoice_id)
        about, name = _status(status)
        now = self._world.clock.now()
        at = _later(now, after)
        step = Step(
            after=0,
            status=name,
            emitter=emitter or _usual_emitter(about, name, set_by(invoice.course, at)),
            rejection_reason=rejection_reason,
            reason=reason,
            about=about,
        )
        leg = Leg((step,), at)
        if force:
            invoice.course = [*invoice.course, leg]
        else:
            self._refuse(objections(invoice.course, leg))
            invoice.course = gone_on(invoice.course, leg, now)
        self._save(client, invoice)
        return event(step, at, FAMILIES[about])

    def follow(self, invoice_id: str, scenario: str, *, force: bool = False) -> dict[str, Any]:
        """Let an invoice take another scenario from now on: steps not yet seen never happen.

        Only a status of transmission that a later one overtook on its way still arrives. What of the scenario
        the invoice has already is left out; the rest comes in the scenario's own pace.

        Args:
            invoice_id: The invoice.
            scenario: One of ``SCENARIOS``.
            force: Do it whatever the rules say.

        Returns:
            The invoice, as in ``all``.

        Raises:
            UnknownInvoice: There is no such invoice.
            NotAllowed: A rule forbids what would follow.
            ValueError: There is no such scenario.
        """
        client, invoice = self._find(invoice_id)
        if scenario not in SCENARIOS:
            raise ValueError(f"there is no scenario {scenario!r}; there are: {', '.join(SCENARIOS)}")
        now = self._world.clock.now()
        overtaken = underway(invoice.course, now)
        has = [*said(invoice.course, now), *(step for leg in overtaken for step in leg.steps)]
        course = [*overtaken, *stopped(invoice.course, now)]
        steps = SCENARIOS[scenario].steps_of(invoice.type_code, is_file=invoice.draft_id is None)
        leg = Leg(remaining(steps, has), now)
        if not force:
            self._refuse(objections(course, leg))
        invoice.course, invoice.scenario = [*course, leg], scenario
        self._save(client, invoice)
        return self._shown(client, invoice)

    def _find(self, invoice_id: str) -> tuple[Client, Invoice]:
        for client in self._world.clients:
            if invoice_id in client.invoices:
                return client, client.invoices[invoice_id]
        raise UnknownInvoice(f"invoice {invoice_id} does not exist")

    def _save(self, client: Client, invoice: Invoice) -> None:
        self._world.save(client, invoice)
        self._world.commit()

    @staticmethod
    def _refuse(broken: Iterable[str]) -> None:
        found = "; ".join(broken)
        if found:
            raise NotAllowed(f"{found}; force does it all the same")

    def _shown(self, client: Client, invoice: Invoice) -> dict[str, Any]:
        now = self._world.clock.now()
        seen, coming = invoice.events(now), invoice.moments(now)
        return {
            "invoice_id": invoice.invoice_id,
            "client_id": client.client_id,
            "number": invoice.number,
            "buyer": invoice.buyer,
            "scenario": invoice.scenario,
            "status": invoice.status(now),
            "last_status_code": seen[-1]["status_code"] if seen else None,
            "next_at": stamp(coming[0]) if coming else None,
        }


def _later(now: datetime, after: float) -> datetime:
    if not math.isfinite(after) or after < 0:
        raise ValueError(f"after is a number of seconds, 0 or more; this is {after!r}")
    if after > (LAST - now).total_seconds():
        raise ValueError(f"after: the clock ends with {stamp(LAST)}, which is before that")
    return now + timedelta(seconds=after)


def _status(text: str) -> tuple[str | None, str]:
    """Read the name of a status, with or without its family."""
    family, dot, name = text.rpartition(".")
    about = _OBJECTS.get(family) if dot else None
    if (dot and family not in _OBJECTS) or (about, name) not in STATUSES:
        known = ", ".join(FAMILIES[one] + "." + other if one else other for one, other in STATUSES)
        raise ValueError(f"an invoice has no status {text!r}; there are: {known}")
    return about, name


def _usual_emitter(about: str | None, name: str, before: Sequence[Step]) -> str:
    """Return who sets a status as a rule; a rejection comes from the platform that has the invoice."""
    if name == "REJECTED" and about is None:
        return BUYER_SIDE if progress(before) > 1 else SELLER_SIDE
    return STATUSES[about, name].emitters[0]

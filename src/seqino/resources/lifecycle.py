"""Lifecycle events: what happened to an invoice, or to another object, after it was submitted."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, overload

from seqino import statuses
from seqino._core.wire import UNSET, UnsetType
from seqino._generated import operations
from seqino.errors import (
    InvalidInput,
    NotFound,
    NotReached,
    WaitTimedOut,
)
from seqino.models import ObjectType
from seqino.pagination import Pager
from seqino.resources.base import TimedResource
from seqino.resources.conditions import Wanted
from seqino.resources.cursors import Polled, new_events
from seqino.resources.histories import AnyEvent, History, fetch_events
from seqino.resources.patience import PASSING, Patience, check_backoff, check_duration
from seqino.resources.rounds import Round
from seqino.resources.watching import InvoiceChange, Watched, moment
from seqino.statuses import Backoff, UnreadableEvent, Until, Watch, goal_of, local_state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
    from datetime import timedelta

    from seqino._core.wire import JSON, Caller
    from seqino.models import LifecycleEvent
    from seqino.options import CallOptions
    from seqino.resources.conditions import Condition
    from seqino.resources.names import ObjectTypeName
    from seqino.statuses import GoalName

__all__ = ["Lifecycle"]


class Lifecycle(TimedResource):
    """Events in the lives of invoices, mandates, directory entries and reports.

    Args:
        client: Performs the calls.
        runtime: Clock and pauses.
    """

    __slots__ = ()

    @overload
    def events(
        self,
        *,
        object_type: ObjectType | ObjectTypeName | None = None,
        object_id: str | UnsetType | None = UNSET,
        keep_unreadable: Literal[False] = False,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[LifecycleEvent]: ...

    @overload
    def events(
        self,
        *,
        object_type: ObjectType | ObjectTypeName | None = None,
        object_id: str | UnsetType | None = UNSET,
        keep_unreadable: Literal[True],
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[LifecycleEvent | UnreadableEvent]: ...

    def events(
        self,
        *,
        object_type: ObjectType | ObjectTypeName | None = None,
        object_id: str | UnsetType | None = UNSET,
        keep_unreadable: bool = False,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[LifecycleEvent] | Pager[LifecycleEvent | UnreadableEvent]:
        """List lifecycle events: all of a client, all of one kind of object, or those of one object.

        Events carry no id and may come late, twice and out of order; ``statuses.local_state`` reads them so.

        Args:
            object_type: Kind of object. With it, a status without a family (``DEPOSITED``, which is a
                status of three families) is given that of its kind.
            object_id: One object of that kind, such as an invoice id. ``None`` beside a type is refused: it
                is the id of an invoice whose id nobody knows yet, and no wish for the events of all of them.
            keep_unreadable: Give an event that cannot be read, too, as an ``UnreadableEvent`` in its place.
                Without it, one such event keeps the list from being read.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The events, fetched when it is read; as the platform orders them.

        Raises:
            InvalidInput: An id without a type, or an empty or absent one: the platform would answer for
                everything.
            CallError: While reading: a page could not be had; ``continuation`` says where to go on.
        """
        _check_object(object_type, object_id)

        def resolved(found: Sequence[AnyEvent]) -> Sequence[AnyEvent]:
            if object_type is not None:
                for event in found:
                    if not isinstance(event, UnreadableEvent):
                        event.status_code = statuses.resolve(event.status_code, object_type)
            return found

        def ask(caller: Caller) -> Awaitable[Sequence[AnyEvent]]:
            fetch = fetch_events if keep_unreadable else operations.get_lifecycle_events
            return fetch(
                caller,
                object_type=object_type,
                object_id=object_id or None,
                client_id=client_id,
                options=options,
            )

        return Pager[AnyEvent](self._client, ask, prepare=resolved)

    async def history(
        self,
        object_id: str,
        *,
        object_type: ObjectType | ObjectTypeName = ObjectType.INVOICE,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> History:
        """Return what happened to one object, in order, each event once.

        Args:
            object_id: The object, such as an invoice id.
            object_type: Kind of object.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its events, as a list; ``unreadable`` of it has what was sent as one and cannot be read.

        Raises:
            InvalidInput: The id is empty, or none; nothing was sent.
            CallError: The events could not be had. An object that is not shown has none, and is no error.
        """
        events = self.events(
            object_type=object_type,
            object_id=object_id,
            keep_unreadable=True,
            client_id=client_id,
            options=options,
        )
        return History.of(await events.to_list())

    async def wait_until(
        self,
        invoice_id: str,
        condition: Condition = "end",
        *,
        timeout: float,  # noqa: ASYNC109 - a look is ended by its own
        backoff: Backoff | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> History:
        """Wait until something is true of an invoice: look at once, then ever more seldom.

        Args:
            invoice_id: The invoice. One that the platform does not know yet has no events.
            condition: A name, or some of which one is enough: ``"delivered"`` (203, or the buyer has set a
                status, or paid), ``"approved"`` (205, and what the buyer said since leaves it so),
                ``"settled"``, ``"dead"``, ``"not delivered"``, ``"duplicate"``, or ``"end"`` (any of these
                four). Or a plain function of all events known, in order.
            timeout: Seconds for all of it; ``math.inf`` waits for ever. The last look begins a second before
                they are over.
            backoff: How the pauses grow; from a minute to six hours where it is left out.
            client_id: On whose behalf; the client's own where it is left out.
            options: What each look does otherwise than the client.

        Returns:
            All events known, in order, each once; ``unreadable`` of it has what came and cannot be read.

        Raises:
            WaitTimedOut: It did not come true in time; ``history`` has what happened instead, and the cause
                is how the last look failed, if it did.
            NotReached: What is waited for by name cannot follow any more: the invoice is settled, dead or a
                duplicate, or its buyer has no platform, and cannot answer.
            InvalidInput: The condition, the timeout or the id is none.
            CallError: A look failed for a reason that does not pass.
        """
        wanted = Wanted.of(condition)
        patience = Patience(
            self._runtime,
            self._client,
            timeout=timeout,
            backoff=check_backoff(backoff, default=Backoff()),
            options=options,
        )
        known = History()
        while True:
            failure, told, found = None, 0.0, History()
            try:
                found = await self._look(invoice_id, client_id, patience.options)
            except PASSING as error:
                failure, told = error, error.retry_after or 0.0
            before, known = len(known), known.joined(found)
            if wanted.holds(known):
                return known
            state = local_state(known) or "without any event"
            if wanted.is_ruled_out(known):
                raise NotReached(
                    f"{invoice_id} is {state}: {wanted.text!r} cannot follow that",
                    object_id=invoice_id,
                    history=known,
                    unreadable=known.unreadable,
                )
            if patience.is_over:
                raise WaitTimedOut(
                    f"{invoice_id} is {state} after {timeout:g} s of waiting for {wanted.text!r}; what "
                    "happened is the error's history. Wait again, or let a webhook tell",
                    object_id=invoice_id,
                    history=known,
                    unreadable=known.unreadable,
                ) from failure
            await patience.pause(news=len(known) > before, told=told)

    async def _look(self, invoice_id: str, client_id: str | None, options: CallOptions | None) -> History:
        try:
            return await self.history(invoice_id, client_id=client_id, options=options)
        except NotFound:
            # Lists may be behind what was just accepted.
            return History()

    async def watch(
        self,
        *invoice_ids: str,
        until: Until | GoalName = Until.END,
        max_age: timedelta | None = None,
        backoff: Backoff | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> AsyncGenerator[InvoiceChange, None]:
        """Yield what happens to some invoices, until all of them are at an end.

        Each is looked at at once, then ever more seldom while nothing happens: one request a look, a few
        looks at a time. What keeps one from being looked at is yielded as its ``error``, and keeps no other;
        nor does a look that hangs. An event that cannot be read is told once, as ``unreadable``.

        Args:
            invoice_ids: The invoices.
            until: What they are followed to: ``"end"``, or ``"approved"`` too.
            max_age: For how long at most; it is over as ``EXPIRED`` then. ``None`` sets no end.
            backoff: How the pauses grow; from a minute to six hours where it is left out.
            client_id: On whose behalf; the client's own where it is left out.
            options: What each look does otherwise than the client.

        Raises:
            InvalidInput: An id is empty, or ``until`` is none of the goals; nothing was sent.
            AuthenticationFailed: The key is wrong, for all of them.
            InsecureConnection: No call is possible, for none of them.
        """
        goal, pauses = goal_of(until), check_backoff(backoff, default=Backoff())
        if max_age is not None:
            check_duration("max_age", max_age)
        if not all(invoice_ids):
            raise InvalidInput(
                "an invoice id is empty: an invoice that was accepted without one has none yet"
            )
        began = moment(self._runtime.monotonic())
        watched = [
            Watched(
                invoice_id=invoice_id,
                watch=Watch(since=began),
                until=goal,
                max_age=max_age,
                backoff=pauses,
                spread=self._runtime.uniform(0.0, 1.0),
            )
            for invoice_id in dict.fromkeys(invoice_ids)
        ]
        looks = Round(self._runtime, lambda invoice_id: self._look(invoice_id, client_id, options))
        async with aclosing(looks.changes(watched)) as changes:
            async for change in changes:
                yield change

    async def poll(
        self,
        cursor: Mapping[str, JSON] | None = None,
        *,
        object_type: ObjectType | ObjectTypeName | None = None,
        object_id: str | UnsetType | None = UNSET,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Polled:
        """Return the events that were not there at the poll before, without a gap.

        Store ``events`` and ``unreadable`` first, and ``cursor`` after them: whoever is interrupted in
        between is told the same again, and misses nothing. What cannot be read keeps nothing back: it is
        told once, like an event. The platform sends the whole list each time, since it knows no "since".
        Events of several objects do not say of which they are, and two that look alike are counted as two:
        what appears means no more than that something happened. With an ``object_id`` they are that object's.

        Args:
            cursor: ``cursor`` of the poll before; ``None`` for all that is there.
            object_type: As for ``events``.
            object_id: As for ``events``.
            client_id: As for ``events``.
            options: As for ``events``.

        Returns:
            What is new, and the ``cursor`` for the next poll.

        Raises:
            InvalidInput: The cursor is none, or is of another list.
            CallError: The list could not be had; the cursor stays good.
        """
        scope = {
            "server": self._client.base_url,
            "client_id": client_id or self._client.client_id,
            "object_type": None if object_type is None else str(object_type),
            "object_id": object_id if isinstance(object_id, str) else None,
        }
        # A cursor that cannot be used costs no request.
        new_events(cursor, [], scope=scope, of_one_object=True)
        events = self.events(
            object_type=object_type,
            object_id=object_id,
            keep_unreadable=True,
            client_id=client_id,
            options=options,
        )
        return new_events(
            cursor, await events.to_list(), scope=scope, of_one_object=isinstance(object_id, str)
        )


def _check_object(object_type: str | None, object_id: str | UnsetType | None) -> None:
    if object_type is None and object_id not in (UNSET, None):
        raise InvalidInput("object_id needs object_type beside it, such as 'invoice'")
    if object_type is not None and object_id is None:
        raise InvalidInput(
            f"object_id is None beside object_type={str(object_type)!r}: leave it out to list the events "
            "of all; an invoice that was accepted without an id has none to ask for yet"
        )
    if object_id == "" or object_type == "":
        raise InvalidInput("object_type and object_id must not be empty: leave them out to list everything")

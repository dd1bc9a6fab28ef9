"""Lifecycle events: what happened to an invoice, or to another object, after it was submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino import statuses
from seqino._core.wire import UNSET, UnsetType
from seqino._generated import operations
from seqino.errors import InvalidInput
from seqino.pagination import Pager
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.models import LifecycleEvent, ObjectType
    from seqino.options import CallOptions

__all__ = ["Lifecycle"]


class Lifecycle(Resource):
    """Events in the lives of invoices, mandates, directory entries and reports."""

    __slots__ = ()

    def events(
        self,
        *,
        object_type: ObjectType | str | None = None,
        object_id: str | UnsetType | None = UNSET,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Pager[LifecycleEvent]:
        """List lifecycle events: all of a client, all of one kind of object, or those of one object.

        Events carry no id and may come late, twice and out of order; ``statuses.local_state`` reads them so.

        Args:
            object_type: Kind of object. With it, a status without a family (``DEPOSITED``, which is a
                status of three families) is given that of its kind.
            object_id: One object of that kind, such as an invoice id. ``None`` beside a type is refused: it
                is the id of an invoice whose id nobody knows yet, and no wish for the events of all of them.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Raises:
            InvalidInput: An id without a type, or an empty or absent one: the platform would answer for
                everything.
        """
        if object_type is None and object_id not in (UNSET, None):
            raise InvalidInput("object_id needs object_type beside it, such as 'invoice'")
        if object_type is not None and object_id is None:
            raise InvalidInput(
                f"object_id is None beside object_type={str(object_type)!r}: leave it out to list the events "
                "of all; an invoice that was accepted without an id has none to ask for yet"
            )
        if object_id == "" or object_type == "":
            raise InvalidInput(
                "object_type and object_id must not be empty: leave them out to list everything"
            )

        def resolved(events: Sequence[LifecycleEvent]) -> Sequence[LifecycleEvent]:
            if object_type is not None:
                for event in events:
                    event.status_code = statuses.resolve(event.status_code, object_type)
            return events

        return Pager(
            self._client,
            lambda caller: operations.get_lifecycle_events(
                caller,
                object_type=object_type,
                object_id=object_id or None,
                client_id=client_id,
                options=options,
            ),
            prepare=resolved,
        )

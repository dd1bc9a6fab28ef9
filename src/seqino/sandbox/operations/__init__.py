"""What each operation does to the world, once its request is judged: one file for each tag of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.operations.base import Answer, Call, InvoiceData, Upload
from seqino.sandbox.operations.clients import ClientOperations
from seqino.sandbox.operations.drafts import DraftOperations
from seqino.sandbox.operations.invoicing import InvoicingOperations
from seqino.sandbox.operations.lifecycle import LifecycleOperations

if TYPE_CHECKING:
    from seqino.sandbox.description import Description
    from seqino.sandbox.operations.base import Play
    from seqino.sandbox.world import World
    from seqino.sandbox.world.invoices import Invoices

__all__ = ["Answer", "Call", "Operations", "Upload"]


class Operations:
    """The operations that the sandbox plays, by method and path template.

    Args:
        world: What they act on.
        invoices: Its drafts and invoices.
        description: Where the fields of an invoice stand.
        show_inferred: Whether answers carry what no public page shows.
    """

    def __init__(
        self, world: World, invoices: Invoices, description: Description, *, show_inferred: bool = True
    ) -> None:
        data = InvoiceData(description, show_inferred=show_inferred)
        self.table: dict[str, Play] = {
            **ClientOperations(world).table,
            **DraftOperations(invoices, data).table,
            **InvoicingOperations(world, invoices, data).table,
            **LifecycleOperations(world).table,
        }

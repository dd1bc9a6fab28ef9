"""What each operation does to the world, once its request is judged: one file for each tag of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.operations.base import Answer, Call, InvoiceData, Upload
from seqino.sandbox.operations.clients import ClientOperations
from seqino.sandbox.operations.directory import DirectoryOperations
from seqino.sandbox.operations.drafts import DraftOperations
from seqino.sandbox.operations.invoicing import InvoicingOperations
from seqino.sandbox.operations.lifecycle import LifecycleOperations
from seqino.sandbox.operations.mandates import MandateOperations
from seqino.sandbox.operations.reporting import ReportingOperations
from seqino.sandbox.operations.settings import SettingsOperations
from seqino.sandbox.operations.usage import UsageOperations
from seqino.sandbox.operations.webhooks import WebhookOperations
from seqino.sandbox.world.mandates import Mandates
from seqino.sandbox.world.onboarding import Onboardings
from seqino.sandbox.world.reports import Reports
from seqino.sandbox.world.settings import Settings

if TYPE_CHECKING:
    from seqino.sandbox.catalogue import Catalogue
    from seqino.sandbox.description import Description
    from seqino.sandbox.limits import Limits
    from seqino.sandbox.operations.base import Play
    from seqino.sandbox.world import World
    from seqino.sandbox.world.invoices import Invoices
    from seqino.sandbox.world.webhooks import Webhooks

__all__ = ["Answer", "Call", "Operations", "Upload"]


class Operations:
    """The operations that the sandbox plays, by method and path template.

    Args:
        world: What they act on.
        invoices: Its drafts and invoices.
        webhooks: Its webhooks.
        catalogue: The types of event that they can be told of.
        description: Where the fields of an invoice stand.
        limits: What limits a client is told.
        show_inferred: Whether answers carry what no public page shows.
    """

    def __init__(
        self,
        world: World,
        invoices: Invoices,
        webhooks: Webhooks,
        catalogue: Catalogue,
        description: Description,
        *,
        limits: Limits,
        show_inferred: bool = True,
    ) -> None:
        self.data = data = InvoiceData(description, show_inferred=show_inferred)
        """How they read and show invoice data."""
        mandates = Mandates(world)
        self.table: dict[str, Play] = {
            **ClientOperations(world, Onboardings(world, mandates)).table,
            **DirectoryOperations(world).table,
            **DraftOperations(invoices, data).table,
            **InvoicingOperations(world, invoices, data).table,
            **LifecycleOperations(world).table,
            **MandateOperations(world, mandates).table,
            **ReportingOperations(Reports(world), data, description).table,
            **SettingsOperations(Settings(world)).table,
            **WebhookOperations(webhooks, catalogue).table,
            **UsageOperations(world, limits).table,
        }

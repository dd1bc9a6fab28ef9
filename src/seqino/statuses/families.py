"""Kinds of object that have a lifecycle, its phases, and who sets a status. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Family", "Party", "Phase"]


class Family(StrEnum):
    """Kinds of object that have a lifecycle, named as the status values on the wire name them.

    That each family of the tax portal (DSE v3.1 §3.4.4-3.7.10) has one object type of the API is inferred;
    every family has its counterpart.
    """

    INVOICE = "InvoiceLifecycleStatus"
    """An invoice, structured or exempt (flows 2 and 3)."""
    REGULATORY_DATA = "RegulatoryDataStatus"
    """Regulatory data of an invoice (flow 1)."""
    FLOW = "FlowStatus"
    """An envelope of any kind."""
    DIRECTORY_ENTRY = "DirectoryEntryStatus"
    """A line of the directory (flow 13)."""
    TRANSACTION_DATA = "TransactionDataStatus"
    """Transaction or payment data (flow 10)."""
    LIFECYCLE_STATUS = "LifecycleStatusReporting"
    """A mandatory status reported to the portal (flow 6); silence means that it was taken."""
    MANDATE = "MandateLifecycleStatus"
    """A mandate: the platform's own, unknown to the portal."""

    @property
    def object_type(self) -> str:
        """The value of ``object_type`` that selects this family's events."""
        return self.name.lower()

    @classmethod
    def of(cls, object_type: str) -> Family | None:
        """Return the family of an object type of the API, ``None`` for one that is not known here."""
        return cls.__members__.get(object_type.upper()) if object_type == object_type.lower() else None


class Phase(StrEnum):
    """The two phases of an invoice's life (XP Z12-014 Annex A V1.3 §2.1)."""

    TRANSMISSION = "transmission"
    """Between platforms; these statuses come in order (acknowledgement type 305)."""
    TREATMENT = "treatment"
    """Between buyer and seller; these "can be set independently" (acknowledgement type 23)."""


class Party(StrEnum):
    """Who sets a status."""

    SELLER = "seller"
    BUYER = "buyer"
    SELLER_PLATFORM = "seller_platform"
    """The platform that issues (PA-E, formerly PDPE)."""
    BUYER_PLATFORM = "buyer_platform"
    """The platform that receives (PA-R, formerly PDPR)."""
    PORTAL = "portal"
    """The public portal (PPF)."""
    APPROVER = "approver"
    """Who stamps an invoice in co-contracting."""
    FACTOR = "factor"
    """The factoring company."""

    @classmethod
    def of(cls, emitter: str) -> Party | None:
        """Return the platform or portal that the ``emitter`` of an event names.

        It is free text, and platforms were renamed (PDP became PA in 2025), so that both names are read. It
        tells who sent an event, not who decided: what the buyer decides comes from its platform.

        Args:
            emitter: Such as ``PDPE``, ``PA-R`` or ``PPF``.

        Returns:
            One of the platforms or the portal; ``None`` for a text that names none.
        """
        return _EMITTERS.get(re.sub(r"[^A-Z]", "", emitter.upper()))


_EMITTERS = {
    **dict.fromkeys(("PDPE", "PAE"), Party.SELLER_PLATFORM),
    **dict.fromkeys(("PDPR", "PAR"), Party.BUYER_PLATFORM),
    "PPF": Party.PORTAL,
}

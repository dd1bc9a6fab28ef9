"""What happened, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Counters"]


@attrs.define
class Counters:
    """Effects counted since the start, so that a test can assert that exactly one happened.

    ``files_taken + drafts_validated == invoices_created + duplicates`` always holds.
    """

    requests: int = 0
    """API requests answered, refused ones included; the control API does not count."""
    clients_created: int = 0
    drafts_created: int = 0
    drafts_updated: int = 0
    drafts_deleted: int = 0
    drafts_validated: int = 0
    files_taken: int = 0
    """Files answered with 201, duplicates included."""
    invoices_created: int = 0
    """Invoices with a number of their own."""
    duplicates: int = 0
    """Files whose number their seller had already used in the year (DOUBLON)."""
    same_content: int = 0
    """Drafts validated although an equal draft of the client was before: perhaps one invoice issued twice."""
    mandates_created: int = 0
    """Each of a batch counts."""
    mandates_revoked: int = 0
    onboarding_links_created: int = 0
    exempt_invoices_reported: int = 0
    b2c_transactions_reported: int = 0
    """Aggregates, whatever they count."""
    payments_recorded: int = 0
    settings_saved: int = 0
    faults: int = 0
    """Faults played on request."""
    faults_by_name: dict[str, int] = attrs.field(factory=dict[str, int])
    """The same by name, with its moment, such as ``reset-after``."""
    webhooks_registered: int = 0
    deliveries_attempted: int = 0
    """Attempts to deliver an event to a webhook, repeated ones included."""
    deliveries_succeeded: int = 0
    """Attempts that were answered with 2xx."""

    def as_dict(self) -> dict[str, Any]:
        """Return the counters by name."""
        return attrs.asdict(self)

    def restore(self, counted: Mapping[str, Any]) -> None:
        """Go on from what was counted before; what was not counted then starts at zero."""
        fresh = Counters()
        for field in attrs.fields(Counters):
            setattr(self, field.name, counted.get(field.name, getattr(fresh, field.name)))

    def reset(self) -> None:
        """Count from zero."""
        self.restore({})

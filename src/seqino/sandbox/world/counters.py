"""What happened, counted."""

from __future__ import annotations

import attrs

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
    faults: int = 0
    """Faults played on request."""

    def as_dict(self) -> dict[str, int]:
        """Return the counters by name."""
        return attrs.asdict(self)

    def reset(self) -> None:
        """Count from zero."""
        for field in attrs.fields(Counters):
            setattr(self, field.name, 0)

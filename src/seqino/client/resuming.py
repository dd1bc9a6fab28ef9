"""What may become of a call that ended in doubt."""

from __future__ import annotations

from typing import TypeAlias

from seqino.models import Client, Mandate, PdpClientCreated, WebhookCreated
from seqino.submission import Submission

__all__ = ["Resumed"]

Resumed: TypeAlias = Submission | Client | PdpClientCreated | Mandate | list[Mandate] | WebhookCreated
"""An invoice, or what an operation was to make that can be looked for by its key."""

"""How a client used the API, as records: calls by day and endpoint, and calls in the window of a limit."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

import attrs

__all__ = ["Gauge", "Tally"]


@attrs.define(eq=False, kw_only=True)
class Tally:
    """A client's calls of one endpoint with one method on one day (UTC)."""

    kind: ClassVar[str] = "tally"

    day: date
    method: str
    endpoint: str
    """Path template, such as ``/drafts/{draft_id}``."""
    calls: int = 0
    successes: int = 0
    """Calls answered with 2xx."""
    seconds: float = 0.0
    """Real time that they took, all together."""

    @property
    def key(self) -> str:
        """Day, method and endpoint."""
        return f"{self.day} {self.method} {self.endpoint}"


@attrs.define(eq=False, kw_only=True)
class Gauge:
    """A client's calls since the present window of a limit began."""

    kind: ClassVar[str] = "gauge"

    per: str
    """What the limit is for: ``minute``, ``hour``, ``day`` or ``month``."""
    endpoint: str | None
    since: datetime
    calls: int = 0

    @property
    def key(self) -> str:
        """Length of the window and endpoint."""
        return f"{self.per} {self.endpoint or ''}"

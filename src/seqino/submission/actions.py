"""What a submission asks of whoever drives it: its actions, its way, and how patient it is. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import attrs

from seqino.submission.evidence import Verdict

__all__ = ["Action", "Commit", "Create", "Done", "Look", "Policy", "Replace", "Route", "Send", "Validate"]


class Route(StrEnum):
    """The way an invoice takes."""

    DRAFT = "draft"
    """Created as a draft, then validated: sent once, whatever happens."""
    FILE = "file"
    """Uploaded as a file: sent once, but an unclear end stays unclear, since no file can be looked up."""


@attrs.frozen
class Create:
    """Create a draft."""


@attrs.frozen
class Commit:
    """Keep the id of the draft as durably as the caller needs, before it is validated."""

    draft_id: str


@attrs.frozen
class Validate:
    """Validate this draft, once."""

    draft_id: str


@attrs.frozen
class Replace:
    """Give this draft the content that is to become the invoice: it may hold another one."""

    draft_id: str


@attrs.frozen
class Send:
    """Upload the file, once."""


@attrs.frozen
class Look:
    """Read this draft, not before ``at`` on the driver's clock."""

    draft_id: str
    at: float


@attrs.frozen(kw_only=True)
class Done:
    """Nothing more to do."""

    verdict: Verdict
    invoice_id: str | None = None
    invoice_number: str | None = None


Action: TypeAlias = Create | Commit | Replace | Validate | Send | Look | Done


@attrs.frozen(kw_only=True)
class Policy:
    """How long and how often; times in seconds.

    Args:
        settle: How long after the last possible send something of ours may still be under way.
        looks: Pauses before the looks; the last one is repeated.
        revalidate: Whether a draft of which nobody can tell may be validated again after ``settle``: only
            where the server is known to refuse a second validation.
    """

    settle: float = 30.0
    looks: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0)
    revalidate: bool = False

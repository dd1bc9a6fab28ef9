"""What becomes of a mandate and of its directory line, as data: the one table of outcomes and magic SIRENs.

The platform takes a mandate as ``processing`` and settles it by itself; delays are seconds on the sandbox's
clock. The line goes to the national directory (PPF), which accepts it (400) or rejects it (401; DSE v3.1
§3.5.7).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from seqino.sandbox.lifecycle_rules import PORTAL
from seqino.sandbox.scenarios import SELLER_SIDE, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EXPIRED", "MAGIC_MANDATES", "OPENED", "OUTCOMES", "Outcome", "moved_to"]


@attrs.frozen(kw_only=True)
class Outcome:
    """A way in which a mandate ends up, some seconds after it was created."""

    name: str
    """The status in which it ends up."""
    summary: str
    mandate: tuple[Step, ...] = ()
    """Statuses of the mandate; the name of each is the API's own in capitals."""
    line: tuple[Step, ...] = ()
    """Statuses of its directory line."""


OPENED = (
    Step(after=0, status="CREATED", emitter=SELLER_SIDE),
    Step(after=0, status="PROCESSING", emitter=SELLER_SIDE),
)
"""How every mandate begins."""

EXPIRED = Step(after=0, status="EXPIRED", emitter=SELLER_SIDE)
"""Its end date has passed."""

_CAUSE = "L'annuaire refuse la ligne : le déclarant n'est pas habilité pour ce SIREN."


def _mandate(after: float, status: str, cause: str | None = None) -> Step:
    return Step(after=after, status=status, emitter=SELLER_SIDE, reason=cause)


def _accepted(after: float) -> Step:
    return Step(after=after, status="ACCEPTED", emitter=PORTAL)


def _rejected(after: float, cause: str) -> Step:
    return Step(after=after, status="REJECTED", emitter=PORTAL, rejection_reason="REJ_HAB", reason=cause)


_ALL = (
    Outcome(
        name="active",
        summary="active after 3 seconds, its line in the directory after 2",
        mandate=(_mandate(3, "ACTIVE"),),
        line=(_accepted(2),),
    ),
    Outcome(
        name="pending_kyc",
        summary="waits for the identity verification of an onboarding link, for good where none is completed",
        mandate=(_mandate(1, "PENDING_KYC"),),
    ),
    Outcome(
        name="error",
        summary="refused by the directory: its line is rejected after 2 seconds, the mandate fails after 3",
        mandate=(_mandate(3, "ERROR", _CAUSE),),
        line=(_rejected(2, _CAUSE),),
    ),
    Outcome(name="processing", summary="stays in processing for good"),
)

OUTCOMES: Mapping[str, Outcome] = MappingProxyType({outcome.name: outcome for outcome in _ALL})
"""Outcomes by name; a mandate becomes ``active`` unless its SIREN is a magic one."""

MAGIC_MANDATES: Mapping[str, str] = MappingProxyType(
    {
        "999991003": "active",
        "999991011": "pending_kyc",
        "999991029": "error",
        "999991037": "processing",
    }
)
"""Outcome by the SIREN of the mandate's directory entry. The numbers pass Luhn's check."""


def moved_to(status: str, cause: str | None = None) -> Outcome:
    """Return the outcome that brings a mandate into a status at once.

    Args:
        status: ``active``, ``pending_kyc``, ``error`` or ``expired``.
        cause: Why it is in error; ours by default.

    Raises:
        ValueError: A mandate cannot be moved to that status.
    """
    line: tuple[Step, ...] = ()
    if status == "active":
        line = (_accepted(0),)
    elif status == "error":
        cause = cause or _CAUSE
        line = (_rejected(0, cause),)
    elif status not in ("pending_kyc", "expired"):
        raise ValueError(
            f"a mandate cannot be moved to {status!r}; it can to active, pending_kyc, error and expired"
        )
    steps = (_mandate(0, status.upper(), cause if status == "error" else None),)
    return Outcome(name=status, summary="moved by the control API", mandate=steps, line=line)

"""Where its events leave an invoice. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from seqino.statuses.events import in_order, invoice_number_of, is_duplicate_refusal, was_not_transmitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino.statuses.events import StatusEvent

__all__ = ["LocalState", "local_state"]


class LocalState(StrEnum):
    """Where the events seen so far leave an invoice."""

    IN_TRANSIT = "in_transit"
    """With the platforms (200 to 203)."""
    AWAITING_BUYER = "awaiting_buyer"
    """With the buyer, undecided (204, 207, 208, 209)."""
    ACCEPTED = "accepted"
    """Approved, at least in part (205, 206)."""
    SETTLED = "settled"
    """Payment received (212). Events carry no amount, so that the first payment settles."""
    DEAD = "dead"
    """Refused, rejected or cancelled (210, 213, 220)."""
    NOT_DELIVERED = "not_delivered"
    """Issued, but the buyer has no platform, or could not be reached (200 with NON_TRANSMISE, 221).

    No failure: the invoice is legally issued, and the seller hands over a copy by other means.
    """
    DUPLICATE = "duplicate"
    """This delivery was refused (213 with DOUBLON): the network holds the invoice already, of another one,
    which keeps its state."""
    EXPIRED = "expired"
    """Followed for as long as was asked, and not at an end. No event says so: see ``following``."""

    @property
    def ends_following(self) -> bool:
        """Whether following an invoice ends here."""
        return self in _ENDS


_ENDS = frozenset(
    {
        LocalState.SETTLED,
        LocalState.DEAD,
        LocalState.NOT_DELIVERED,
        LocalState.DUPLICATE,
        LocalState.EXPIRED,
    }
)
_BEFORE_DELIVERY = frozenset({200, 201, 202, 213})
"""What a delivery gets that is refused as a duplicate: it is on its way, or at the buyer's platform."""
_FINAL = {
    210: LocalState.DEAD,
    212: LocalState.SETTLED,
    213: LocalState.DEAD,
    220: LocalState.DEAD,
}
_TREATMENT = {
    204: LocalState.AWAITING_BUYER,
    205: LocalState.ACCEPTED,
    206: LocalState.ACCEPTED,
    207: LocalState.AWAITING_BUYER,
    208: LocalState.AWAITING_BUYER,
    209: LocalState.AWAITING_BUYER,
}
_TRANSMISSION = {
    200: LocalState.IN_TRANSIT,
    201: LocalState.IN_TRANSIT,
    202: LocalState.IN_TRANSIT,
    203: LocalState.IN_TRANSIT,
    221: LocalState.NOT_DELIVERED,
}


def local_state(events: Iterable[StatusEvent]) -> LocalState | None:
    """Tell where the events of one invoice leave it.

    Events may come late, twice and out of order, from two platforms and the portal; they are read in the
    order of their timestamps, then numbers. No order between statuses is demanded, since treatment statuses
    "can be set independently" (XP Z12-014 Annex A §2.1), except that the first end stays: after a refusal or
    a rejection no other mandatory status may follow (§2.5).

    A 213 with DOUBLON refuses one delivery of an invoice that the network holds, and never its invoice. Where
    nothing else shows that what these events are of lives (203 or later, an answer, 221, NON_TRANSMISE),
    before or after it, they are of that delivery: a duplicate. Else they are of the invoice that is held, and
    leave it as if there were no such event.

    Args:
        events: All events known of one invoice, in any order. A status without a family is taken for one of
            an invoice; statuses of other families, and unknown ones, are passed over.

    Returns:
        The state, or ``None`` where no event tells one.
    """
    transmission: LocalState | None = None
    treatment: LocalState | None = None
    is_refused, lives = False, False
    for event in in_order(events):
        number = invoice_number_of(event)
        is_refused |= is_duplicate_refusal(event)
        lives |= was_not_transmitted(event) or (number is not None and number not in _BEFORE_DELIVERY)
        if number in _FINAL and not is_duplicate_refusal(event):
            return _FINAL[number]
        if number in _TREATMENT:
            treatment = _TREATMENT[number]
        elif was_not_transmitted(event):
            transmission = LocalState.NOT_DELIVERED
        elif number in _TRANSMISSION:
            transmission = _TRANSMISSION[number]
    if is_refused and not lives:
        return LocalState.DUPLICATE
    # What the buyer did outweighs a transmission status that a platform with a slow clock dates later.
    return treatment or transmission

"""What networks and buyers do with an invoice, as data: the one table of scenarios and of magic buyers.

Delays are seconds on the sandbox's clock; what each status demands stands in ``lifecycle_rules``.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from seqino.sandbox.lifecycle_rules import BUYER_SIDE, SELLER_SIDE
from seqino.sandbox.scenarios.buyers import BUYERS
from seqino.sandbox.scenarios.networks import DUPLICATE, NETWORKS, UNSOUND
from seqino.sandbox.scenarios.steps import Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BUYER_SIDE",
    "DUPLICATE",
    "MAGIC_BUYERS",
    "SCENARIOS",
    "SELLER_SIDE",
    "UNSOUND",
    "Scenario",
    "Step",
]

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({one.name: one for one in (*BUYERS, *NETWORKS)})
"""Scenarios by name."""

MAGIC_BUYERS: Mapping[str, str] = MappingProxyType(
    {
        "999990005": "paid",
        "999990013": "refused",
        "999990021": "rejected",
        "999990039": "not_delivered",
        "999990047": "disputed",
        "999990054": "suspended",
        "999990062": "partially_approved",
        "999990070": "rejected_on_issue",
        "999990088": "silent",
        "999990096": "approved",
        "999990104": "corrected",
        "999990112": "disputed_then_refused",
        "999990120": "never_completed",
        "999990138": "approved_then_refused",
        "999990146": "paid_directly",
        "999990153": "paid_in_parts",
        "999990161": "payment_reversed",
        "999990179": "refunded",
        "999990187": "not_delivered_then_paid",
        "999990195": "rejected_recipient",
        "999990203": "rejected_total",
        "999990211": "rejected_attachment",
        "999990229": "inadmissible",
        "999990237": "data_rejected",
        "999990245": "status_rejected",
        "999990252": "late",
        "999990260": "repeated",
        "999990278": "out_of_order",
        "999990286": "slow",
        "999990294": "storm",
        "999990302": "same_timestamp",
        "999990310": "same_second",
    }
)
"""Scenario by the SIREN of the buyer: it goes before the run's own. The numbers pass Luhn's check."""

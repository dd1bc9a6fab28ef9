"""A client and a sandbox with a network between them, and a client's time that nobody waits for."""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino._core.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT = "sandbox-client-seqino"
KEY = "key-1"
SELLER = "812345676"
BUYER = "523456788"

INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-15",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {
        "name": "Atelier Vauban SAS",
        "seller_legal_registration_identifier": SELLER,
        "postal_address": {"city_name": "Lille", "country_code": "FR"},
    },
    "buyer": {
        "name": "Librairie du Canal SARL",
        "buyer_legal_registration_identifier": BUYER,
        "postal_address": {"city_name": "Nantes", "country_code": "FR"},
    },
    "lines": [
        {"line_identifier": "1", "item_name": "Rayonnage", "line_net_amount": "100.00"},
        {"line_identifier": "2", "item_name": "Pose", "line_net_amount": "50.10"},
    ],
    "vat_breakdown": [
        {"vat_category_code": "S", "vat_rate": "20", "taxable_amount": "150.10", "vat_amount": "30.02"}
    ],
    "sum_of_line_net_amount": "150.10",
    "total_amount_without_vat": "150.10",
    "total_vat_amount": "30.02",
    "total_amount_with_vat": "180.12",
    "amount_due_for_payment": "180.12",
}
"""Sound: the sandbox issues it."""


@attrs.define
class Hurry:
    """The client's time: pauses take none of the real one, and timeouts a little.

    Args:
        patience: Real seconds after which a timeout rings at the latest.
    """

    patience: float = 0.3
    now: float = 0.0

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def _call_later(self, delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        def ring() -> None:
            self.now += delay
            callback()

        return asyncio.get_running_loop().call_later(min(delay, self.patience), ring)

    def runtime(self) -> Runtime:
        return Runtime(
            monotonic=lambda: self.now,
            wall=lambda: 1_000_000.0 + self.now,
            sleep=self._sleep,
            call_later=self._call_later,
            uniform=lambda low, high: (low + high) / 2,
        )


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Hurry:
    """Time for the clients of a test."""
    time = Hurry()
    monkeypatch.setattr("seqino.client.Runtime", time.runtime)
    return time


@pytest.fixture
def invoice() -> dict[str, Any]:
    """A sound invoice of the test's own."""
    return copy.deepcopy(INVOICE)

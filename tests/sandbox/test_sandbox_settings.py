from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from seqino.sandbox import Sandbox

PATH = "/settings/periodicity"
OTHER = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
STRANGER = {"headers": {"Authorization": "another-key"}}


def periodicity(regime: str, transactions: str, payments: str) -> dict[str, str]:
    return {
        "vat_regime": regime,
        "transaction_periodicity": transactions,
        "payment_periodicity": payments,
    }


DEFAULT = periodicity("real_normal_monthly", "decade", "monthly")


async def test_settings_hold_until_they_are_replaced(call: Any, sandbox: Sandbox) -> None:
    assert (await call("GET", PATH)).body == DEFAULT
    asked = periodicity("franchise", "monthly", "bimonthly")
    reply = await call("PUT", PATH, json={**asked, "note": "ours"})
    assert (reply.status, reply.body) == (200, None)
    assert (await call("GET", PATH)).body == asked
    for other in (OTHER, STRANGER):
        assert (await call("GET", PATH, **other)).body == DEFAULT
    assert sandbox.counters.settings_saved == 1
    shown = (await call("GET", "/_sandbox/world", judged=False)).body["sponsors"][0]["clients"]
    assert shown["sandbox-client-seqino"]["periodicity"] == asked


@pytest.mark.parametrize(
    "regime", ["real_normal_monthly", "real_normal_quarterly", "simplified", "franchise"]
)
@pytest.mark.parametrize("transactions", ["monthly", "decade"])
@pytest.mark.parametrize("payments", ["monthly", "bimonthly"])
async def test_a_regime_reports_as_often_as_the_law_says(
    call: Any, sandbox: Sandbox, regime: str, transactions: str, payments: str
) -> None:
    allowed = (transactions == "monthly" or regime == "real_normal_monthly") and (
        payments == "monthly" or regime == "franchise"
    )
    reply = await call("PUT", PATH, json=periodicity(regime, transactions, payments))
    assert reply.status == (200 if allowed else 400)
    if not allowed:
        assert regime in reply.body["error"]
        assert (await call("GET", PATH)).body == DEFAULT
    assert sandbox.counters.settings_saved == allowed


async def test_a_regime_that_is_none_is_refused(call: Any) -> None:
    reply = await call("PUT", PATH, json=periodicity("none", "monthly", "monthly"))
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["body", "vat_regime"]
    del (part := periodicity("franchise", "monthly", "monthly"))["vat_regime"]
    assert (await call("PUT", PATH, json=part)).status == 422


async def test_the_settings_of_a_client_that_does_not_exist_are_not_found(call: Any) -> None:
    nobody = {"headers": {"X-PDP-Client-Id": "nobody"}}
    assert (await call("GET", PATH, **nobody)).status == 404
    assert (await call("PUT", PATH, json=DEFAULT, **nobody)).status == 404

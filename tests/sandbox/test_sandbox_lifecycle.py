from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_BUYERS, SCENARIOS, Sandbox
from seqino.sandbox.scenarios import DUPLICATE, UNSOUND

if TYPE_CHECKING:
    from collections.abc import Callable

PATH_TO_THE_BUYER = ["DEPOSITED", "TRANSMITTED_BY_PLATFORM", "RECEIVED_BY_PLATFORM", "MADE_AVAILABLE"]
IN_HAND = [*PATH_TO_THE_BUYER, "ACKNOWLEDGED"]
COURSES = {
    "paid": [*IN_HAND, "APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED"],
    "approved": [*IN_HAND, "APPROVED"],
    "partially_approved": [*IN_HAND, "PARTIALLY_APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED"],
    "refused": [*IN_HAND, "REFUSED"],
    "disputed": [*IN_HAND, "IN_DISPUTE", "APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED"],
    "suspended": [*IN_HAND, "SUSPENDED", "COMPLETED", "APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED"],
    "rejected": ["DEPOSITED", "TRANSMITTED_BY_PLATFORM", "REJECTED"],
    "rejected_on_issue": ["DEPOSITED", "REJECTED"],
    "not_delivered": ["DEPOSITED"],
    "silent": PATH_TO_THE_BUYER,
}

REASONS: dict[str, set[str | None]] = {
    "DEPOSITED": {None, "NON_TRANSMISE"},
    "PARTIALLY_APPROVED": {"QTE_ERR"},
    "IN_DISPUTE": {"PU_ERR"},
    "SUSPENDED": {"JUSTIF_ABS"},
    "REFUSED": {"TX_TVA_ERR"},
    "REJECTED": {"REJ_ADR", "REJ_SEMAN", "DOUBLON"},
}
"""Reasons used, each from the list of its status (CDAR schematron BR-FR-CDV-CL-09)."""


def luhn(digits: str) -> bool:
    total = 0
    for place, one in enumerate(reversed(digits)):
        value = int(one) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def test_every_scenario_has_its_course_here() -> None:
    assert COURSES.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("scenario", [*SCENARIOS.values(), DUPLICATE, UNSOUND], ids=lambda one: one.name)
def test_every_step_comes_from_who_may_take_it_with_a_reason_where_one_is_due(scenario: Any) -> None:
    moments = [step.after for step in scenario.steps]
    assert moments == sorted(set(moments))
    assert scenario.steps[0].status == "DEPOSITED"
    for step in scenario.steps:
        assert step.rejection_reason in REASONS.get(step.status, {None})
        if step.status in ("DEPOSITED", "TRANSMITTED_BY_PLATFORM", "COMPLETED", "COLLECTED"):
            assert step.emitter == "PDPE"
        elif step.status != "REJECTED":
            assert step.emitter == "PDPR"


def test_magic_buyers_are_sirens_and_every_scenario_has_one() -> None:
    assert all(len(siren) == 9 and luhn(siren) for siren in MAGIC_BUYERS)
    assert sorted(MAGIC_BUYERS.values()) == sorted(SCENARIOS)


@pytest.mark.parametrize(("name", "course"), COURSES.items())
async def test_an_invoice_takes_the_course_of_the_run(
    calling: Callable[[Sandbox], Any], name: str, course: list[str]
) -> None:
    async with Sandbox(speed=0, scenario=name) as sandbox:
        call = calling(sandbox)
        invoice_id = await call.issue()
        assert await call.statuses(invoice_id) == ["DEPOSITED"]
        sandbox.clock.advance(3600)
        assert await call.statuses(invoice_id) == course


@pytest.mark.parametrize(("siren", "name"), MAGIC_BUYERS.items())
async def test_a_magic_buyer_goes_before_the_scenario_of_the_run(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any], siren: str, name: str
) -> None:
    sandbox.scenario = "refused"
    invoice_id = await call.issue(for_buyer(siren))
    sandbox.clock.advance(3600)
    assert await call.statuses(invoice_id) == COURSES[name]


async def test_events_happen_one_after_the_other_on_the_sandboxs_clock(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    for seconds, last in ((1.9, "DEPOSITED"), (0.1, "TRANSMITTED_BY_PLATFORM"), (4, "MADE_AVAILABLE")):
        sandbox.clock.advance(seconds)
        assert (await call.statuses(invoice_id))[-1] == last


async def test_only_what_the_public_portal_must_learn_is_mandatory(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    for siren in MAGIC_BUYERS:
        await call.issue(for_buyer(siren))
    sandbox.clock.advance(3600)
    events = (await call("GET", "/lifecycle-events")).body
    mandatory = {event["status_code"].partition(".")[2] for event in events if event["is_mandatory"]}
    assert mandatory == {"DEPOSITED", "REFUSED", "COLLECTED", "REJECTED"}


async def test_without_a_filter_all_events_of_the_client_come_oldest_first(
    call: Any, sandbox: Sandbox
) -> None:
    await call.issue()
    sandbox.clock.advance(3)
    await call.issue()
    sandbox.clock.advance(60)
    everything = (await call("GET", "/api/lifecycle-events")).body
    assert len(everything) == 2 * len(COURSES["paid"])
    assert everything == sorted(everything, key=lambda event: event["timestamp"])
    assert (await call("GET", "/lifecycle-events?object_type=invoice")).body == everything


async def test_other_kinds_of_objects_have_no_events_yet(call: Any) -> None:
    await call.issue()
    assert (await call("GET", "/lifecycle-events?object_type=mandate")).body == []


async def test_an_unknown_invoice_has_no_events(call: Any) -> None:
    assert await call.statuses("inv_0") == []


async def test_an_unknown_kind_is_refused(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events?object_type=parcel")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["query", "object_type"]
    assert reply.body["detail"][0]["type"] == "enum"


async def test_an_id_without_its_kind_is_refused(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events?object_id=inv_0")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["query", "object_type"]

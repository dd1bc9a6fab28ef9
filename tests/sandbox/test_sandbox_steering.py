from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest

from seqino.sandbox import MAGIC_BUYERS, SCENARIOS, Sandbox
from seqino.sandbox.lifecycle_rules import FAMILIES, STATUSES
from seqino.sandbox.steering import NotAllowed, UnknownInvoice
from seqino.sandbox.world.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.world.records import Invoice

NO_KEY = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
REFUSED: dict[str, Any] = {"status": "REFUSED", "rejection_reason": "CALCUL_ERR", "reason": "Total faux."}


async def control(call: Any, method: str, name: str, asked: Any = None) -> Any:
    options = NO_KEY if asked is None else {**NO_KEY, "json": asked}
    return await call(method, f"/_sandbox/invoices{name}", **options)


@pytest.fixture
async def silent(call: Any, sandbox: Sandbox) -> str:
    """Id of an invoice that was made available, and whose buyer never answers."""
    sandbox.scenario = "silent"
    invoice_id: str = await call.issue()
    sandbox.clock.advance(60)
    return invoice_id


# --- An event ---


async def test_an_event_is_put_on_an_invoice_now(call: Any, sandbox: Sandbox, silent: str) -> None:
    reply = await control(call, "POST", f"/{silent}/events", REFUSED)
    assert reply.status == 200
    (*_, last) = (await call("GET", f"/lifecycle-events?object_type=invoice&object_id={silent}")).body
    assert last == reply.body
    assert last == {
        "status_code": "InvoiceLifecycleStatus.REFUSED",
        "timestamp": last["timestamp"],
        "emitter": "PDPR",
        "reason": "Total faux.",
        "rejection_reason": "CALCUL_ERR",
        "is_mandatory": True,
    }
    assert last["timestamp"] == (await call("GET", "/_sandbox/clock", **NO_KEY)).body["now"]
    assert sandbox.invoices.all()[0]["last_status_code"] == last["status_code"]


async def test_an_event_is_put_on_an_invoice_later(call: Any, sandbox: Sandbox, silent: str) -> None:
    await control(call, "POST", f"/{silent}/events", {"status": "APPROVED", "after": 5})
    assert (await call.statuses(silent))[-1] == "MADE_AVAILABLE"
    sandbox.clock.advance(5)
    assert (await call.statuses(silent))[-1] == "APPROVED"


async def test_a_scenario_goes_on_after_an_event_by_hand(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(15)
    sandbox.invoices.put(invoice_id, "IN_DISPUTE", rejection_reason="PU_ERR")
    sandbox.clock.advance(60)
    assert (await call.statuses(invoice_id))[4:] == [
        "ACKNOWLEDGED", "IN_DISPUTE", "APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED",
    ]  # fmt: skip


async def test_a_refusal_by_hand_ends_the_scenario(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(15)
    sandbox.invoices.put(invoice_id, **REFUSED)
    sandbox.clock.advance(600)
    assert (await call.statuses(invoice_id))[-2:] == ["ACKNOWLEDGED", "REFUSED"]
    assert sandbox.invoices.all()[0]["next_at"] is None


@pytest.mark.parametrize(("seconds", "emitter"), [(0, "PDPE"), (2, "PDPR")], ids=["on issue", "on receipt"])
async def test_a_rejection_comes_from_the_platform_that_has_the_invoice(
    call: Any, sandbox: Sandbox, seconds: float, emitter: str
) -> None:
    sandbox.scenario = "rejected_on_issue" if seconds == 0 else "silent"
    invoice_id = await call.issue()
    sandbox.clock.advance(seconds)
    event = sandbox.invoices.put(invoice_id, "REJECTED", rejection_reason="REJ_UNI")
    assert event["emitter"] == emitter
    sandbox.clock.advance(60)
    assert (await call.statuses(invoice_id)).count("REJECTED") == 1


@pytest.mark.parametrize(("about", "name"), [key for key in STATUSES if key[0] is not None])
async def test_the_portals_words_are_put_under_the_id_of_the_invoice(
    call: Any, silent: str, about: str, name: str
) -> None:
    status, reasons = f"{FAMILIES[about]}.{name}", sorted(STATUSES[about, name].reasons)
    asked = {"status": status, "rejection_reason": reasons[0] if reasons else None, "emitter": "PPF"}
    reply = await control(call, "POST", f"/{silent}/events", asked)
    assert reply.status == 200
    (*_, last) = (await call("GET", f"/lifecycle-events?object_type={about}&object_id={silent}")).body
    assert last == reply.body
    assert last["status_code"] == status
    assert not last["is_mandatory"]


@pytest.mark.parametrize("name", [name for about, name in STATUSES if about is None])
async def test_every_status_can_be_forced_on_an_invoice_that_was_refused(
    call: Any, sandbox: Sandbox, silent: str, name: str
) -> None:
    sandbox.invoices.put(silent, **REFUSED)
    reply = await control(call, "POST", f"/{silent}/events", {"status": name, "force": True, "emitter": "X"})
    assert reply.status == 200
    assert reply.body["emitter"] == "X"
    sandbox.clock.advance(1)
    assert (await call.statuses(silent))[-1] == name


async def test_force_takes_nothing_away_from_the_scenario(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(15)
    sandbox.invoices.put(invoice_id, **REFUSED, force=True)
    sandbox.clock.advance(60)
    assert (await call.statuses(invoice_id))[-1] == "COLLECTED"


async def test_what_was_forced_for_later_stays_whatever_is_put_before_it(
    call: Any, sandbox: Sandbox, silent: str
) -> None:
    sandbox.invoices.put(silent, "COMPLETED", after=10, force=True)
    sandbox.invoices.put(silent, "APPROVED")
    sandbox.clock.advance(10)
    assert (await call.statuses(silent))[-2:] == ["APPROVED", "COMPLETED"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"status": "REFUSED", "rejection_reason": "CALCUL_ERR"}, "210 REFUSED needs a reason in words"),
        ({"status": "REFUSED", "reason": "Non."}, "210 REFUSED needs a rejection_reason, one of ADR_ERR"),
        ({**REFUSED, "rejection_reason": "AUTRE"}, "210 REFUSED cannot give AUTRE"),
        ({"status": "APPROVED", "emitter": "PDPE"}, "205 APPROVED is set by PDPR, not by PDPE"),
        ({"status": "COMPLETED"}, "209 COMPLETED answers a 208"),
        ({"status": "REJECTED", "rejection_reason": "REJ_ADR"}, "213 REJECTED cannot be set once 200 to 203"),
        ({"status": "DEPOSITED"}, "200 DEPOSITED cannot be set once 200 to 203 are set"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_the_rule_and_changes_nothing(
    call: Any, sandbox: Sandbox, silent: str, asked: dict[str, Any], message: str
) -> None:
    reply = await control(call, "POST", f"/{silent}/events", asked)
    assert reply.status == 409
    assert message in reply.body["error"]
    assert "force" in reply.body["error"]
    sandbox.clock.advance(60)
    assert (await call.statuses(silent))[-1] == "MADE_AVAILABLE"


async def test_two_mandatory_ends_in_one_instant_are_one_too_many(sandbox: Sandbox, silent: str) -> None:
    sandbox.invoices.put(silent, **REFUSED)
    with pytest.raises(NotAllowed, match="after 210 no mandatory status"):
        sandbox.invoices.put(silent, **REFUSED)


async def test_a_buyer_without_a_platform_cannot_be_made_to_answer(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    siren = next(siren for siren, name in MAGIC_BUYERS.items() if name == "not_delivered")
    invoice_id = await call.issue(for_buyer(siren))
    with pytest.raises(NotAllowed, match="NON_TRANSMISE"):
        sandbox.invoices.put(invoice_id, "APPROVED")
    sandbox.invoices.put(invoice_id, "COLLECTED")
    assert await call.statuses(invoice_id) == ["DEPOSITED", "COLLECTED"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"status": "HAPPY"}, "an invoice has no status 'HAPPY'; there are: DEPOSITED, "),
        ({"status": "MandateLifecycleStatus.CREATED"}, "no status 'MandateLifecycleStatus.CREATED'"),
        ({"status": "RECEIVABLE"}, "FlowStatus.RECEIVABLE"),
        ({}, "no status ''"),
        ({"status": 210}, "status must be text"),
        ({"status": "APPROVED", "after": -1}, "0 or more"),
        ({"status": "APPROVED", "after": "soon"}, "after must be a number"),
        ({"status": "APPROVED", "after": 1e15}, "the clock ends"),
        ({"status": "APPROVED", "after": 3e11}, "the clock ends"),
        ({"status": "APPROVED", "force": "yes"}, "force must be true or false"),
        ({"status": "APPROVED", "why": 1}, "unknown: why; known here: after, emitter, force"),
    ],
)
async def test_an_event_that_is_asked_for_in_a_wrong_way_is_refused(
    call: Any, silent: str, asked: dict[str, Any], message: str
) -> None:
    reply = await control(call, "POST", f"/{silent}/events", asked)
    assert reply.status == 400
    assert message in reply.body["error"]


@pytest.mark.parametrize("after", [math.nan, math.inf])
async def test_a_moment_that_never_comes_is_refused(sandbox: Sandbox, silent: str, after: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        sandbox.invoices.put(silent, "APPROVED", after=after)


# --- A scenario ---


async def test_an_invoice_takes_another_scenario_from_now_on(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(21)
    reply = await control(call, "POST", f"/{invoice_id}/scenario", {"scenario": "payment_reversed"})
    assert reply.body["scenario"] == "payment_reversed"
    sandbox.clock.advance(600)
    statuses = await call.statuses(invoice_id)
    assert statuses.count("APPROVED") == 1
    assert statuses[-3:] == ["COLLECTED"] * 3


async def test_steps_of_the_scenario_before_never_happen(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(15)
    sandbox.invoices.follow(invoice_id, "silent")
    sandbox.clock.advance(600)
    assert (await call.statuses(invoice_id))[-1] == "ACKNOWLEDGED"


async def test_the_portal_takes_the_data_once_whatever_scenario_is_taken(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    invoice_id = (await call.send_file(ubl())).body["invoice_id"]
    for seconds in (1, 3, 3, 60):
        sandbox.clock.advance(seconds)
        sandbox.invoices.follow(invoice_id, "paid")
    sandbox.clock.advance(600)
    for about in ("regulatory_data", "flow"):
        path = f"/lifecycle-events?object_type={about}&object_id={invoice_id}"
        assert len((await call("GET", path)).body) == 1


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        ("rejected", "213 REJECTED cannot be set once 200 to 203 are set"),
        ("rejected_on_issue", "213 on issue"),
        ("inadmissible", "501 comes before business processing"),
    ],
)
async def test_a_scenario_that_cannot_follow_is_refused_and_can_be_forced(
    call: Any, sandbox: Sandbox, silent: str, scenario: str, message: str
) -> None:
    reply = await control(call, "POST", f"/{silent}/scenario", {"scenario": scenario})
    assert reply.status == 409
    assert message in reply.body["error"]
    assert sandbox.invoices.all()[0]["scenario"] == "silent"
    asked = {"scenario": scenario, "force": True}
    assert (await control(call, "POST", f"/{silent}/scenario", asked)).status == 200
    sandbox.clock.advance(60)
    assert sandbox.invoices.all()[0]["scenario"] == scenario
    reasons = {event["rejection_reason"] for event in (await call("GET", "/lifecycle-events")).body}
    assert reasons == {None, next(filter(None, (one.rejection_reason for one in SCENARIOS[scenario].steps)))}


async def test_an_unknown_scenario_is_told_with_those_that_there_are(call: Any, silent: str) -> None:
    reply = await control(call, "POST", f"/{silent}/scenario", {"scenario": "sunny"})
    assert reply.status == 400
    assert "no scenario 'sunny'; there are: paid, " in reply.body["error"]


# --- The list ---


async def test_invoices_are_listed_with_where_they_are(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    first = await call.issue()
    second = (await call.send_file(ubl(), headers={"X-PDP-Client-Id": "client_abc123"})).body["invoice_id"]
    sandbox.clock.advance(5)
    reply = await control(call, "GET", "")
    one, other = reply.body["invoices"]
    assert (one["invoice_id"], other["invoice_id"]) == (first, second)
    assert (one["client_id"], other["client_id"]) == ("sandbox-client-seqino", "client_abc123")
    assert (one["number"], other["number"]) == ("SBX-2026-000001", "F-1")
    assert one["buyer"] == "523456788"
    assert one["scenario"] == "paid"
    assert one["status"] == "submitted"
    assert one["last_status_code"] == "InvoiceLifecycleStatus.RECEIVED_BY_PLATFORM"
    assert one["next_at"] > (await call("GET", "/_sandbox/clock", **NO_KEY)).body["now"]
    assert reply.body["invoices"] == sandbox.invoices.all()


async def test_an_invoice_without_an_event_is_listed_too(call: Any, sandbox: Sandbox) -> None:
    sandbox.scenario = "rejected_on_issue"
    await call.issue()
    (one,) = sandbox.invoices.all()
    assert one["last_status_code"] is None
    assert one["status"] == "submitted"


@pytest.mark.parametrize("name", ["events", "scenario"])
async def test_an_unknown_invoice_is_not_found(call: Any, sandbox: Sandbox, name: str) -> None:
    await call.issue()
    reply = await control(call, "POST", f"/inv_0/{name}", {})
    assert reply.status == 404
    assert reply.body["error"] == "invoice inv_0 does not exist"
    with pytest.raises(UnknownInvoice):
        sandbox.invoices.follow("inv_0", "paid")


@pytest.mark.parametrize("name", ["", "/inv_0", "/inv_0/colour", "/inv_0/events/1"])
async def test_nothing_else_can_be_asked_of_invoices(call: Any, name: str) -> None:
    reply = await control(call, "POST", name, {})
    assert reply.status == 404
    assert "POST invoices/{invoice_id}/events" in reply.body["error"]


# --- What webhooks tell ---


def stored(sandbox: Sandbox, invoice_id: str) -> Invoice:
    (sponsor,) = sandbox.world.sponsors
    return sponsor.clients["sandbox-client-seqino"].invoices[invoice_id]


@pytest.mark.parametrize("scenario", ["paid", "late", "repeated", "rejected_on_issue", "inadmissible"])
async def test_everything_that_happens_is_told_once_however_the_time_is_cut(
    call: Any, sandbox: Sandbox, scenario: str
) -> None:
    sandbox.scenario = scenario
    started = sandbox.clock.now()
    invoice_id = await call.issue()
    invoice = stored(sandbox, invoice_id)
    end = started + timedelta(days=30)
    whole = invoice.happenings(started - timedelta(seconds=1), end)
    cuts = [started - timedelta(seconds=1), *invoice.moments(started - timedelta(seconds=1)), end]
    parts = [invoice.happenings(after, until) for after, until in pairwise(cuts)]
    assert [one for part in parts for one in part] == whole
    assert all(parts[:-1]), "each moment brings something"
    assert [one.event_type for one in whole] == [
        "invoice.created",
        *["invoice.status_updated"] * len(invoice.events(end)),
    ]
    assert [one.at for one in whole] == sorted(one.at for one in whole)


async def test_a_creation_is_told_with_the_draft_that_it_came_from(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    draft_id = await call.create()
    issued = (await call("POST", f"/drafts/{draft_id}/validate")).body
    before = sandbox.clock.now() - timedelta(seconds=1)
    told = stored(sandbox, issued["invoice_id"]).happenings(before, sandbox.clock.now())
    assert told[0].data == {
        "invoice_id": issued["invoice_id"],
        "invoice_number": issued["invoice_number"],
        "draft_id": draft_id,
    }
    invoice_id = (await call.send_file(ubl())).body["invoice_id"]
    told = stored(sandbox, invoice_id).happenings(before, sandbox.clock.now())
    assert told[0].data == {"invoice_id": invoice_id, "invoice_number": "F-1"}


async def test_a_status_is_told_as_the_feed_answers_it(call: Any, sandbox: Sandbox, silent: str) -> None:
    before = sandbox.clock.now() - timedelta(microseconds=1)
    event = sandbox.invoices.put(silent, **REFUSED)
    (told,) = stored(sandbox, silent).happenings(before, sandbox.clock.now())
    assert told.event_type == "invoice.status_updated"
    assert told.data == {"invoice_id": silent, "object_type": "invoice", **event}
    assert (await call.statuses(silent))[-1] == "REFUSED"


async def test_what_the_portal_says_of_data_has_moments_of_its_own(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    (sponsor,) = sandbox.world.sponsors
    now = sandbox.clock.now()
    found = {
        one.object_type: one.moments(now)
        for one in sponsor.clients["sandbox-client-seqino"].subjects(invoice_id)
    }
    assert found["regulatory_data"] == [now + timedelta(seconds=5)]
    assert found["flow"] == found["lifecycle_status"] == []
    assert len(found["invoice"]) == 7


async def test_each_part_of_an_invoice_is_kept_under_its_id(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    (sponsor,) = sandbox.world.sponsors
    client = sponsor.clients["sandbox-client-seqino"]
    assert {one.key for one in client.subjects(invoice_id)} == {invoice_id}
    now = sandbox.clock.now()
    for one in client.subjects():
        assert one.events(now) == [arrival.event for arrival in one.arrivals(now)]


def test_only_an_invoice_has_parts() -> None:
    assert parts_of(cast("Any", object())) == ()

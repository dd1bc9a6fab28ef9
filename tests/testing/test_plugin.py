"""The fixtures of the plugin, as a user's test takes them."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import seqino.testing
from seqino import CallOptions, SeqinoClient, local_state
from seqino.errors import AuthenticationFailed, DeadlineExceeded, RateLimited, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox import Sandbox
    from seqino.sandbox.clock import Clock
    from seqino.sandbox.faults import Faults
    from seqino.testing import SandboxThread, Webhooks

INVOICE: dict[str, Any] = {
    "issue_date": "2026-11-20",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {
        "name": "Atelier Bois",
        "seller_legal_registration_identifier": "552100554",
        "postal_address": {"city_name": "Nantes", "country_code": "FR"},
    },
    "buyer": {"name": "Mairie de Rezé", "postal_address": {"city_name": "Nantes", "country_code": "FR"}},
    "lines": [{"line_identifier": "1", "item_name": "Étagère", "line_net_amount": Decimal("240.00")}],
}


async def state(client: SeqinoClient, invoice_id: str | None) -> str | None:
    events = client.lifecycle.events(object_type="invoice", object_id=invoice_id)
    return local_state([event async for event in events])


async def test_an_invoice_is_paid_when_the_clock_says_so(
    seqino_client: SeqinoClient, seqino_clock: Clock
) -> None:
    submitted = await seqino_client.submit(INVOICE)
    assert await state(seqino_client, submitted.invoice_id) == "in_transit"
    seqino_clock.advance(60)
    assert await state(seqino_client, submitted.invoice_id) == "settled"


@pytest.mark.seqino(scenario="refused")
async def test_the_marker_says_what_buyers_do(seqino_client: SeqinoClient, seqino_clock: Clock) -> None:
    submitted = await seqino_client.submit(INVOICE)
    seqino_clock.advance(60)
    assert await state(seqino_client, submitted.invoice_id) == "dead"


@pytest.mark.seqino(scenario="refused")
async def test_the_scenario_is_changed_within_a_test(
    seqino_client: SeqinoClient, seqino_clock: Clock, seqino_scenario: Callable[[str], None]
) -> None:
    seqino_scenario("paid")
    submitted = await seqino_client.submit(INVOICE)
    seqino_clock.advance(60)
    assert await state(seqino_client, submitted.invoice_id) == "settled"
    with pytest.raises(ValueError, match="there is no scenario 'utopia'"):
        seqino_scenario("utopia")


@pytest.mark.seqino(scenario="silent", seed=1)
class TestMarks:
    @pytest.mark.seqino(scenario="refused")
    async def test_the_mark_next_to_the_test_goes_first(self, seqino_sandbox: Sandbox) -> None:
        assert seqino_sandbox.scenario == "refused"

    async def test_the_mark_of_the_class_is_taken(self, seqino_sandbox: Sandbox) -> None:
        assert seqino_sandbox.scenario == "silent"


async def test_time_stands_still(seqino_clock: Clock) -> None:
    assert seqino_clock.speed == 0
    assert seqino_clock.now() == seqino_clock.now()


@pytest.mark.seqino(speed=3)
async def test_time_runs_where_that_is_asked_for(seqino_clock: Clock) -> None:
    assert seqino_clock.speed == 3


async def test_a_lost_answer_after_the_effect_makes_one_invoice(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox, seqino_faults: Faults, seqino_clock: Clock
) -> None:
    began = seqino_clock.now()
    seqino_faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate")
    submitted = await seqino_client.submit(INVOICE)
    assert submitted.invoice_id
    assert seqino_sandbox.counters.invoices_created == 1
    # The pause before the look is on the sandbox's clock.
    assert (seqino_clock.now() - began).total_seconds() > 0.9


async def test_pauses_between_attempts_are_the_same_in_every_run(
    seqino_client: SeqinoClient, seqino_faults: Faults, seqino_clock: Clock
) -> None:
    began = seqino_clock.now()
    seqino_faults.plan("status-503-before", times=4)
    with pytest.raises(ServerError):
        await seqino_client.clients.list().to_list()
    # 3 pauses of U(0.25, 1) · 1, 2 and 4 seconds, from a seeded source.
    assert (seqino_clock.now() - began).total_seconds() == pytest.approx(4.78, abs=0.01)


async def test_a_hanging_request_takes_the_time_that_it_is_given(
    seqino_client: SeqinoClient, seqino_faults: Faults
) -> None:
    seqino_faults.plan("hang-before", times=9)
    hurried = CallOptions(timeout=0.6)
    with pytest.raises(DeadlineExceeded):
        await seqino_client.clients.list(options=hurried).to_list()


async def test_a_copy_of_the_client_pauses_in_the_same_way(
    seqino_client: SeqinoClient, seqino_faults: Faults, seqino_clock: Clock
) -> None:
    began = seqino_clock.now()
    seqino_faults.plan("status-503-before", operation="GET /clients")
    await seqino_client.for_client("client_abc123").clients.list().to_list()
    assert seqino_clock.now() > began


async def test_many_tasks_share_one_time(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox, seqino_faults: Faults
) -> None:
    # Each invoice is looked for with its own pauses, and none uses up another one's 60 seconds.
    seqino_faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate", times=20)
    submitted = await asyncio.gather(*(seqino_client.submit(INVOICE) for _ in range(20)))
    assert len({one.invoice_id for one in submitted}) == 20
    assert seqino_sandbox.counters.invoices_created == 20


@pytest.mark.seqino(faults=["status-429-before", "status-401-before"])
async def test_faults_of_the_marker_come_in_their_order(seqino_client: SeqinoClient) -> None:
    with pytest.raises(RateLimited):
        await seqino_client.with_options(max_retries=0).clients.list().to_list()
    with pytest.raises(AuthenticationFailed):
        await seqino_client.clients.list().to_list()


@pytest.mark.seqino(faults="status-401-before")
async def test_one_fault_needs_no_list(seqino_client: SeqinoClient) -> None:
    with pytest.raises(AuthenticationFailed):
        await seqino_client.clients.list().to_list()


@pytest.mark.seqino(api_key="a-strict-key", clients=("dupain",))
async def test_the_client_has_the_key_and_the_client_of_the_marker(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox
) -> None:
    assert seqino_client.client_id == "dupain"
    assert await seqino_client.lifecycle.events().to_list() == []
    async with SeqinoClient("another-key", base_url=seqino_sandbox.url) as other:
        with pytest.raises(AuthenticationFailed):
            await other.clients.list().to_list()


@pytest.fixture
async def busy(seqino_client: SeqinoClient) -> None:
    await seqino_client.clients.list().to_list()


@pytest.mark.usefixtures("busy")
@pytest.mark.seqino(faults=["status-401-before"])
async def test_faults_are_for_the_test_and_not_for_what_prepares_it(
    seqino_client: SeqinoClient, seqino_webhooks: Webhooks
) -> None:
    assert seqino_webhooks.refused == ()
    with pytest.raises(AuthenticationFailed):
        await seqino_client.clients.list().to_list()


@pytest.fixture
def planned(seqino_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What is planned from now on, and on which loop."""
    planned: list[tuple[str, object]] = []

    def plan(name: str) -> None:
        planned.append((name, asyncio.get_running_loop()))

    monkeypatch.setattr(seqino_sandbox.faults, "plan", plan)
    return planned


@pytest.mark.seqino(faults=["status-503-before"])
async def test_faults_of_a_mark_are_planned_on_the_loop_of_the_test(
    planned: list[tuple[str, object]],
) -> None:
    # As a fault that closes the port for a while needs it.
    assert planned == [("status-503-before", asyncio.get_running_loop())]


@pytest.mark.seqino(faults=["status-503-before"])
def test_faults_of_a_sandbox_on_a_thread_are_played(seqino_sandbox_thread: SandboxThread) -> None:
    async def ask() -> None:
        async with SeqinoClient("a-key", base_url=seqino_sandbox_thread.url, max_retries=0) as client:
            with pytest.raises(ServerError):
                await client.clients.list().to_list()

    asyncio.run(ask())


# --- Webhooks


@pytest.mark.seqino(scenario="refused")
async def test_events_arrive_when_the_clock_says_so(
    seqino_client: SeqinoClient, seqino_clock: Clock, seqino_webhooks: Webhooks
) -> None:
    submitted = await seqino_client.submit(INVOICE)
    seqino_clock.advance(60)
    created = await seqino_webhooks.next("invoice.created")
    assert created.payload["data"]["invoice_id"] == submitted.invoice_id
    while (await seqino_webhooks.next("invoice.status_updated")).payload["data"]["rejection_reason"] is None:
        pass
    assert seqino_webhooks.events[-1].payload["data"]["rejection_reason"] == "TX_TVA_ERR"
    assert seqino_webhooks.url in repr(seqino_webhooks)


async def test_nothing_is_waited_for_while_the_clock_stands_still(seqino_webhooks: Webhooks) -> None:
    with pytest.raises(TimeoutError, match=r"no invoice\.created within 0 s; .*: step it first, as by"):
        await seqino_webhooks.next("invoice.created", timeout=1000)


@pytest.mark.seqino(speed=1000)
async def test_events_are_waited_for_where_the_clock_runs(
    seqino_client: SeqinoClient, seqino_webhooks: Webhooks
) -> None:
    await seqino_client.submit(INVOICE)
    assert (await seqino_webhooks.next("invoice.status_updated", timeout=60)).is_repeated is False
    with pytest.raises(TimeoutError, match=r"no mandate\.created within 0\.001 s"):
        await seqino_webhooks.next("mandate.created", timeout=0.001)


async def test_what_was_not_taken_is_sent_again_later(
    seqino_client: SeqinoClient, seqino_clock: Clock, seqino_webhooks: Webhooks
) -> None:
    seqino_webhooks.fail(1, status=503)
    await seqino_client.submit(INVOICE)
    with pytest.raises(TimeoutError):
        await seqino_webhooks.next("invoice.created")
    seqino_clock.advance(10)
    assert (await seqino_webhooks.next("invoice.created")).event_type == "invoice.created"


# --- Loops, threads, names


@pytest.mark.parametrize("scope", ["session", "module", "class"])
def test_loops_of_every_scope_have_their_fixtures(scope: str, request: pytest.FixtureRequest) -> None:
    names = vars(request.config.pluginmanager.get_plugin("seqino-loops"))
    assert f"_seqino_sandbox_on_{scope}_loop" in names


@pytest.mark.asyncio(loop_scope="module")
async def test_a_test_on_a_longer_loop_finds_its_sandbox_there(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox
) -> None:
    assert await seqino_client.health() is None
    assert seqino_client.base_url == seqino_sandbox.url


@pytest.mark.seqino(scenario="silent")
def test_a_synchronous_test_has_a_sandbox_on_a_thread(seqino_sandbox_thread: SandboxThread) -> None:
    async def submit() -> str | None:
        async with SeqinoClient(
            "a-key", client_id="sandbox-client-seqino", base_url=seqino_sandbox_thread.url
        ) as client:
            submitted = await client.submit(INVOICE)
            seqino_sandbox_thread.advance(3600)
            return await state(client, submitted.invoice_id)

    assert asyncio.run(submit()) == "in_transit"
    assert seqino_sandbox_thread.counters.invoices_created == 1


def test_types_for_annotations_are_there() -> None:
    assert all(getattr(seqino.testing, name).__name__ == name for name in seqino.testing.__all__)


def test_an_unknown_name_of_the_module_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'SandboxThraed'"):
        _ = seqino.testing.SandboxThraed  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.seqino(faults={"status-401-before": 1.0})
async def test_a_mark_may_say_how_often_a_fault_is_to_come(seqino_client: SeqinoClient) -> None:
    for _ in range(2):
        with pytest.raises(AuthenticationFailed):
            await seqino_client.clients.list().to_list()

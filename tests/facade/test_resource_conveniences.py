"""What the resources do beyond one operation, in a client against the sandbox; no pause takes time."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import attrs
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from seqino import api
from seqino._core.runtime import Runtime
from seqino.client import SeqinoClient
from seqino.errors import (
    Conflict,
    InsecureConnection,
    InvalidInput,
    NotFound,
    NotReached,
    NotSent,
    ResponseDecodeError,
    ServerError,
    WaitTimedOut,
)
from seqino.models import DirectoryEntry, MandateStatus
from seqino.options import CallOptions
from seqino.resources import Mandates
from seqino.resources.directory import is_addressable
from seqino.sandbox import Sandbox
from tests.facade.conftest import BASE, Clock, JointClock, joined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.facade.conftest import Wire

DRAFT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "src/seqino/sandbox/invoices/13-consulting-draft.json").read_text(
        encoding="utf-8"
    ),
    parse_float=Decimal,
)
SIREN = "552100554"


@attrs.define
class SandboxClock(JointClock):
    """Moments of the client are those of the sandbox too."""

    def wall(self) -> float:
        assert self.sandbox is not None
        return self.sandbox.clock.now().timestamp()

    def runtime(self) -> Runtime:
        return Runtime(monotonic=lambda: self.now, wall=self.wall, sleep=self.sleep)


@attrs.define
class Stage:
    sandbox: Sandbox
    client: SeqinoClient
    clock: SandboxClock

    async def draft(self, invoice: dict[str, Any]) -> str:
        made = await self.client.drafts.create(invoice)
        assert made.draft_id is not None
        return made.draft_id

    async def mandate(self, siren: str = SIREN, *, days: int | None = None, suffix: str = "") -> str:
        now = self.sandbox.clock.now()
        entry = {"siren": siren, "name": "Atelier Bois", **({"suffix": suffix} if suffix else {})}
        wanted: dict[str, Any] = {"directory_entry": entry, "start_date": now.isoformat()}
        if days is not None:
            wanted["end_date"] = (now + timedelta(days=days)).isoformat()
        made = await self.client.mandates.create(wanted)
        assert made.id is not None
        return made.id


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    clock = SandboxClock()
    async with joined(clock, monkeypatch) as (sandbox, client):
        yield Stage(sandbox, client, clock)


# Drafts


async def stored(stage: Stage, draft_id: str) -> dict[str, Any]:
    """What the platform has of a draft, as it came."""
    answer = await stage.client.raw(stage.client.drafts.get(draft_id))
    members: dict[str, Any] = json.loads(answer.content, parse_float=Decimal)
    return members


async def test_a_changed_draft_keeps_all_the_rest(stage: Stage) -> None:
    unknown = {"x_erp": {"id": 7, "tags": ["a", None]}, "buyer": {**DRAFT["buyer"], "x_segment": "gold"}}
    draft_id = await stage.draft({**DRAFT, **unknown})
    before = await stored(stage, draft_id)
    changed = await stage.client.drafts.modify(
        draft_id, {"buyer_reference": "PO-7", "buyer": {"name": "Bois SARL"}, "x_erp": {"id": 8}}
    )
    assert changed.draft_id == draft_id
    after = await stored(stage, draft_id)
    wanted = {
        **before,
        "buyer_reference": "PO-7",
        "buyer": {**before["buyer"], "name": "Bois SARL"},
        "x_erp": {"id": 8, "tags": ["a", None]},
        "updated_at": after["updated_at"],
    }
    for mark in {"errors", "warnings"} & after.keys():
        wanted[mark] = after[mark]
    assert after == wanted


async def test_a_member_that_is_patched_with_none_is_gone(stage: Stage) -> None:
    draft_id = await stage.draft({**DRAFT, "x_gone": 1})
    await stage.client.drafts.modify(draft_id, {"x_gone": None, "x_new": {"a": None, "b": 1}})
    after = await stored(stage, draft_id)
    assert "x_gone" not in after
    assert after["x_new"] == {"b": 1}


async def test_a_function_changes_the_draft_and_sees_no_marks(stage: Stage) -> None:
    draft_id = await stage.draft(DRAFT)
    names: set[str] = set()

    def change(draft: dict[str, Any]) -> None:
        names.update(draft)
        draft["paid_amount"] = Decimal("0.10") + Decimal("0.20")

    await stage.client.drafts.modify(draft_id, change)
    assert names == set(DRAFT)
    assert (await stage.client.drafts.get(draft_id)).paid_amount == Decimal("0.30")


async def test_a_function_may_return_another_draft(stage: Stage) -> None:
    draft_id = await stage.draft(DRAFT)
    await stage.client.drafts.modify(draft_id, lambda draft: {**draft, "note": "second"})
    assert (await stored(stage, draft_id))["note"] == "second"


async def test_only_content_is_put_back_and_every_digit_of_it(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    put: list[dict[str, Any]] = []
    shown = (
        b'{"draft_id": "d", "status": "draft", "errors": [], "warnings": [], "created_at": "x", '
        b'"issue_date": "2026-09-01", "type_code": "380", "currency_code": "EUR", '
        b'"seller": {"name": "S", "postal_address": {"city_name": "Paris"}}, '
        b'"paid_amount": 0.1000000000000000055511151231, "x_rate": 1.10}'
    )

    async def show(_: web.Request) -> web.Response:
        return web.Response(body=shown, content_type="application/json")

    async def take(request: web.Request) -> web.Response:
        put.append(json.loads(await request.read(), parse_float=Decimal))
        return web.json_response({"draft_id": "d"})

    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    app = web.Application()
    app.router.add_get("/drafts/d", show)
    app.router.add_put("/drafts/d", take)
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client,
    ):
        await client.drafts.modify("d", {"note": "n"})
    (body,) = put
    assert set(body) == {
        *("issue_date", "type_code", "currency_code", "seller", "paid_amount", "x_rate", "note")
    }
    assert Decimal(body["paid_amount"]) == Decimal("0.1000000000000000055511151231")
    assert str(body["x_rate"]) == "1.10"


async def test_a_change_that_is_none_changes_nothing(stage: Stage) -> None:
    draft_id = await stage.draft(DRAFT)
    before = await stored(stage, draft_id)
    with pytest.raises(InvalidInput, match="a mapping of members, or a function"):
        await stage.client.drafts.modify(draft_id, 7)  # type: ignore[arg-type] # what is tested
    with pytest.raises(InvalidInput, match="the change returned list"):
        await stage.client.drafts.modify(draft_id, lambda _: [])  # type: ignore[arg-type, return-value] # the same
    with pytest.raises(InvalidInput, match="issue_date"):
        await stage.client.drafts.modify(draft_id, {"issue_date": "soon"})
    assert await stored(stage, draft_id) == before


async def test_a_draft_that_became_an_invoice_does_not_change(stage: Stage) -> None:
    draft_id = await stage.draft(DRAFT)
    await stage.client.drafts.validate(draft_id)
    with pytest.raises(Conflict):
        await stage.client.drafts.modify(draft_id, {"note": "late"})


# Mandates


async def test_a_mandate_is_awaited_until_it_is_active(stage: Stage) -> None:
    mandate_id = await stage.mandate()
    mandate = await stage.client.mandates.wait_until_active(mandate_id, timeout=60)
    assert mandate.status == MandateStatus.ACTIVE
    assert len(stage.clock.slept) > 0


async def test_a_mandate_in_error_ends_the_wait_and_is_in_the_error(stage: Stage) -> None:
    mandate_id = await stage.mandate("999991029")
    with pytest.raises(NotReached, match="is error") as caught:
        await stage.client.mandates.wait_until_active(mandate_id, timeout=600)
    assert not isinstance(caught.value, WaitTimedOut)
    assert caught.value.object_id == mandate_id
    assert [one.status for one in caught.value.history] == ["processing", "error"]
    assert caught.value.history[-1].error_cause in str(caught.value)


async def test_an_expired_mandate_ends_the_wait(stage: Stage) -> None:
    mandate_id = await stage.mandate(days=1)
    stage.sandbox.clock.advance(2 * 86400)
    with pytest.raises(NotReached, match="is expired and will not become active"):
        await stage.client.mandates.wait_until_active(mandate_id, timeout=600)


async def test_a_mandate_that_stays_in_processing_is_awaited_no_longer_than_told(stage: Stage) -> None:
    mandate_id = await stage.mandate("999991037")
    with pytest.raises(WaitTimedOut, match="is processing after 20 s") as caught:
        await stage.client.mandates.wait_until_active(mandate_id, timeout=20)
    # A second is kept for the last look.
    assert sum(stage.clock.slept) == 19
    assert stage.clock.slept[0] == 2
    assert [one.id for one in caught.value.history] == [mandate_id]


async def test_a_look_that_fails_for_now_is_repeated(stage: Stage) -> None:
    mandate_id = await stage.mandate()
    client = stage.client.with_options(max_retries=0)
    stage.sandbox.faults.plan("status-503-before", operation="GET /mandates/{mandate_id}")
    mandate = await client.mandates.wait_until_active(mandate_id, timeout=60)
    assert mandate.status == MandateStatus.ACTIVE
    for _ in range(2):
        stage.sandbox.faults.plan("status-503-before", operation="GET /mandates/{mandate_id}")
    with pytest.raises(WaitTimedOut, match="is not seen after 1 s") as caught:
        await client.mandates.wait_until_active(mandate_id, timeout=1)
    assert isinstance(caught.value.__cause__, ServerError)


async def test_a_mandate_that_is_not_there_is_not_awaited(stage: Stage) -> None:
    with pytest.raises(NotFound):
        await stage.client.mandates.wait_until_active("mdt-none", timeout=60)


@pytest.mark.parametrize("kind", [InsecureConnection, NotSent])
async def test_a_mandate_is_not_awaited_where_no_look_can_ever_be_sent(kind: type[NotSent]) -> None:
    refused = kind("no", operation="get_mandate_details")
    with pytest.raises(kind):
        await Mandates(Mock(call=AsyncMock(side_effect=refused), timeout=60.0)).wait_until_active(
            "m", timeout=60
        )


async def test_mandates_that_end_soon_come_in_the_order_in_which_they_end(stage: Stage) -> None:
    late, soon, _, _ = [
        await stage.mandate(suffix=suffix, days=days)
        for suffix, days in (("A", 20), ("B", 5), ("C", 31), ("D", None))
    ]
    stage.sandbox.clock.advance(60)
    found = await stage.client.mandates.expiring(within=timedelta(days=30))
    assert [one.id for one in found] == [soon, late]
    with pytest.raises(InvalidInput, match="negative"):
        await stage.client.mandates.expiring(within=timedelta(days=-1))
    days: Any = 30
    before = stage.sandbox.counters.requests
    with pytest.raises(
        InvalidInput, match=r"within must be a timedelta, such as timedelta\(days=30\), not 30"
    ):
        await stage.client.mandates.expiring(within=days)
    assert stage.sandbox.counters.requests == before


# The directory


async def test_an_address_is_reachable_only_if_it_has_a_line_of_its_own(stage: Stage) -> None:
    await stage.mandate(suffix="COMPTA")
    reachable = stage.client.directory.is_reachable
    assert await reachable(f"{SIREN}_COMPTA") is False
    stage.sandbox.clock.advance(60)
    assert await reachable(f"{SIREN}_COMPTA") is True
    assert await reachable(SIREN) is False
    assert await reachable(f"{SIREN}_ACHATS") is False
    assert await reachable(f"{SIREN}_55210055400013") is False
    assert await reachable("303265045") is False


async def test_a_company_that_is_found_in_one_way_only_is_found(stage: Stage) -> None:
    await stage.mandate()
    stage.sandbox.clock.advance(60)
    stage.sandbox.faults.plan("status-404-before", operation="GET /mandates/directory/{siren}")
    assert await stage.client.directory.is_reachable(SIREN) is True


async def test_what_is_no_address_is_not_looked_up(stage: Stage) -> None:
    with pytest.raises(InvalidInput, match="must begin with a SIREN"):
        await stage.client.directory.is_reachable("paris")
    with pytest.raises(InvalidInput, match="check digit"):
        await stage.client.directory.is_reachable("552100555")
    with pytest.raises(InvalidInput, match="a SIRET, '55210055400014', that has a wrong check digit"):
        await stage.client.directory.find("552100554_55210055400014")


async def test_an_address_is_looked_up_as_people_write_it(stage: Stage) -> None:
    await stage.mandate()
    stage.sandbox.clock.advance(60)
    assert await stage.client.directory.is_reachable("552 100 554") is True


async def test_whether_the_digits_of_an_address_count_is_said_by_the_client_or_the_call(stage: Stage) -> None:
    address = "552100554_55210055400014"
    lenient = stage.client.with_options(check_digits=False)
    assert lenient.check_digits is False
    assert await lenient.directory.is_reachable(address) is False
    assert await stage.client.directory.find(address, options=CallOptions(check_digits=False)) is None
    with pytest.raises(InvalidInput, match="wrong check digit"):
        await lenient.directory.find(address, options=CallOptions(check_digits=True))


@pytest.mark.parametrize(
    ("addressable", "said"), [(True, True), (False, False), (None, None)], ids=["yes", "no", "silent"]
)
def test_a_line_that_does_not_say_is_no_yes(*, addressable: bool | None, said: bool | None) -> None:
    assert is_addressable(DirectoryEntry(siren=SIREN, name="A", addressable=addressable)) is said
    assert is_addressable(DirectoryEntry(siren=SIREN, name="A")) is None


# Clients


async def test_a_client_is_found_by_its_reference(stage: Stage) -> None:
    made = await stage.client.clients.create(
        {"organization_name": "Bois", "contact_email": "a@example.com", "external_ref": "erp-7"}
    )
    found = await stage.client.clients.find("erp-7")
    assert found is not None
    assert found.client_id == made.client_id
    assert await stage.client.clients.find("erp-8") is None
    with pytest.raises(InvalidInput, match="must not be empty"):
        await stage.client.clients.find("")


async def test_a_reference_that_the_platform_answers_with_404_has_no_client(stage: Stage) -> None:
    stage.sandbox.faults.plan("status-404-before", operation="GET /clients")
    assert await stage.client.clients.find("erp-8") is None


CLIENT = {
    "client_id": "c-7",
    "organization_name": "Bois",
    "contact_email": "a@example.com",
    "external_ref": "erp-7",
    "sponsor_id": "s-1",
    "status": "active",
    "created_at": "2026-09-01T00:00:00Z",
}


async def test_a_platform_that_answers_with_other_clients_has_not_found_it(
    client: SeqinoClient, wire: Wire
) -> None:
    wire.answer("GET", f"{BASE}/clients?external_ref=erp-8", [CLIENT])
    assert await client.clients.find("erp-8") is None


NAMED_ID = {"id" if name == "client_id" else name: value for name, value in CLIENT.items()}
NEW_CLIENT = {name: CLIENT[name] for name in ("organization_name", "contact_email", "external_ref")}


@pytest.mark.parametrize("shown", [CLIENT, NAMED_ID], ids=["client_id", "id"])
async def test_a_client_has_its_id_under_either_name(
    client: SeqinoClient, wire: Wire, shown: dict[str, str]
) -> None:
    wire.answer("GET", f"{BASE}/clients/c-7", shown)
    assert (await client.clients.get("c-7")).client_id == "c-7"
    wire.answer("GET", f"{BASE}/clients?external_ref=erp-7", shown)
    found = await client.clients.find("erp-7")
    assert found is not None
    assert found.client_id == "c-7"
    wire.answer("GET", f"{BASE}/clients", [shown])
    assert [one.client_id async for one in client.clients.list()] == ["c-7"]


@pytest.mark.parametrize("shown", [CLIENT, NAMED_ID], ids=["client_id", "id"])
@pytest.mark.parametrize("is_wrapped", [False, True], ids=["flat", "wrapped"])
async def test_a_new_client_is_read_flat_and_beside_a_message(
    client: SeqinoClient, wire: Wire, shown: dict[str, str], *, is_wrapped: bool
) -> None:
    answer = {"client": shown, "message": "created"} if is_wrapped else shown
    wire.answer("POST", f"{BASE}/clients", answer, status=201)
    made = await client.clients.create(NEW_CLIENT)
    assert (made.client_id, made.external_ref) == ("c-7", "erp-7")
    # The function of the API reads both forms as well.
    wire.answer("POST", f"{BASE}/clients", answer, status=201)
    plain = await api.clients.create_client(client, NEW_CLIENT)
    assert (plain.client_id or plain.id, plain.external_ref) == ("c-7", "erp-7")


async def test_a_new_client_whose_answer_was_lost_is_found_and_identified(stage: Stage) -> None:
    stage.sandbox.faults.plan("reset-after", operation="POST /clients")
    made = await stage.client.clients.create(NEW_CLIENT)
    found = await stage.client.clients.find("erp-7")
    assert found is not None
    assert made.client_id == found.client_id


async def test_an_answer_that_is_no_client_in_either_form_says_what_is_missing(
    client: SeqinoClient, wire: Wire
) -> None:
    partial = {name: value for name, value in CLIENT.items() if name != "sponsor_id"}
    answers = {"$.sponsor_id": partial, "$.client.sponsor_id": {"client": partial, "message": "created"}}
    for place, answer in answers.items():
        wire.answer("POST", f"{BASE}/clients", answer, status=201)
        with pytest.raises(ResponseDecodeError, match="sponsor_id") as caught:
            await client.clients.create(NEW_CLIENT)
        assert caught.value.status == 201
        assert [fault.path for fault in caught.value.faults] == [place]

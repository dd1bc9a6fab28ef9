"""What a draft holds that a correction did not reach, or that was changed since a backup was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seqino.batch import LedgerCorrupted, State, schema
from seqino.batch.items import Change
from seqino.batch.states import ItemEvent
from seqino.errors import CallError, OutcomeUnknown
from seqino.options import CallOptions
from tests.batch.conftest import DRAFT
from tests.batch.test_evidence import OTHER, item, rejected

if TYPE_CHECKING:
    from seqino.batch import Ledger
    from seqino.client import SeqinoClient
    from tests.batch.conftest import Machine
    from tests.batch.platform import Platform

LONG = CallOptions(timeout=200)


async def not_replaced(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    """A correction whose draft is one still, although it refused to be replaced."""
    await rejected(ledger, client, platform)
    platform.faults["replace"] = ["409"]
    with pytest.raises(CallError):
        await ledger.correct(client, OTHER, key="k")
    assert platform.drafts["draft-1"]["currency_code"] == DRAFT["currency_code"]


async def test_a_draft_that_was_not_replaced_is_replaced_before_it_is_validated_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    assert (await ledger.submit(client, OTHER, key="k", options=LONG)).invoice_id == "inv-1"
    assert platform.drafts["draft-1"]["currency_code"] == "CHF"
    events = [str(entry.event) async for entry in ledger.history()]
    assert events[-6:] == ["adopted", "lost", "adopted", "replaced", "marked", "accepted"]
    assert (platform.requests["replace"], platform.effects) == (2, {"draft-1": 1})


async def test_a_draft_that_was_replaced_once_is_not_again(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    platform.faults["validate"] = ["lost before"]
    assert (
        await ledger.submit(client, OTHER, key="k", options=CallOptions(timeout=400))
    ).draft_id == "draft-1"
    assert platform.requests["replace"] == 2
    assert platform.effects == {"draft-1": 1}


@pytest.mark.parametrize(
    ("fault", "state"),
    [("409", State.PARKED), ("refuse", State.PARKED), ("503", State.IN_DOUBT), ("403", State.IN_DOUBT)],
)
async def test_a_draft_that_still_cannot_be_replaced_is_not_validated(
    ledger: Ledger, client: SeqinoClient, platform: Platform, fault: str, state: State
) -> None:
    await not_replaced(ledger, client, platform)
    platform.faults["replace"] = [fault]
    with pytest.raises(OutcomeUnknown, match="may hold another content, could not be replaced"):
        await ledger.submit(client, OTHER, key="k", options=LONG)
    found = await item(ledger)
    assert (found.state, found.not_before is None) == (state, state is State.PARKED)
    assert "could not be replaced" in (found.reasons or "")
    assert (platform.requests["validate"], platform.effects.total()) == (1, 0)
    # A person, or the next look, goes on.
    if state is State.PARKED:
        assert (await ledger.resend(found)).state is State.CORRECTING
    assert (await ledger.submit(client, OTHER, key="k", options=LONG)).invoice_id == "inv-1"
    assert platform.drafts["draft-1"]["currency_code"] == "CHF"
    assert platform.effects == {"draft-1": 1}


async def test_nobody_is_told_to_go_on_without_the_ledger_with_a_draft_that_may_hold_another_content(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    platform.faults["look"] = ["403"]
    with pytest.raises(
        OutcomeUnknown, match=r"mended, only the ledger goes on with it: client\.resume would"
    ):
        await ledger.submit(client, OTHER, key="k", options=LONG)
    platform.faults["replace"] = ["503"]
    with pytest.raises(OutcomeUnknown, match="only the ledger goes on with it"):
        await ledger.submit(client, OTHER, key="k", options=LONG)
    platform.faults["validate"] = ["lost before"]
    with pytest.raises(OutcomeUnknown, match=r"client\.resume\(error\.token\) looks further"):
        await ledger.submit(client, OTHER, key="k", options=CallOptions(timeout=130))
    assert platform.requests["validate"] == 2


async def test_a_draft_that_became_an_invoice_is_not_replaced(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    platform.effects["draft-1"] += 1
    assert (await ledger.submit(client, OTHER, key="k", options=LONG)).invoice_id == "inv-1"
    assert platform.requests["replace"] == 1


@pytest.mark.parametrize("state", [State.CORRECTING, State.DRAFTED])
async def test_what_a_backup_does_not_know_of_a_draft_is_replaced(
    machine: Machine, client: SeqinoClient, platform: Platform, state: State
) -> None:
    """The ledger was put back as it was before the draft was given what it holds now."""
    ledger = await machine.open()
    if state is State.CORRECTING:
        await rejected(ledger, client, platform)
        platform.faults["replace"] = ["503"] * 9
    else:
        platform.faults["validate"], platform.faults["look"] = ["401"], ["401"]
    content = OTHER if state is State.CORRECTING else DRAFT
    with pytest.raises(CallError):
        await (ledger.correct if state is State.CORRECTING else ledger.submit)(client, content, key="k")
    platform.faults["replace"] = []
    assert (await item(ledger)).state is state
    platform.drafts["draft-1"]["currency_code"] = "USD"
    await ledger.aclose()
    recovered = await machine.open(recover=True)
    assert (await recovered.submit(client, content, key="k", options=LONG)).invoice_id == "inv-1"
    assert platform.drafts["draft-1"]["currency_code"] == content["currency_code"]
    assert platform.effects == {"draft-1": 1}


async def test_an_answer_that_is_about_an_earlier_content_proves_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    doubtful = await item(ledger)
    await ledger.store.change(Change(item=doubtful, event=ItemEvent.REPLACED, sent="0" * 64))
    assert not await ledger.store.has_draft_as_named(doubtful)
    await ledger.store.change(Change(item=doubtful, event=ItemEvent.REPLACED, sent=doubtful.sha256))
    assert await ledger.store.has_draft_as_named(doubtful)


async def test_a_draft_that_was_made_after_a_correction_holds_it(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await rejected(ledger, client, platform, "create")
    platform.faults["validate"] = ["lost before"]
    assert (await ledger.correct(client, OTHER, key="k", options=LONG)).draft_id == "draft-1"
    assert (platform.requests["replace"], platform.effects) == (0, {"draft-1": 1})


async def test_a_content_that_the_ledger_lost_is_not_replaced_by_anything(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await not_replaced(ledger, client, platform)
    await ledger.store.transact(lambda connection: connection.execute(schema.payload.delete()))
    doubtful, fence = await item(ledger), await ledger.store.register()
    with pytest.raises(LedgerCorrupted, match="does not hold the content of 'k'"):
        await ledger.driver.drive(client, doubtful, fence=fence, options=LONG, patience=200)
    assert (platform.requests["validate"], platform.effects.total()) == (1, 0)

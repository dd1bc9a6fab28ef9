"""Test numbers, whose check digits are wrong, get into a ledger where a client, a call or a run lets them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.batch import State
from seqino.errors import InvalidInput, Rejected
from seqino.options import CallOptions
from tests.batch.conftest import CLIENT, DRAFT

if TYPE_CHECKING:
    from pathlib import Path

    from seqino.batch import Ledger
    from seqino.client import SeqinoClient
    from tests.batch.platform import Platform

TEST: dict[str, Any] = copy.deepcopy(DRAFT)
TEST["seller"]["seller_legal_registration_identifier"] = "123456789"

LENIENT = CallOptions(check_digits=False)


async def test_an_invoice_with_a_test_number_is_submitted_where_that_is_said(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    with pytest.raises(InvalidInput, match=r"wrong check digit.*\(BT-30\)"):
        await ledger.submit(client, TEST, key="a")
    lenient, strict = client.with_options(check_digits=False), CallOptions(check_digits=True)
    with pytest.raises(InvalidInput, match="wrong check digit"):
        await ledger.submit(lenient, TEST, key="a", options=strict)
    assert platform.effects.total() == 0
    await ledger.submit(client, TEST, key="a", options=LENIENT)
    await ledger.submit(lenient, TEST, key="b")
    assert platform.effects.total() == 2


async def test_an_invoice_is_corrected_to_one_with_a_test_number_where_that_is_said(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["refuse"]
    with pytest.raises(Rejected):
        await ledger.submit(client, DRAFT, key="k")
    with pytest.raises(InvalidInput, match="wrong check digit"):
        await ledger.correct(client, TEST, key="k")
    await ledger.correct(client, TEST, key="k", options=LENIENT)
    assert platform.effects.total() == 1


async def test_a_run_takes_test_numbers_where_it_is_told_to(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.mkdir()
    text = json.dumps(TEST, default=str)
    (path / "1.jsonl").write_text(f'{{"key": "1", "invoice": {text}}}\n')
    (path / "2.json").write_text(f'[{{"key": "2", "invoice": {text}}}]')
    source: list[Any] = [path, ("3", TEST)]
    strict = await ledger.create_run(source, client_id=CLIENT)
    assert await strict.counts() == {State.INVALID: 3}
    lenient = await ledger.create_run(source, client_id=CLIENT, check_digits=False)
    assert await lenient.counts() == {State.QUEUED: 3}


async def test_a_run_that_was_not_read_to_its_end_is_read_on_in_the_same_way(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("seqino.batch.runs.Runs.make_ready", killed)
        with pytest.raises(KeyboardInterrupt):
            await ledger.create_run([], client_id=CLIENT, check_digits=False)
    run = await ledger.resume_run(source=[("1", TEST)])
    assert await run.counts() == {State.QUEUED: 1}

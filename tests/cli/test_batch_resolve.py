"""``seqino batch resolve``: what a person says of an invoice in doubt."""

from __future__ import annotations

import asyncio
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from seqino import SeqinoClient
from seqino.batch import Ledger, State
from seqino.batch.items import Change
from seqino.batch.states import ItemEvent
from seqino.cli.confirm import answer
from seqino.cli.result import ExitCode
from seqino.errors import OutcomeUnknown
from tests.cli.batch_ledgers import CLIENT, FILE, KEY, SUBMIT_FILE

if TYPE_CHECKING:
    from tests.cli.batch_ledgers import Batch

VALIDATE = "POST /drafts/{draft_id}/validate"


@pytest.fixture
def in_doubt(batch: Batch) -> Batch:
    """A ledger with a file whose answer was lost, although the platform had taken it."""
    batch.platform.sandbox.faults.plan("reset-after", operation=SUBMIT_FILE)
    result = batch("submit", batch.samples / FILE)
    assert result.exit_code == ExitCode.IN_DOUBT
    assert batch.states() == {KEY: "parked"}
    return batch


def test_what_is_in_doubt_is_told_and_never_sent_again_by_itself(in_doubt: Batch) -> None:
    assert in_doubt("status").exit_code == ExitCode.IN_DOUBT
    report = in_doubt("report", "--lang", "fr")
    assert report.exit_code == ExitCode.IN_DOUBT
    assert re.search(f"{KEY} .* en doute, à trancher", report.stdout)
    resumed = in_doubt("resume")
    assert resumed.exit_code == ExitCode.IN_DOUBT
    nothing, what_next = resumed.stderr.splitlines()
    assert nothing == "nothing is left to be sent"
    assert what_next.startswith("parked: ask the platform whether it has them, then: seqino batch resolve ")
    assert what_next.endswith(" KEY --found INVOICE_ID (or --absent, or --resend)")
    assert "an invoice may exist: its end was not seen, and no look can tell" in report.stdout
    assert in_doubt("retry", "--rejected", in_doubt.samples / FILE).exit_code == ExitCode.INPUT
    assert in_doubt.platform.sandbox.counters.files_taken == 1


def test_an_invoice_that_was_found_is_accepted(in_doubt: Batch) -> None:
    result = in_doubt("resolve", KEY, "--found", "inv_1", "--yes")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, f"{KEY}: accepted\n")
    assert "it counts as taken by the platform, as the invoice inv_1" in result.stderr
    (line,) = map(json.loads, in_doubt("report", "--all", "--json").stdout.splitlines()[:1])
    assert (line["invoice_id"], line["reason"]) == ("inv_1", None)
    again = in_doubt("resolve", KEY, "--absent", "--yes")
    assert again.exit_code == ExitCode.INPUT
    assert "is accepted: only what is in doubt is resolved" in again.stderr


def test_an_invoice_that_is_absent_is_rejected_and_may_turn_up_all_the_same(in_doubt: Batch) -> None:
    assert in_doubt("resolve", KEY, "--absent", "--yes", "--lang", "fr").stdout == (
        f"{KEY}: refusée par la plateforme\n"
    )
    report = in_doubt("report")
    assert report.exit_code == ExitCode.REJECTED
    assert "a person has made sure that no invoice exists" in report.stdout
    retried = in_doubt("retry", "--rejected", in_doubt.samples / FILE)
    assert retried.exit_code == ExitCode.INPUT
    assert "was once in doubt, and is never sent with another content" in retried.stdout
    assert in_doubt("resolve", KEY, "--found", "inv_1", "--yes").stdout == f"{KEY}: accepted\n"


def test_an_invoice_is_resent_at_the_risk_that_is_named(in_doubt: Batch) -> None:
    result = in_doubt("resolve", KEY, "--resend", "--yes")
    assert (result.exit_code, result.stdout) == (ExitCode.OK, f"{KEY}: queued\n")
    assert "If the platform took it the first time, the buyer gets it twice" in result.stderr
    assert "it is sent by: seqino batch resume " in result.stderr
    resumed = in_doubt("resume")
    assert (resumed.exit_code, resumed.stdout) == (ExitCode.OK, "batch: run 1: 1 accepted\n")
    counters = in_doubt.platform.sandbox.counters
    assert (counters.files_taken, counters.duplicates) == (2, 1)
    events = [
        json.loads(line)["event"] for line in in_doubt("export", "--what", "history", "-").stdout.splitlines()
    ]
    assert events[-3:] == ["resent", "marked", "accepted"]
    followed = in_doubt("follow", "--first", 0.1)
    assert followed.exit_code == ExitCode.REJECTED
    assert "213 Rejected: DOUBLON" in followed.stdout
    assert "duplicate: the network has the number, and this delivery is void" in followed.stderr


def test_one_invoice_cannot_be_that_of_two_keys(in_doubt: Batch) -> None:
    in_doubt("submit", in_doubt.samples / "02-food-two-rates-ubl.xml")
    lines = map(json.loads, in_doubt("report", "--all", "--json").stdout.splitlines())
    taken = next(line["invoice_id"] for line in lines if line.get("state") == "accepted")
    result = in_doubt("resolve", KEY, "--found", taken, "--yes")
    assert result.exit_code == ExitCode.INPUT
    assert f"the invoice {taken} is that of " in result.stderr
    assert in_doubt("resolve", KEY, "--found", " ", "--yes").exit_code == ExitCode.INPUT


def test_a_draft_in_doubt_is_looked_at_by_a_later_resume(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("reset-after", operation=VALIDATE)
    rows = batch.rows("rows.jsonl", {"A": batch.draft()})
    assert batch("submit", "--patience", 0, rows).exit_code in (ExitCode.IN_DOUBT, ExitCode.OK)
    resumed = batch("resume", "--patience", 5)
    assert resumed.exit_code == ExitCode.OK
    assert batch.states() == {"A": "accepted"}
    assert batch.platform.sandbox.counters.drafts_validated == 1


def test_a_doubt_of_a_web_service_is_told_by_a_resume_that_ends_well_otherwise(batch: Batch) -> None:
    async def serve() -> None:
        async with (
            SeqinoClient("sandbox-key", client_id=CLIENT, base_url=batch.platform.url) as client,
            Ledger.open(batch.ledger, server=batch.platform.url, sponsor="default") as ledger,
        ):
            batch.platform.sandbox.faults.plan("reset-after", operation=SUBMIT_FILE)
            with pytest.raises(OutcomeUnknown):
                await ledger.submit_file(client, batch.samples / FILE)
            await ledger.create_run([("A", batch.draft())], client_id=CLIENT)

    asyncio.run(serve())
    resumed = batch("resume", "--patience", 0)
    assert resumed.exit_code == ExitCode.IN_DOUBT
    assert "batch: run 1: 1 accepted" in resumed.stdout
    assert "parked: ask the platform whether it has them" in resumed.stderr
    assert batch("resume", "--run", 1, "--patience", 0).exit_code == ExitCode.OK


def test_what_a_resume_settles_in_the_end_is_told_as_it_is_then(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ledger.reconcile

    async def due(ledger: Ledger, *arguments: Any, **named: Any) -> Any:
        async for item in ledger.store.items(states=[State.IN_DOUBT]):
            await ledger.store.change(Change(item=item, event=ItemEvent.LEFT))
        return await real(ledger, *arguments, **named)

    monkeypatch.setattr(Ledger, "reconcile", due)
    batch.platform.sandbox.faults.plan("reset-after", operation=VALIDATE)
    assert batch("submit", "--patience", 0, batch.rows("r.jsonl", {"A": batch.draft()})).exit_code in (
        ExitCode.IN_DOUBT,
        ExitCode.OK,
    )
    assert batch("resume", "--patience", 0).exit_code == ExitCode.OK
    assert batch.states() == {"A": "accepted"}


@pytest.mark.parametrize("chosen", [[], ["--absent", "--resend"], ["--found", "inv_1", "--absent"]])
def test_one_thing_is_said_of_an_invoice(batch: Batch, chosen: list[str]) -> None:
    result = batch("resolve", "A", *chosen)
    assert result.exit_code == ExitCode.INPUT
    assert "say one of --found INVOICE_ID, --absent and --resend" in result.stderr


def test_a_key_that_the_ledger_does_not_know_is_named(in_doubt: Batch) -> None:
    for answered in ([], ["--yes"]):
        result = in_doubt("resolve", "B", "--absent", *answered)
        assert result.exit_code == ExitCode.INPUT
        # Nobody is asked what would follow for an invoice that is none.
        assert result.stderr == "error: this ledger knows no 'B' of sandbox-client-seqino\n"


def test_a_ledger_that_is_none_is_told_before_anybody_is_asked(in_doubt: Batch) -> None:
    in_doubt.ledger.write_bytes(b"no ledger")
    result = in_doubt("resolve", KEY, "--absent")
    assert result.exit_code == ExitCode.INPUT
    assert "is no ledger, or is damaged" in result.stderr
    assert "From now on" not in result.stderr


def test_nothing_is_changed_where_nobody_confirms_it(in_doubt: Batch) -> None:
    result = in_doubt("resolve", KEY, "--resend")
    assert result.exit_code == ExitCode.INPUT
    assert "nobody is there to confirm it, and nothing was changed: add --yes" in result.stderr
    assert in_doubt.states() == {KEY: "parked"}


@pytest.mark.parametrize(("typed", "state"), [("y\n", "rejected"), ("\n", "parked")])
def test_a_person_at_a_terminal_is_asked(
    in_doubt: Batch, monkeypatch: pytest.MonkeyPatch, typed: str, state: str
) -> None:
    monkeypatch.setattr("seqino.cli.confirm.is_watched", lambda: True)
    monkeypatch.setattr("seqino.cli.confirm.answer", lambda: typed)
    assert "Do it? [y/N]" in in_doubt("resolve", KEY, "--absent").stderr
    assert in_doubt.states() == {KEY: state}


def test_an_answer_is_a_line_of_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\nno\n"))
    assert answer() == "yes\n"

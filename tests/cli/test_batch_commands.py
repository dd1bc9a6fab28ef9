"""``seqino batch`` against a real sandbox: runs, what is shown of them, and ledgers that cannot be used."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seqino.batch import Ledger
from seqino.cli.result import ExitCode
from seqino.models import UsageLimits
from tests.cli.batch_ledgers import CLIENT, CREATE_DRAFT, FILE, KEY, SUBMIT_FILE

if TYPE_CHECKING:
    from tests.cli.batch_ledgers import Batch

OTHER = "02-food-two-rates-ubl.xml"


def test_files_and_rows_are_sent_once_and_a_new_ledger_is_announced(batch: Batch) -> None:
    rows = batch.rows("rows.jsonl", {"ERP-1": batch.draft()})
    result = batch("submit", batch.samples / FILE, rows, "--name", "2026-10")
    assert result.exit_code == ExitCode.OK
    assert f"new ledger: {batch.ledger}" in result.stderr
    assert "limits: " in result.stderr
    assert result.stdout.splitlines() == ["batch: run 1: 2 accepted"]
    counters = batch.platform.sandbox.counters
    assert (counters.files_taken, counters.drafts_validated, counters.duplicates) == (1, 1, 0)
    assert batch.states() == {KEY: "accepted", "ERP-1": "accepted"}


def test_what_was_sent_before_is_refused_by_its_key(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    again = batch("submit", batch.samples / FILE)
    assert again.exit_code == ExitCode.INPUT
    assert f"has the key '{KEY}'" in again.stdout
    assert "error: run 2: nothing was taken, and nothing was sent" in again.stderr
    more = batch("submit", batch.samples / FILE, batch.samples / OTHER)
    assert more.exit_code == ExitCode.REJECTED
    assert more.stdout.splitlines()[-1] == "batch: run 3: 1 accepted, 1 refused before sending"
    assert batch.platform.sandbox.counters.files_taken == 2


def test_a_rejected_draft_is_listed_and_sent_again_when_it_was_corrected(batch: Batch) -> None:
    rows = batch.rows("rows.jsonl", {"A": batch.draft(), "B": batch.draft(total_amount_with_vat="1.00")})
    first = batch("submit", rows, "--lang", "fr")
    assert first.exit_code == ExitCode.REJECTED
    assert first.stdout.splitlines()[-1] == "batch: run 1: 1 acceptée, 1 refusée par la plateforme"
    assert batch.states() == {"A": "accepted", "B": "rejected"}
    drafts = {"A": batch.draft(), "B": batch.draft(due_date="2026-12-24"), "C": batch.draft()}
    retried = batch("retry", "--rejected", batch.rows("again.jsonl", drafts))
    assert retried.exit_code == ExitCode.REJECTED
    assert "is accepted, not rejected: it is not sent again" in retried.stdout
    assert "has the key 'C', which this ledger does not know" in retried.stdout
    assert retried.stdout.splitlines()[-1] == "batch: run 2: 1 accepted, 2 refused before sending"
    assert batch.states() == {"A": "accepted", "B": "accepted"}
    counters = batch.platform.sandbox.counters
    assert (counters.drafts_created, counters.drafts_updated, counters.drafts_validated) == (2, 1, 2)


def test_a_rejected_file_is_corrected_as_a_file(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-422-before", operation=SUBMIT_FILE)
    assert batch("submit", batch.samples / FILE).exit_code == ExitCode.REJECTED
    other = batch("retry", "--rejected", batch.rows("rows.jsonl", {KEY: batch.draft()}))
    assert other.exit_code == ExitCode.INPUT
    assert "was sent as a file, and is corrected the same way" in other.stdout
    assert batch("retry", "--rejected", batch.samples / FILE).exit_code == ExitCode.OK
    assert batch.platform.sandbox.counters.files_taken == 1


def test_a_ledger_without_any_run_has_a_status(batch: Batch) -> None:
    async def make() -> None:
        async with Ledger.open(batch.ledger, server=batch.platform.url, sponsor="default"):
            pass

    asyncio.run(make())
    assert batch("status").stdout == f"{batch.ledger}: nothing\n"


def test_only_what_was_rejected_is_retried(batch: Batch) -> None:
    result = batch("retry", batch.samples / FILE)
    assert result.exit_code == ExitCode.INPUT
    assert result.stderr == "error: say what is to be sent again: --rejected\n"


def test_progress_for_machines_is_all_that_is_on_the_output(batch: Batch) -> None:
    (batch.folder / "empty.xml").write_bytes(b"")
    result = batch("submit", "--json", batch.samples / FILE, batch.folder / "empty.xml")
    refused, *steps = map(json.loads, result.stdout.splitlines())
    assert refused["refused"].endswith("empty.xml")
    assert steps[0]["counts"] == {"queued": 1}
    assert (steps[-1]["is_over"], steps[-1]["counts"], steps[-1]["refused"]) == (True, {"accepted": 1}, 1)
    assert {"rate", "seconds_left", "held_for", "concurrency"} <= steps[-1].keys()


def test_a_platform_that_refuses_the_key_ends_the_run_which_is_resumed(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-401-before", operation=CREATE_DRAFT)
    stopped = batch("submit", batch.rows("rows.jsonl", {"A": batch.draft()}))
    assert stopped.exit_code == ExitCode.FAILURE
    assert "error: stopped: " in stopped.stderr
    assert batch.platform.sandbox.counters.drafts_validated == 0
    resumed = batch("resume")
    assert (resumed.exit_code, resumed.stdout) == (ExitCode.OK, "batch: run 1: 1 accepted\n")
    assert batch.platform.sandbox.counters.drafts_validated == 1
    again = batch("resume")
    assert (again.exit_code, again.stderr) == (ExitCode.OK, "nothing is left to be sent\n")
    assert batch("resume", "--run", 1).exit_code == ExitCode.OK
    assert batch("resume", "--run", 9).exit_code == ExitCode.INPUT


def test_a_client_that_may_not_send_keeps_its_invoices_for_later(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-403-before", operation=CREATE_DRAFT)
    result = batch("submit", batch.rows("rows.jsonl", {"A": batch.draft()}))
    assert result.exit_code == ExitCode.FAILURE
    assert f"{CLIENT} waits: " in result.stderr
    assert "not all was sent: seqino batch resume --base-url" in result.stderr


def test_status_and_report_tell_of_each_run_and_of_what_somebody_has_to_look_at(batch: Batch) -> None:
    drafts = {"A": batch.draft(), "B": batch.draft(total_amount_with_vat="1.00")}
    batch("submit", batch.rows("rows.jsonl", drafts), batch.samples / "13-consulting-draft.json")
    status = batch("status")
    assert status.exit_code == ExitCode.REJECTED
    assert "1 accepted, 1 rejected, 1 refused" in status.stdout
    of_run, whole = map(json.loads, batch("status", "--json").stdout.splitlines())
    assert (of_run["run"], of_run["counts"], of_run["refused"]) == (1, {"accepted": 1, "rejected": 1}, 1)
    assert (whole["sponsor"], whole["counts"]) == ("default", {"accepted": 1, "rejected": 1})
    report = batch("report")
    assert report.exit_code == ExitCode.REJECTED
    assert "so that it needs a key" in report.stdout
    lines = [json.loads(line) for line in batch("report", "--json", "--all").stdout.splitlines()]
    assert [line.get("key") for line in lines] == ["A", "B", None, None]
    assert lines[1]["reason"]
    assert lines[-1] == {"counts": {"accepted": 1, "rejected": 1}, "refused": 1}
    assert "BT-112 is 1.00" in str(lines[1]["reason"])
    assert "Correct what is named" not in report.stdout
    assert "rejected: correct them under the same keys, then: seqino batch retry --rejected" in report.stderr
    assert batch("report", "--run", 1).exit_code == ExitCode.REJECTED


@pytest.mark.parametrize(("name", "arguments"), [("report", []), ("export", ["-"]), ("follow", [])])
def test_a_run_that_is_not_there_is_told(batch: Batch, name: str, arguments: list[str]) -> None:
    batch("submit", batch.samples / FILE)
    result = batch(name, *arguments, "--run", 7)
    assert result.exit_code == ExitCode.INPUT
    assert (result.stdout, result.stderr) == ("", "error: there is no run 7 in this ledger\n")


def test_a_resumption_does_not_forget_what_no_run_goes_on_with(batch: Batch) -> None:
    batch("submit", batch.rows("bad.jsonl", {"B": batch.draft(total_amount_with_vat="1.00")}))
    batch.platform.sandbox.faults.plan("status-401-before", operation=CREATE_DRAFT)
    batch("submit", batch.rows("rows.jsonl", {"A": batch.draft()}))
    resumed = batch("resume")
    assert resumed.stdout == "batch: run 2: 1 accepted\n"
    # An old rejection is told, and does not make each resumption from now on a failure.
    assert resumed.exit_code == ExitCode.OK
    assert "rejected: correct them" in resumed.stderr
    assert batch("resume").exit_code == ExitCode.REJECTED
    assert batch("resume", "--run", 2).exit_code == ExitCode.OK


def test_long_lists_are_cut_after_a_run_and_whole_in_the_report(batch: Batch) -> None:
    drafts = {f"ERP-{at}": batch.draft(total_amount_with_vat="1.00") for at in range(21)}
    result = batch("submit", batch.rows("rows.jsonl", drafts))
    assert "and 1 more: seqino batch report " in result.stdout
    assert "ERP-20" not in result.stdout
    assert "ERP-20" in batch("report", "--lang", "fr").stdout


def test_what_became_of_each_is_exported_as_csv_and_as_lines(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    file = batch.folder / "out.csv"
    done = batch("export", "--format", "csv", file)
    assert (done.exit_code, done.stderr) == (ExitCode.OK, f"{file}: 1 lines\n")
    (row,) = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    assert (row["key"], row["state"], row["invoice_number"]) == (KEY, "accepted", "ANR-2026-0412")
    assert row["invoice_id"].startswith("inv_")
    history = [
        json.loads(line)["event"] for line in batch("export", "--what", "history", "-").stdout.splitlines()
    ]
    assert history == ["added", "marked", "accepted"]


def test_drafts_are_judged_beforehand_and_nothing_is_sent(batch: Batch) -> None:
    drafts = {"A": batch.draft(), "B": batch.draft(total_amount_with_vat="1.00"), "": batch.draft()}
    rows = batch.rows("rows.jsonl", drafts)
    result = batch("check", rows, batch.samples / FILE)
    assert result.exit_code == ExitCode.REJECTED
    assert f"{rows}:1: A: valid" in result.stdout
    assert f"{rows}:2: B: invalid" in result.stdout
    assert f"{FILE}: {KEY}: readable" in result.stdout
    assert result.stdout.splitlines()[-1] == "check: 2 invalid, 1 readable, 1 valid; nothing was sent"
    (line,) = map(json.loads, batch("check", "--json", batch.samples / FILE).stdout.splitlines())
    assert (line["key"], line["verdict"]) == (KEY, "readable")
    counters = batch.platform.sandbox.counters
    assert (counters.files_taken, counters.drafts_created) == (0, 0)
    assert not batch.ledger.exists()


def test_what_cannot_be_sent_is_found_by_a_check_as_by_a_run(batch: Batch) -> None:
    path = batch.folder / "rows.json"
    path.write_text(json.dumps({"key": "A", "invoice": {}}), encoding="utf-8")
    checked = batch("check", path)
    assert checked.exit_code == ExitCode.REJECTED
    assert (
        f"{path}: A: invalid\n  nothing was sent: $.issue_date: is missing; $.type_code: is missing"
        in checked.stdout
    )
    assert batch("submit", path).exit_code == ExitCode.REJECTED
    assert batch.states() == {"A": "invalid"}
    assert batch("submit", batch.rows("rows.jsonl", {"A": batch.draft()})).exit_code == ExitCode.OK
    assert batch.states() == {"A": "accepted"}


def test_a_correction_that_cannot_be_sent_leaves_what_was_rejected(batch: Batch) -> None:
    batch("submit", batch.rows("rows.jsonl", {"A": batch.draft(total_amount_with_vat="1.00")}))
    path = batch.folder / "rows.json"
    path.write_text(json.dumps({"key": "A", "invoice": {}}), encoding="utf-8")
    result = batch("retry", "--rejected", path)
    assert result.exit_code == ExitCode.INPUT
    assert f"{path}: nothing was sent: $.issue_date: is missing; $.type_code: is missing" in result.stdout
    assert batch.states() == {"A": "rejected"}


def test_the_platforms_limits_are_asked_for_once_and_told_before_anything_is_sent(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()

    async def limits(*arguments: object, **_: object) -> UsageLimits:
        asked.append(arguments)
        return UsageLimits(rate_limit_per_minute=600)

    monkeypatch.setattr("seqino.resources.usage.Usage.get_limits", limits)
    result = batch("submit", batch.samples / FILE)
    told, sent = (
        result.stderr.index(words) for words in ("limits: 600 requests a minute", "run 1: 1 queued")
    )
    assert told < sent
    assert len(asked) == 1
    over = batch("resume", "--run", 1)
    assert over.exit_code == ExitCode.OK
    assert "limits: " not in over.stderr
    assert len(asked) == 1


def test_a_key_that_is_not_taken_sends_nothing(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-401-before")
    result = batch("submit", batch.samples / FILE)
    assert result.exit_code == ExitCode.FAILURE
    assert batch.platform.sandbox.counters.files_taken == 0


def test_a_check_that_the_platform_refuses_is_read_by_its_status(batch: Batch) -> None:
    rows = batch.rows("rows.jsonl", {"A": batch.draft()})
    faults = batch.platform.sandbox.faults
    faults.plan("status-422-before", operation="POST /drafts/validate-data")
    assert batch("check", rows).exit_code == ExitCode.REJECTED
    faults.plan("status-403-before", operation="POST /drafts/validate-data")
    assert batch("check", rows).exit_code == ExitCode.FAILURE


@pytest.mark.parametrize(
    ("removed", "said"), [("--base-url", "say which server"), ("--client-id", "say on whose behalf")]
)
def test_the_server_and_the_client_are_never_guessed(batch: Batch, removed: str, said: str) -> None:
    options = batch.options("submit")
    at = options.index(removed)
    del options[at : at + 2]
    result = batch.command("batch", "submit", batch.samples / FILE, *options)
    assert result.exit_code == ExitCode.INPUT
    assert said in result.stderr
    assert not batch.ledger.exists()


def test_a_server_is_named_once(batch: Batch) -> None:
    result = batch("status", "--server", "local")
    assert (result.exit_code, result.stdout) == (ExitCode.INPUT, "")
    assert "--server or --base-url, not both" in result.stderr


def test_the_ledger_is_in_the_users_data_folder_where_none_is_named(batch: Batch) -> None:
    options = ["--base-url", batch.platform.url, "--client-id", CLIENT]
    result = batch.command("batch", "submit", batch.samples / FILE, *options)
    assert result.exit_code == ExitCode.OK
    (file,) = Path(batch.folder, "xdg_data_home").rglob("*.sqlite")
    assert f"new ledger: {file}" in result.stderr


# --- Ledgers that cannot be used


def test_a_ledger_is_made_by_a_submission_only(batch: Batch) -> None:
    for name, arguments in {
        "status": [],
        "resume": [],
        "retry": ["--rejected", batch.samples / FILE],
    }.items():
        result = batch(name, *arguments)
        assert result.exit_code == ExitCode.INPUT
        assert "there is no ledger at" in result.stderr
    assert not batch.ledger.exists()


def test_a_ledger_of_a_newer_version_is_not_used(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    with sqlite3.connect(batch.ledger) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    result = batch("status")
    assert (result.exit_code, result.stdout) == (ExitCode.INPUT, "")
    assert "written by a newer version of seqino" in result.stderr


def test_a_damaged_ledger_is_not_used(batch: Batch) -> None:
    batch.ledger.write_bytes(b"no ledger at all")
    result = batch("submit", batch.samples / FILE)
    assert (result.exit_code, result.stdout) == (ExitCode.INPUT, "")
    assert "is no ledger, or is damaged" in result.stderr
    assert batch.platform.sandbox.counters.files_taken == 0


def test_a_ledger_of_another_sponsor_is_not_used(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    result = batch("status", "--sponsor", "other")
    assert result.exit_code == ExitCode.INPUT
    assert "is the ledger of 'default'" in result.stderr


def test_a_backup_in_its_place_is_told_and_recovered(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    backup = batch.folder / "backup.db"
    source, target = sqlite3.connect(batch.ledger), sqlite3.connect(backup)
    source.backup(target)
    source.close()
    target.close()
    batch("submit", batch.samples / OTHER)
    untouched = batch("recover")
    assert untouched.exit_code == ExitCode.INPUT
    assert "is as new as it ever was" in untouched.stderr
    for file in batch.folder.glob("ledger.db-*"):
        file.unlink()
    backup.replace(batch.ledger)
    refused = batch("resume")
    assert refused.exit_code == ExitCode.INPUT
    assert "Run 'seqino batch recover'" in refused.stderr
    recovered = batch("recover")
    assert (recovered.exit_code, recovered.stdout) == (
        ExitCode.OK,
        f"{batch.ledger}: recovered: 1 accepted\n",
    )
    assert "it does not know what was sent from" in recovered.stderr
    assert batch("recover", "--yes").exit_code == ExitCode.OK
    assert batch("resume").exit_code == ExitCode.OK
    # What was sent after the backup was made is not sent again unless a person says so.
    sent = batch.platform.sandbox.counters.invoices_created
    unknown = batch("submit", batch.samples / OTHER)
    assert unknown.exit_code == ExitCode.INPUT
    assert "it may have been sent then" in unknown.stdout
    unconfirmed = batch("recover", "--admit-new")
    assert unconfirmed.exit_code == ExitCode.INPUT
    assert "the buyer gets it twice" in unconfirmed.stderr
    assert batch.platform.sandbox.counters.invoices_created == sent
    admitted = batch("recover", "--admit-new", "--yes")
    assert (admitted.exit_code, admitted.stdout) == (ExitCode.OK, f"{batch.ledger}: takes new keys again\n")
    nothing = batch("recover", "--admit-new", "--yes")
    assert nothing.exit_code == ExitCode.INPUT
    assert "takes new keys, and nothing was changed" in nothing.stderr


def test_a_second_ledger_is_made_only_where_it_is_wanted(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    batch.ledger = batch.folder / "second.db"
    refused = batch("submit", batch.samples / OTHER)
    assert refused.exit_code == ExitCode.INPUT
    assert "has a ledger already" in refused.stderr
    assert batch("submit", batch.samples / OTHER, "--another-ledger").exit_code == ExitCode.OK


def test_a_ledger_is_not_written_over_by_an_export(batch: Batch) -> None:
    batch("submit", batch.samples / FILE)
    result = batch("export", batch.ledger)
    assert result.exit_code == ExitCode.INPUT
    assert "is a file of the ledger itself: export to another one" in result.stderr
    assert batch("status").exit_code == ExitCode.OK


def test_what_was_rejected_when_a_backup_was_made_is_told_with_care(batch: Batch) -> None:
    batch("submit", batch.rows("bad.jsonl", {"B": batch.draft(total_amount_with_vat="1.00")}))
    batch("recover", "--yes")
    report = batch("report", "--json")
    reason = json.loads(report.stdout.splitlines()[0])["reason"]
    assert reason.startswith("rejected when the backup was made, perhaps corrected and sent since")
    assert "BT-112 is 1.00" in reason
    retried = batch("retry", "--rejected", batch.rows("rows.jsonl", {"B": batch.draft()}))
    assert "was once in doubt, and is never sent with another content: ask the platform" in retried.stdout


def test_a_key_that_is_not_taken_ends_a_run_before_anything_is_sent(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-401-before", operation="GET /usage/limits")
    result = batch("submit", batch.samples / FILE)
    assert result.exit_code == ExitCode.FAILURE
    assert "401" in result.stderr
    assert batch.platform.sandbox.counters.invoices_created == 0


def test_a_run_goes_on_where_the_platform_does_not_tell_its_limits(batch: Batch) -> None:
    batch.platform.sandbox.faults.plan("status-404-before", operation="GET /usage/limits", times=9)
    result = batch("submit", batch.samples / FILE)
    assert result.exit_code == ExitCode.OK
    assert "limits: the platform does not tell them" in result.stderr

"""``seqino drafts`` and ``seqino invoices`` against a real sandbox."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.cli.command import Session
from seqino.cli.plain import Found
from seqino.cli.result import ExitCode
from seqino.cli.tokens import read_tokens, token_text
from seqino.client import SeqinoClient
from seqino.errors import ResumeToken
from seqino.models import InvoiceDataValidation
from seqino.statuses import find_warnings
from seqino.submission import Submission, Verdict
from tests.cli.results import lines, one_error

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

SAMPLE = "13-consulting-draft.json"
VALIDATE = "POST /drafts/{draft_id}/validate"


@pytest.fixture
def sample(samples: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((samples / SAMPLE).read_text("utf-8"))
    return read


@pytest.fixture
def draft_id(on_platform: Command, samples: Path) -> str:
    (made,) = lines(on_platform("drafts", "create", samples / SAMPLE, "--json"))
    identifier: str = made["draft_id"]
    return identifier


@pytest.fixture
def doubt(on_platform: Command, platform: Platform, draft_id: str, no_real_time: None) -> Result:  # noqa: ARG001 - so that it comes before
    """A validation whose answer is lost, with too little time to look."""
    platform.sandbox.faults.plan("reset-after", operation=VALIDATE)
    return on_platform("drafts", "validate", draft_id, "--timeout", "1")


# --- drafts


def test_a_draft_is_created_from_the_input_and_its_findings_are_shown(
    on_platform: Command, sample: dict[str, Any]
) -> None:
    made = on_platform("drafts", "create", "-", stdin=json.dumps({**sample, "total_amount_with_vat": 1.00}))
    assert made.exit_code == ExitCode.OK
    card, table = made.stdout.split("finding", 1)
    assert card.startswith("draft_id    draft_")
    heads, first, *_ = table.splitlines()
    assert heads.split() == ["where", "rule", "what"]
    assert first.split()[:3] == ["warning", "total_amount_with_vat", "BR-CO-15"]
    assert max(map(len, made.stdout.splitlines())) <= 80


def test_digits_are_sent_as_they_were_written(on_platform: Command, samples: Path, tmp_path: Path) -> None:
    text = (samples / SAMPLE).read_text("utf-8")
    draft = json.loads(text)
    draft["lines"][0]["item_net_price"] = "PRICE"
    exact = "0.1000000000000000055511151231257827"
    file = tmp_path / "a.json"
    file.write_text(json.dumps(draft).replace('"PRICE"', exact))
    (made,) = lines(on_platform("drafts", "create", file, "--json"))
    (shown,) = lines(on_platform("drafts", "get", made["draft_id"], "--json"))
    assert shown["lines"][0]["item_net_price"] == exact


def test_a_draft_is_shown_on_one_screen(on_platform: Command, draft_id: str) -> None:
    shown = on_platform("drafts", "get", draft_id).stdout.splitlines()
    assert f"draft_id                  {draft_id}" in shown
    assert "total_amount_with_vat     2923.68 EUR" in shown
    assert "seller                    Atelier Numérique du Rhône SAS (090124017)" in shown


def test_what_is_shown_as_json_can_be_changed_and_given_back(
    on_platform: Command, draft_id: str, tmp_path: Path
) -> None:
    (draft,) = lines(on_platform("drafts", "get", draft_id, "--json"))
    file = tmp_path / "a.json"
    file.write_text(json.dumps({**draft, "due_date": "2027-01-31"}))
    assert on_platform("drafts", "update", draft_id, file).exit_code == ExitCode.OK
    (changed,) = lines(on_platform("drafts", "get", draft_id, "--json"))
    assert changed["due_date"] == "2027-01-31"


def test_a_draft_without_totals_and_buyer_is_shown_too(
    on_platform: Command, sample: dict[str, Any], tmp_path: Path
) -> None:
    required = ("issue_date", "type_code", "currency_code", "seller")
    partial = {name: sample[name] for name in required}
    partial["seller"] = {"name": "Atelier", "postal_address": sample["seller"]["postal_address"]}
    file = tmp_path / "a.json"
    file.write_text(json.dumps(partial))
    (made,) = lines(on_platform("drafts", "create", file, "--json"))
    shown = on_platform("drafts", "get", made["draft_id"]).stdout
    assert "seller      Atelier\n" in shown
    assert "buyer " not in shown.partition("finding")[0]


def test_a_draft_is_deleted(on_platform: Command, draft_id: str) -> None:
    assert on_platform("drafts", "delete", draft_id).exit_code == ExitCode.OK
    assert on_platform("drafts", "get", draft_id).exit_code == ExitCode.FAILURE


def test_a_file_that_is_no_draft_is_told_before_anything_is_sent(
    on_platform: Command, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"issue_date": "20 November"}')
    result = on_platform("drafts", "create", file)
    assert result.exit_code == ExitCode.INPUT
    assert "$.issue_date" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_an_invoice_is_judged_and_nothing_is_stored(
    on_platform: Command, platform: Platform, sample: dict[str, Any], samples: Path, tmp_path: Path
) -> None:
    good = on_platform("drafts", "check", samples / SAMPLE)
    assert (good.exit_code, good.stdout) == (ExitCode.OK, "valid  yes\n")
    file = tmp_path / "a.json"
    file.write_text(json.dumps({**sample, "total_amount_with_vat": "1.00"}))
    bad = on_platform("drafts", "check", file)
    assert bad.exit_code == ExitCode.REJECTED
    assert "BR-CO-15" in bad.stdout
    (line,) = lines(on_platform("drafts", "check", file, "--json"))
    assert line["valid"] is False
    assert platform.sandbox.counters.drafts_created == 0


def test_an_answer_that_does_not_say_leaves_it_open(
    on_platform: Command, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_: Session, call: Coroutine[Any, Any, object]) -> Found[InvoiceDataValidation]:
        call.close()
        return Found(InvoiceDataValidation(), {"judgement": "fine"})

    monkeypatch.setattr(Session, "ask", ask)
    result = on_platform("drafts", "check", samples / SAMPLE, "--json")
    assert result.exit_code == ExitCode.IN_DOUBT
    assert lines(result) == [{"judgement": "fine"}]
    assert "does not say whether it is valid" in result.stderr


# --- a validation


def test_a_draft_becomes_an_invoice_once(on_platform: Command, platform: Platform, draft_id: str) -> None:
    first, second = (on_platform("drafts", "validate", draft_id, "--json") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (ExitCode.OK, ExitCode.OK)
    assert lines(first) == lines(second)
    assert lines(first)[0]["verdict"] == "accepted"
    assert platform.sandbox.counters.drafts_validated == 1


def test_a_refused_draft_is_told_apart_from_a_failure(
    on_platform: Command, sample: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps({**sample, "total_amount_with_vat": "1.00"}))
    (made,) = lines(on_platform("drafts", "create", file, "--json"))
    refused = on_platform("drafts", "validate", made["draft_id"])
    assert refused.exit_code == ExitCode.REJECTED
    assert "BT-112 is 1.00" in one_error(refused)
    assert on_platform("drafts", "validate", "draft_of_nobody").exit_code == ExitCode.FAILURE


def test_a_lost_answer_is_looked_for(on_platform: Command, platform: Platform, draft_id: str) -> None:
    platform.sandbox.faults.plan("reset-after", operation=VALIDATE)
    result = on_platform("drafts", "validate", draft_id)
    assert result.exit_code == ExitCode.OK
    assert platform.sandbox.counters.drafts_validated == 1


def test_a_doubt_is_told_with_what_to_do_and_settled_with_its_token(
    on_platform: Command, platform: Platform, draft_id: str, doubt: Result
) -> None:
    assert (doubt.exit_code, doubt.stdout) == (ExitCode.IN_DOUBT, "")
    error, hint = doubt.stderr.splitlines()
    assert error.startswith("error: An invoice may have been made of the draft")
    before, _, token = hint.rpartition(" ")
    assert before == "settle it, now or later: seqino invoices resume"
    settled = on_platform("invoices", "resume", token)
    assert settled.exit_code == ExitCode.OK
    assert f"draft_id        {draft_id}" in settled.stdout.splitlines()
    assert platform.sandbox.counters.drafts_validated == 1


@pytest.mark.usefixtures("no_real_time")
def test_a_doubt_as_json_is_a_file_that_settles_it(
    on_platform: Command, platform: Platform, draft_id: str, tmp_path: Path
) -> None:
    platform.sandbox.faults.plan("reset-after", operation=VALIDATE)
    doubt = on_platform("drafts", "validate", draft_id, "--timeout", "1", "--json")
    assert doubt.exit_code == ExitCode.IN_DOUBT
    (line,) = lines(doubt)
    assert (line["outcome"], read_tokens(line["token"])[0].parameters) == ("in_doubt", {"draft_id": draft_id})
    file = tmp_path / "doubt.json"
    file.write_text(doubt.stdout)
    (settled,) = lines(on_platform("invoices", "resume", file, "--json"))
    assert lines(on_platform("invoices", "resume", "-", "--json", stdin=doubt.stdout)) == [settled]
    assert settled["verdict"] == "accepted"


def test_an_interruption_while_it_is_sent_leaves_its_token(
    on_platform: Command, draft_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (token,) = read_tokens(token_text(TOKEN))

    async def interrupted(*_: object, **__: object) -> None:
        error = asyncio.CancelledError()
        vars(error)["seqino_token"] = token
        raise error

    monkeypatch.setattr(SeqinoClient, "submit_draft", interrupted)
    result = on_platform("drafts", "validate", draft_id)
    assert result.exit_code == ExitCode.IN_DOUBT
    assert "was interrupted, and may have been done" in result.stderr
    assert token_text(token) in result.stderr


def test_an_interruption_before_anything_was_sent_is_a_failure(
    on_platform: Command, draft_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(SeqinoClient, "submit_draft", interrupted)
    result = on_platform("drafts", "validate", draft_id)
    assert (result.exit_code, result.stderr) == (ExitCode.FAILURE, "error: interrupted\n")


def test_an_invoice_that_was_taken_without_an_id_is_not_sent_again(
    on_platform: Command, draft_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken(*_: object, **__: object) -> Submission:
        return Submission(verdict=Verdict.ACCEPTED_UNIDENTIFIED, draft_id=draft_id)

    monkeypatch.setattr(SeqinoClient, "submit_draft", taken)
    assert "never send it again" in on_platform("drafts", "validate", draft_id).stdout
    machine = on_platform("drafts", "validate", draft_id, "--json")
    assert lines(machine)[0]["verdict"] == "accepted_unidentified"
    assert "never send it again" in machine.stderr


# --- invoices


TOKEN = ResumeToken(
    operation="validate_draft",
    client_id="sandbox-client-seqino",
    parameters={"draft_id": "draft_of_nobody"},
    base_url="http://127.0.0.1:1",
    attempts=1,
    first_sent_at=0,
    last_sent_at=0,
)


@pytest.fixture
def invoice_id(on_platform: Command, draft_id: str) -> str:
    (validated,) = lines(on_platform("drafts", "validate", draft_id, "--json"))
    identifier: str = validated["invoice_id"]
    return identifier


def test_an_invoice_is_shown_with_where_it_is(on_platform: Command, invoice_id: str) -> None:
    shown = on_platform("invoices", "show", invoice_id, LC_ALL="fr_FR.UTF-8").stdout.splitlines()
    assert f"invoice_id                {invoice_id}" in shown
    assert "state                     encaissée" in shown
    assert [line.split()[1] for line in shown if line.startswith("20")][-1] == "212"
    assert "212 Encaissée" in shown[-1]
    assert max(map(len, shown)) <= 80


def test_an_invoice_for_machines_has_all_of_it_on_one_line(on_platform: Command, invoice_id: str) -> None:
    (line,) = lines(on_platform("invoices", "show", invoice_id, "--json", "--lang", "en"))
    assert (line["invoice_id"], line["state"], line["state_label"]) == (invoice_id, "settled", "paid")
    assert line["invoice"]["total_amount_with_vat"] == "2923.68"
    assert [event["number"] for event in line["events"]][-1] == 212
    assert line["warnings"] == []


def test_a_refusal_says_what_to_do(on_platform: Command, platform: Platform, samples: Path) -> None:
    platform.sandbox.scenario = "rejected"
    (sent,) = lines(on_platform("invoices", "submit", samples / "01-it-services-ubl.xml", "--json"))
    shown = on_platform("invoices", "show", sent["invoice_id"]).stdout.splitlines()
    assert any("refused, rejected or cancelled" in line for line in shown)
    assert any(line.startswith("REJ_") and "correct" in line for line in shown)
    french = on_platform("invoices", "show", sent["invoice_id"], "--lang", "fr").stdout.splitlines()
    assert any(line.startswith("REJ_") and "corrigez" in line for line in french)


@pytest.mark.parametrize("scenario", ["paid", "refused"])
def test_the_silence_of_the_portal_is_no_warning(
    on_platform: Command,
    platform: Platform,
    samples: Path,
    monkeypatch: pytest.MonkeyPatch,
    scenario: str,
) -> None:
    def later(events: Any, *, now: datetime) -> Any:
        return find_warnings(events, now=now + timedelta(days=30))

    monkeypatch.setattr("seqino.cli.invoices.find_warnings", later)
    platform.sandbox.scenario = scenario
    (sent,) = lines(on_platform("submit", samples / "01-it-services-ubl.xml", "--json"))
    assert "warning" not in on_platform("invoices", "show", sent["invoice_id"]).stdout


def test_what_looks_wrong_with_an_invoice_is_a_warning(
    on_platform: Command, platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(events: Any, *, now: datetime) -> Any:
        return find_warnings(events, now=now + timedelta(days=30), patience=timedelta(hours=20))

    monkeypatch.setattr("seqino.cli.invoices.find_warnings", later)
    platform.sandbox.scenario = "refused"
    (sent,) = lines(on_platform("submit", samples / "01-it-services-ubl.xml", "--json"))
    shown = on_platform("invoices", "show", sent["invoice_id"]).stdout.splitlines()
    assert shown[-1].startswith("warning: 210 is ")
    (line,) = lines(on_platform("invoices", "show", sent["invoice_id"], "--json"))
    assert line["warnings"][0].startswith("210 is ")
    french = on_platform("invoices", "show", sent["invoice_id"], "--lang", "fr").stdout.splitlines()
    assert french[-1].startswith("avertissement : 210 date de ")
    (line,) = lines(on_platform("invoices", "show", sent["invoice_id"], "--json", "--lang", "fr"))
    assert line["warnings"][0].startswith("210 date de ")


def test_an_invoice_without_data_has_its_events(
    on_platform: Command, platform: Platform, invoice_id: str
) -> None:
    platform.sandbox.faults.plan(
        "status-404-before", operation="GET /invoicing/invoice_data/{invoice_id}", times=3
    )
    shown = on_platform("invoices", "show", invoice_id)
    assert shown.exit_code == ExitCode.OK
    assert "shows no data of it" in shown.stdout
    french = on_platform("invoices", "show", invoice_id, "--lang", "fr")
    assert "la plateforme n'en montre aucune donnée" in french.stdout
    (line,) = lines(on_platform("invoices", "show", invoice_id, "--json"))
    assert line["invoice"] is None


def test_an_invoice_of_nobody_is_a_failure(on_platform: Command) -> None:
    nobody = on_platform("invoices", "show", "inv_of_nobody")
    assert nobody.exit_code == ExitCode.FAILURE
    assert "404" in one_error(nobody)
    forged = on_platform("invoices", "show", "inv_\x1b[2J\nerror: forged")
    assert forged.exit_code == ExitCode.INPUT
    assert "\x1b" not in one_error(forged)


@pytest.mark.parametrize("name", ["nobody", "x" * 5000, "a\0b"])
def test_what_is_no_token_is_wrong_input(on_platform: Command, platform: Platform, name: str) -> None:
    result = on_platform("invoices", "resume", name)
    assert result.exit_code == ExitCode.INPUT
    assert "token" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_a_token_of_another_server_gets_no_key(on_platform: Command, platform: Platform) -> None:
    result = on_platform("invoices", "resume", token_text(TOKEN))
    assert result.exit_code == ExitCode.INPUT
    assert "the token is of http://127.0.0.1:1" in one_error(result)
    assert platform.sandbox.counters.requests == 0


@pytest.mark.usefixtures("no_real_time")
def test_what_another_command_was_to_make_is_found(on_platform: Command, platform: Platform) -> None:
    platform.sandbox.faults.plan("reset-after", operation="POST /clients")
    platform.sandbox.faults.plan("reset-before", operation="GET /clients", times=9)
    dupain = ("--name", "Dupain", "--email", "a@dupain.example", "--external-ref", "dupain-01")
    doubt = on_platform("clients", "create", *dupain, "--timeout", "1", "--json")
    assert doubt.exit_code == ExitCode.IN_DOUBT
    platform.sandbox.faults.clear()
    (found,) = lines(on_platform("invoices", "resume", lines(doubt)[0]["token"], "--json"))
    assert found["external_ref"] == "dupain-01"


def test_all_tokens_of_a_file_are_settled_and_the_worst_is_told(
    on_platform: Command, platform: Platform, draft_id: str, tmp_path: Path
) -> None:
    on_platform("drafts", "validate", draft_id)
    mine = attrs.evolve(TOKEN, base_url=platform.url, parameters={"draft_id": draft_id})
    report = attrs.evolve(mine, operation="record_payment", parameters={})
    file = tmp_path / "run.jsonl"
    file.write_text("\n".join(json.dumps({"token": token_text(token)}) for token in (report, mine)))
    result = on_platform("invoices", "resume", file, "--json")
    assert result.exit_code == ExitCode.IN_DOUBT
    assert lines(result)[0]["verdict"] == "accepted"
    assert "record_payment" in one_error(result)


def test_several_that_one_token_made_are_all_shown(
    on_platform: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: object, **__: object) -> list[ResumeToken]:
        return [TOKEN, TOKEN]

    monkeypatch.setattr(SeqinoClient, "resume", found)
    assert len(lines(on_platform("invoices", "resume", token_text(TOKEN), "--json"))) == 2


# --- Ctrl-C while it is sent


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_while_a_draft_is_validated_is_a_doubt_that_can_be_settled(
    on_platform: Command, platform: Platform, draft_id: str, stop: signal.Signals
) -> None:
    platform.sandbox.faults.plan("hang-after", operation=VALIDATE)
    command = [sys.executable, "-m", "seqino.cli", "drafts", "validate", draft_id, *platform.arguments]
    with subprocess.Popen(  # noqa: S603 - this very package
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while platform.sandbox.counters.drafts_validated == 0:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(stop)
        said, complaint = process.communicate(timeout=120)
    assert (process.returncode, said) == (ExitCode.IN_DOUBT, "")
    token = complaint.splitlines()[-1].rpartition(" ")[2]
    assert on_platform("invoices", "resume", token).exit_code == ExitCode.OK
    assert platform.sandbox.counters.drafts_validated == 1

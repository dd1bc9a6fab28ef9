"""``seqino submit`` against a real sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from seqino import errors
from seqino.cli import sending
from seqino.cli.app import app
from seqino.cli.result import ExitCode
from seqino.client import SeqinoClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

INVOICE = "01-it-services-ubl.xml"


def last_line(text: str) -> str:
    return text.splitlines()[-1]


def one_error(result: Result) -> str:
    """The one line on the error stream, which is all that was said."""
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("submitting:")]
    assert line.startswith("error: ")
    return line


def test_files_and_drafts_are_submitted_and_followed(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    result = seqino_command(
        "submit", *platform.arguments, samples / INVOICE, samples / "13-consulting-draft.json", "--lang", "fr"
    )
    assert result.exit_code == ExitCode.OK
    assert last_line(result.stdout) == "submit: 2 invoices submitted, 2 settled, 0 in doubt"
    assert result.stdout.count("212 Encaissée") == 2
    assert "ANR-2026-0412" in result.stdout
    counters = platform.sandbox.counters
    assert (counters.files_taken, counters.drafts_validated, counters.duplicates) == (1, 1, 0)


def test_without_following_each_is_only_submitted(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    result = seqino_command("submit", *platform.arguments, "--no-follow", samples / INVOICE)
    assert result.exit_code == ExitCode.OK
    assert last_line(result.stdout) == "submit: 1 invoices submitted, 0 settled, 0 in doubt"
    assert "ends: 1 submitted" in result.stdout


def test_time_that_runs_out_leaves_invoices_open(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    platform.sandbox.scenario = "silent"
    result = seqino_command("submit", *platform.arguments, "--follow-timeout", 1, samples / INVOICE)
    assert result.exit_code == ExitCode.OK
    assert last_line(result.stdout) == "submit: 1 invoices submitted, 0 settled, 0 in doubt, 1 open"


def test_a_refusal_by_the_buyer_is_told_by_the_exit_code(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    result = seqino_command("submit", *platform.arguments, samples / "17-buyer-refuses-ubl.xml")
    assert result.exit_code == ExitCode.REJECTED
    assert "210 Refused: TX_TVA_ERR" in result.stdout
    assert last_line(result.stdout) == "submit: 1 invoices submitted, 1 settled, 0 in doubt"


def test_a_number_that_the_network_has_already_is_a_duplicate(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    first = seqino_command("submit", *platform.arguments, samples / INVOICE)
    again = seqino_command("submit", *platform.arguments, samples / INVOICE)
    assert (first.exit_code, again.exit_code) == (ExitCode.OK, ExitCode.REJECTED)
    assert "1 duplicate" in again.stdout
    assert "213 Rejected: DOUBLON" in again.stdout


def test_files_that_are_not_sent_are_listed_and_counted_apart(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / INVOICE).write_bytes((samples / INVOICE).read_bytes())
    (tmp_path / "copy.xml").write_bytes((samples / INVOICE).read_bytes())
    (tmp_path / "empty.json").write_bytes(b"")
    result = seqino_command("submit", *platform.arguments, tmp_path)
    assert result.exit_code == ExitCode.INPUT
    assert last_line(result.stdout) == (
        "submit: 1 invoices submitted, 1 settled, 0 in doubt, 2 refused before sending"
    )
    assert "is empty" in result.stdout
    assert platform.sandbox.counters.files_taken == 1


def test_lines_for_machines_are_all_that_is_on_the_output(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty.xml").write_bytes(b"")
    result = seqino_command("submit", *platform.arguments, "--json", samples / INVOICE, tmp_path)
    sent, refused = map(json.loads, result.stdout.splitlines())
    assert (sent["end"], sent["number"], sent["label"]) == ("paid", "ANR-2026-0412", "212 Payment received")
    assert sent["invoice_id"].startswith("inv_")
    assert refused["end"] == "refused before sending"
    assert last_line(result.stderr).startswith("submit: 1 invoices submitted")


def test_a_draft_that_the_platform_turns_away_becomes_no_invoice(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    draft = json.loads((samples / "13-consulting-draft.json").read_text("utf-8"))
    del draft["lines"]
    (tmp_path / "a.json").write_text(json.dumps(draft))
    result = seqino_command("submit", *platform.arguments, tmp_path)
    assert result.exit_code == ExitCode.REJECTED
    assert last_line(result.stdout) == "submit: 0 invoices submitted, 0 settled, 0 in doubt, 1 turned away"
    assert platform.sandbox.counters.invoices_created == 0


def test_a_draft_with_a_wrong_type_is_refused_before_sending(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    text = (samples / "13-consulting-draft.json").read_text("utf-8")
    (tmp_path / "a.json").write_text(text.replace('"lines": [', '"lines": ["x", ', 1))
    result = seqino_command("submit", *platform.arguments, tmp_path)
    assert result.exit_code == ExitCode.INPUT
    assert "lines[0]" in result.stdout
    assert platform.sandbox.counters.requests == 0


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.xml", b"", "empty.xml: is empty"),
        ("page.xml", b"<html/>", "its root is 'html'"),
        ("text.json", b"[]", "not one invoice draft"),
    ],
)
def test_a_file_that_is_no_invoice_ends_in_one_line(  # noqa: PLR0917 - fixtures
    seqino_command: Command, platform: Platform, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = seqino_command("submit", *platform.arguments, tmp_path / name)
    assert result.exit_code == ExitCode.INPUT
    assert reason in one_error(result)
    assert "nothing was sent" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_a_missing_path_ends_in_one_line(seqino_command: Command, platform: Platform, tmp_path: Path) -> None:
    result = seqino_command("submit", *platform.arguments, tmp_path / "nowhere")
    assert result.exit_code == ExitCode.INPUT
    assert one_error(result).endswith("nowhere: no such file or folder")


def test_a_folder_without_invoices_ends_in_one_line(
    seqino_command: Command, platform: Platform, tmp_path: Path
) -> None:
    result = seqino_command("submit", *platform.arguments, tmp_path)
    assert result.exit_code == ExitCode.INPUT
    assert "a folder without invoice files" in one_error(result)


def test_a_wrong_key_ends_in_one_line_and_is_not_shown(
    seqino_command: Command, platform: Platform, samples: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("invalid\n")
    result = seqino_command("submit", *platform.arguments, "--api-key-file", key, samples)
    assert result.exit_code == ExitCode.FAILURE
    assert "nothing was submitted" in one_error(result)
    assert platform.sandbox.counters.files_taken == 0


def test_a_key_file_gives_the_key(
    seqino_command: Command,
    platform: Platform,
    samples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "invalid")
    key = tmp_path / "key"
    key.write_text("another-key\n")
    arguments = (*platform.arguments, "--api-key-file", key, "--no-follow", samples / INVOICE)
    assert seqino_command("submit", *arguments).exit_code == ExitCode.OK


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff\xfe", "not text")]
)
def test_a_key_file_that_cannot_be_used_ends_in_one_line(
    seqino_command: Command, samples: Path, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
    result = seqino_command("submit", "--api-key-file", key, samples)
    assert result.exit_code == ExitCode.INPUT
    assert reason in one_error(result)


def test_an_unknown_client_ends_in_one_line(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    result = seqino_command("submit", "--base-url", platform.url, "--client-id", "nobody", samples)
    assert result.exit_code == ExitCode.FAILURE
    assert "client nobody does not exist" in one_error(result)
    assert "nothing was submitted" in one_error(result)


def test_without_a_key_nothing_is_sent(
    seqino_command: Command, platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEQINO_API_KEY")
    result = seqino_command("submit", *platform.arguments, samples)
    assert result.exit_code == ExitCode.INPUT
    assert "SEQINO_API_KEY" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_nothing_listening_ends_in_one_line(
    seqino_command: Command, samples: Path, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("SEQINO_API_KEY", "test-key")
    monkeypatch.setattr("seqino.cli.common.SeqinoClient", _without_retries)
    url = f"http://127.0.0.1:{unused_port}"
    result = seqino_command("submit", "--base-url", url, "--client-id", "c", samples)
    assert result.exit_code == ExitCode.FAILURE
    assert url in one_error(result)
    assert "nothing was submitted" in one_error(result)


def _without_retries(**options: Any) -> SeqinoClient:
    return SeqinoClient(max_retries=0, **options)


def test_a_lost_answer_to_a_file_is_a_doubt_and_no_failure(
    seqino_command: Command, platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        token = errors.ResumeToken(
            operation="validate_draft",
            parameters={"draft_id": "draft_9"},
            base_url=platform.url,
            attempts=1,
            first_sent_at=0,
            last_sent_at=0,
        )
        raise errors.OutcomeUnknown("No answer came.", token=token, operation="validate_draft")

    monkeypatch.setattr(SeqinoClient, "submit_file", lost)
    result = seqino_command("submit", *platform.arguments, samples / INVOICE)
    assert result.exit_code == ExitCode.IN_DOUBT
    assert last_line(result.stdout) == "submit: 0 invoices submitted, 0 settled, 1 in doubt"
    assert "draft draft_9" in result.stdout
    assert "in doubt: do not send these again" in result.stdout
    assert f"settle {samples / INVOICE}: seqino invoices resume " in result.stdout


def test_a_file_in_doubt_can_be_settled_by_the_platform_alone(
    seqino_command: Command, platform: Platform, samples: Path
) -> None:
    platform.sandbox.faults.plan("reset-after", operation="POST /invoicing/files/submit")
    result = seqino_command("invoices", "submit", *platform.arguments, "--json", samples / INVOICE)
    assert result.exit_code == ExitCode.IN_DOUBT
    assert "invoices resume" not in result.stdout + result.stderr
    token = json.loads(result.stdout)["token"]
    asked = seqino_command("invoices", "resume", *platform.arguments, token)
    assert asked.exit_code == ExitCode.IN_DOUBT
    assert "ask the platform" in asked.stderr
    assert platform.sandbox.counters.files_taken == 1


def test_what_stops_a_run_halfway_is_said_with_what_was_sent(
    seqino_command: Command, platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = SeqinoClient.submit_file

    async def until_the_key_ends(client: SeqinoClient, file: Any) -> Any:
        if platform.sandbox.counters.files_taken:
            raise errors.AuthenticationFailed("The key has expired.", operation="x", status=401)
        return await taken(client, file)

    monkeypatch.setattr(SeqinoClient, "submit_file", until_the_key_ends)
    result = seqino_command("submit", *platform.arguments, "--concurrency", 1, samples)
    assert result.exit_code == ExitCode.FAILURE
    assert "error: stopped: The key has expired." in result.stderr
    assert last_line(result.stdout).startswith(
        "submit: 1 invoices submitted, 0 settled, 0 in doubt, 1 open, "
    )
    assert last_line(result.stdout).endswith(" failed")


def test_an_interruption_says_what_was_sent(
    seqino_command: Command, platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("seqino.cli.work.Run.follow", interrupted)
    result = seqino_command("submit", *platform.arguments, samples / INVOICE)
    assert result.exit_code == ExitCode.FAILURE
    assert last_line(result.stdout) == "submit: 1 invoices submitted, 0 settled, 0 in doubt"


def test_even_a_bug_leaves_nothing_half_sent_unsaid(
    platform: Platform, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("seqino.cli.work.Run.follow", bug)
    result = CliRunner().invoke(app, ["submit", *platform.arguments, str(samples / INVOICE)])
    assert isinstance(result.exception, ZeroDivisionError)
    assert last_line(result.stdout) == "submit: 1 invoices submitted, 0 settled, 0 in doubt"


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), ExitCode.FAILURE, "error: interrupted"),
        (OSError("disk on fire"), ExitCode.FAILURE, "error: disk on fire"),
        (errors.InvalidInput("a", faults=[("b", "c")]), ExitCode.INPUT, "error: a; b: c"),
    ],
)
def test_what_goes_wrong_before_sending_ends_in_one_line(  # noqa: PLR0917 - fixtures
    seqino_command: Command,
    samples: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: ExitCode,
    line: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setenv("SEQINO_API_KEY", "test-key")
    monkeypatch.setattr(sending, "make_plan", fail)
    result = seqino_command("submit", samples)
    assert result.exit_code == code
    assert one_error(result) == line


def test_a_server_and_a_url_are_not_both_taken(seqino_command: Command, samples: Path) -> None:
    result = seqino_command("submit", "--server", "local", "--base-url", "http://localhost", samples)
    assert result.exit_code == ExitCode.INPUT
    assert "give one of them" in one_error(result)


def test_wrong_usage_is_told_by_its_exit_code(seqino_command: Command, samples: Path) -> None:
    assert seqino_command("submit").exit_code == ExitCode.INPUT
    assert seqino_command("submit", "--concurrency", 0, samples).exit_code == ExitCode.INPUT
    assert seqino_command("submit", "--api-key", "secret", samples).exit_code == ExitCode.INPUT

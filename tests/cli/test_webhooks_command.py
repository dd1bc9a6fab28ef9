"""``seqino webhooks`` and ``seqino usage`` against a real sandbox: the secret goes where it was told to."""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import TYPE_CHECKING

import pytest

from seqino.cli.result import ExitCode
from tests.cli.results import lines, one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

URL = "https://erp.example/hooks"


# --- webhooks


def test_the_secret_is_written_for_its_owner_alone_and_not_shown(
    on_platform: Command, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    result = on_platform("webhooks", "register", URL, "--event", "invoice.created", "--secret-file", file)
    assert result.exit_code == ExitCode.OK
    secret = file.read_text()
    assert secret.strip()
    assert secret.strip() not in result.stdout + result.stderr
    assert f"secret_file  {file}" in result.stdout.splitlines()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = on_platform("webhooks", "show", "--json")
    assert lines(shown)[0]["events"] == ["invoice.created"]
    assert secret.strip() not in shown.stdout
    assert platform.sandbox.counters.requests == 2


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_without_a_place_for_the_secret_nothing_is_sent(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...]
) -> None:
    result = on_platform("webhooks", "register", URL, *arguments)
    assert result.exit_code == ExitCode.INPUT
    assert "--secret-file PATH, or --show-secret" in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_in_a_terminal_the_secret_is_shown_once(
    on_platform: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.cli.webhooks.is_terminal", lambda: True)
    result = on_platform("webhooks", "register", URL)
    assert [line for line in result.stdout.splitlines() if line.startswith("secret ")]
    assert "keep the secret: it is not shown again" in result.stdout
    assert "secret" not in on_platform("webhooks", "show").stdout


@pytest.mark.parametrize("in_terminal", [True, False])
def test_json_has_the_secret_only_where_it_is_asked_for(
    on_platform: Command, monkeypatch: pytest.MonkeyPatch, *, in_terminal: bool
) -> None:
    monkeypatch.setattr("seqino.cli.webhooks.is_terminal", lambda: in_terminal)
    assert on_platform("webhooks", "register", URL, "--json").exit_code == ExitCode.INPUT
    result = on_platform("webhooks", "register", URL, "--json", "--show-secret")
    assert lines(result)[0]["secret"]
    assert result.stderr == "keep the secret: it is not shown again\n"


def test_a_file_that_is_there_is_never_written_over(
    on_platform: Command, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("another")
    result = on_platform("webhooks", "register", URL, "--secret-file", file)
    assert result.exit_code == ExitCode.INPUT
    assert "nothing was sent" in one_error(result)
    assert file.read_text() == "another"
    assert platform.sandbox.counters.requests == 0


def test_a_webhook_that_was_not_registered_leaves_no_file(on_platform: Command, tmp_path: Path) -> None:
    on_platform("webhooks", "register", URL, "--secret-file", tmp_path / "first")
    file = tmp_path / "second"
    result = on_platform("webhooks", "register", "https://other.example/", "--secret-file", file)
    assert result.exit_code == ExitCode.FAILURE
    assert "is not what was sent" in one_error(result)
    assert not file.exists()


def test_a_secret_that_cannot_be_written_is_not_lost(
    on_platform: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(descriptor: int, *_: object, **__: object) -> Full:
        os.close(descriptor)
        return Full()

    monkeypatch.setattr("seqino.cli.webhooks.os.fdopen", opened)
    result = on_platform("webhooks", "register", URL, "--secret-file", tmp_path / "secret", "--json")
    assert result.exit_code == ExitCode.FAILURE
    assert lines(result)[0]["secret"]
    assert "No space left on device" in one_error(result)
    assert not (tmp_path / "secret").exists()


def test_the_types_of_event_are_listed(on_platform: Command) -> None:
    heads, *rows = on_platform("webhooks", "event-types").stdout.splitlines()
    assert heads.split() == ["event", "when"]
    assert "invoice.status_updated" in [row.split()[0] for row in rows if row[0] != " "]
    assert max(map(len, [heads, *rows])) <= 80
    types = lines(on_platform("webhooks", "event-types", "--json"))
    assert "mandate.created" in [each["event_type"] for each in types]
    assert all("example_payload" in each for each in types)


def test_no_webhook_is_a_failure(on_platform: Command) -> None:
    assert on_platform("webhooks", "show").exit_code == ExitCode.FAILURE


# --- usage


def test_usage_is_summed(on_platform: Command) -> None:
    on_platform("settings", "get")
    (summary,) = lines(on_platform("usage", "summary", "--json"))
    assert summary["current_month_calls"] >= 1
    assert "current_month_calls" in on_platform("usage", "summary").stdout


def test_figures_by_endpoint_are_a_table(on_platform: Command) -> None:
    on_platform("settings", "get")
    card, table = on_platform("usage", "metrics", "--period", "yearly").stdout.split("\n\n")
    assert "total_api_calls" in card
    assert "endpoint_usage" not in card
    heads, *rows = table.splitlines()
    assert heads.split() == ["method", "endpoint", "calls", "succeeded", "failed", "ms"]
    assert ["GET", "/settings/periodicity", "1", "1", "0"] in [row.split()[:5] for row in rows]
    (line,) = lines(on_platform("usage", "metrics", "--json"))
    assert isinstance(line["success_rate"], int | float)


def test_days_are_asked_for(on_platform: Command) -> None:
    (line,) = lines(on_platform("usage", "metrics", "--start", "2026-01-01", "--end", "2026-01-31", "--json"))
    assert (line["start_date"], line["end_date"]) == ("2026-01-01", "2026-01-31")
    result = on_platform("usage", "metrics", "--start", "yesterday")
    assert result.exit_code == ExitCode.INPUT
    assert "--start must be a day" in one_error(result)


def test_limits_are_shown(on_platform: Command) -> None:
    (limits,) = lines(on_platform("usage", "limits", "--json"))
    assert "rate_limit_per_minute" in limits
    (one,) = lines(on_platform("usage", "limits", "--endpoint", "/drafts", "--json"))
    assert one["endpoint"] == "/drafts"


def test_a_second_registration_says_that_it_was_refused(on_platform: Command) -> None:
    first, second = (on_platform("webhooks", "register", URL, "--show-secret") for _ in range(2))
    assert (first.exit_code, second.exit_code) == (ExitCode.OK, ExitCode.FAILURE)
    said = one_error(second)
    assert "create_webhook was refused (409), and changed nothing" in said
    assert "was done" not in said
    assert "lost" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("webhooks", "register", URL, "--show-secret", "--event", "bogus"),
        ("usage", "metrics", "--period", "bogus"),
        ("settings", "set", "--vat-regime", "bogus"),
        ("settings", "set", "--transaction-periodicity", "bogus"),
        ("settings", "set", "--payment-periodicity", "bogus"),
    ],
)
def test_a_value_outside_its_list_is_refused_before_anything_is_sent(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...]
) -> None:
    result = on_platform(*arguments)
    assert result.exit_code == ExitCode.INPUT
    assert "'bogus' is not one of" in result.stderr
    assert platform.sandbox.counters.requests == 0


def test_where_no_limits_are_told_that_is_said(on_platform: Command) -> None:
    *_, said = on_platform("usage", "limits").stdout.splitlines()
    assert said == "no limits are told"
    *_, said = on_platform("usage", "limits", "--endpoint", "/drafts").stdout.splitlines()
    assert said == "no limits are told for /drafts"


def test_where_limits_are_told_nothing_is_added(on_platform: Command, platform: Platform) -> None:
    platform.sandbox.limits.set({"minute": 1000})
    said = on_platform("usage", "limits").stdout
    assert "rate_limit_per_minute  1000" in " ".join(said.split("\n")).replace("   ", "  ")
    assert "no limits" not in said

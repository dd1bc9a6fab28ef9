"""``seqino mandates`` against a real sandbox."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seqino.cli.result import ExitCode
from seqino.statuses import Backoff
from tests.cli.results import lines, one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

ATELIER = ("--siren", "552100554", "--name", "Atelier Bois")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "seqino.cli.mandates.PACE", Backoff(first=timedelta(milliseconds=1), longest=timedelta(seconds=1))
    )


def made(on_platform: Command, *arguments: str) -> dict[str, Any]:
    (mandate,) = lines(on_platform("mandates", "create", *arguments, "--json"))
    return mandate


def test_a_mandate_is_created_once_for_one_address(on_platform: Command) -> None:
    arguments = ("--siret", "55210055400013", "--routing-code", "COMPTA")
    dates = ("--start", "2026-01-01", "--end", "2099-12-31")
    mandate = made(on_platform, *ATELIER, *arguments, *dates)
    assert mandate["directory_entry"]["routing_identifier_type"] == "0224"
    assert datetime.fromisoformat(mandate["start_date"]) == datetime(2026, 1, 1, tzinfo=UTC)
    assert datetime.fromisoformat(mandate["end_date"]) == datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert made(on_platform, *ATELIER, *arguments, *dates)["id"] == mandate["id"]


def test_identifiers_are_read_as_people_write_them(on_platform: Command) -> None:
    mandate = made(
        on_platform, "--siren", "552 100 554", "--name", "Atelier Bois", "--siret", "552 100 554 00013"
    )
    entry = mandate["directory_entry"]
    assert (entry["siren"], entry["siret"]) == ("552100554", "55210055400013")


def test_a_mandate_begins_today_and_has_no_end_unless_told(on_platform: Command) -> None:
    mandate = made(on_platform, *ATELIER, "--suffix", "COMPTA")
    assert datetime.fromisoformat(mandate["start_date"]).time() == datetime.min.time()
    assert mandate.get("end_date") is None


def test_a_mandate_is_read_from_a_file(on_platform: Command, tmp_path: Path) -> None:
    file = tmp_path / "mandate.json"
    entry = {"siren": "552100554", "name": "Atelier Bois"}
    file.write_text(json.dumps({"start_date": "2026-01-01T00:00:00Z", "directory_entry": entry}))
    assert made(on_platform, "--file", str(file))["directory_entry"]["name"] == "Atelier Bois"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--siren", "552100554"), "needs --siren and --name"),
        (("--name", "Atelier Bois"), "needs --siren and --name"),
        (("--siren", "552100555", "--name", "A"), "--siren: '552100555' has a wrong check digit"),
        ((*ATELIER, "--siret", "552100554"), "--siret: '552100554' is not a SIRET"),
        ((*ATELIER, "--suffix", "A B"), "--suffix: 'A B' may hold"),
        ((*ATELIER, "--routing-code", "É"), "--routing-code: 'É' may hold"),
        ((*ATELIER, "--start", "soon"), "--start must be a day"),
        ((*ATELIER, "--end", "2026-01-01T08:00"), "--end has a time without its zone"),
        ((*ATELIER, "--file", "a.json"), "no other option"),
        (("--start", "2026-01-01", "--file", "a.json"), "no other option"),
        (("--end", "2026-01-01", "--file", "a.json"), "no other option"),
        (("--file", "nowhere.json"), "cannot be read"),
    ],
)
def test_what_is_no_mandate_is_told_before_anything_is_sent(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...], complaint: str
) -> None:
    result = on_platform("mandates", "create", *arguments)
    assert result.exit_code == ExitCode.INPUT
    assert complaint in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_mandates_are_a_table_of_80_columns_with_whole_ids(on_platform: Command) -> None:
    mandate = made(on_platform, *ATELIER, "--siret", "55210055400013", "--end", "2099-12-31")
    heads, row = on_platform("mandates", "list").stdout.splitlines()
    assert heads.split() == ["mandate", "status", "address", "until"]
    assert max(len(heads), len(row)) <= 80
    assert row.split()[0] == mandate["id"]
    assert row.split()[2] == "552100554_55210055400013"
    assert on_platform("mandates", "list", "--status", "error").stdout == "no mandates\n"


def test_a_mandate_in_error_says_why(on_platform: Command) -> None:
    mandate = made(on_platform, "--siren", "999991029", "--name", "Nobody")
    waited = on_platform("mandates", "wait", mandate["id"])
    assert waited.exit_code == ExitCode.REJECTED
    assert f"{mandate['id']}: error" in waited.stderr
    heads, *_ = on_platform("mandates", "list", "--status", "error").stdout.splitlines()
    assert heads.split() == ["mandate", "status", "address", "until", "why"]
    assert "error_cause" in on_platform("mandates", "get", mandate["id"]).stdout


def test_a_mandate_is_awaited_until_it_is_active(on_platform: Command) -> None:
    mandate = made(on_platform, *ATELIER)
    (active,) = lines(on_platform("mandates", "wait", mandate["id"], "--json"))
    assert (active["id"], active["status"]) == (mandate["id"], "active")


def test_time_that_runs_out_is_told(on_platform: Command) -> None:
    mandate = made(on_platform, "--siren", "999991037", "--name", "Slow")
    result = on_platform("mandates", "wait", mandate["id"], "--wait-timeout", "0.01")
    assert result.exit_code == ExitCode.FAILURE
    assert "status                       processing" in result.stdout
    assert result.stderr == f"{mandate['id']}: processing\n"


def test_waiting_is_stopped_by_ctrl_c(on_platform: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("seqino.cli.mandates.watch", interrupted)
    assert on_platform("mandates", "wait", "mdt_1").exit_code == ExitCode.INTERRUPTED


def test_a_mandate_is_revoked(on_platform: Command) -> None:
    mandate = made(on_platform, *ATELIER)
    assert on_platform("mandates", "revoke", mandate["id"]).stdout.split() == [
        "id",
        mandate["id"],
        "revoked",
        "yes",
    ]
    assert on_platform("mandates", "get", mandate["id"]).exit_code == ExitCode.FAILURE


class TestExpiring:
    """With a sandbox whose time passes as it does here."""

    @pytest.fixture(autouse=True)
    def slow(self, platform: Platform) -> None:
        platform.sandbox.clock.speed = 1

    def test_the_mandates_that_end_soon_are_listed_the_first_one_first(
        self, on_platform: Command, platform: Platform
    ) -> None:
        now = platform.sandbox.clock.now()
        days = {"a": 20, "b": 10, "c": 90}
        for suffix, after in days.items():
            made(
                on_platform, *ATELIER, "--suffix", suffix, "--end", f"{now + timedelta(days=after):%Y-%m-%d}"
            )
        made(on_platform, *ATELIER, "--suffix", "d")
        platform.sandbox.clock.advance(5)
        soon = lines(on_platform("mandates", "expiring", "--json"))
        assert [mandate["directory_entry"]["suffix"] for mandate in soon] == ["b", "a"]
        nobody = on_platform("mandates", "expiring", "--within", "2d")
        assert nobody.stdout == "no active mandate ends within 2d\n"

    def test_what_is_no_span_is_wrong_input(self, on_platform: Command) -> None:
        result = on_platform("mandates", "expiring", "--within", "soon")
        assert result.exit_code == ExitCode.INPUT
        assert "--within must be a number" in one_error(result)


def test_several_mandates_are_created_together_or_not_at_all(on_platform: Command, tmp_path: Path) -> None:
    entries = [{"siren": "552100554", "name": "Atelier Bois", "suffix": suffix} for suffix in ("A", "B")]
    batch = {"mandates": [{"start_date": "2026-09-01T00:00:00Z", "directory_entry": one} for one in entries]}
    file = tmp_path / "batch.json"
    file.write_text(json.dumps(batch))
    made = on_platform("mandates", "create-batch", file)
    assert made.exit_code == ExitCode.OK
    assert [row.split()[2] for row in made.stdout.splitlines()[1:]] == ["552100554_A", "552100554_B"]
    # Those that are there already are found and shown.
    again = on_platform("mandates", "create-batch", file, "--json")
    assert len(again.stdout.splitlines()) == len(entries)
    file.write_text("[]")
    refused = on_platform("mandates", "create-batch", file)
    assert refused.exit_code == ExitCode.INPUT
    assert f"{file} is JSON, but not a batch of mandates" in refused.stderr


def test_an_unknown_state_is_refused_before_anything_is_sent(
    on_platform: Command, platform: Platform
) -> None:
    result = on_platform("mandates", "list", "--status", "bogus")
    assert result.exit_code == ExitCode.INPUT
    assert "'bogus' is not one of" in result.stderr
    assert platform.sandbox.counters.requests == 0

"""``--no-check-digits``: test numbers, which have a wrong check digit, from the command line."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.cli.result import ExitCode
from tests.batch.conftest import DRAFT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.batch_ledgers import Batch
    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

HINT = "--no-check-digits lets test numbers through"

TEST: dict[str, Any] = copy.deepcopy(DRAFT)
TEST["seller"]["seller_legal_registration_identifier"] = "123456789"


@pytest.mark.parametrize(
    "arguments",
    [
        ("directory", "show", "123456789"),
        ("directory", "check", "123456789_A"),
        ("mandates", "create", "--siren", "123456789", "--name", "Test"),
        ("reporting", "payment", "--siren", "123456789", "--date", "2026-11-20", "--amount", "1", "--yes"),
    ],
)
def test_a_test_number_is_refused_with_the_option_that_lets_it_through(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...]
) -> None:
    result = on_platform(*arguments)
    assert result.exit_code == ExitCode.INPUT
    assert HINT in result.stderr
    assert "check_digits=False" not in result.stderr
    assert platform.sandbox.counters.requests == 0
    on_platform(*arguments, "--no-check-digits")
    assert platform.sandbox.counters.requests > 0


def test_what_is_no_number_at_all_is_refused_all_the_same(on_platform: Command, platform: Platform) -> None:
    result = on_platform("directory", "show", "1234", "--no-check-digits")
    assert result.exit_code == ExitCode.INPUT
    assert platform.sandbox.counters.requests == 0


def test_a_draft_of_a_file_is_read_in_the_same_way(
    on_platform: Command, platform: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(TEST, default=str))
    for command in (("drafts", "create", str(file)), ("submit", str(file), "--json")):
        result = on_platform(*command)
        assert result.exit_code == ExitCode.INPUT
        assert HINT in result.stdout + result.stderr
    assert platform.sandbox.counters.drafts_created == 0
    on_platform("drafts", "create", str(file), "--no-check-digits")
    assert platform.sandbox.counters.drafts_created == 1


def test_a_run_of_a_ledger_takes_test_numbers_where_it_is_told_to(batch: Batch, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"key": "1", "invoice": TEST}, default=str) + "\n")
    for command in ("check", "submit"):
        assert batch(command, rows).exit_code == ExitCode.REJECTED
    assert HINT in batch("check", rows).stdout
    assert HINT in batch("report", "--json").stdout
    assert batch.platform.sandbox.counters.drafts_created == 0
    batch("submit", rows, "--no-check-digits")
    assert batch.platform.sandbox.counters.drafts_created == 1
    assert HINT not in batch("check", rows, "--no-check-digits").stdout

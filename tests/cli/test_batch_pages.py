"""The commands of docs/batch-commands.md run as they are printed, one after the other."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.batch_ledgers import CLIENT, FILE

if TYPE_CHECKING:
    import pytest

    from tests.cli.batch_ledgers import Batch

PAGE = Path(__file__).parents[2] / "docs" / "batch-commands.md"


def commands() -> list[tuple[list[str], int]]:
    """The arguments of each command, and its exit code."""
    blocks = re.findall(r"^```shell\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found: list[tuple[list[str], int]] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("seqino "):
            command, _, code = line.partition("  # exit code ")
            found.append((shlex.split(command)[1:], int(code[:1] or 0)))
    return found


def test_the_commands_of_the_page_do_what_it_says(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(batch.folder)
    monkeypatch.setenv("SEQINO_BASE_URL", batch.platform.url)
    monkeypatch.setenv("SEQINO_CLIENT_ID", CLIENT)
    (batch.folder / "invoices").mkdir()
    shutil.copy(batch.samples / FILE, batch.folder / "invoices")
    batch.rows("rows.jsonl", {"ERP-1": batch.draft()})
    batch.rows("corrected.jsonl", {"ERP-1": batch.draft(), "ERP-2": batch.draft()})
    codes = [
        (arguments[1], batch.command(*arguments).exit_code, expected) for arguments, expected in commands()
    ]
    assert len(codes) == 11
    assert [(name, code) for name, code, expected in codes if code != expected] == []
    assert (batch.folder / "mapping.csv").read_text(encoding="utf-8").count("accepted") == 2

"""What the tests of ``seqino batch`` share: a place for ledgers, and a command that names it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

SUBMIT_FILE = "POST /invoicing/files/submit"
CREATE_DRAFT = "POST /drafts"
CLIENT = "sandbox-client-seqino"
FILE = "01-it-services-ubl.xml"
KEY = "090124017/ANR-2026-0412/2026"
CALLS = frozenset({"submit", "resume", "retry", "check", "resolve", "follow"})


class Batch:
    """``seqino batch`` on a ledger of a test, at a sandbox."""

    def __init__(
        self, command: Callable[..., Result], platform: Platform, samples: Path, folder: Path
    ) -> None:
        self.command = command
        self.platform = platform
        self.samples = samples
        self.folder = folder
        self.ledger = folder / "ledger.db"

    def __call__(self, name: str, *arguments: object) -> Result:
        return self.command("batch", name, *arguments, *self.options(name))

    def options(self, name: str) -> list[str]:
        """Options that name the sandbox, the client and the ledger."""
        whose = ["--client-id", CLIENT] if name in CALLS else []
        return ["--base-url", self.platform.url, "--ledger", str(self.ledger), *whose]

    def draft(self, **changes: Any) -> dict[str, Any]:
        text = (self.samples / "13-consulting-draft.json").read_text(encoding="utf-8")
        return {**json.loads(text, parse_float=Decimal), **changes}

    def rows(self, name: str, drafts: dict[str, dict[str, Any]]) -> Path:
        """Write a file of rows, and return its path."""
        path = self.folder / name
        lines = [json.dumps({"key": key, "invoice": draft}, default=str) for key, draft in drafts.items()]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def states(self) -> dict[str, str]:
        """The state of each key, as it is exported."""
        lines = map(json.loads, self("export", "-").stdout.splitlines())
        return {line["key"]: line["state"] for line in lines if line["key"]}

from __future__ import annotations

import os
from pathlib import Path

import pytest

import seqino

SAMPLES = Path(seqino.__file__).parent / "sandbox" / "invoices"


@pytest.fixture
def samples() -> Path:
    return SAMPLES


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("SEQINO_", "LC_"))]:
        if name != "SEQINO_TEST_DATA":
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("COLUMNS", raising=False)

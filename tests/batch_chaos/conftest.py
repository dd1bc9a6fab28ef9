from __future__ import annotations

import pytest

from tests.batch_chaos.child import QUICK


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process does with a ledger takes as little time as what others do."""
    for module, name, value in QUICK:
        monkeypatch.setattr(module, name, value)

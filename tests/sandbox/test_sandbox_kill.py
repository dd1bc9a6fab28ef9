"""A sandbox that is killed in the middle of writing; ``python -m tests.sandbox.kill`` does it more often."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.sandbox.kill import Run

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_sandbox_that_is_killed_keeps_all_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - a choice, no secret
    run = Run(tmp_path / "sandbox.state", chance, say=lambda _: None)
    for _ in range(3):
        await run.round()
    await run.finish()
    assert run.unanswered
    assert run.answers > 3

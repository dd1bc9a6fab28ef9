"""Thousands of worlds in which everything goes wrong: an invoice is sent once, and what is told is true."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seqino.submission import Submission, Verdict
from tests.chaos import run
from tests.chaos.naive import submit_naively
from tests.chaos.rounds import Round, Work, play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.world import World

ROUNDS = 2000
CANCELLATIONS = 2000
WORKS: tuple[Work, ...] = ("submit", "file")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("seqino")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


def test_nothing_is_sent_twice_lost_silently_or_told_wrongly_and_cancelling_leaves_nothing_behind() -> None:
    # On its own, on all cores and unmeasured: what it runs is measured by the tests beside it.
    command = [sys.executable, "-m", "tests.chaos.run", "--rounds", f"{ROUNDS}", "--cancelled", "250"]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    told = ended.stdout
    assert f"{ROUNDS} rounds" in told
    promises = "duplicates 0, silent losses 0, false failures 0, other promises broken 0"
    assert promises in told
    cancelled = re.search(r"(\d+) cancellations: promises broken 0", told)
    assert cancelled is not None
    assert int(cancelled[1]) >= CANCELLATIONS


def test_all_kinds_of_ends_occur() -> None:
    played = run.play_rounds(range(150))
    assert played.found == []
    assert min(played.verdicts[name] for name in ("accepted", "accepted_unidentified", "OutcomeUnknown")) > 5
    calls = {name.split()[0] for name in played.verdicts if " " in name}
    assert calls >= {"safe", "idempotent", "disposable", "once", "readable", "create"}


def test_a_client_that_reads_status_codes_alone_does_all_that_it_must_not() -> None:
    found: Counter[str] = Counter()
    for seed in range(100):
        for work in WORKS:
            found.update({kind for kind, _ in play(seed, submit=submit_naively, work=work).violations})
    assert min(found[kind] for kind in ("duplicate", "silent loss", "false failure")) > 3, found


def _play_with_a_liar(seed: int) -> Round:
    return play(seed, submit=_lie, work="submit")


async def _lie(_world: World, _work: Work, _item: str) -> Submission:
    return Submission(verdict=Verdict.ACCEPTED, invoice_id="inv-0")


def test_what_a_round_breaks_is_told_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "play", _play_with_a_liar)
    found = run.play_rounds(range(7, 9))
    assert found.violations["silent loss"] >= 2
    assert found.found[0].startswith("seed 7: submit: silent loss: item-0: Submission(")
    assert run.main(["--seed", "7"]) == 1
    assert "SILENT LOSS: item-0" in capsys.readouterr().out


@pytest.mark.parametrize("work", ["submit", "file", "call"])
def test_a_seed_plays_the_same_round_each_time(work: Work) -> None:
    for seed in range(20):
        once, again = play(seed, work=work), play(seed, work=work)
        assert once.trace == again.trace
        assert once.verdicts == again.verdicts
        assert len(once.trace) > 1

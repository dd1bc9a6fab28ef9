"""Thousands of worlds in which everything goes wrong: an invoice is sent once, and what is told is true."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from tests.chaos import run
from tests.chaos.naive import submit_naively
from tests.chaos.rounds import Work, play

ROUNDS = 2000
WORKS: tuple[Work, ...] = ("submit", "file")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("seqino").setLevel(logging.CRITICAL)


def test_nothing_is_sent_twice_lost_silently_or_called_a_failure_falsely() -> None:
    played = run.play_rounds(range(ROUNDS))
    assert played.found == []
    assert played.rounds == ROUNDS
    # All kinds of ends occur, or the worlds would be too kind.
    ends = {name: played.verdicts[name] for name in ("accepted", "accepted_unidentified", "OutcomeUnknown")}
    assert min(ends.values()) > ROUNDS / 100, ends
    assert {name.split()[0] for name in played.verdicts if " " in name} >= {
        "safe",
        "idempotent",
        "disposable",
        "once",
        "readable",
        "create",
    }


def test_a_client_that_reads_status_codes_alone_does_all_of_it() -> None:
    found: Counter[str] = Counter()
    for seed in range(300):
        for work in WORKS:
            found.update({kind for kind, _ in play(seed, submit=submit_naively, work=work).violations})
    assert min(found[kind] for kind in ("duplicate", "silent loss", "false failure")) > 10, found


@pytest.mark.parametrize("work", ["submit", "file", "call"])
def test_a_seed_plays_the_same_round_each_time(work: Work) -> None:
    for seed in range(20):
        once, again = play(seed, work=work), play(seed, work=work)
        assert once.trace == again.trace
        assert once.verdicts == again.verdicts
        assert len(once.trace) > 1


def test_the_command_counts_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--rounds", "100", "--workers", "1"]) == 0
    told = capsys.readouterr().out
    assert "100 rounds" in told
    assert "duplicates 0, silent losses 0, false failures 0" in told
    assert run.main(["--seed", "3"]) == 0
    assert "send create_draft" in capsys.readouterr().out

"""A call cancelled at any of its suspensions leaves nothing behind but the truth."""

from __future__ import annotations

import logging

import pytest

from tests.chaos import run

POINTS = 2000
SEEDS = 200


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("seqino").setLevel(logging.CRITICAL)


def test_a_cancellation_anywhere_leaves_a_whole_client_and_a_told_doubt() -> None:
    cancelled = run.cancel_everywhere(range(SEEDS))
    assert cancelled.found == []
    assert cancelled.rounds >= POINTS

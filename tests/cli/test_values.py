"""Values of options that are more than a word."""

from __future__ import annotations

import pytest

from seqino.cli.values import read_limits, read_rates
from seqino.errors import InvalidInput


def test_rates_are_read_by_name() -> None:
    read = read_rates(["reset-after=0.05", "status-429-before; retry-after=1.5 = 1", "hang=0"])
    assert read == {"reset-after": 0.05, "status-429-before; retry-after=1.5": 1, "hang": 0}


@pytest.mark.parametrize(
    "text", ["", "reset-after", "=0.5", "hang=", "hang=often", "hang=1.5", "hang=-1", "hang=nan"]
)
def test_what_is_no_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not NAME=RATE .*: reset-after=0\.05"):
        read_rates([text])


def test_a_fault_has_one_rate() -> None:
    with pytest.raises(InvalidInput, match="--fault hang has two rates"):
        read_rates(["hang=0.5", "hang=0.6"])


def test_limits_are_read_by_endpoint_and_window() -> None:
    read = read_limits(["100/minute", "/drafts=10/minute", " 5000/day ", "/drafts=20/hour"])
    assert read == {"minute": 100, "day": 5000, "/drafts": {"minute": 10, "hour": 20}}


@pytest.mark.parametrize(
    "text", ["", "100", "100/week", "/minute", "-1/minute", "drafts=1/minute", "1e3/minute"]
)
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"is not CALLS/WINDOW .*: 100/minute, /drafts=10/minute"):
        read_limits([text])


@pytest.mark.parametrize("text", ["20/minute", "/drafts=20/minute"])
def test_a_window_is_limited_once(text: str) -> None:
    with pytest.raises(InvalidInput, match="has a limit already"):
        read_limits(["10/minute", "/drafts=10/minute", text])

"""Values of options that are more than a word."""

from __future__ import annotations

import pytest

from seqino.cli.values import completing, read_rates
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


def test_an_option_is_completed_by_what_it_may_be() -> None:
    assert completing("settled", "approved")("s") == ["settled"]
    assert completing("fr", "en")("") == ["fr", "en"]

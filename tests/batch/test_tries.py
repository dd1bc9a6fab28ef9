"""How often an invoice is tried on which the platform fails."""

from __future__ import annotations

from seqino.batch.tries import TRIES, Tries


def test_an_invoice_is_given_up_once_it_failed_often_enough_in_a_row() -> None:
    tries = Tries()
    for number in range(TRIES):
        assert not tries.given_up
        tries.failed(1)
        if number:
            tries.failed(2)
        tries.end_pass(in_vain=False)
    assert tries.given_up == {1}
    tries.passed(2)
    tries.failed(2)
    tries.end_pass(in_vain=False)
    assert tries.given_up == {1}


def test_no_invoice_is_to_blame_where_nothing_goes_through() -> None:
    tries = Tries()
    for _ in range(TRIES):
        tries.failed(1)
        tries.end_pass(in_vain=True)
    assert (tries.given_up, tries.in_vain) == (set(), TRIES)
    # Nothing was asked: a platform that cannot be reached is waited for.
    tries.end_pass(in_vain=True)
    assert tries.in_vain == TRIES
    tries.end_pass(in_vain=False)
    assert tries.in_vain == 0

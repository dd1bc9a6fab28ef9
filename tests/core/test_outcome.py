from __future__ import annotations

import pytest

from seqino._core.outcome import FaultKind, Outcome, classify_fault, classify_status

REJECTED = {400, 401, 402, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 416, 417} | {
    *(421, 422, 423, 424, 426, 428, 431, 451)
}


@pytest.mark.parametrize("status", range(200, 300))
def test_every_2xx_is_done(status: int) -> None:
    assert classify_status(status).outcome is Outcome.DONE


@pytest.mark.parametrize("status", sorted(REJECTED))
def test_a_refusal_proves_that_nothing_was_done(status: int) -> None:
    attempt = classify_status(status)
    assert attempt.outcome is Outcome.REJECTED
    assert attempt.status == status


def test_too_many_requests_is_kept_apart() -> None:
    assert classify_status(429).outcome is Outcome.THROTTLED


@pytest.mark.parametrize("status", sorted(set(range(300, 600)) - REJECTED - {429}))
def test_any_other_status_proves_nothing(status: int) -> None:
    assert classify_status(status).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("kind", list(FaultKind))
def test_once_a_byte_left_no_fault_proves_anything(kind: FaultKind) -> None:
    assert classify_fault(kind, sent=True).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("kind", list(FaultKind))
def test_without_a_byte_sent_every_fault_is_harmless(kind: FaultKind) -> None:
    assert classify_fault(kind, sent=False).outcome is Outcome.NOT_SENT


def test_where_nobody_watched_the_kind_of_fault_must_tell() -> None:
    never_sent = {kind for kind in FaultKind if classify_fault(kind, sent=None).outcome is Outcome.NOT_SENT}
    assert never_sent == {
        FaultKind.UNREACHABLE,
        FaultKind.INSECURE,
        FaultKind.UNUSABLE,
        FaultKind.WITHHELD,
    }


def test_a_wrong_certificate_is_never_worth_another_try() -> None:
    hopeless = {kind for kind in FaultKind if not classify_fault(kind, sent=False).transient}
    assert hopeless == {FaultKind.INSECURE, FaultKind.UNUSABLE}


def test_the_fault_is_kept_with_its_detail() -> None:
    attempt = classify_fault(FaultKind.DISCONNECTED, sent=True, detail="reset by peer")
    assert (attempt.fault, attempt.detail, attempt.status) == (FaultKind.DISCONNECTED, "reset by peer", None)

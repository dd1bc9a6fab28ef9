from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seqino.cli.follow import standing
from seqino.cli.plan import Invoice
from seqino.cli.result import End, ExitCode, Result, Tally
from seqino.models import LifecycleEvent, LifecycleStatusCode

BEGIN = datetime(2026, 10, 2, 8, tzinfo=UTC)


def event(minute: int, status: str, reason: str | None = None, *, zone: bool = True) -> LifecycleEvent:
    timestamp = BEGIN + timedelta(minutes=minute)
    return LifecycleEvent(
        status_code=LifecycleStatusCode(status if "." in status else f"InvoiceLifecycleStatus.{status}"),
        timestamp=timestamp if zone else timestamp.replace(tzinfo=None),
        emitter="PDPE",
        rejection_reason=reason,
    )


SENT = [event(0, "DEPOSITED"), event(1, "TRANSMITTED_BY_PLATFORM"), event(2, "MADE_AVAILABLE")]


@pytest.mark.parametrize(
    ("events", "end", "number"),
    [
        ([], End.OPEN, None),
        (SENT, End.OPEN, 203),
        ([*SENT, event(3, "APPROVED")], End.OPEN, 205),
        ([*SENT, event(4, "COLLECTED"), event(3, "APPROVED")], End.PAID, 212),
        ([event(4, "COLLECTED"), event(5, "PAYMENT_TRANSMITTED"), *SENT], End.PAID, 212),
        ([*SENT, event(3, "REFUSED", "TX_TVA_ERR")], End.REFUSED, 210),
        ([*SENT, event(3, "REJECTED", "REJ_ADR")], End.REJECTED, 213),
        ([*SENT, event(3, "CANCELLED")], End.CANCELLED, 220),
        ([event(0, "DEPOSITED", "NON_TRANSMISE")], End.NOT_DELIVERED, 200),
        ([SENT[0], event(3, "REJECTED", "DOUBLON")], End.DUPLICATE, 213),
        ([*SENT, event(3, "REJECTED", "DOUBLON")], End.OPEN, 203),
        ([event(0, "DEPOSITED", "NON_TRANSMISE"), event(3, "REJECTED", "DOUBLON")], End.NOT_DELIVERED, 200),
        ([*SENT, event(3, "REJECTED", "DOUBLON"), event(4, "COLLECTED")], End.PAID, 212),
        ([event(3, "SomethingNew.HAPPENED")], End.OPEN, None),
    ],
)
def test_events_tell_how_an_invoice_stands(
    events: list[LifecycleEvent], end: End, number: int | None
) -> None:
    found = standing(events)
    assert found.end is end
    assert (found.status.number if found.status else None) == number


def test_events_may_come_in_any_order_and_without_a_zone() -> None:
    found = standing([event(3, "COLLECTED"), event(1, "APPROVED", zone=False)])
    assert found.end is End.PAID


def test_a_status_without_its_family_is_read_as_one_of_an_invoice() -> None:
    bare = event(0, "X.REFUSED")
    bare.status_code = LifecycleStatusCode("REFUSED")
    found = standing([bare])
    assert found.end is End.REFUSED
    assert found.status == "InvoiceLifecycleStatus.REFUSED"


def test_the_reason_is_told_as_code_and_text() -> None:
    refused = event(3, "REFUSED", "TX_TVA_ERR")
    refused.reason = "Taux erroné"
    assert standing([refused]).reason == "TX_TVA_ERR: Taux erroné"


def tally(*ends: End, refused: int = 0) -> Tally:
    invoice = Invoice(path=Path("a.xml"), name="a.xml", kind="ubl", digest="")
    return Tally.of((Result(invoice=invoice, end=end) for end in ends), refused=refused)


@pytest.mark.parametrize(
    ("ends", "refused", "code"),
    [
        ([End.PAID, End.NOT_DELIVERED, End.OPEN, End.SUBMITTED], 0, ExitCode.OK),
        ([End.PAID], 1, ExitCode.INPUT),
        ([End.PAID, End.REFUSED_BEFORE], 0, ExitCode.INPUT),
        ([End.PAID, End.FAILED], 1, ExitCode.FAILURE),
        ([End.NOT_SUBMITTED], 0, ExitCode.FAILURE),
        ([End.REFUSED, End.FAILED], 0, ExitCode.REJECTED),
        ([End.TURNED_AWAY], 0, ExitCode.REJECTED),
        ([End.IN_DOUBT, End.REJECTED, End.FAILED], 1, ExitCode.IN_DOUBT),
    ],
)
def test_the_exit_code_tells_the_worst(ends: list[End], refused: int, code: ExitCode) -> None:
    assert tally(*ends, refused=refused).exit_code is code


def test_a_doubt_counts_neither_as_submitted_nor_as_settled() -> None:
    counts = tally(
        End.PAID, End.REFUSED, End.NOT_DELIVERED, End.IN_DOUBT, End.OPEN, End.TURNED_AWAY, refused=2
    )
    assert (counts.submitted, counts.settled, counts.in_doubt, counts.failed) == (4, 3, 1, 0)
    assert counts.count(End.REFUSED_BEFORE) == 2

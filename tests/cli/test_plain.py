"""JSON lines: nothing that came is lost, amounts are text, and no character steers a terminal."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from seqino.cli.plain import Found, builtins_of, found_in_answer, found_in_list, json_line, read_answer
from seqino.models import (
    B2CTransactionReported,
    B2CTransactionVat,
    DirectoryEntry,
    EndpointUsage,
    Mandate,
    MandateStatus,
    PaymentRecorded,
)

PAYMENT = PaymentRecorded(
    payment_id="pay_1",
    client_siren="552100554",
    payment_date=dt.date(2026, 11, 20),
    amount=Decimal("1E+2"),
    created_at=dt.datetime(2026, 11, 20, tzinfo=dt.UTC),
    period="2026-11",
)


def test_amounts_are_text_and_what_nobody_described_is_kept() -> None:
    raw = read_answer(
        b'{"payment_id": "pay_1", "amount": 1E+2, "payment_date": "2026-11-20", "currency": null,'
        b' "new": {"rate": 0.10, "count": 3, "list": [1.50, true]}}'
    )
    assert Found(PAYMENT, raw).members == {
        "payment_id": "pay_1",
        "amount": "100",
        "payment_date": "2026-11-20",
        "currency": None,
        "new": {"rate": "0.10", "count": 3, "list": ["1.50", True]},
    }


def test_amounts_inside_lists_and_objects_are_text_too() -> None:
    report = B2CTransactionReported(
        total_vat_amount=Decimal(20), vat_breakdown=[B2CTransactionVat(vat_amount=Decimal("20.0"))]
    )
    raw = read_answer(b'{"total_vat_amount": 20, "vat_breakdown": [{"vat_amount": 20.0, "x": 1}]}')
    assert Found(report, raw).members == {
        "total_vat_amount": "20",
        "vat_breakdown": [{"vat_amount": "20.0", "x": 1}],
    }


def test_what_is_measured_stays_a_number() -> None:
    usage = EndpointUsage(
        endpoint="/drafts",
        method="POST",
        call_count=1,
        success_count=1,
        error_count=0,
        avg_response_time_ms=1.5,
    )
    assert Found(usage, read_answer(b'{"avg_response_time_ms": 1.5, "p99": 2.5}')).members == {
        "avg_response_time_ms": 1.5,
        "p99": "2.5",
    }


@pytest.mark.parametrize("content", [b"", b"null"])
def test_an_answer_without_anything_is_nothing(content: bytes) -> None:
    assert Found(None, read_answer(content)).members is None


def test_what_a_look_found_in_a_list_is_shown_as_it_was_read() -> None:
    found = found_in_answer(PAYMENT, read_answer(b'[{"amount": 100}]'))
    assert (found.members["payment_id"], found.members["amount"]) == ("pay_1", "100")
    assert found_in_answer(PAYMENT, read_answer(b'{"new": 1}')).members == {"new": 1}
    assert found_in_answer(None, [1]).members == [1]


def test_the_items_of_a_list_are_paired_with_what_came() -> None:
    found = found_in_list([PAYMENT], read_answer(b'[{"amount": 100, "new": 1}]'))
    assert [each.members for each in found] == [{"amount": "100", "new": 1}]
    found = found_in_list([PAYMENT], read_answer(b'{"amount": 100, "new": 1}'))
    assert [each.members for each in found] == [{"amount": "100", "new": 1}]


def test_items_that_stand_elsewhere_are_shown_as_they_were_read() -> None:
    found = found_in_list([PAYMENT, PAYMENT], read_answer(b'{"items": [{}, {}]}'))
    assert [each.members["amount"] for each in found] == ["100", "100"]


def test_a_model_is_plain_without_what_is_absent() -> None:
    mandate = Mandate(
        client_id="c",
        start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        status=MandateStatus("new"),
        directory_entry=DirectoryEntry(siren="552100554", name="A"),
        created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )
    plain = builtins_of(mandate)
    assert (plain["status"], plain["start_date"]) == ("new", "2026-01-01T00:00:00Z")
    assert plain["directory_entry"] == {"siren": "552100554", "name": "A"}


@pytest.mark.parametrize("text", ["a\x1b[2J", "\x9b31m", "\x7f", "\u202e\u2028", "\ud800", "🪑é", '"\\\n'])
def test_a_line_means_the_same_and_steers_no_terminal(text: str) -> None:
    line = json_line({"name": text, text: 1})
    assert line.isprintable()
    assert json.loads(line) == {"name": text, text: 1}

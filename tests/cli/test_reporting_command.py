"""``seqino reporting`` against a real sandbox: nothing is declared by accident, and nothing twice."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from seqino.cli.confirm import confirm
from seqino.cli.result import ExitCode
from seqino.errors import InvalidInput
from tests.cli.results import lines, one_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Platform
    from tests.cli.results import Result

    Command = Callable[..., Result]

PAYMENT = ("--siren", "552100554", "--date", "2026-11-20", "--amount", "12.50")
SALES = {
    "client_siren": "552100554",
    "transaction_date": "2026-11-20",
    "currency": "EUR",
    "category": "TLB1",
    "transaction_count": 3,
    "total_amount_without_vat": 100.10,
    "total_vat_amount": "20.02",
}


@pytest.fixture
def in_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the standard input pass for a terminal."""
    monkeypatch.setattr("seqino.cli.confirm.is_watched", lambda: True)


def test_a_payment_is_declared(on_platform: Command) -> None:
    (done,) = lines(on_platform("reporting", "payment", *PAYMENT, "--yes", "--json"))
    assert (done["amount"], done["period"]) == ("12.50", "2026-11")


def test_a_payment_that_is_taken_back_is_negative(on_platform: Command) -> None:
    (done,) = lines(on_platform("reporting", "payment", *PAYMENT[:5], "-12.50", "--yes", "--json"))
    assert done["amount"] == "-12.50"


def test_a_payment_is_read_from_a_file(on_platform: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"client_siren": "552100554", "payment_date": "2026-11-20", "amount": 0.10}')
    (done,) = lines(on_platform("reporting", "payment", "--file", file, "--yes", "--json"))
    assert done["amount"] == "0.10"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (PAYMENT[:4], "needs --siren, --date and --amount"),
        ((*PAYMENT, "--file", "a.json"), "no other option"),
        ((*PAYMENT[:5], "12,50"), "$.amount"),
        ((*PAYMENT[:5], "nan"), "$.amount"),
        (("--siren", "552100555", *PAYMENT[2:]), "--siren: '552100555' has a wrong check digit"),
    ],
)
def test_what_is_no_payment_is_told_before_anything_is_sent(
    on_platform: Command, platform: Platform, arguments: tuple[str, ...], complaint: str
) -> None:
    result = on_platform("reporting", "payment", *arguments, "--yes")
    assert result.exit_code == ExitCode.INPUT
    assert complaint in one_error(result)
    assert platform.sandbox.counters.requests == 0


def test_sales_and_exempt_invoices_are_declared(on_platform: Command, samples: Path, tmp_path: Path) -> None:
    (sales,) = lines(on_platform("reporting", "b2c", "-", "--yes", "--json", stdin=json.dumps(SALES)))
    assert sales["total_amount_without_vat"] == "100.1"
    file = tmp_path / "a.json"
    model = json.loads((samples / "13-consulting-draft.json").read_text("utf-8"))
    model["buyer"]["postal_address"]["country_code"] = "DE"
    file.write_text(json.dumps({"direction": "outgoing", "country_code": "DE", "model": model}))
    (exempt,) = lines(on_platform("reporting", "exempt", file, "--yes", "--json"))
    assert exempt["invoice_id"]


def test_nothing_is_declared_where_nobody_can_be_asked(on_platform: Command, platform: Platform) -> None:
    result = on_platform("reporting", "payment", *PAYMENT)
    assert result.exit_code == ExitCode.INPUT
    assert "add --yes" in one_error(result)
    assert platform.sandbox.counters.requests == 0


@pytest.mark.usefixtures("in_terminal")
def test_a_person_is_asked_what_is_to_be_declared(on_platform: Command, platform: Platform) -> None:
    sure = on_platform("reporting", "payment", *PAYMENT, "--json", stdin="y\n")
    assert sure.exit_code == ExitCode.OK
    where = f"Declare the payment for sandbox-client-seqino at {platform.url}"
    assert f"{where}: client_siren 552100554, payment_date 2026-11-20, amount 12.50." in sure.stderr
    assert len(lines(sure)) == 1
    no = on_platform("reporting", "payment", *PAYMENT, stdin="\n")
    assert no.exit_code == ExitCode.INPUT
    assert "nothing was sent" in no.stderr
    assert platform.sandbox.counters.requests == 1


@pytest.mark.usefixtures("in_terminal")
def test_an_answer_that_never_comes_is_no_yes(on_platform: Command, platform: Platform) -> None:
    result = on_platform("reporting", "payment", *PAYMENT)
    assert result.exit_code == ExitCode.INPUT
    assert platform.sandbox.counters.requests == 0


def test_who_answered_beforehand_is_not_asked() -> None:
    confirm("?", yes=True)
    with pytest.raises(InvalidInput):
        confirm("?", yes=False)
    assert not sys.stdin.isatty()


def test_an_unclear_end_says_never_to_repeat_it(on_platform: Command, platform: Platform) -> None:
    platform.sandbox.faults.plan("reset-after", operation="POST /reporting/payments")
    result = on_platform("reporting", "payment", *PAYMENT, "--yes")
    assert result.exit_code == ExitCode.IN_DOUBT
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: record_payment")
    assert hint == "never repeat it blindly: ask the platform what became of it first"
    assert platform.sandbox.counters.requests == 1


def test_a_refusal_is_told_apart_from_a_failure(
    on_platform: Command, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    vat = {"vat_rate": 20, "taxable_amount": 100.10, "vat_amount": 99}
    wrong = {**SALES, "vat_breakdown": [vat]}
    refused = on_platform(
        "reporting",
        "b2c",
        "-",
        "--yes",
        stdin=json.dumps(wrong),
    )
    assert refused.exit_code == ExitCode.REJECTED
    monkeypatch.setenv("SEQINO_API_KEY", "invalid")
    assert on_platform("reporting", "payment", *PAYMENT, "--yes").exit_code == ExitCode.FAILURE
    assert platform.sandbox.counters.requests == 2


@pytest.mark.parametrize(
    ("arguments", "operation"),
    [
        (("payment", *PAYMENT), "POST /reporting/payments"),
        (("b2c", "-"), "POST /reporting/b2c-transactions"),
        (("exempt", "-"), "POST /reporting/exempt-invoices"),
    ],
)
@pytest.mark.parametrize(
    ("fault", "code"), [("status-400-before", ExitCode.REJECTED), ("status-500-before", ExitCode.IN_DOUBT)]
)
def test_each_declaration_tells_a_refusal_and_a_doubt_apart(  # noqa: PLR0917 - what a case is made of
    on_platform: Command,
    platform: Platform,
    samples: Path,
    arguments: tuple[str, ...],
    operation: str,
    fault: str,
    code: ExitCode,
) -> None:
    model = json.loads((samples / "13-consulting-draft.json").read_text("utf-8"))
    exempt = {"direction": "outgoing", "country_code": "DE", "model": model}
    platform.sandbox.faults.plan(fault, operation=operation)
    stdin = json.dumps(exempt if arguments[0] == "exempt" else SALES)
    assert on_platform("reporting", *arguments, "--yes", stdin=stdin).exit_code == code
    assert platform.sandbox.counters.requests == 1

# pyright: reportPrivateUsage=false
"""What the demo says of an invoice, by its state in the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqino.batch.items import Item
from seqino.batch.states import State
from seqino.cli.demo_ledger import _result
from seqino.cli.plan import Invoice
from seqino.cli.result import End, Result
from seqino.submission import Route


@pytest.mark.parametrize(
    ("state", "end"),
    [
        (State.ACCEPTED, End.SUBMITTED),
        (State.PARKED, End.IN_DOUBT),
        (State.REJECTED, End.TURNED_AWAY),
        (State.INVALID, End.REFUSED_BEFORE),
        (State.QUEUED, End.NOT_SUBMITTED),
    ],
)
def test_an_invoice_ends_as_the_ledger_has_it(state: State, end: End) -> None:
    begun = Result(invoice=Invoice(path=Path("a.xml"), name="a.xml", kind="ubl", digest="0"))
    item = Item(id=1, client_id="client-1", business_key="demo/0", route=Route.FILE, sha256="0", state=state)
    assert _result(begun, item).end is end

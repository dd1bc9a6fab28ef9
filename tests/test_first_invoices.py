"""The first invoices that a newcomer copies have what French law asks of both parties."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from seqino.identifiers import check_address, check_siren

ROOT = Path(__file__).parents[1]
AN_INVOICE = re.compile(r'^(?:invoice|facture) = \{\n    "issue_date".*?^\}\n', re.MULTILINE | re.DOTALL)


def parties(page: str) -> dict[str, Any]:
    """Read what the invoice of a page says of its parties; amounts and addresses of streets are left out."""
    found = AN_INVOICE.search((ROOT / page).read_text(encoding="utf-8"))
    assert found is not None
    [statement] = ast.parse(found[0]).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Dict)
    entries = zip(statement.value.keys, statement.value.values, strict=True)
    return {
        name: _texts(value)
        for key, value in entries
        if (name := ast.literal_eval(key or "")) in {"seller", "buyer"}
    }


def _texts(value: ast.expr) -> Any:
    if isinstance(value, ast.Dict):
        pairs = zip(value.keys, value.values, strict=True)
        return {ast.literal_eval(key or ""): _texts(item) for key, item in pairs}
    return value.value if isinstance(value, ast.Constant) else None


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md", "docs/premiers-pas.md"])
@pytest.mark.parametrize("role", ["seller", "buyer"])
def test_both_parties_have_a_siren_and_an_electronic_address(page: str, role: str) -> None:
    party = parties(page)[role]
    siren = check_siren(party[f"{role}_legal_registration_identifier"])  # BR-FR-10, BR-FR-11
    assert party[f"{role}_legal_registration_identifier_scheme"] == "0002"
    assert party["electronic_address"]["scheme_id"] == "0225"  # BR-FR-12, BR-FR-13
    check_address(party["electronic_address"]["value"], siren=siren)  # BR-FR-21

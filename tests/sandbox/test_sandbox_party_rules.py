"""Identifiers of the parties of an invoice, judged by the sandbox's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox.party_rules import wrong_identifiers

if TYPE_CHECKING:
    from collections.abc import Callable

SIREN, SIRET = "812345676", "81234567600017"


@pytest.mark.parametrize(
    ("terms", "broken"),
    [
        ({}, []),
        ({"BT-30": SIREN, "BT-30-1": "0002", "BT-47": SIREN, "BT-47-1": "0002"}, []),
        ({"BT-30": "HRB 1", "BT-30-1": "0204", "BT-47": "12"}, []),
        ({"BT-30": "812345677", "BT-30-1": "0002"}, [("BR-FR-10", "BT-30")]),
        ({"BT-30": SIRET, "BT-30-1": "0002"}, [("BR-FR-10", "BT-30")]),
        ({"BT-47": "", "BT-47-1": "0002"}, [("BR-FR-11", "BT-47")]),
    ],
)
def test_a_registration_of_the_scheme_0002_is_a_siren(
    terms: dict[str, Any], broken: list[tuple[str, str]]
) -> None:
    assert [(rule, term) for rule, term, _ in wrong_identifiers(terms)] == broken


@pytest.mark.parametrize("term", ["BT-34", "BT-49"])
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (SIREN, None),
        (f"{SIREN}_{SIRET}", None),
        (f"{SIREN}_{SIRET}_A_b.C-1", None),
        (f"{SIREN}_COMPTA", None),
        (f"{SIREN}_{'A' * 115}", None),
        (f"{SIREN}_{'A' * 116}", "BR-FR-25"),
        ("812345677", "BR-FR-23"),
        ("999 !! garbage", "BR-FR-23"),
        (f"{SIREN}_é", "BR-FR-23"),
        (f"{SIREN}_", "BR-FR-23"),
        (f"{SIREN}\n", "BR-FR-23"),
        (f"{SIREN}_{SIRET}_", "BR-FR-23"),
        (f"{SIREN}_81234567600018", "BR-FR-23"),
        (f"{SIREN}_73282932000074", "BR-FR-23"),
    ],
)
def test_an_address_of_the_scheme_0225_has_one_of_four_forms(term: str, text: str, rule: str | None) -> None:
    expected = [] if rule is None else [(rule, term)]
    found = wrong_identifiers({term: text, f"{term}-1": "0225"})
    assert [(rule, term) for rule, term, _ in found] == expected
    assert list(wrong_identifiers({term: text, f"{term}-1": "0088"})) == []
    assert list(wrong_identifiers({term: text})) == []


@pytest.mark.reconstruction
@pytest.mark.parametrize(
    ("wrong", "rule", "name"),
    [
        ({"electronic_address": {"scheme_id": "0225", "value": "12"}}, "BR-FR-23", "electronic_address"),
        (
            {
                "buyer_legal_registration_identifier": "12",
                "buyer_legal_registration_identifier_scheme": "0002",
            },
            "BR-FR-11",
            "buyer_legal_registration_identifier",
        ),
    ],
)
async def test_a_draft_with_a_wrong_identifier_is_kept_with_a_warning_and_never_issued(
    call: Any, draft: Callable[..., dict[str, Any]], wrong: dict[str, Any], rule: str, name: str
) -> None:
    sent = draft()
    sent["buyer"].update(wrong)
    reply = await call("POST", "/drafts", json=sent)
    assert reply.status == 201
    [warning] = reply.body["warnings"]
    assert (warning["rule"], warning["path"]) == (rule, f"buyer.{name}")
    judged = await call("POST", "/drafts/validate-data", json={"invoice_data": sent})
    assert judged.body["valid"] is False
    refused = await call("POST", f"/drafts/{reply.body['draft_id']}/validate")
    assert refused.status == 422
    [problem] = refused.body["detail"]
    assert (problem["loc"][-1], problem["type"]) == (name, rule)
